"""The room of the chart, which gives way to what lies above the picture."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QSplitter, QWidget


class ChartRoom(QObject):
    """Show the chart while it is wanted and what lies above it is not crushed by that.

    A panel, a question or a banner above the picture may need the chart's room in a low window.
    """

    def __init__(
        self, splitter: QSplitter, above: QWidget, chart: QWidget, wanted: QAction
    ) -> None:
        """Watch the room. splitter: holds both. above: the column with the picture."""
        super().__init__(splitter)
        self._splitter = splitter
        self._wanted = wanted
        self._chart = chart
        column = above.layout()
        assert column is not None
        self._column = column
        wanted.toggled.connect(self._fit)
        splitter.installEventFilter(self)
        above.installEventFilter(self)

    @property
    def gives_way(self) -> bool:
        """Say whether the chart is wanted and has no room."""
        return self._wanted.isChecked() and self._chart.isHidden()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.LayoutRequest, QEvent.Type.Resize):
            self._fit()
        return super().eventFilter(watched, event)

    def _fit(self) -> None:
        needed = self._column.totalMinimumHeightForWidth(self._splitter.width())
        needed += self._splitter.handleWidth() + self._chart.minimumHeight()
        # Before it is laid out there is no telling.
        fits = not self._splitter.isVisible() or needed <= self._splitter.height()
        self._chart.setVisible(self._wanted.isChecked() and fits)
