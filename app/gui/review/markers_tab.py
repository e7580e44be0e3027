"""The markers and notes of a session, and what happens around them."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QSizePolicy,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.gui.controls import Choice
from app.gui.keys import let_del_remove, reach_by_tab
from app.gui.review.actions import ReviewActions
from app.gui.review.lazy_page import LazyPage
from app.gui.review.model import ReviewModel
from app.gui.theme import SMALL_PX, Theme, font, label_colour
from app.palette import display_order
from app.review.around import Around, around_events, events
from app.review.charts import stretches
from app.review.edited import Marker
from app.review.recording import Recording
from app.review.series import Series
from app.review.words import moment
from app.words import amount

_MARKER = Qt.ItemDataRole.UserRole
_TIME, _KEY, _TEXT = range(3)


class MarkersTab(LazyPage):
    """List markers, change them, and average what happens around those of one kind."""

    def __init__(self, model: ReviewModel, theme: Theme, actions: ReviewActions) -> None:
        super().__init__()
        self._model = model
        self._filling = False
        self._listed: tuple[Recording, tuple[Marker, ...]] | None = None
        self._averaged: tuple[Series, list[float]] | None = None
        self.table = _make_table()
        self.table.currentCellChanged.connect(self._picked)
        self.table.cellClicked.connect(self._go_to)
        self.table.itemChanged.connect(self._retyped)
        # Queued, so that the click that ends the typing still finds its row.
        self.table.itemDelegate().closeEditor.connect(
            self._drop_empty_note, Qt.ConnectionType.QueuedConnection
        )
        let_del_remove(self.table, self.remove)
        self.kind = Choice("Which markers are averaged")
        self.kind.currentIndexChanged.connect(self._average)
        self.around = AroundChart(theme)
        buttons = {
            "Note": (actions.note.trigger, actions.note.toolTip()),
            "Move here": (self.move_here, "Move the marker to the moment shown"),
            "Remove": (self.remove, "Remove the marker (Del)"),
        }
        row = QHBoxLayout()
        row.setSpacing(6)
        for words, (pressed, tip) in buttons.items():
            button = QPushButton(words)
            button.setToolTip(tip)
            button.setProperty("narrow", True)
            reach_by_tab(button)
            button.clicked.connect(lambda _checked=False, pressed=pressed: pressed())
            row.addWidget(button)
        which = QHBoxLayout()
        which.addWidget(QLabel("Mean around"))
        which.addWidget(self.kind, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 8)
        layout.addWidget(self.table, 1)
        layout.addLayout(row)
        layout.addLayout(which)
        layout.addWidget(self.around)
        for signal in (model.opened, model.changed, model.chosen):
            signal.connect(self.renew)

    def _bring_up_to_date(self) -> None:
        """List and average what has changed."""
        if self._listed != self._to_list():
            self.fill()
        else:
            self._average()

    def fill(self) -> None:
        """List the markers anew; the one that was marked stays so."""
        before = self.current()
        self._filling = True
        self._listed = self._to_list()
        markers = self._model.state.markers if self._model.is_open else ()
        images = self._model.is_open and self._model.recording.of_images
        self.table.setHorizontalHeaderLabels(["Image" if images else "Time", "Key", "Text"])
        self.table.setRowCount(len(markers))
        for row, marker in enumerate(markers):
            self._fill_row(row, marker)
            if before is not None and marker.id == before.id:
                self.table.setCurrentCell(row, _TEXT)
        chosen = self.kind.currentData()
        self.kind.clear()
        self.kind.addItem("all markers", "")
        for kind, times in events(markers).items():
            self.kind.addItem(f"{kind} ({len(times)})", kind)
        self.kind.setCurrentIndex(max(0, self.kind.findData(chosen)))
        self._filling = False
        self._fit_columns()
        self._average()

    def current(self) -> Marker | None:
        """Return the marker that is marked in the list; None for a note still without a text."""
        item = self.table.item(self.table.currentRow(), _TIME)
        if item is None or not self._model.is_open:
            return None
        marker: Marker = item.data(_MARKER)
        return marker if marker.id in {one.id for one in self._model.state.markers} else None

    def write_note(self) -> None:
        """Let the user type a note of the moment shown; it is set once it has a text."""
        note = Marker(self._model.new_id("m"), self._model.position, "note")
        self.table.setCurrentCell(-1, -1)  # what is being typed ends
        self.fill()
        row = sum(one.time <= note.time for one in self._model.state.markers)
        self._filling = True
        self.table.insertRow(row)
        self._fill_row(row, note)
        self.table.setCurrentCell(row, _TEXT)
        self._filling = False
        self._fit_columns()
        self.table.edit(self.table.currentIndex())

    def move_here(self) -> None:
        """Move the marker to the moment shown."""
        marker = self.current()
        if marker is not None:
            self._model.change_marker(marker, time=self._model.position, text=marker.text)

    def remove(self) -> None:
        marker = self.current()
        if marker is not None:
            self._model.remove_marker(marker)

    def _to_list(self) -> tuple[Recording, tuple[Marker, ...]] | None:
        model = self._model
        return (model.recording, model.state.markers) if model.is_open else None

    def _fill_row(self, row: int, marker: Marker) -> None:
        when = moment(self._model.recording, marker.time)
        for column, text in enumerate((when, marker.key, marker.text)):
            item = QTableWidgetItem(text)
            item.setData(_MARKER, marker)
            if column != _TEXT:
                item.setFlags(item.flags() & ~Qt.ItemFlag.ItemIsEditable)
            self.table.setItem(row, column, item)

    def _fit_columns(self) -> None:
        # By the header's own mode each cell that is set would have all of them measured.
        for column in (_TIME, _KEY):
            self.table.resizeColumnToContents(column)

    def _drop_empty_note(self) -> None:
        """Take the row of a note away that got no text."""
        if not self._model.is_open or self.table.rowCount() == len(self._model.state.markers):
            return
        if self.current() is None:
            self._filling = True
            self.table.setCurrentCell(-1, -1)  # else Del would remove its neighbour
            self._filling = False
        self.fill()

    def _picked(self, row: int, _column: int, row_before: int, _column_before: int) -> None:
        # The table picks its first row by itself when it gets the focus: nobody wants to go there.
        if not self._filling and row_before >= 0:
            self._go_to(row)

    def _go_to(self, row: int, _column: int = _TIME) -> None:
        item = self.table.item(row, _TIME)
        if item is not None:
            self._model.move_to(item.data(_MARKER).time)
            self._model.follow()

    def _retyped(self, item: QTableWidgetItem) -> None:
        if not self._filling and item.column() == _TEXT:
            self._model.change_marker(item.data(_MARKER), text=item.text().strip())

    def _average(self) -> None:
        if self._filling:
            return
        if not self._model.is_open:
            self._averaged = None
            self.around.show_mean(None, ())
            return
        kinds, chosen = events(self._model.state.markers), self.kind.currentData()
        times = kinds.get(chosen) or [time for kind in kinds.values() for time in kind]
        part, gap = self._model.series(self._model.face), self._model.recording.gap
        if self._averaged == (part, times):
            return
        self._averaged = part, times
        self.around.show_mean(around_events(part, times, gap) if times else None, part.labels)


class AroundChart(QWidget):
    """Draw the mean probabilities around events."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._around: Around | None = None
        self._labels: tuple[str, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.setMinimumHeight(70)
        self.setAccessibleName("Mean probabilities around markers")
        theme.changed.connect(self.update)

    def show_mean(self, around: Around | None, labels: tuple[str, ...]) -> None:
        """Show other means; None for none."""
        self._around = around if around is not None and around.events else None
        self._labels = labels
        if self._around is not None:
            self.setAccessibleDescription(f"Means over {amount(self._around.events, 'marker')}")
        self.setToolTip(
            "Mean probability of each label of the chosen face, 2 s before to 5 s after a marker; "
            "each marker weighs the same."
        )
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(240, 132)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        tokens = self._theme.tokens
        painter.setFont(font(SMALL_PX))
        area = QRectF(4, 6, self.width() - 8, self.height() - 26)
        if self._around is None:
            painter.setPen(QColor(tokens.quiet))
            words = "The chosen face is seen around no marker. Keys 1 to 9 set one."
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect(), int(flags), words)
            painter.end()
            return
        painter.setPen(QPen(QColor(tokens.line), 1))
        for level in (0.0, 0.5, 1.0):
            y = area.bottom() - level * area.height()
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
        lags = self._around.lags
        first, last = float(lags[0]), float(lags[-1])
        zero = area.left() + (0 - first) / (last - first) * area.width()
        painter.setPen(QPen(QColor(tokens.warning), 1))
        painter.drawLine(QPointF(zero, area.top()), QPointF(zero, area.bottom()))
        x = area.left() + (lags - first) / (last - first) * area.width()
        for label in reversed(display_order(self._labels)):
            mean = self._around.mean[self._labels.index(label)]
            painter.setPen(QPen(label_colour(label, tokens), 1.5))
            for piece in stretches(np.isfinite(mean)):
                points = [
                    QPointF(float(a), area.bottom() - float(b) * area.height())
                    for a, b in zip(x[piece], mean[piece], strict=True)
                ]
                painter.drawPolyline(points)
        painter.setPen(QColor(tokens.quiet))
        foot = QRectF(area.left(), area.bottom() + 2, area.width(), 18)
        painter.drawText(foot, Qt.AlignmentFlag.AlignLeft, "\N{MINUS SIGN}2 s")
        painter.drawText(foot, Qt.AlignmentFlag.AlignRight, "5 s")
        painter.drawText(foot, Qt.AlignmentFlag.AlignHCenter,
                         amount(self._around.events, "marker"))  # fmt: skip
        painter.end()


def _make_table() -> QTableWidget:
    table = QTableWidget(0, 3)
    table.setAccessibleName("Markers")
    table.verticalHeader().hide()
    table.verticalHeader().setDefaultSectionSize(24)
    table.setMinimumHeight(88)
    table.setShowGrid(False)
    table.setEditTriggers(
        QAbstractItemView.EditTrigger.EditKeyPressed | QAbstractItemView.EditTrigger.DoubleClicked
    )
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    table.setTabKeyNavigation(False)
    header = table.horizontalHeader()
    header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    header.setSectionResizeMode(_TEXT, QHeaderView.ResizeMode.Stretch)
    return table
