"""The last minute of the chosen face, one line for each label, now at the right."""

from __future__ import annotations

import math

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.gui.chart_legend import Legend
from app.gui.chart_plot import FOOT, STRIP, Plot
from app.gui.elided import Elided
from app.gui.history import Agreement, History
from app.gui.theme import HEAD_PX, Theme, font
from app.palette import display_order
from app.words import whole

_REFRESH_SECONDS = 0.1
# Of the time of the window's thread, at the most; a slow machine gets fewer refreshes instead of
# fewer frames.
_SHARE = 0.08
_PIXELS_A_POINT = 3
_MOST_POINTS = 400
_STRIP_TIP = (
    "In the row “differ” a mark stands where the two models are sure of different labels.\n"
    "Where one of them is unsure there is none, nor is it counted."
)


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
        self._plot = Plot(theme)
        self._legend = Legend(theme)
        self._legend.pointed.connect(self._plot.stand_out)
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
            self._legend.set_below(FOOT + (STRIP if two else 0))
            self._plot.setAccessibleDescription(_STRIP_TIP if two else "")

    def advance(self, seconds: float) -> None:
        """Let so much time pass and refresh when it is time."""
        self._age += seconds
        pause = max(_REFRESH_SECONDS, self._plot.paint_seconds / _SHARE)
        if self._age >= pause and self.isVisible():
            self._age = 0.0
            most = min(_MOST_POINTS, max(50, self._plot.width() // _PIXELS_A_POINT))
            lines = self._history.lines(self._track, most)
            self._plot.show_lines(*lines, self._history.pauses())
            agreement = self._history.agreement(self._track) if self._two else None
            self._plot.show_strip(self._two, agreement)
            self._retitle(agreement)
            self._legend.set_labels(display_order(self._history.listed))

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
            share, seconds = whole(agreement.share), round(agreement.seconds)
            said += f" · models agree {share} of the {seconds} s in which both are sure"
        if (title := f"Last 60 seconds · {said}") != self._title.text:
            self._title.show(title)
            self._heading.setToolTip(f"{title}\n{_STRIP_TIP}" if agreement is not None else "")
            self._heading.setAccessibleName(title)
