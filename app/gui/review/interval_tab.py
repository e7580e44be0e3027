"""What the selected interval says of the chosen face, and the intervals that are kept."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.gui.elided import breakable
from app.gui.keys import let_del_remove, reach_by_tab
from app.gui.plain import plain_label
from app.gui.review.actions import ReviewActions
from app.gui.review.lazy_page import LazyPage
from app.gui.review.model import ReviewModel
from app.gui.review.share_table import ShareTable
from app.gui.theme import HEAD_PX, SMALL_PX, Theme, font
from app.review.edited import Interval
from app.review.statistics import Summary, summarise
from app.review.words import between, frame_noun, interval_title, mixture
from app.words import amount, per_cent, span

_MOST_KEPT = 3
_ROOMY = 300
_INTERVAL = Qt.ItemDataRole.UserRole

HOW = (
    "The bar is the share of frames with this label, the whisker its likely range (95 %): where "
    "the share would lie in the long run, if all went on in the same way. It counts frames that "
    "resemble each other as few, and knows nothing of the model's own errors. The mean is that of "
    "the label's probability over all frames."
)


class IntervalTab(LazyPage):
    """Show the statistics of the selected interval, or of the whole session."""

    def __init__(self, model: ReviewModel, theme: Theme, actions: ReviewActions) -> None:
        super().__init__()
        self._model = model
        self.summary: Summary | None = None
        self._title = plain_label()
        self._title.setFont(font(HEAD_PX, bold=True))
        self._who = plain_label()
        self._who.setProperty("quiet", True)
        self.shares = ShareTable(theme)
        self._facts = QLabel()
        self._facts.setWordWrap(True)
        self._facts.setProperty("quiet", True)
        self._facts.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        how = QLabel(HOW)
        how.setWordWrap(True)
        how.setProperty("quiet", True)
        how.setFont(font(SMALL_PX))
        self.kept = QListWidget()
        self.kept.setAccessibleName("Intervals that are kept")
        self.kept.itemActivated.connect(self._go_to)
        self.kept.itemClicked.connect(self._go_to)
        self.kept.itemChanged.connect(self._renamed)
        let_del_remove(self.kept, self.remove)
        self._filling = False
        self.keep_button = QPushButton("Keep interval")
        self.keep_button.setToolTip(actions.keep.toolTip())
        self.keep_button.clicked.connect(actions.keep.trigger)
        self.all_button = QPushButton("Clear selection")
        self.all_button.setToolTip(actions.select_nothing.toolTip())
        self.all_button.clicked.connect(actions.select_nothing.trigger)
        self.remove_button = QPushButton("Remove")
        self.remove_button.setToolTip("Remove the kept interval that is marked in the list (Del)")
        self.remove_button.clicked.connect(self.remove)
        self.kept.hide()
        self.remove_button.hide()
        self._build(how)
        for signal in (model.opened, model.changed):
            signal.connect(self._fill_kept)
        model.selected.connect(self._mark_kept)
        for signal in (model.opened, model.changed, model.selected, model.chosen):
            signal.connect(self.renew)

    def _bring_up_to_date(self) -> None:
        """Count and show what was counted."""
        model = self._model
        if not model.is_open:
            self.summary = None
            return
        start, end = model.interval
        face = model.state.face(model.face)
        whole, recording = model.selection is None, model.recording
        where = between(recording, start, end).capitalize()
        self._title.setText("Whole session" if whole else where)
        summary = summarise(model.state, model.face, start, end, of=model.series(model.face))
        long = amount(summary.frames, "image") if recording.of_images else span(end - start)
        self._who.setText(
            f"{breakable(face.title) if face else 'No face'} · {long}"
            + (" · drag on the timeline to select less" if whole else "")
        )
        self._who.setWordWrap(True)
        self.summary = summary
        self.shares.show_summary(summary, recording)
        self._facts.setText(facts(summary, frame_noun(recording)))
        self.keep_button.setEnabled(not whole)
        self.all_button.setEnabled(not whole)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_kept()

    def edit_name(self, interval: str) -> None:
        """Let the user type the name of a kept interval."""
        for row in range(self.kept.count()):
            item = self.kept.item(row)
            if item.data(_INTERVAL).id == interval:
                self.kept.setCurrentItem(item)
                self.kept.editItem(item)

    def remove(self) -> None:
        """Remove the kept interval that is marked."""
        item = self.kept.currentItem()
        if item is not None:
            self._model.remove_interval(item.data(_INTERVAL))

    def _build(self, how: QLabel) -> None:
        for button in (self.keep_button, self.all_button, self.remove_button):
            reach_by_tab(button)
        row, kept = QHBoxLayout(), QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(self.keep_button)
        row.addWidget(self.all_button)
        kept.addWidget(self.kept, 1)
        kept.addWidget(self.remove_button, 0, Qt.AlignmentFlag.AlignTop)
        inside = QWidget()
        inside.setObjectName("cards")
        column = QVBoxLayout(inside)
        column.setContentsMargins(4, 2, 4, 2)
        column.setSpacing(6)
        for widget in (self._title, self._who, self.shares, self._facts, how):
            column.addWidget(widget)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setObjectName("page")
        scroll.setAccessibleName("Numbers of the interval")
        scroll.setWidget(inside)
        scroll.setWidgetResizable(True)
        scroll.setMinimumHeight(112)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 8)
        layout.addWidget(scroll, 1)
        layout.addLayout(kept)
        layout.addLayout(row)

    def _fill_kept(self) -> None:
        self._filling = True
        self.kept.clear()
        intervals = self._model.state.intervals if self._model.is_open else ()
        for one in intervals:
            item = QListWidgetItem(interval_title(self._model.recording, one))
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable)
            item.setData(_INTERVAL, one)
            where = between(self._model.recording, one.start, one.end).capitalize()
            item.setToolTip(f"{where}; double click to name it")
            self.kept.addItem(item)
        self._filling = False
        self._mark_kept()
        self.kept.setVisible(bool(intervals))
        self.remove_button.setVisible(bool(intervals))
        self._fit_kept()

    def _mark_kept(self) -> None:
        """Mark the interval that is selected; the list stays, as one may be about to be named."""
        shown = [self.kept.item(row).data(_INTERVAL) for row in range(self.kept.count())]
        ends = [(one.start, one.end) for one in shown]
        selected = self._model.selection
        self.kept.setCurrentRow(ends.index(selected) if selected in ends else -1)

    def _fit_kept(self) -> None:
        """Give the list a few rows, or two where the statistics need the room."""
        if self.kept.count():
            most = _MOST_KEPT if self.height() >= _ROOMY else 2
            rows = min(self.kept.count(), most)
            row = self.kept.sizeHintForRow(0) + 2 * self.kept.spacing()
            self.kept.setFixedHeight(rows * row + 10)

    def _go_to(self, item: QListWidgetItem) -> None:
        one: Interval = item.data(_INTERVAL)
        self._model.select(one.start, one.end)

    def _renamed(self, item: QListWidgetItem) -> None:
        if self._filling:
            return
        one: Interval = item.data(_INTERVAL)
        name, title = item.text().strip(), interval_title(self._model.recording, one)
        if one.name or name not in ("", title):
            self._model.name_interval(one, name)
        elif not name:
            item.setText(title)


def facts(summary: Summary, noun: str) -> str:
    """Return in words what else is known of an interval. noun: what a frame is called."""
    parts = [
        f"{amount(summary.rows, noun)} with this face of {summary.frames:,} "
        f"({per_cent(summary.missing)} missing)",
        f"{amount(summary.dropped, noun)} passed over",
    ]
    if summary.independent is not None:
        parts.append(f"worth about {amount(round(summary.independent), f'independent {noun}')}")
    elif summary.rows:
        parts.append("the label never changed, so no interval can be given")
    if summary.quality is not None:
        parts.append(f"quality {summary.quality:.2f}, poor on {per_cent(summary.poor)}")
    if words := mixture(summary):
        parts.append(words)
    return " · ".join(parts)
