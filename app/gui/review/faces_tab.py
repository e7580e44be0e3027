"""The faces of a session: named, merged, split and left out."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QGridLayout,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QPushButton,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from app.gui.keys import reach_by_tab, without_key
from app.gui.plain import plain_tip
from app.gui.review.actions import ReviewActions
from app.gui.review.model import ReviewModel
from app.gui.theme import BODY_PX, SMALL_PX, Theme, font, label_colour
from app.palette import display_order
from app.review.edited import UNDECIDED, FaceEntry
from app.review.edits import Edit, Exclude, Include, Merge, Name, Split
from app.review.recording import Recording
from app.review.words import frame_noun
from app.words import amount, clock

_ROW = 58
_MERGE = "Say that this face and another are the same person"
_NO_OTHER = "There is no other face in this session with which this one could be merged"
_ENTRY = Qt.ItemDataRole.UserRole
_SHARES = Qt.ItemDataRole.UserRole + 1
_FACTS = Qt.ItemDataRole.UserRole + 2


class FacesTab(QWidget):
    """List the faces and edit them."""

    def __init__(self, model: ReviewModel, theme: Theme, actions: ReviewActions) -> None:
        super().__init__()
        self._model = model
        self._filling = False
        self._shown: tuple[Recording, tuple[Edit, ...]] | None = None
        self.list = QListWidget()
        self.list.setAccessibleName("Faces of the session")
        self.list.setItemDelegate(_FaceDelegate(theme, self.list))
        self.list.setEditTriggers(
            QAbstractItemView.EditTrigger.EditKeyPressed
            | QAbstractItemView.EditTrigger.DoubleClicked
        )
        self.list.setFrameShape(QListWidget.Shape.NoFrame)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.currentItemChanged.connect(self._picked)
        self.list.itemChanged.connect(self._renamed)
        self._merge_menu = QMenu(self)
        self._merge_menu.setToolTipsVisible(True)
        self.merge_button = QPushButton("Merge into…")
        self.merge_button.setMenu(self._merge_menu)
        self._merge_menu.aboutToShow.connect(self.fill_merge_menu)
        self.exclude_button = _button("Leave out", actions.exclude.toolTip())
        buttons = {
            _button("Name", "Give this face a name (F2)"): self.edit_name,
            self.merge_button: None,
            _button("Split here", actions.split.toolTip()): actions.split.trigger,
            self.exclude_button: actions.exclude.trigger,
        }
        grid = QGridLayout()
        grid.setSpacing(6)
        for place, (button, pressed) in enumerate(buttons.items()):
            reach_by_tab(button)
            if pressed is not None:
                button.clicked.connect(lambda _checked=False, pressed=pressed: pressed())
            grid.addWidget(button, place // 2, place % 2)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 8)
        layout.addWidget(self.list, 1)
        layout.addLayout(grid)
        actions.split.triggered.connect(self.split)
        actions.exclude.triggered.connect(self.exclude)
        for signal in (model.opened, model.changed):
            signal.connect(self.fill)
        model.chosen.connect(self._show_chosen)
        model.selected.connect(self._word_exclusion)
        theme.changed.connect(self.list.viewport().update)

    def fill(self) -> None:
        """List the faces anew, if they are others."""
        model = self._model
        shown = (model.recording, model.face_edits) if model.is_open else None
        if shown == self._shown and shown is not None:
            self._show_chosen()
            return
        self._shown = shown
        self._filling = True
        self.list.clear()
        faces = self._model.state.faces if self._model.is_open else ()
        for face in faces:
            item = QListWidgetItem(face.title)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable)
            item.setData(_ENTRY, face)
            item.setData(_SHARES, self._shares(face))
            facts = self._facts(face)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{face.title}, {facts}")
            item.setData(_FACTS, facts)
            item.setToolTip(plain_tip(self._tip(face)))
            self.list.addItem(item)
        self._filling = False
        self._show_chosen()

    def edit_name(self) -> None:
        """Let the user type a name for the chosen face."""
        item = self.list.currentItem()
        if item is not None:
            self.list.editItem(item)

    def split(self) -> None:
        """Make what follows the moment shown a face of its own."""
        model = self._model
        if model.is_open and model.face:
            model.do(Split(model.face, model.frame_time, model.state.next_number))

    def exclude(self) -> None:
        """Leave the chosen face out, or take it back in: what the button says."""
        if self._model.is_open and self._model.face:
            self._model.do(self._exclusion())

    def fill_merge_menu(self) -> None:
        """List what the chosen face can be merged into."""
        model, menu = self._model, self._merge_menu
        menu.clear()
        if not model.is_open:
            return
        frames = model.recording.row_frames
        own = np.zeros(len(model.recording.frame_times), bool)
        own[frames[model.state.rows(model.face)]] = True
        for face in model.state.faces:
            if face.number == model.face:
                continue
            together = int(own[frames[model.state.rows(face.number)]].sum())
            action = menu.addAction(without_key(face.title))
            action.setEnabled(not together)
            if together:
                action.setToolTip(f"Both are in the picture on {amount(together, 'frame')}")
            action.triggered.connect(lambda _checked=False, into=face.number: self._merge(into))

    def _merge(self, into: int) -> None:
        if self._model.do(Merge(self._model.face, into)):
            self._model.choose(into)

    def _picked(self, item: QListWidgetItem | None) -> None:
        if item is not None and not self._filling:
            self._model.choose(item.data(_ENTRY).number)

    def _renamed(self, item: QListWidgetItem) -> None:
        if self._filling:
            return
        face: FaceEntry = item.data(_ENTRY)
        name = item.text().strip()
        if name == f"Face {face.number}":
            name = ""
        if name != face.name:
            self._model.do(Name(face.number, name))
        elif not name:
            item.setText(face.title)

    def _show_chosen(self) -> None:
        for row in range(self.list.count()):
            item = self.list.item(row)
            face: FaceEntry = item.data(_ENTRY)
            if face.number == self._model.face:
                self._filling = True
                self.list.setCurrentItem(item)
                self._filling = False
        several = self.list.count() > 1
        self.merge_button.setEnabled(several)
        self.merge_button.setToolTip(_MERGE if several else _NO_OTHER)
        self._word_exclusion()

    def _word_exclusion(self) -> None:
        back = self._model.is_open and isinstance(self._exclusion(), Include)
        self.exclude_button.setText("Take back in" if back else "Leave out")

    def _exclusion(self) -> Exclude | Include:
        """Return the edit to make next: take back where anything is left out, else leave out.

        It concerns the chosen face within the selected interval, if there is one.
        """
        model = self._model
        start, end = model.selection or (None, None)
        back = model.state.left_out(model.face, start, end)
        return Include(model.face, start, end) if back else Exclude(model.face, start, end)

    def _facts(self, face: FaceEntry) -> str:
        recording = self._model.recording
        noun = frame_noun(recording)
        seen = f"{clock(face.first, digits=0)} to {clock(face.last, digits=0)}"
        if name := recording.image_of(recording.frame_at(face.first)):
            seen = name
        if face.excluded:
            return f"left out · {seen}"
        out = face.rows - face.kept
        if recording.of_images and face.rows == 1:
            return seen
        return f"{amount(face.kept, noun)} · {seen}" + (f" · {out:,} left out" if out else "")

    def _tip(self, face: FaceEntry) -> str:
        recording = self._model.recording
        first, last = recording.frame_at(face.first), recording.frame_at(face.last)
        ends = recording.image_of(first), recording.image_of(last)
        if not all(ends):
            ends = clock(face.first), clock(face.last)
        return f"{face.title}: {' to '.join(dict.fromkeys(ends))}"

    def _shares(self, face: FaceEntry) -> list[tuple[str, float]]:
        """Return the share of each label of a face, in the order shown."""
        decided = self._model.state.decided[self._model.state.rows(face.number)]
        labels = self._model.recording.labels
        counts = np.bincount(decided - UNDECIDED, minlength=len(labels) + 1)
        total = max(1, len(decided))
        return [
            (label, float(counts[labels.index(label) + 1]) / total)
            for label in display_order(labels)
        ]


class _FaceDelegate(QStyledItemDelegate):
    """Draw a face's name, how much of it there is, and the share of each label as one bar."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(
        self, _option: QStyleOptionViewItem, _index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        return QSize(200, _ROW)

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        face: FaceEntry = index.data(_ENTRY)
        tokens = self._theme.tokens
        # PySide's stubs do not know the fields of the option.
        rect: QRectF = option.rect.toRectF()
        state: QStyle.StateFlag = option.state
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if state & QStyle.StateFlag.State_Selected:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(tokens.raised))
            painter.drawRoundedRect(rect.adjusted(0, 1, -2, -1), 6, 6)
            painter.fillRect(QRectF(rect.left(), rect.top() + 8, 3, rect.height() - 16),
                             QColor(tokens.accent))  # fmt: skip
        inner = rect.adjusted(10, 6, -12, -6)
        title_font = font(BODY_PX, bold=True)
        title_font.setStrikeOut(face.excluded)
        painter.setFont(title_font)
        painter.setPen(QColor(tokens.quiet if face.excluded else tokens.text))
        elide = Qt.TextElideMode.ElideRight
        title = painter.fontMetrics().elidedText(face.title, elide, int(inner.width()))
        painter.drawText(inner, Qt.AlignmentFlag.AlignTop, title)
        painter.setFont(font(SMALL_PX))
        painter.setPen(QColor(tokens.quiet))
        facts = painter.fontMetrics().elidedText(index.data(_FACTS), elide, int(inner.width()))
        painter.drawText(inner.adjusted(0, 18, 0, 0), Qt.AlignmentFlag.AlignTop, facts)
        self._paint_shares(painter, inner, index.data(_SHARES))
        painter.restore()

    def _paint_shares(
        self, painter: QPainter, inner: QRectF, shares: list[tuple[str, float]]
    ) -> None:
        left = inner.left()
        bar = QRectF(left, inner.bottom() - 7, inner.width(), 7)
        painter.setPen(QColor(self._theme.tokens.line))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(bar)
        for label, share in shares:
            width = share * bar.width()
            painter.fillRect(
                QRectF(left, bar.top(), width, bar.height()),
                label_colour(label, self._theme.tokens),
            )
            left += width


def _button(words: str, tip: str) -> QPushButton:
    button = QPushButton(words)
    button.setToolTip(tip)
    return button
