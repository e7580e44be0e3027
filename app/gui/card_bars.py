"""The bars of a face's card: one for each label, and thin ones for what a second model says."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QRegion

from app.gui.eased import Eased
from app.gui.theme import BODY_PX, Theme, font, label_colour
from app.messages import FaceResult
from app.palette import display_order
from app.words import whole

_ROW = 20
_LEAST_TICK = 0.02
# From the middle of the row: top and height of a bar alone, and of two that share the row.
_ALONE = (-4.0, 8.0)
_UPPER, _LOWER = (-6.0, 8.0), (4.0, 3.0)


class CardBars:
    """Hold the bars, let them ease towards their values, and paint them.

    labels: from top to bottom. numbers: what is written beside the bars, where they are going.
    """

    def __init__(self, theme: Theme) -> None:
        self._theme = theme
        self.labels: tuple[str, ...] = ()
        self.numbers: list[str] = []
        self._main, self._second = Eased(), Eased()
        self._plain: NDArray[np.float64] | None = None

    @property
    def height(self) -> int:
        return len(self.labels) * _ROW

    @property
    def values(self) -> dict[str, float]:
        """Return the length of each bar as it is drawn now, 0 to 1."""
        return dict(zip(self.labels, self._main.shown.tolist(), strict=True))

    @property
    def second_values(self) -> dict[str, float]:
        """Return the same of the thin bars, of those that there are."""
        found = zip(self.labels, self._second.shown.tolist(), strict=True)
        return {label: value for label, value in found if value == value}

    def show_face(self, face: FaceResult) -> bool:
        """Take in the newest word on the face; return whether the labels are others now."""
        labels = display_order(face.listed)
        others = labels != self.labels
        if others:
            self.labels = labels
        own = face.prediction.labels
        self._main.aim(_in_order(labels, own, face.shown), at_once=others)
        self.numbers = [whole(value) for value in self._main.target.tolist()]
        second = face.second
        told = _in_order(labels, *((second.labels, second.probabilities) if second else ((), ())))
        self._second.aim(told, at_once=others)
        plain = face.corrected is not None
        self._plain = _in_order(labels, own, face.probabilities) if plain else None
        return others

    def advance(self, seconds: float) -> list[int]:
        """Let so much time pass; return the rows that look otherwise now."""
        moved = self._main.advance(seconds) | self._second.advance(seconds)
        return [int(row) for row in np.flatnonzero(moved)]

    def row(self, area: QRectF, index: int) -> QRectF:
        """Return the place of a bar in that of all."""
        return QRectF(area.left(), area.top() + index * _ROW, area.width(), _ROW)

    def paint(self, painter: QPainter, area: QRectF, leading: str, asked: QRegion) -> None:
        """Paint the rows within `asked`. leading: the label that stands out."""
        tokens = self._theme.tokens
        plain, bold = font(BODY_PX), font(BODY_PX, bold=True)
        metrics = QFontMetrics(bold)
        number = metrics.horizontalAdvance("100 %")
        widest = max(metrics.horizontalAdvance(label) for label in self.labels)
        words = min(widest, int(area.width() * 0.4))
        start = area.left() + words + 10
        length = area.right() - number - 8 - start
        for index, label in enumerate(self.labels):
            row = self.row(area, index)
            if not asked.intersects(row.toAlignedRect()):
                continue
            painter.setFont(bold if leading == label else plain)
            painter.setPen(QColor(tokens.text if leading == label else tokens.quiet))
            word = painter.fontMetrics().elidedText(label, Qt.TextElideMode.ElideMiddle, words)
            painter.drawText(row, Qt.AlignmentFlag.AlignVCenter, word)
            right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(row, right, self.numbers[index])
            self._paint_bar(painter, index, QRectF(start, row.center().y(), length, 0))

    def _paint_bar(self, painter: QPainter, index: int, line: QRectF) -> None:
        """Paint the bars of a row. line: from where they begin to where they may reach."""
        tokens = self._theme.tokens
        ink = label_colour(self.labels[index], tokens)
        second = float(self._second.shown[index])
        alone = np.isnan(second)
        bar = _place(line, *(_ALONE if alone else _UPPER))
        painter.setPen(Qt.PenStyle.NoPen)
        value = _fill(painter, bar, float(self._main.shown[index]), ink, QColor(tokens.raised))
        if not alone:
            thin = _place(line, *_LOWER)
            _fill(painter, thin, second, QColor(tokens.text), QColor(tokens.raised))
        if self._plain is not None and abs(value - float(self._plain[index])) > _LEAST_TICK:
            # Where it would be without the neutral face.
            place = bar.left() + bar.width() * float(self._plain[index])
            painter.setBrush(QColor(tokens.text))
            painter.drawRect(QRectF(place - 0.5, bar.top() - 2, 1.5, bar.height() + 4))


def _place(line: QRectF, top: float, height: float) -> QRectF:
    return QRectF(line.left(), line.top() + top, line.width(), height)


def _fill(painter: QPainter, bar: QRectF, value: float, ink: QColor, track: QColor) -> float:
    """Paint a bar that is filled so far; return how far, 0 to 1."""
    round_ = bar.height() / 2
    value = min(1.0, max(0.0, value))
    painter.setBrush(track)
    painter.drawRoundedRect(bar, round_, round_)
    if value * bar.width() >= 1:
        painter.save()
        painter.setClipRect(bar.adjusted(0, 0, -(1 - value) * bar.width(), 0))
        painter.setBrush(ink)
        painter.drawRoundedRect(bar, round_, round_)
        painter.restore()
    return value


def _in_order(
    labels: tuple[str, ...], own: tuple[str, ...], values: NDArray[np.float32] | tuple[()]
) -> NDArray[np.float64]:
    """Return the values of labels, NaN for one that the model does not know."""
    known = dict(zip(own, values, strict=True))
    return np.array([float(known.get(label, np.nan)) for label in labels])
