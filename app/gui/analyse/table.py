"""The list of inputs: what each is, how far it is, what came of it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QRectF,
    Qt,
    Signal,
)
from PySide6.QtGui import QAction, QColor, QKeyEvent, QPainter, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from app.analysis.batch import RUNNING, WAITING
from app.analysis.inputs import IMAGES
from app.analysis.job import DONE, FAILED, SKIPPED, STOPPED, Outcome
from app.analysis.queue import Entry
from app.gui.icons import failed_icon
from app.gui.plain import plain_tip
from app.gui.theme import SMALL_PX, Theme, font
from app.words import amount

Index = QModelIndex | QPersistentModelIndex

NAME, LENGTH, PROGRESS, OUTCOME = range(4)
_TITLES = ("File", "Length", "Progress", "Outcome")
_WORDS = {
    WAITING: "waiting",
    RUNNING: "being analysed",
    SKIPPED: "there already",
    FAILED: "failed",
    STOPPED: "stopped",
}
_ROW = 36
_BAR = 6
_EDGE = 8


class EntryModel(QAbstractTableModel):
    """Hand the entries of a queue to a view."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._entries: tuple[Entry, ...] = ()

    @property
    def entries(self) -> Sequence[Entry]:
        return self._entries

    def set_entries(self, entries: Sequence[Entry]) -> None:
        """Show these; where only their states differ, the selection stays."""
        numbers = [entry.number for entry in entries]
        if numbers != [entry.number for entry in self._entries]:
            self.beginResetModel()
            self._entries = tuple(entries)
            self.endResetModel()
            return
        changed = [
            row
            for row, (old, new) in enumerate(zip(self._entries, entries, strict=True))
            if old != new
        ]
        self._entries = tuple(entries)
        for row in changed:
            self.dataChanged.emit(self.index(row, 0), self.index(row, len(_TITLES) - 1))

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._entries)

    def columnCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(_TITLES)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        if orientation == Qt.Orientation.Horizontal:
            if role == Qt.ItemDataRole.DisplayRole:
                return _TITLES[section]
            if role == Qt.ItemDataRole.TextAlignmentRole:
                return Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        entry = self._entries[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return _TEXTS[index.column()](entry)
        if role == Qt.ItemDataRole.ToolTipRole:
            whole = str(entry.source.shown)
            return plain_tip(whole if index.column() == NAME else outcome_sentence(entry))
        if role == Qt.ItemDataRole.DecorationRole:
            failed = index.column() == OUTCOME and entry.status == FAILED
            return failed_icon(self._theme.tokens) if failed else None
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{_TITLES[index.column()]}: {_TEXTS[index.column()](entry)}"
        if role == Qt.ItemDataRole.ForegroundRole:
            quiet = index.column() != NAME and entry.status not in (FAILED, RUNNING)
            tokens = self._theme.tokens
            return QColor(tokens.quiet if quiet else tokens.text)
        return None


class EntryTable(QTableView):
    """Show the entries; Enter or a double click opens what came of one.

    opened: with the number of the entry. row_actions: of the menu of its rows.
    """

    opened = Signal(int)

    def __init__(self, model: EntryModel, theme: Theme, row_actions: Sequence[QAction]) -> None:
        super().__init__()
        self._entry_model = model
        self.setObjectName("queue")
        self.setModel(model)
        self.setAccessibleName("Files to analyse")
        self.setItemDelegate(_RowDelegate(theme, self))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setTabKeyNavigation(False)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        rows, columns = self.verticalHeader(), self.horizontalHeader()
        rows.hide()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setDefaultSectionSize(_ROW)
        columns.setHighlightSections(False)
        columns.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        columns.setMinimumSectionSize(48)
        self.addActions(row_actions)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        self.doubleClicked.connect(lambda index: self._open(index.row()))

    @property
    def chosen(self) -> list[Entry]:
        """Return the entries whose rows are selected, from the top."""
        rows = sorted(index.row() for index in self.selectionModel().selectedRows())
        return [self._entry_model.entries[row] for row in rows]

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self._open(self.currentIndex().row())
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Share the width out: what is short keeps its size, outcomes get most of the rest."""
        super().resizeEvent(event)
        width = self.viewport().width()
        length, progress = max(84, min(120, width // 6)), max(96, min(180, width // 6))
        rest = max(200, width - length - progress)
        name = 2 * rest // 5
        for column, size in (
            (NAME, name), (LENGTH, length), (PROGRESS, progress), (OUTCOME, rest - name),
        ):  # fmt: skip
            self.setColumnWidth(column, size)

    def _open(self, row: int) -> None:
        self.opened.emit(self._entry_model.entries[row].number)


class _RowDelegate(QStyledItemDelegate):
    """Draw texts as Qt does and progress as a thin bar with its figure."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        model = index.model()
        assert isinstance(model, EntryModel)
        super().paint(painter, option, index)
        entry = model.entries[index.row()]
        if index.column() == PROGRESS:
            self._draw_bar(painter, option.rect, entry)

    def initStyleOption(self, option: QStyleOptionViewItem, index: Index) -> None:
        super().initStyleOption(option, index)
        if index.column() == PROGRESS:
            option.text = ""
        elif index.column() == NAME:  # what tells names apart is often at their ends
            option.textElideMode = Qt.TextElideMode.ElideMiddle

    def _draw_bar(self, painter: QPainter, cell: QRect, entry: Entry) -> None:
        tokens = self._theme.tokens
        if entry.status not in (RUNNING, DONE):
            return
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        figures = 44
        track = QRectF(
            cell.left() + _EDGE, cell.center().y() - _BAR / 2,
            max(8, cell.width() - 2 * _EDGE - figures), _BAR,
        )  # fmt: skip
        painter.setBrush(QColor(tokens.line))
        painter.drawRoundedRect(track, _BAR / 2, _BAR / 2)
        share = entry.share
        if share:
            done = QRectF(track)
            done.setWidth(max(_BAR, track.width() * share))
            painter.setBrush(QColor(tokens.accent if entry.status == RUNNING else tokens.quiet))
            painter.drawRoundedRect(done, _BAR / 2, _BAR / 2)
        painter.setPen(QColor(tokens.text if entry.status == RUNNING else tokens.quiet))
        painter.setFont(font(SMALL_PX))
        room = QRectF(track.right(), cell.top(), figures + _EDGE / 2, cell.height())
        painter.drawText(room, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter,
                         progress_text(entry))  # fmt: skip
        painter.restore()


def name_text(entry: Entry) -> str:
    """Return what an input is called."""
    name = entry.source.shown.name
    return f"{name} (images)" if len(entry.source.paths) > 1 else name


def length_text(entry: Entry) -> str:
    """Return how much there is, empty where nobody knows."""
    count = entry.source.frames
    kind = "image" if entry.source.kind == IMAGES else "frame"
    return amount(count, kind) if count else ""


def progress_text(entry: Entry) -> str:
    """Return the share that is done; empty before and after."""
    if entry.status not in (RUNNING, DONE):
        return ""
    return f"{100 * entry.share:.0f} %" if entry.share is not None else f"{entry.frames:,}"


def outcome_text(entry: Entry) -> str:
    """Return the state, and in words what came of it, what matters most first."""
    outcome, word = entry.outcome, _WORDS.get(entry.status, "")
    if outcome is None or entry.status == STOPPED:
        return word
    if entry.status == FAILED:
        # The name stands in the first column; here it would push the reason out of sight.
        named = f'"{entry.source.shown}" '
        return f"{word}: {outcome.note.removeprefix(named)}"
    said = f"{word} · {_faces_text(entry, outcome)}" if word else _faces_text(entry, outcome)
    return said + (f". {outcome.note}" if outcome.note else "")


def outcome_sentence(entry: Entry) -> str:
    """Return what came of an input in full."""
    if entry.status == FAILED and entry.outcome is not None:
        return entry.outcome.note
    return outcome_text(entry)


def _faces_text(entry: Entry, outcome: Outcome) -> str:
    """Return on how many frames there was a face; who is who is not known by counting."""
    if outcome.frames == 1:
        return amount(outcome.faces, "face") if outcome.faces else "no face"
    frames = amount(outcome.frames, "image" if entry.source.kind == IMAGES else "frame")
    if not outcome.seen:
        return f"no face on {frames}"
    at_once = f" · up to {outcome.most} at once" if outcome.most > 1 else ""
    return f"{outcome.seen:,} of {frames} with a face{at_once}"


_TEXTS = (name_text, length_text, progress_text, outcome_text)
