"""The probabilities of the chosen face: a line for each label."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen

from app.gui.polyline import draw_line, line_pen
from app.gui.review.model import ReviewModel
from app.gui.review.strips import GUTTER, RIGHT, TimeStrip
from app.gui.theme import SMALL_PX, Theme, font, label_colour
from app.palette import display_order
from app.review.decimate import Lines, decimate
from app.words import per_cent

_ROW = 15
_TOP, _FOOT = 8, 8
_LEVELS = ((0.0, "0 %"), (0.5, "50 %"), (1.0, "100 %"))
_LEVEL_WIDTH = 36
_ROOM_FOR_HALF = 3 * _ROW
_VALUE = 24
_LEAST_HEIGHT = 96
# Opacity of the strokes from least to greatest; where all are long they would hide the lines.
_BAND_ALPHA = 70
# Of what lies behind a name.
_BACK_ALPHA = 200
_MOST_NAMES, _LEAST_NAMED = 3, 0.15


class LineChart(TimeStrip):
    """Show probabilities over time, the second reading below where there is one.

    Lines are means over a pixel; the paler strokes behind them reach from the least to the
    greatest value in it, so that no peak is lost.
    """

    def __init__(self, model: ReviewModel, theme: Theme) -> None:
        super().__init__(model, theme, "Probabilities of the chosen face")
        self.setMinimumHeight(_LEAST_HEIGHT)

    def sizeHint(self) -> QSize:
        return QSize(640, 170)

    def halves(self, size: QSizeF) -> list[tuple[QRectF, bool]]:
        """Return where the readings are drawn, and whether it is the second one."""
        area = QRectF(
            GUTTER, _TOP, self.columns(size.width()), max(1.0, size.height() - _TOP - _FOOT)
        )
        if self.model.second is None:
            return [(area, False)]
        half = (area.height() - _ROW) / 2
        lower = QRectF(area.left(), area.top() + half + _ROW, area.width(), half)
        return [(QRectF(area.left(), area.top(), area.width(), half), False), (lower, True)]

    def paint_content(self, painter: QPainter, size: QSizeF) -> None:
        for area, second in self.halves(size):
            self._paint_grid(painter, area)
            labels, values = self.model.values(second=second)
            times = self.model.series(self.model.face).times
            start, end = self.span()
            if second:  # rows without a picture were not read
                read = np.isfinite(values).all(axis=0)
                times, values = times[read], values[:, read]
            if self.model.recording.of_images:  # each is shown for a while, then another
                ends = times + self.model.recording.spacing
                times = np.stack([times, ends], axis=1).ravel()
                values = np.repeat(values, 2, axis=1)
            lines = decimate(
                times, values, start, end, round(area.width()), self.model.recording.gap
            )
            self._paint_lines(painter, area, labels, lines)

    def paint_over(self, painter: QPainter, size: QSizeF) -> None:
        super().paint_over(painter, size)
        if self.model.is_open:
            self._paint_names(painter, size)
            self._paint_legend(painter, size)

    def _paint_grid(self, painter: QPainter, area: QRectF) -> None:
        painter.setFont(font(SMALL_PX))
        beside = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        for level, words in _LEVELS:
            y = round(area.bottom() - level * area.height()) + 0.5
            painter.setPen(QPen(QColor(self.tokens.line), 1))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            if level != 0.5 or area.height() >= _ROOM_FOR_HALF:
                place = QRectF(area.left() - _LEVEL_WIDTH - 4, y - _ROW / 2, _LEVEL_WIDTH, _ROW)
                painter.setPen(QColor(self.tokens.quiet))
                painter.drawText(place, beside, words)

    def _paint_lines(
        self, painter: QPainter, area: QRectF, labels: tuple[str, ...], lines: Lines
    ) -> None:
        if not len(lines.times):
            return
        start, end = self.span()
        x = area.left() + (lines.times - start) / (end - start) * area.width()
        painter.save()
        painter.setClipRect(area.adjusted(-1, -1, 1, 1))
        spread = lines.low is not lines.high
        calm = 1 - float((lines.high - lines.low).mean()) if spread else 1.0
        for place in reversed([labels.index(label) for label in display_order(labels)]):
            colour = label_colour(labels[place], self.tokens)
            if spread:
                faint = QColor(colour)
                faint.setAlpha(round(_BAND_ALPHA * calm))
                painter.setPen(line_pen(faint))
                painter.drawPath(
                    _strokes(x, _y(area, lines.low[place]), _y(area, lines.high[place]))
                )
            painter.setPen(line_pen(colour))
            draw_line(painter, x, _y(area, lines.mean[place]), lines.breaks.tolist())
        painter.restore()

    def _paint_names(self, painter: QPainter, size: QSizeF) -> None:
        """Name the greatest lines beside the moment shown, for eyes that colours do not help."""
        at, x = self._place_now(), self.x_of(self.model.position, size.width())
        if at is None or not GUTTER <= x <= size.width() - RIGHT:
            return
        painter.setFont(font(SMALL_PX))
        back = QColor(self.tokens.background)
        back.setAlpha(_BACK_ALPHA)
        for area, second in self.halves(size):
            labels, values = self.model.values(second=second)
            for code, y in _named(area, values[:, at]):
                width = painter.fontMetrics().horizontalAdvance(labels[code]) + 6
                left = x + 4 if x + 4 + width <= size.width() else x - 4 - width
                top = y - _ROW - 1 if y - _ROW - 1 >= 0 else y + 2
                place = QRectF(left, top, width, _ROW)
                painter.fillRect(place, back)
                painter.setPen(QColor(self.tokens.text))
                painter.drawText(place, Qt.AlignmentFlag.AlignCenter, labels[code])

    def _paint_legend(self, painter: QPainter, size: QSizeF) -> None:
        """Name the lines, with what each reading says at the moment shown."""
        readings = [self.model.values(second=second) for _, second in self.halves(size)]
        at = self._place_now()
        order = display_order(dict.fromkeys(label for labels, _ in readings for label in labels))
        row = min(_ROW, (size.height() - _TOP) / max(1, len(order)))
        painter.setFont(font(SMALL_PX if row >= _ROW - 2 else SMALL_PX - 2))
        for place, label in enumerate(order):
            middle = _TOP + (place + 0.5) * row
            painter.setPen(QPen(label_colour(label, self.tokens), 3, c=Qt.PenCapStyle.RoundCap))
            painter.drawLine(QPointF(13, middle), QPointF(19, middle))
            line = QRectF(28, middle - row / 2, GUTTER - _LEVEL_WIDTH - 42, row)
            painter.setPen(QColor(self.tokens.text))
            for back, (labels, values) in enumerate(reversed(readings)):
                painter.drawText(
                    line.adjusted(0, 0, -_VALUE * back, 0),
                    Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight,
                    _number(labels, values, label, at),
                )
            painter.setPen(QColor(self.tokens.quiet))
            room = int(line.width() - _VALUE * len(readings))
            text = painter.fontMetrics().elidedText(label, Qt.TextElideMode.ElideRight, room)
            painter.drawText(line, Qt.AlignmentFlag.AlignVCenter, text)
        self._tell(*readings[0], at)

    def _place_now(self) -> int | None:
        """Return where in the series the moment shown is, None while the face is away."""
        part = self.model.series(self.model.face)
        place = int(np.searchsorted(part.frames, self.model.frame))
        there = place < len(part.frames) and part.frames[place] == self.model.frame
        return place if there else None

    def _tell(self, labels: tuple[str, ...], values: NDArray[np.float32], at: int | None) -> None:
        if at is None:
            said = "The face is not in the picture"
        else:
            best = int(np.nan_to_num(values[:, at]).argmax())
            said = f"{labels[best]} {per_cent(float(values[best, at]))}"
        if said != self.accessibleDescription():
            self.setAccessibleDescription(said)


def _strokes(
    x: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]
) -> QPainterPath:
    """Return upright strokes, but for those that the line itself hides."""
    seen = low - high > 1
    path = QPainterPath()
    for place, foot, head in zip(x[seen].tolist(), low[seen].tolist(), high[seen].tolist()):
        path.moveTo(place, foot)
        path.lineTo(place, head)
    return path


def _named(area: QRectF, values: NDArray[np.float32]) -> list[tuple[int, float]]:
    """Return which of the lines that cross a moment are named, and how high they lie there."""
    named: list[tuple[int, float]] = []
    known = np.nan_to_num(values)
    heights = _y(area, known)
    for code in np.argsort(-known)[:_MOST_NAMES].tolist():
        y = float(heights[code])
        if known[code] >= _LEAST_NAMED and all(abs(y - other) >= _ROW for _, other in named):
            named.append((code, y))
    return named


def _y(area: QRectF, values: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return where probabilities lie on the screen."""
    return area.bottom() - values.astype(np.float64) * area.height()


def _number(
    labels: tuple[str, ...], values: NDArray[np.float32], label: str, at: int | None
) -> str:
    """Return a probability as per cent, a dash where a reading has none."""
    value = float(values[labels.index(label), at]) if label in labels and at is not None else np.nan
    return f"{100 * value:.0f}" if np.isfinite(value) else "\N{EN DASH}"
