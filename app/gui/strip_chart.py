"""The last minute of the chosen face, one line for each label, now at the right."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from app.gui.elided import Elided
from app.gui.history import SPAN_SECONDS, Agreement, History
from app.gui.polyline import draw_line, line_pen
from app.gui.theme import HEAD_PX, SMALL_PX, Theme, font, label_colour
from app.palette import display_order

_REFRESH_SECONDS = 0.1
# Of the time of the window's thread, at the most; a slow machine gets fewer refreshes instead of
# fewer frames.
_SHARE = 0.08
_PIXELS_A_POINT = 3
_MOST_POINTS = 400
_ROW = 15
# Around the lines: room for "100 %", half of it above, half of "now" and the seconds below.
_LEFT, _TOP, _RIGHT, _FOOT = 48, 8, 16, 20
# Of the strip below the lines that says where two models differ, and of its marks.
_STRIP, _SAME, _DIFFERENT = 20, 2, 8
_LEVELS = ((0.0, "0 %"), (0.5, "50 %"), (1.0, "100 %"))
_SECONDS = (50, 40, 30, 20, 10, 0)
_STRIP_TIP = (
    "Below the lines: thin where both models give the face one label, thick where they differ,\n"
    "nothing where one of them is unsure"
)
# So that lines along the edges are seen whole.
_MARGIN = 0.03


class StripChart(QFrame):
    """Draw the history of one track; `advance` from time to time, it refreshes when due."""

    def __init__(self, theme: Theme, history: History, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._history = history
        self._track: int | None = None
        self._two = False
        self._age = math.inf
        self.setObjectName("chart")
        self.setMinimumHeight(130)
        self._heading = QLabel()
        self._heading.setFont(font(HEAD_PX, bold=True))
        self._title = Elided(self._heading, Qt.TextElideMode.ElideRight)
        self._plot = _Plot(theme)
        self._legend = _Legend(theme)
        self._build()
        self._retitle()

    @property
    def track(self) -> int | None:
        return self._track

    @property
    def title(self) -> str:
        return self._title.text

    @property
    def line_labels(self) -> tuple[str, ...]:
        """Return the labels that have a line."""
        return tuple(self._plot.lines)

    def sizeHint(self) -> QSize:
        return QSize(600, 176)

    def points(self, label: str) -> int:
        """Return how many points a line is drawn with."""
        return len(self._plot.lines.get(label, ()))

    def set_track(self, track: int | None) -> None:
        """Show another face, or none."""
        self._track = track
        self._age = math.inf
        self._retitle()

    def set_two(self, two: bool) -> None:
        """Show where two models differ, or leave that out as there is one only."""
        if two != self._two:
            self._two = two
            self._age = math.inf
            self._plot.setToolTip(_STRIP_TIP if two else "")
            self._plot.setAccessibleDescription(_STRIP_TIP if two else "")

    def advance(self, seconds: float) -> None:
        """Let so much time pass and refresh when it is time."""
        self._age += seconds
        pause = max(_REFRESH_SECONDS, self._plot.paint_seconds / _SHARE)
        if self._age >= pause and self.isVisible():
            self._age = 0.0
            most = min(_MOST_POINTS, max(50, self._plot.width() // _PIXELS_A_POINT))
            self._plot.show_lines(*self._history.lines(self._track, most))
            agreement = self._history.agreement(self._track) if self._two else None
            self._plot.show_strip(self._two, agreement)
            self._retitle(agreement)
            self._legend.set_labels(display_order(self._history.labels))

    def _build(self) -> None:
        middle = QHBoxLayout()
        middle.setSpacing(8)
        middle.addWidget(self._plot, 1)
        middle.addWidget(self._legend)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 6, 8, 2)
        layout.setSpacing(2)
        layout.addWidget(self._heading)
        layout.addLayout(middle, 1)

    def _retitle(self, agreement: Agreement | None = None) -> None:
        said = "no face" if self._track is None else f"face {self._track}"
        if agreement is not None:
            share = round(100 * agreement.share)
            said += f" · models agree {share} % of the time (where both are sure)"
        if (title := f"Last 60 seconds · {said}") != self._title.text:
            self._title.show(title)
            self._heading.setToolTip(title if agreement is not None else "")
            self._heading.setAccessibleName(title)


class _Plot(QWidget):
    """Draw the lines over a grid of per cent and seconds.

    lines: values (N,) of each label, NaN where the face was away. paint_seconds: what the last
    drawing took.
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._times: NDArray[np.float64] = np.empty(0)
        self.lines: Mapping[str, NDArray[np.float32]] = {}
        self.paint_seconds = 0.0
        self._strip, self._agreement = False, Agreement(0.0, ())
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Chart of the last 60 seconds")
        theme.changed.connect(self.update)

    def show_lines(
        self, times: NDArray[np.float64], lines: Mapping[str, NDArray[np.float32]]
    ) -> None:
        """Draw these from now on. times: (N,) seconds before now, -60 to 0."""
        self._times, self.lines = times, lines
        self.update()

    def show_strip(self, on: bool, agreement: Agreement | None) -> None:
        """Draw from now on where two models differ. on: leave room for it."""
        self._strip, self._agreement = on, agreement or Agreement(0.0, ())

    def paintEvent(self, _event: QPaintEvent) -> None:
        begun = time.perf_counter()
        area = QRectF(self.rect()).adjusted(_LEFT, _TOP, -_RIGHT, -_FOOT)
        painter = QPainter(self)
        if self._strip:
            area.setBottom(area.bottom() - _STRIP)
            self._paint_strip(painter, QRectF(area.left(), area.bottom() + 3, area.width(), _STRIP))
        self._paint_grid(painter, area)
        painter.setClipRect(area)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_lines(painter, area)
        painter.end()
        self.paint_seconds = time.perf_counter() - begun

    def _paint_grid(self, painter: QPainter, area: QRectF) -> None:
        tokens = self._theme.tokens
        painter.setFont(font(SMALL_PX))
        for level, text in _LEVELS:
            y = round(float(_y(area, level))) + 0.5
            if level:  # the axis is the lowest line
                painter.setPen(QColor(tokens.raised))
                painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            painter.setPen(QColor(tokens.quiet))
            row = QRectF(0, y - _ROW / 2, _LEFT - 6, _ROW)
            painter.drawText(row, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, text)
        for seconds in _SECONDS:
            x = float(_x(area, -seconds))
            text = f"\N{MINUS SIGN}{seconds} s" if seconds else "now"
            foot = QRectF(x - 40, self.height() - _FOOT + 4, 80, _FOOT - 4)
            painter.drawText(foot, Qt.AlignmentFlag.AlignCenter, text)
        painter.setPen(QColor(tokens.line))
        corner = QPointF(area.left() + 0.5, area.bottom() + 0.5)
        painter.drawLine(QPointF(corner.x(), area.top()), corner)
        painter.drawLine(corner, QPointF(area.right(), corner.y()))

    def _paint_strip(self, painter: QPainter, row: QRectF) -> None:
        """Mark where two models gave one label, in thin, and where two, in thick."""
        tokens = self._theme.tokens
        painter.setFont(font(SMALL_PX))
        painter.setPen(QColor(tokens.quiet))
        words = QRectF(0, row.top(), _LEFT - 6, row.height())
        painter.drawText(
            words, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, "differ"
        )
        for start, end, same in self._agreement.stretches:
            left, right = max(float(_x(row, start)), row.left()), float(_x(row, end))
            high = _SAME if same else _DIFFERENT
            ink = QColor(tokens.quiet if same else tokens.warning)
            top = row.center().y() - high / 2
            painter.fillRect(QRectF(left, top, max(1.0, right - left), high), ink)

    def _paint_lines(self, painter: QPainter, area: QRectF) -> None:
        for label, values in self.lines.items():
            there = np.isfinite(values)
            gaps = np.flatnonzero(~there)
            breaks = (gaps - np.arange(len(gaps))).tolist()
            painter.setPen(line_pen(label_colour(label, self._theme.tokens)))
            draw_line(painter, _x(area, self._times[there]), _y(area, values[there]), breaks)


def _x(area: QRectF, times: NDArray[np.float64] | float) -> NDArray[np.float64]:
    return np.asarray(area.right() + np.float64(area.width() / SPAN_SECONDS) * times)


def _y(area: QRectF, values: NDArray[np.float32] | float) -> NDArray[np.float64]:
    share = (np.asarray(values, np.float64) + _MARGIN) / (1 + 2 * _MARGIN)
    return np.asarray(area.bottom() - share * area.height())


class _Legend(QWidget):
    """Name the lines, in the order of the bars."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._labels: tuple[str, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        theme.changed.connect(self.update)

    def set_labels(self, labels: tuple[str, ...]) -> None:
        if labels != self._labels:
            self._labels = labels
            self.setAccessibleName("Lines: " + ", ".join(labels))
            self.updateGeometry()
            self.update()

    def sizeHint(self) -> QSize:
        metrics = self.fontMetrics()
        widest = max((metrics.horizontalAdvance(label) for label in self._labels), default=0)
        return QSize(min(widest, 140) + 24, len(self._labels) * _ROW)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        tokens = self._theme.tokens
        painter.setFont(font(SMALL_PX))
        row = min(20.0, max(12.0, self.height() / max(1, len(self._labels))))
        for index, label in enumerate(self._labels):
            middle = (index + 0.5) * row
            pen = QPen(label_colour(label, tokens), 3, c=Qt.PenCapStyle.RoundCap)
            painter.setPen(pen)
            painter.drawLine(2, round(middle), 12, round(middle))
            painter.setPen(QColor(tokens.quiet))
            place = QRectF(20, middle - row / 2, self.width() - 20, row)
            text = painter.fontMetrics().elidedText(
                label, Qt.TextElideMode.ElideRight, int(place.width())
            )
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, text)
        painter.end()
