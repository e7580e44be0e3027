"""The lines of the last minute over a grid, and what they say under the mouse."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.gui.history import SPAN_SECONDS, Agreement
from app.gui.polyline import draw_line, draw_thick_runs, line_pen
from app.gui.theme import SMALL_PX, Theme, font, label_colour
from app.words import whole

ROW = 15
# Around the lines: room for "100 %", half of it above, half of "now" and the seconds below.
LEFT, TOP, RIGHT, FOOT = 48, 8, 16, 20
STRIP = 20
"""Of the strip below the lines that says where two models differ."""
_MARK = 8
_LEVELS = ((0.0, "0 %"), (0.5, "50 %"), (1.0, "100 %"))
_SECONDS = (50, 40, 30, 20, 10, 0)
# So that lines along the edges are seen whole.
_MARGIN = 0.03
# How strong lines are that do not stand out.
_DIM = 0.5
# Likeliest labels that are read out, and pixels from a point within which it is meant.
_READ, _NEAR = 3, 6.0
_AWAY, _PAUSED = "not in view", "paused"


@dataclass(frozen=True, slots=True)
class Reading:
    """Hold what the chart says of a moment.

    seconds: before now, 0 and up. rows: label and per cent, the likeliest first. note: why there
    are none, or how two models went together.
    """

    seconds: float
    rows: tuple[tuple[str, str], ...] = ()
    note: str = ""


class Plot(QWidget):
    """Draw the lines over a grid of per cent and seconds; the likeliest label stands out.

    lines: values (N,) of each label, NaN where the face was away. paint_seconds: what the last
    drawing took.
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._times: NDArray[np.float64] = np.empty(0)
        self.lines: Mapping[str, NDArray[np.float32]] = {}
        self.paint_seconds = 0.0
        self._pauses: tuple[tuple[float, float], ...] = ()
        self._strip, self._agreement = False, Agreement(0.0, 0.0, ())
        self._outstanding = ""
        self._mouse: QPointF | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Chart of the last 60 seconds")
        self.setMouseTracking(True)
        theme.changed.connect(self.update)

    def show_lines(
        self,
        times: NDArray[np.float64],
        lines: Mapping[str, NDArray[np.float32]],
        pauses: tuple[tuple[float, float], ...] = (),
    ) -> None:
        """Draw these from now on. times: (N,) seconds before now, -60 to 0; pauses: likewise."""
        self._times, self.lines, self._pauses = times, lines, pauses
        self.update()

    def show_strip(self, on: bool, agreement: Agreement | None) -> None:
        """Draw from now on where two models differ. on: leave room for it."""
        self._strip, self._agreement = on, agreement or Agreement(0.0, 0.0, ())

    def stand_out(self, label: str) -> None:
        """Let one line stand out, or, where empty, wherever it is the likeliest label's."""
        if label != self._outstanding:
            self._outstanding = label
            self.update()

    @property
    def area(self) -> QRectF:
        """Return where the lines lie."""
        foot = FOOT + (STRIP if self._strip else 0)
        return QRectF(self.rect()).adjusted(LEFT, TOP, -RIGHT, -foot)

    def read(self, place: QPointF) -> Reading | None:
        """Return what the lines say at a place, None outside of the minute."""
        area = self.area
        if not area.left() <= place.x() <= area.right():
            return None
        when = (place.x() - area.right()) * SPAN_SECONDS / area.width()
        if any(start < when < end for start, end in self._pauses):
            return Reading(-when, note=_PAUSED)
        nearest = self._point_at(when, _NEAR * SPAN_SECONDS / area.width())
        if nearest is None:
            return Reading(-when, note=_AWAY)
        values = {label: float(line[nearest]) for label, line in self.lines.items()}
        first = sorted(values, key=lambda label: -values[label])[:_READ]
        return Reading(
            -when, tuple((label, whole(values[label])) for label in first), self._compared(when)
        )

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._mouse = event.position()
        self.update()

    def leaveEvent(self, _event: QEvent) -> None:
        self._mouse = None
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        begun = time.perf_counter()
        area = self.area
        painter = QPainter(self)
        painter.setFont(font(SMALL_PX))
        if self._strip:
            self._paint_strip(painter, QRectF(area.left(), area.bottom() + 3, area.width(), STRIP))
        self._paint_grid(painter, area)
        painter.setClipRect(area)
        self._paint_pauses(painter, area)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_lines(painter, area)
        if self._mouse is not None and (reading := self.read(self._mouse)) is not None:
            self._paint_reading(painter, area, self._mouse.x(), reading)
        painter.end()
        self.paint_seconds = time.perf_counter() - begun

    def _point_at(self, when: float, near: float) -> int | None:
        """Return the nearest point of a time on a line, None where there is no line.

        near: seconds from a line's end that still mean it.
        """
        known = np.isfinite(next(iter(self.lines.values()), np.empty(0)))
        after = int(np.searchsorted(self._times, when))
        around = [index for index in (after - 1, after) if 0 <= index < len(self._times)]
        there = [index for index in around if known[index]]
        apart = {index: abs(float(self._times[index]) - when) for index in there}
        nearest = min(there, key=apart.__getitem__, default=None)
        if nearest is None or (len(there) < 2 and apart[nearest] > near):
            return None
        return nearest

    def _compared(self, when: float) -> str:
        """Return how two models went together at a time, empty where there is one."""
        if not self._strip:
            return ""
        found = [same for start, end, same in self._agreement.stretches if start <= when <= end]
        return ("models agree" if found[0] else "models differ") if found else "not both sure"

    def _paint_grid(self, painter: QPainter, area: QRectF) -> None:
        tokens = self._theme.tokens
        for level, text in _LEVELS:
            y = round(float(_y(area, level))) + 0.5
            if level:  # the axis is the lowest line
                painter.setPen(QColor(tokens.raised))
                painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            painter.setPen(QColor(tokens.quiet))
            row = QRectF(0, y - ROW / 2, LEFT - 6, ROW)
            painter.drawText(row, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, text)
        for seconds in _SECONDS:
            x = float(_x(area, -seconds))
            text = f"\N{MINUS SIGN}{seconds} s" if seconds else "now"
            foot = QRectF(x - 40, self.height() - FOOT + 4, 80, FOOT - 4)
            painter.drawText(foot, Qt.AlignmentFlag.AlignCenter, text)
        painter.setPen(QColor(tokens.line))
        corner = QPointF(area.left() + 0.5, area.bottom() + 0.5)
        painter.drawLine(QPointF(corner.x(), area.top()), corner)
        painter.drawLine(corner, QPointF(area.right(), corner.y()))

    def _paint_strip(self, painter: QPainter, row: QRectF) -> None:
        """Mark where two models were sure of different labels."""
        tokens = self._theme.tokens
        painter.setPen(QColor(tokens.quiet))
        words = QRectF(0, row.top(), LEFT - 6, row.height())
        painter.drawText(
            words, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, "differ"
        )
        for start, end, same in self._agreement.stretches:
            if not same:
                left, right = max(float(_x(row, start)), row.left()), float(_x(row, end))
                mark = QRectF(left, row.center().y() - _MARK / 2, max(2.0, right - left), _MARK)
                painter.fillRect(mark, QColor(tokens.warning))

    def _paint_pauses(self, painter: QPainter, area: QRectF) -> None:
        """Shade where nothing was watched, and say so where there is room for the word."""
        tokens = self._theme.tokens
        wide = painter.fontMetrics().horizontalAdvance(_PAUSED) + 8
        for start, end in self._pauses:
            left = max(float(_x(area, start)), area.left())
            gap = QRectF(left, area.top(), float(_x(area, end)) - left, area.height())
            painter.fillRect(gap, QColor(tokens.raised))
            if gap.width() >= wide:
                painter.setPen(QColor(tokens.quiet))
                painter.drawText(gap, Qt.AlignmentFlag.AlignCenter, _PAUSED)

    def _paint_lines(self, painter: QPainter, area: QRectF) -> None:
        if not self.lines:
            return
        tokens = self._theme.tokens
        values = np.stack(list(self.lines.values()))
        there = np.isfinite(values[0])
        gaps = np.flatnonzero(~there)
        breaks = (gaps - np.arange(len(gaps))).tolist()
        x, values = _x(area, self._times[there]), values[:, there]
        y = _y(area, values)
        inks = [label_colour(label, tokens) for label in self.lines]
        for ink, heights in zip(inks, y, strict=True):
            painter.setPen(line_pen(_mixed(ink, QColor(tokens.surface))))
            draw_line(painter, x, heights, breaks)
        for index, runs in self._outstanding_runs(values, breaks).items():
            painter.setPen(line_pen(inks[index]))
            draw_thick_runs(painter, x, y[index], runs)

    def _outstanding_runs(
        self, values: NDArray[np.float32], breaks: list[int]
    ) -> dict[int, list[tuple[int, int]]]:
        """Return for each line where it stands out: from which point to before which other.

        values: (C, N) without gaps. breaks: places of points to which no line leads.
        """
        count = values.shape[1]
        if self._outstanding in self.lines:
            index = list(self.lines).index(self._outstanding)
            return {index: list(pairwise([0, *breaks, count]))}
        leading = values.argmax(axis=0)
        changes = (np.flatnonzero(np.diff(leading)) + 1).tolist()
        ends, cut = sorted({0, *changes, *breaks, count}), {*breaks, count}
        runs: dict[int, list[tuple[int, int]]] = {}
        for first, after in pairwise(ends):
            # To the next point, so that no piece of the line is missing.
            run = first, after if after in cut else after + 1
            runs.setdefault(int(leading[first]), []).append(run)
        return runs

    def _paint_reading(self, painter: QPainter, area: QRectF, x: float, said: Reading) -> None:
        """Write what the lines say beside a line through the mouse."""
        tokens = self._theme.tokens
        painter.setPen(QColor(tokens.quiet))
        painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
        rows = [(f"{said.seconds:.0f} s ago", ""), *said.rows]
        rows += [(said.note, "")] if said.note else []
        metrics = painter.fontMetrics()
        wide = max(metrics.horizontalAdvance(f"{a}  {b}") for a, b in rows) + 26
        plate = QRectF(x + 8, area.top() + 2, wide, len(rows) * ROW + 6)
        if plate.right() > area.right():
            plate.moveRight(x - 8)
        painter.setPen(QColor(tokens.line))
        painter.setBrush(QColor(tokens.raised))
        painter.drawRoundedRect(plate, 4, 4)
        known = dict(said.rows)
        for place, (left, right) in enumerate(rows):
            row = QRectF(plate.left() + 8, plate.top() + 3 + place * ROW, wide - 16, ROW)
            if left in known:
                dot = QRectF(row.left(), row.center().y() - 3, 7, 7)
                painter.fillRect(dot, label_colour(left, tokens))
                row.setLeft(row.left() + 11)
            painter.setPen(QColor(tokens.text))
            painter.drawText(row, Qt.AlignmentFlag.AlignVCenter, left)
            painter.drawText(
                row, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, right
            )


def _mixed(ink: QColor, ground: QColor) -> QColor:
    """Return a quieter ink; opaque, which is drawn faster than what shines through."""
    red, green, blue = (
        round(_DIM * a + (1 - _DIM) * b)
        for a, b in (
            (ink.red(), ground.red()),
            (ink.green(), ground.green()),
            (ink.blue(), ground.blue()),
        )
    )
    return QColor(red, green, blue)


def _x(area: QRectF, times: NDArray[np.float64] | float) -> NDArray[np.float64]:
    return np.asarray(area.right() + np.float64(area.width() / SPAN_SECONDS) * times)


def _y(area: QRectF, values: NDArray[np.float32] | float) -> NDArray[np.float64]:
    share = (np.asarray(values, np.float64) + _MARGIN) / (1 + 2 * _MARGIN)
    return np.asarray(area.bottom() - share * area.height())
