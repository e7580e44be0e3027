"""The cards of all faces: each keeps its place, and stays a moment after its face has gone."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from app.gui.face_card import FaceCard, card_tile
from app.gui.theme import HEAD_PX, Theme, font
from app.messages import FrameResult
from app.overlays import Shown

KEEP_SECONDS = 1.0
_CARD_WIDTH = 264
_LEAST_WIDTH = 248
# Beside the cards.
_AROUND = 16

_EMPTY = (
    "No face in view yet.\n\nEvery face gets a card here: a bar for each apparent expression, how "
    "sure the model is, and what decided."
)


class FacePanel(QFrame):
    """Show a card for each track, the chosen one outlined, in the order in which they came.

    chosen_changed: the track that is chosen now, 0 for none. calibrate, forget: a track whose
    neutral face is to be measured or forgotten.
    """

    chosen_changed = Signal(int)
    calibrate = Signal(int)
    forget = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._cards: dict[int, FaceCard] = {}
        self._seen: dict[int, float] = {}
        self._now = 0.0
        self._chosen = 0
        self._columns = 1
        self.setObjectName("side")
        self.setMinimumWidth(_LEAST_WIDTH)
        self._title = QLabel("Faces")
        self._view: tuple[Shown, str, bool] = Shown(), "", True
        self._second = "", ""
        self._mirrored = False
        self._can_calibrate = True
        self._old = False
        self._title.setFont(font(HEAD_PX, bold=True))
        self._empty = QLabel(_EMPTY)
        self._empty.setProperty("quiet", True)
        self._empty.setWordWrap(True)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._area = QWidget()
        self._area.setObjectName("cards")
        self._grid = QGridLayout(self._area)
        self._grid.setContentsMargins(0, 0, 4, 8)
        self._grid.setSpacing(8)
        self._scroll = QScrollArea()
        self._scroll.setWidget(self._area)
        self._scroll.setWidgetResizable(True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setAccessibleName("Faces")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 4, 0)
        layout.setSpacing(8)
        layout.addWidget(self._title)
        layout.addWidget(self._empty, 1)
        layout.addWidget(self._scroll, 1)
        self._arrange()

    @property
    def chosen(self) -> int | None:
        """Return the chosen track, None while there is no card."""
        return self._chosen or None

    @property
    def cards(self) -> list[FaceCard]:
        """Return the cards in their order on the screen."""
        return list(self._cards.values())

    def set_view(self, shown: Shown, doubt: str = "", *, on: bool = True) -> None:
        """Show the reasons in a way, in all cards; see `FaceCard.set_view`."""
        self._view = shown, doubt, on
        for card in self._cards.values():
            card.set_view(shown, doubt, on=on)

    def set_second(self, model: str, shown: str) -> None:
        """Show the word of a second model, too. shown: its name for the eye, empty for none."""
        if (model, shown) != self._second:
            self._second = model, shown
            for card in self._cards.values():
                card.set_second(model, shown)

    def set_mirrored(self, mirrored: bool) -> None:
        """Say whether the large picture is mirrored."""
        self._mirrored = mirrored
        for card in self._cards.values():
            card.set_mirrored(mirrored)

    def set_can_calibrate(self, possible: bool) -> None:
        """Say whether the model's card knows neutral faces to compare with."""
        self._can_calibrate = possible
        for card in self._cards.values():
            card.foot.set_possible(possible)

    def set_old(self, old: bool) -> None:
        """Say whether what the cards show is of a picture that is an old one."""
        if old != self._old:
            self._old = old
            self._dim()

    def choose(self, track: int) -> None:
        """Choose a face that has a card; its card scrolls into view."""
        card = self._cards.get(track)
        if card is not None:
            self._set_chosen(track)
            self._scroll.ensureWidgetVisible(card, 0, 8)

    def clear(self) -> None:
        """Forget all faces, as when another source plays."""
        for track in list(self._cards):
            self._remove(track)
        self._now = 0.0
        self._after_change()

    def show_result(self, result: FrameResult) -> None:
        """Bring the cards to the state of a result."""
        now = result.frame.captured_at
        if now < self._now:
            self.clear()
        self._now = now
        changed = False
        for face in result.faces:
            track = face.face.track_id
            if track is None:
                continue
            if track not in self._cards:
                self._add(track)
                changed = True
            self._seen[track] = now
            self._cards[track].show_face(face)
        for track, seen in list(self._seen.items()):
            if now - seen > KEEP_SECONDS:
                self._remove(track)
                changed = True
        self._dim()
        if changed:
            self._after_change()

    def advance(self, seconds: float) -> None:
        """Let bars ease for so much time, where somebody sees them."""
        if not self.isVisible():
            return
        for card in self._cards.values():
            card.advance(seconds)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.FocusIn and isinstance(watched, FaceCard):
            self._scroll.ensureWidgetVisible(watched, 0, 8)
        return super().eventFilter(watched, event)

    def _add(self, track: int) -> None:
        card = FaceCard(track, self._theme, self._area)
        shown, doubt, on = self._view
        card.set_view(shown, doubt, on=on)
        card.set_second(*self._second)
        card.set_mirrored(self._mirrored)
        card.chosen.connect(self._set_chosen)
        card.foot.set_possible(self._can_calibrate)
        card.foot.calibrate.connect(self.calibrate)
        card.foot.forget.connect(self.forget)
        card.installEventFilter(self)
        self._cards[track] = card

    def _dim(self) -> None:
        """Dim the cards of faces that are not in the picture now."""
        for track, card in self._cards.items():
            card.set_away(self._old or self._seen[track] < self._now)

    def _remove(self, track: int) -> None:
        card = self._cards.pop(track)
        del self._seen[track]
        self._grid.removeWidget(card)
        card.hide()
        card.deleteLater()

    def _after_change(self) -> None:
        if self._chosen not in self._cards:
            self._set_chosen(next(iter(self._cards), 0))
        self._arrange()

    def _set_chosen(self, track: int) -> None:
        for card in self._cards.values():
            card.set_selected(card.track == track)
        if track != self._chosen:
            self._chosen = track
            self.chosen_changed.emit(track)

    def _arrange(self) -> None:
        self._columns = max(1, min(self.width() // _CARD_WIDTH, len(self._cards)))
        room = self.width() - _AROUND - (self._columns - 1) * self._grid.spacing()
        # Of the panel's width, not of the card's: else a scroll bar could come and go for ever.
        tile = card_tile(room / self._columns)
        for card in self._cards.values():
            card.set_tile(tile)
        for index, card in enumerate(self._cards.values()):
            row, column = divmod(index, self._columns)
            self._grid.addWidget(card, row, column, Qt.AlignmentFlag.AlignTop)
            card.show()
        for column in range(self._grid.columnCount()):
            self._grid.setColumnStretch(column, 1 if column < self._columns else 0)
        for row in range(self._grid.rowCount()):
            self._grid.setRowStretch(row, 0)
        self._grid.setRowStretch(max(1, -(-len(self._cards) // self._columns)), 1)
        count = len(self._cards)
        self._title.setText("Faces" if count < 2 else f"{count} faces")
        self._empty.setVisible(not count)
        self._scroll.setVisible(bool(count))
