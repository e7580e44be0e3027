"""Paint the inset of a face: three pictures with their captions, or two and some figures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPolygonF

from app.gui import inset_words
from app.gui.inset import Inset
from app.gui.theme import SMALL_PX, Theme, font, label_colour
from app.overlays import Shown
from app.overlays.base import Canvas
from app.views import VIEWS

TILE = 160
"""Desktop pixels that the pictures have at the most; they are smaller on a narrow card."""
_GAP = 8
_LINE = 16
_CAPTIONS = 2 * _LINE + 4
_TINY_PX = SMALL_PX - 1
# Seconds from which a map is dimmed while the next is made, and after which it is dropped.
_OLD, _TOO_OLD = 1.0, 10.0
# How much of a picture is hidden that is old, and of one in the place of which another will be.
_DIMMED, _NOT_THERE = 0.45, 0.75


def inset_height(side: float) -> float:
    """Return how high an inset is whose pictures have that side, desktop pixels."""
    return _LINE + 4 + side + _CAPTIONS


def tile_side(width: float) -> float:
    """Return the side of a picture where the whole inset is so wide, desktop pixels."""
    return float(min(TILE, (width - 2 * _GAP) // 3))


class InsetPainter:
    """Hold what an inset shows and paint it. words: the same for screen readers.

    While the map of a label is being made the last one of that label stays, of this face, view
    and model.
    """

    def __init__(self, theme: Theme) -> None:
        self._theme = theme
        self.shown = Shown()
        self._doubt = ""
        self._on = True
        self._inset: Inset | None = None
        self._images: tuple[QImage | None, ...] = ()
        # Pictures by the label they are of, or the two, and when they were made, seconds.
        self._kept: dict[str | frozenset[str], tuple[Canvas, float]] = {}
        self._old = False, False

    @property
    def words(self) -> str:
        view = VIEWS.get(self.shown.view)
        said = view.title if view else inset_words.NO_REASONS if self._on else inset_words.OFF
        return f"{said}, {self._doubt}" if self._doubt else said

    @property
    def shows_map(self) -> bool:
        """Say whether there is a map to show."""
        return self._inset is not None and self._inset.view is not None

    @property
    def old(self) -> bool:
        """Say whether a map is dimmed, as it is older than the crop beside it."""
        return any(self._old)

    def set_view(self, shown: Shown, doubt: str, *, on: bool) -> bool:
        """Take another view; say whether it is another. on: the user wants to see reasons."""
        if (shown, doubt, on) == (self.shown, self._doubt, self._on):
            return False
        if shown != self.shown:
            self._kept = {}
        self.shown, self._doubt, self._on = shown, doubt, on
        return True

    def set_inset(self, inset: Inset, at: float) -> None:
        """Take what is to be shown from now on. at: seconds of any clock that does not stop."""
        view, versus, self._old = inset.view, inset.versus, (False, False)
        if inset.labels and VIEWS[self.shown.view].slow:
            if view is not None or inset.waits:
                view, view_old = self._lasting(view, inset.label, at)
                versus, versus_old = self._lasting(versus, frozenset(inset.labels), at)
                self._old = view_old, versus_old
            inset = replace(inset, view=view, versus=versus)
        self._inset = inset
        pictures = inset.crop, inset.view, inset.versus
        self._images = tuple(None if one is None else _image(one) for one in pictures)

    def _lasting(
        self, picture: Canvas | None, key: str | frozenset[str], at: float
    ) -> tuple[Canvas | None, bool]:
        """Return a picture, or else the last of its kind, and whether that is an old one."""
        if picture is not None:
            self._kept[key] = picture, at
        kept, made_at = self._kept.get(key, (None, 0.0))
        if at - made_at > _TOO_OLD:
            kept = None
        return kept, kept is not None and at - made_at > _OLD

    def tip_at(self, point: QPointF, area: QRectF) -> str:
        """Return how to read the picture at a point of the card, empty where there is none."""
        inset = self._inset
        if inset is None or not area.contains(point):
            return ""
        side = tile_side(area.width())
        column = round((point.x() - area.left() - side / 2) / ((area.width() - side) / 2))
        place = min(2, max(0, column))
        return inset_words.tip(self.shown.view, place, inset, doubt=self._doubt, old=self.old)

    def paint(self, painter: QPainter, area: QRectF) -> None:
        """Paint within an area that is as high as `inset_height` of its pictures."""
        inset = self._inset
        if inset is None:
            return
        view = self.shown.view if self.shown.view in VIEWS else ""
        self._paint_heading(painter, QRectF(area.left(), area.top(), area.width(), _LINE), inset)
        side = area.height() - inset_height(0)
        top, step = area.top() + _LINE + 4, (area.width() - side) / 2
        places = [QRectF(area.left() + n * step, top, side, side) for n in range(3)]
        painter.setFont(font(_TINY_PX))
        _picture(painter, places[0], self._images[0])
        self._caption(painter, places[0], inset_words.SEES)
        if not view:
            return
        if inset.facts and inset.view is None:
            right = area.right() - places[1].left()
            wide = QRectF(places[1].left(), top, right, area.bottom() - top)
            self._facts(painter, wide, inset)
            return
        self._paint_view(painter, places[1], waits=inset.waits)
        if inset.labels:
            self._versus(painter, places[2], inset)
        else:
            self._facts(painter, places[2], inset)

    def _paint_heading(self, painter: QPainter, row: QRectF, inset: Inset) -> None:
        """Write what the pictures tell, and at the right what speaks against believing it."""
        tokens = self._theme.tokens
        painter.setFont(font(SMALL_PX))
        if self._doubt and self.shown.view:
            wide = painter.fontMetrics().horizontalAdvance(self._doubt)
            words = QRectF(row.right() - wide, row.top(), wide, row.height())
            painter.setPen(QColor(tokens.text))
            painter.drawText(words, int(Qt.AlignmentFlag.AlignVCenter), self._doubt)
            _paint_sign(painter, words.translated(-13, 0), QColor(tokens.warning))
            row.setRight(words.left() - 18)
        painter.setPen(QColor(tokens.quiet))
        if self.shown.view not in VIEWS:
            _write(painter, row, self.words)
        else:
            _write(painter, row, inset_words.heading(self.shown.view, inset.label))

    def _paint_view(self, painter: QPainter, place: QRectF, *, waits: bool) -> None:
        if self._images[1] is None:
            self._empty(painter, place, inset_words.SOON if waits else inset_words.NOTHING)
        else:
            self._paint_map(painter, place, self._images[1], old=self._old[0])
        self._caption(painter, place, inset_words.reason(self.shown.view))

    def _versus(self, painter: QPainter, place: QRectF, inset: Inset) -> None:
        tokens = self._theme.tokens
        if self._images[2] is None:
            self._empty(painter, place, "")
        else:
            self._paint_map(painter, place, self._images[2], old=self._old[1])
        for line, label in enumerate(inset.labels):
            left, top = place.left(), place.bottom() + 3 + line * _LINE
            if line:
                painter.setPen(QColor(tokens.quiet))
                joined = "or "
                _write(painter, QRectF(left, top, 30, _LINE), joined)
                left += painter.fontMetrics().horizontalAdvance(joined)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(label_colour(label, tokens))
            painter.drawRoundedRect(QRectF(left, top + 5, 7, 7), 2, 2)
            painter.setPen(QColor(tokens.quiet))
            _write(painter, QRectF(left + 10, top, place.right() + _GAP - left - 10, _LINE), label)

    def _paint_map(self, painter: QPainter, place: QRectF, image: QImage, *, old: bool) -> None:
        _picture(painter, place, image)
        if old:
            self._veil(painter, place, _DIMMED)

    def _veil(self, painter: QPainter, place: QRectF, strength: float) -> None:
        veil = QColor(self._theme.tokens.surface)
        veil.setAlphaF(strength)
        painter.fillRect(place, veil)

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
        rows = QRectF(place.left(), place.bottom() + 3, place.width(), 2 * _LINE)
        painter.drawText(rows, int(Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap), text)

    def _empty(self, painter: QPainter, place: QRectF, text: str) -> None:
        """Keep the place of a picture that is not there: the face below a veil, and why."""
        tokens = self._theme.tokens
        _picture(painter, place, self._images[0])
        self._veil(painter, place, _NOT_THERE)
        painter.setPen(QColor(tokens.text))
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
