"""The parts of the live workspace side by side, and how the window's room is shared among them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from app.gui.chart_room import ChartRoom

Sizes = Mapping[str, tuple[int, ...]]
"""Pixels by the name of a splitter, as the settings keep them."""


class LivePanes(QSplitter):
    """Hold the picture with what lies above it, the chart below it and the cards beside both.

    left: the splitter of picture and chart. Sizes are kept as "main" and "left".
    """

    def __init__(
        self,
        above: Sequence[QWidget],
        video: QWidget,
        chart: QWidget,
        cards: QWidget,
        chart_wanted: QAction,
    ) -> None:
        """Lay them out. above: from top to bottom; each takes only the height it needs."""
        super().__init__(Qt.Orientation.Horizontal)
        picture = QWidget()
        column = QVBoxLayout(picture)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for widget in above:
            column.addWidget(widget)
        column.addWidget(video, 1)
        self.left = QSplitter(Qt.Orientation.Vertical)
        self.left.addWidget(picture)
        self.left.addWidget(chart)
        self.addWidget(self.left)
        self.addWidget(cards)
        for splitter in (self.left, self):
            splitter.setStretchFactor(0, 1)
            splitter.setChildrenCollapsible(False)
            splitter.setHandleWidth(1)
        self._chart_room = ChartRoom(self.left, picture, chart, chart_wanted)

    def share_out(self, width: int, height: int, kept: Sizes) -> None:
        """Share out the window's pixels: as they were left, or as is usual for such a size."""
        side = min(560, max(264, round(width * 0.235)))
        foot = min(320, max(140, round(height * 0.22)))
        usual = {"main": [width - side, side], "left": [height - foot, foot]}
        for name, splitter in self._splitters().items():
            sizes = kept.get(name, ())
            splitter.setSizes(list(sizes) if len(sizes) == splitter.count() else usual[name])

    def shared_out(self) -> dict[str, tuple[int, ...]]:
        """Return what the user shared out, but for a chart that only gives way for a moment."""
        return {
            name: tuple(splitter.sizes())
            for name, splitter in self._splitters().items()
            if not (splitter is self.left and self._chart_room.gives_way)
        }

    def _splitters(self) -> dict[str, QSplitter]:
        return {"main": self, "left": self.left}


def was_shown(name: str, kept: Sizes) -> bool:
    """Say whether the chart ("left") or the cards ("main") were shown: hidden, they had no size."""
    return kept.get(name, (1, 1))[-1:] != (0,)
