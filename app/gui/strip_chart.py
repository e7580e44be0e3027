"""The last minute of the chosen face, one line for each label, now at the right."""

from __future__ import annotations

import math
import time

import numpy as np
import pyqtgraph
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from app.gui.history import SPAN_SECONDS, History
from app.gui.theme import HEAD_PX, SMALL_PX, Theme, font, label_colour
from app.palette import display_order

_REFRESH_SECONDS = 0.1
# Of the time of the window's thread, at the most; a slow machine gets fewer refreshes instead of
# fewer frames.
_SHARE = 0.08
_PIXELS_A_POINT = 3
_MOST_POINTS = 400
_ROW = 15
# Wider anti-aliased lines take Qt twenty times as long.
_LINE_WIDTH = 1


class StripChart(QFrame):
    """Draw the history of one track; `advance` from time to time, it refreshes when due."""

    def __init__(self, theme: Theme, history: History, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._history = history
        self._track: int | None = None
        self._lines: dict[str, pyqtgraph.PlotDataItem] = {}
        self._age = math.inf
        self._pause = _REFRESH_SECONDS
        self.setObjectName("chart")
        self.setMinimumHeight(120)
        self._title = QLabel()
        self._title.setFont(font(HEAD_PX, bold=True))
        self._plot = pyqtgraph.PlotWidget()
        self._legend = _Legend(theme)
        self._build()
        self._retitle()
        self._dress()
        theme.changed.connect(self._dress)

    @property
    def track(self) -> int | None:
        return self._track

    @property
    def line_labels(self) -> tuple[str, ...]:
        """Return the labels that have a line."""
        return tuple(label for label, line in self._lines.items() if line.isVisible())

    def sizeHint(self) -> QSize:
        return QSize(600, 176)

    def points(self, label: str) -> int:
        """Return how many points a line is drawn with."""
        times, _ = self._lines[label].getOriginalDataset()
        return 0 if times is None else len(times)

    def set_track(self, track: int | None) -> None:
        """Show another face, or none."""
        self._track = track
        self._age = math.inf
        self._retitle()

    def advance(self, seconds: float) -> None:
        """Let so much time pass and refresh when it is time."""
        self._age += seconds
        if self._age >= self._pause and self.isVisible():
            self._age = 0.0
            begun = time.perf_counter()
            self._refresh()
            # At once, so that it is measured too.
            self._plot.viewport().repaint()
            self._pause = max(_REFRESH_SECONDS, (time.perf_counter() - begun) / _SHARE)

    def _build(self) -> None:
        plot = self._plot
        plot.setMenuEnabled(False)
        plot.setMouseEnabled(False, False)
        plot.hideButtons()
        plot.setXRange(-SPAN_SECONDS, 0, padding=0)
        plot.setYRange(0, 1, padding=0.03)
        plot.setFrameShape(QFrame.Shape.NoFrame)
        # What is dropped here belongs to the window.
        plot.setAcceptDrops(False)
        plot.viewport().setAcceptDrops(False)
        plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        plot.setAccessibleName("Chart of the last 60 seconds")
        # Not the axes' own grid: with it pyqtgraph leaves out the labels at the ends.
        self._grid = [pyqtgraph.InfiniteLine(level, angle=0) for level in (0.5, 1.0)]
        for line in self._grid:
            plot.addItem(line)
        left, bottom = plot.getAxis("left"), plot.getAxis("bottom")
        left.setTicks([[(0, "0 %"), (0.5, "50 %"), (1, "100 %")]])
        left.setWidth(48)
        seconds = [(-s, f"\N{MINUS SIGN}{s} s") for s in (50, 40, 30, 20, 10)]
        bottom.setTicks([[*seconds, (0, "now")]])
        bottom.setHeight(20)
        # Room for half of "100 %" above and half of "now" at the right.
        plot.getPlotItem().setContentsMargins(0, 8, 16, 0)
        top = QHBoxLayout()
        top.addWidget(self._title)
        top.addStretch(1)
        middle = QHBoxLayout()
        middle.setSpacing(8)
        middle.addWidget(plot, 1)
        middle.addWidget(self._legend)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 6, 8, 2)
        layout.setSpacing(2)
        layout.addLayout(top)
        layout.addLayout(middle, 1)

    def _retitle(self) -> None:
        face = "no face" if self._track is None else f"face {self._track}"
        self._title.setText(f"Last 60 seconds · {face}")

    def _dress(self) -> None:
        tokens = self._theme.tokens
        self._plot.setBackground(QColor(tokens.background))
        for name in ("left", "bottom"):
            axis = self._plot.getAxis(name)
            axis.setStyle(hideOverlappingLabels=False)
            axis.setPen(QColor(tokens.line))
            axis.setTextPen(QColor(tokens.quiet))
            axis.setTickFont(font(SMALL_PX))
        for level in self._grid:
            level.setPen(QColor(tokens.raised))
        for label, line in self._lines.items():
            line.setPen(label_colour(label, tokens), width=_LINE_WIDTH)
        self._age = math.inf

    def _refresh(self) -> None:
        most = min(_MOST_POINTS, max(50, self._plot.width() // _PIXELS_A_POINT))
        times, lines = self._history.lines(self._track, most)
        for label in lines:
            if label not in self._lines:
                pen = pyqtgraph.mkPen(label_colour(label, self._theme.tokens), width=_LINE_WIDTH)
                self._lines[label] = self._plot.plot(
                    pen=pen, antialias=True, connect="finite", skipFiniteCheck=False
                )
        for label, line in self._lines.items():
            line.setVisible(label in lines)
            line.setData(times, lines.get(label, np.empty(0)))
        self._legend.set_labels(display_order(self._history.labels))


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
