"""What is done by itself when a face shows something: a small panel above the picture."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.gui.drawer import Drawer
from app.gui.keys import reach_by_tab
from app.gui.theme import Theme
from app.gui.trigger_row import GAP, WIDTHS, TriggerRow
from app.live.acting import TriggerStatus
from app.live.triggers import ADDRESS_EXAMPLE, Trigger
from app.settings import MOST_TRIGGERS

_EMPTY = (
    "A trigger does something by itself when a face shows an expression for a while. For example: "
    "when happiness is at least 70 % for 0.5 s, set marker 1; or call the program behind "
    f"{ADDRESS_EXAMPLE}."
)
_HINT = (
    "Markers go into the recording while one runs, and to the streams that are on. An address is "
    "told the expression, how sure it is, the face's number and the time, never the picture; "
    "docs/streams.md says more."
)
_MOST_OF_WINDOW = 0.3


class TriggerPanel(Drawer):
    """Show the triggers, a row each, and let them be added, changed and removed.

    changed: the user did so.
    """

    changed = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._labels: tuple[str, ...] = ()
        self.rows: list[TriggerRow] = []
        self.add = QPushButton("Add a trigger")
        reach_by_tab(self.add)
        self.add.clicked.connect(self._add_new)
        self.hint = QLabel()
        self.hint.setWordWrap(True)
        self.hint.setProperty("quiet", True)
        self._heads = _heads()
        inside = QWidget()
        self._column = QVBoxLayout(inside)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(GAP)
        self._column.addWidget(self._heads)
        self._scroll = _Rows(inside)
        self._build()
        self._dress()

    @property
    def triggers(self) -> list[Trigger]:
        """Return those that can be used, from top to bottom."""
        return [row.trigger for row in self.rows if row.trigger is not None]

    def show_or_hide(self) -> None:
        self._order_tabs()  # anew: in the window the order of what was made before is another
        super().show_or_hide()

    def add_row(self, trigger: Trigger | None = None, *, for_once: bool = False) -> TriggerRow:
        """Show one more, or the beginning of a new one. for_once: it is not to be remembered."""
        row = TriggerRow(self._theme, self._labels, trigger)
        row.for_once = for_once
        row.changed.connect(self.changed)
        row.removed.connect(lambda: self._remove(row))
        self._column.addWidget(row)
        self.rows.append(row)
        self._order_tabs()
        self._dress()
        return row

    def show_labels(self, labels: Iterable[str]) -> None:
        """Offer the labels of the model in use."""
        found = tuple(labels)
        if found != self._labels:
            self._labels = found
            for row in self.rows:
                row.show_labels(found)

    def show_states(self, statuses: Mapping[Trigger, TriggerStatus]) -> None:
        """Show how those in use stand."""
        for row in self.rows:
            if row.trigger is not None and row.trigger in statuses:
                row.show_status(statuses[row.trigger])

    def _add_new(self) -> None:
        row = self.add_row()
        row.when.setFocus(Qt.FocusReason.TabFocusReason)
        # Once the layout has made room for it.
        QTimer.singleShot(0, self, lambda: self._scroll.ensureWidgetVisible(row))

    def _remove(self, row: TriggerRow) -> None:
        place = self.rows.index(row)
        self.rows.remove(row)
        self._column.removeWidget(row)
        row.hide()
        row.deleteLater()
        self._dress()
        # Else the focus would go to whatever comes next in the window.
        after = self.rows[min(place, len(self.rows) - 1)].remove if self.rows else self.add
        after.setFocus(Qt.FocusReason.TabFocusReason)
        self.changed.emit()

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 8, 12, 8)
        column.setSpacing(GAP)
        column.addWidget(self._scroll)
        column.addWidget(self.hint)
        foot = QHBoxLayout()
        foot.addWidget(self.add)
        foot.addStretch(1)
        foot.addWidget(self.done)
        column.addLayout(foot)
        self._order_tabs()

    def _order_tabs(self) -> None:
        """Let Tab go from row to row, then to the foot, in whatever order they were made."""
        stops = [stop for row in self.rows for stop in row.stops]
        for one, other in pairwise([*stops, self.add, self.done]):
            self.setTabOrder(one, other)

    def _dress(self) -> None:
        some = bool(self.rows)
        self._scroll.setVisible(some)
        self.hint.setText(_HINT if some else _EMPTY)
        full = len(self.rows) >= MOST_TRIGGERS
        self.add.setEnabled(not full)
        self.add.setToolTip(f"No more than {MOST_TRIGGERS}" if full else "")
        self.first = self.rows[0].when if some else self.add


class _Rows(QScrollArea):
    """As high as the rows are, up to a part of the window; then they scroll."""

    def __init__(self, inside: QWidget) -> None:
        super().__init__()
        self.setObjectName("rows")
        self._inside = inside
        self.setWidget(inside)
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        inside.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.LayoutRequest, QEvent.Type.Resize):
            self._fit()
        return super().eventFilter(watched, event)

    def _fit(self) -> None:
        inside, frame = self._inside, 2 * self.frameWidth()
        wanted = max(inside.heightForWidth(self.viewport().width()), inside.sizeHint().height())
        if inside.minimumSizeHint().width() > self.viewport().width():
            frame += self.horizontalScrollBar().sizeHint().height()
        most = max(120, round(_MOST_OF_WINDOW * self.window().height()))
        height = min(wanted + frame, most)
        if height != self.height():
            self.setFixedHeight(height)


def _heads() -> QWidget:
    """Return the words above the columns."""
    heads = QWidget()
    line = QHBoxLayout(heads)
    line.setContentsMargins(0, 0, 0, 0)
    line.setSpacing(GAP)
    for words, width in WIDTHS.items():
        head = QLabel(words)
        head.setProperty("quiet", True)
        head.setFixedWidth(width)
        line.addWidget(head)
    line.addStretch(1)
    return heads
