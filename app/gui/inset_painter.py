"""Paint the inset of a face: three pictures with their captions, or two and some figures."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPolygonF

from app.gui.inset import Inset
from app.gui.theme import SMALL_PX, Theme, font, label_colour
from app.overlays import Shown
from app.views import VIEWS

TILE = 72
"""Desktop pixels that the pictures have; they are smaller on a narrow card."""
_GAP = 8
_LINE = 16
_CAPTIONS = 2 * _LINE + 4
HEIGHT = _LINE + 4 + TILE + _CAPTIONS
"""Of the whole inset."""
_TINY_PX = SMALL_PX - 1
_NO_REASONS = "This model gives no reasons"
_SEEN, _REASON = "it sees", "it goes by"


def tile_side(width: float) -> float:
    """Return the side of a picture where the whole inset is so wide, desktop pixels."""
    return min(float(TILE), (width - 2 * _GAP) / 3)


class InsetPainter:
    """Hold what an inset shows and paint it. words: the same for screen readers."""

    def __init__(self, theme: Theme) -> None:
        self._theme = theme
        self.shown = Shown()
        self._doubt = ""
        self._inset: Inset | None = None
        self._images: tuple[QImage | None, ...] = ()

    @property
    def words(self) -> str:
        view = VIEWS.get(self.shown.view)
        said = view.title if view else _NO_REASONS.capitalize()
        return f"{said}, {self._doubt}" if self._doubt else said

    def set_view(self, shown: Shown, doubt: str) -> bool:
        """Take another view; say whether it is another."""
        if (shown, doubt) == (self.shown, self._doubt):
            return False
        self.shown, self._doubt = shown, doubt
        return True

    def set_inset(self, inset: Inset) -> None:
        """Take what is to be shown from now on."""
        self._inset = inset
        pictures = inset.crop, inset.view, inset.versus
        self._images = tuple(None if one is None else _image(one) for one in pictures)

    def paint(self, painter: QPainter, area: QRectF) -> None:
        """Paint within an area that is HEIGHT high."""
        inset = self._inset
        if inset is None:
            return
        painter.setFont(font(SMALL_PX))
        painter.setPen(QColor(self._theme.tokens.quiet))
        view = VIEWS.get(self.shown.view)
        head = QRectF(area.left(), area.top(), area.width(), _LINE)
        _write(painter, head, view.title if view else _NO_REASONS)
        side, top = tile_side(area.width()), area.top() + _LINE + 4
        step = (area.width() - side) / 2
        places = [QRectF(area.left() + n * step, top, side, side) for n in range(3)]
        painter.setFont(font(_TINY_PX))
        _picture(painter, places[0], self._images[0])
        self._caption(painter, places[0], _SEEN)
        if view is None:
            return
        if inset.facts and inset.view is None:
            wide = QRectF(places[1].left(), top, area.right() - places[1].left(), TILE + _CAPTIONS)
            self._facts(painter, wide, inset)
        else:
            self._paint_view(painter, places[1], waits=inset.waits)
            self._facts(painter, places[2], inset)
        self._versus(painter, places[2], inset)
        if self._doubt:
            row = QRectF(area.left(), places[0].bottom() + 3 + _LINE, step + side, _LINE)
            self._warn(painter, row)

    def _paint_view(self, painter: QPainter, place: QRectF, *, waits: bool) -> None:
        if self._images[1] is None:
            self._sentence(painter, place, "not ready yet" if waits else "nothing stands out")
        else:
            _picture(painter, place, self._images[1])
        self._caption(painter, place, _REASON)

    def _versus(self, painter: QPainter, place: QRectF, inset: Inset) -> None:
        if self._images[2] is None:
            return
        _picture(painter, place, self._images[2])
        tokens = self._theme.tokens
        for line, label in enumerate(inset.labels):
            top = place.bottom() + 3 + line * _LINE
            mark = QRectF(place.left(), top + 5, 7, 7)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(label_colour(label, tokens))
            painter.drawRoundedRect(mark, 2, 2)
            painter.setPen(QColor(tokens.quiet))
            words = QRectF(place.left() + 11, top, place.width() - 9, _LINE)
            _write(painter, words, label)

    def _facts(self, painter: QPainter, area: QRectF, inset: Inset) -> None:
        tokens = self._theme.tokens
        for line, (name, value) in enumerate(inset.facts[: int(area.height() // _LINE)]):
            row = QRectF(area.left(), area.top() + line * _LINE, area.width(), _LINE)
            painter.setPen(QColor(tokens.text))
            right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(row, right, value)
            painter.setPen(QColor(tokens.quiet))
            taken = painter.fontMetrics().horizontalAdvance(value) + 4
            _write(painter, row.adjusted(0, 0, -taken, 0), name)

    def _caption(self, painter: QPainter, place: QRectF, text: str) -> None:
        painter.setPen(QColor(self._theme.tokens.quiet))
        row = QRectF(place.left(), place.bottom() + 3, place.width() + _GAP, _LINE)
        _write(painter, row, text)

    def _warn(self, painter: QPainter, row: QRectF) -> None:
        """Write what speaks against believing the view, with a sign before it."""
        tokens = self._theme.tokens
        _paint_sign(painter, row, QColor(tokens.warning))
        painter.setPen(QColor(tokens.text))
        _write(painter, row.adjusted(13, 0, 0, 0), self._doubt)

    def _sentence(self, painter: QPainter, place: QRectF, text: str) -> None:
        tokens = self._theme.tokens
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(tokens.raised))
        painter.drawRect(place)
        painter.setPen(QColor(tokens.quiet))
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        painter.drawText(place.adjusted(4, 4, -4, -4), int(flags), text)


def _picture(painter: QPainter, place: QRectF, image: QImage | None) -> None:
    if image is not None:
        painter.drawImage(place, image)


def _write(painter: QPainter, place: QRectF, text: str) -> None:
    room = int(place.width())
    elided = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, room)
    painter.drawText(place, int(Qt.AlignmentFlag.AlignVCenter), elided)


def _paint_sign(painter: QPainter, row: QRectF, colour: QColor) -> None:
    """Draw a small triangle: the sign of a warning, not its colour alone."""
    left, middle = row.left(), row.center().y()
    corners = [(0, 4), (9, 4), (4.5, -4)]
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    painter.drawPolygon(QPolygonF([QPointF(left + x, middle + y) for x, y in corners]))


def _image(pixels: NDArray[np.uint8]) -> QImage:
    height, width = pixels.shape[:2]
    wrapped = QImage(pixels.tobytes(), width, height, width * 3, QImage.Format.Format_BGR888)
    return wrapped.copy()  # the bytes belong to Python
