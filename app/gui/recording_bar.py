"""The visible sign of a recording: a strip above the picture that no one can overlook."""

from __future__ import annotations

import time
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
)

from app.gui.banner import announce
from app.gui.consent import ConsentText
from app.gui.elided import Elided
from app.gui.focus import BorrowedFocus
from app.gui.keys import reach_by_tab
from app.gui.plain import plain_tip
from app.gui.recording_sign import Dot
from app.gui.theme import BODY_PX, HEAD_PX, Theme, font, restyle
from app.live.recorder import RecorderStatus
from app.words import amount, clock, roughly, size

_SAID_TICKS = 8


class RecordingBar(QFrame):
    """Say that a session is being recorded, ask for consent before and say where it is after.

    agreed, declined: the answer to the text of consent. stopped: the recording is to end. noted: a
    typed note, and the monotonic seconds at which it was begun. review_wanted: the session just
    saved is to be opened.
    """

    agreed = Signal()
    declined = Signal()
    stopped = Signal()
    noted = Signal(str, float)
    review_wanted = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("recording")
        self._saved: Path | None = None
        self._said, self._said_left = "", 0
        self._noted_at = 0.0
        self._lone = False
        self._focus = BorrowedFocus()
        self._dot = Dot(theme)
        self._time = QLabel()
        self._time.setFont(font(HEAD_PX, bold=True))
        self._words = _Words()
        self._consent = ConsentText()
        self._consent.hide()
        self._note = QLineEdit()
        self._note.setPlaceholderText("Note, then Enter")
        self._note.setAccessibleName("Note at this moment")
        self._note.setMaximumWidth(280)
        self._note.returnPressed.connect(self.take_note)
        self._note.hide()
        self._buttons = {
            name: self._button(words, tip)
            for name, words, tip in (
                ("note", "Note", "Write a note at this moment (N)"),
                ("stop", "Stop", "End the recording (R)"),
                ("agree", "I agree", "Begin to record"),
                ("decline", "No", "Do not record"),
                ("review", "Review", "Look through what was recorded"),
                ("close", "Close", "Hide this line"),
            )
        }
        self._build()
        self._buttons["note"].clicked.connect(self.begin_note)
        self._buttons["stop"].clicked.connect(self.stopped)
        self._consent.read_changed.connect(self._let_agree)
        self._buttons["agree"].clicked.connect(self.agreed)
        self._buttons["decline"].clicked.connect(self.declined)
        self._buttons["review"].clicked.connect(lambda: self.review_wanted.emit(str(self._saved)))
        self._buttons["close"].clicked.connect(self.close_up)
        self.hide()

    @property
    def text(self) -> str:
        """Return what is said now, empty while hidden."""
        words = self._words.said if self._consent.isHidden() else self._consent.text
        return "" if self.isHidden() else f"{self._time.text()} {words}".strip()

    @property
    def buttons(self) -> dict[str, QPushButton]:
        return self._buttons

    def ask(self, consent: str) -> None:
        """Show the text that has to be agreed to, once all of it was seen, before a recording."""
        self._show(dot=False, title="Consent", words="", buttons=("agree", "decline"))
        self._consent.show_text(consent)
        self._let_agree()
        # Not the other one: Space, which pauses elsewhere, must not agree for anybody.
        first = self._consent if self._consent.scrolls else self._buttons["decline"]
        first.setFocus()
        announce(self, consent)

    def show_status(self, status: RecorderStatus) -> None:
        """Show how the recording stands."""
        if status.active:
            if not self._dot.isVisibleTo(self):
                announce(self, "Recording")
            self._said_left = max(0, self._said_left - 1)
            figures = self._said if self._said_left else _figures(status)
            passed = clock(int(status.seconds), digits=0)  # whole seconds, as a stopwatch has them
            self._show(dot=True, title=passed, words=figures, buttons=("note", "stop"))
        elif status.saving:
            self._show(dot=False, title="Saving…", words="", buttons=())

    def say(self, text: str) -> None:
        """Show a few words for two seconds in the place of the figures."""
        self._said, self._said_left = text, _SAID_TICKS
        self._words.say(text)
        announce(self, text)

    def show_saved(self, folder: Path, frames: int, error: str = "", *, earlier: int = 0) -> None:
        """Say where a session is. error: why it ended by itself; stays until it is closed.

        earlier: sessions of the same recording, from before something was changed.
        """
        self._saved = folder
        title, words = "Saved", f"{amount(frames, 'frame')} in {folder}"
        if error:
            title, words = "Stopped", error
        elif earlier:
            more = "session lies" if earlier == 1 else "sessions lie"
            words += f"; {earlier} earlier {more} beside it"
        self._show(dot=False, title=title, words=words, buttons=("review", "close"))
        if error:
            self._words.say(error, whole=True)
            self._words.set_quiet(False)
        announce(self, f"{title}: {words}" if error else f"{title} {words}")

    def begin_note(self) -> None:
        """Let a note be typed; it counts from now, when the thought came."""
        if self._note.isHidden():
            self._noted_at = time.monotonic()
            self._focus.remember(self.window())
        self._note.show()
        self._note.setFocus()

    def begin_lone_note(self) -> None:
        """Let a note be typed while nothing is recorded."""
        if not self._lone:
            self._show(dot=False, title="Note", words="goes to the streams that are on", buttons=())
            self._lone = True
        self.begin_note()

    def take_note(self) -> None:
        """End the note that is being typed, if one is; what stands there is noted."""
        text = self._note.text().strip()
        self._end_note()
        if text:
            self.noted.emit(text, self._noted_at)

    def close_up(self) -> None:
        """Hide this line; a note that is being typed is noted."""
        self.take_note()
        self.hide()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and not self._note.isHidden():
            self._end_note()
        else:
            super().keyPressEvent(event)

    def _end_note(self) -> None:
        if self._note.isHidden():
            return
        inside = self.isAncestorOf(self.window().focusWidget() or self.window())
        self._note.clear()
        self._note.hide()
        if self._lone:
            self._lone = False
            self.hide()
        # Else a button beside the note would have it, and the keys for markers with it.
        if inside:
            self._focus.give_back()

    def _show(self, *, dot: bool, title: str, words: str, buttons: tuple[str, ...]) -> None:
        if "note" not in buttons:
            self.take_note()
        self._lone = False
        self._dot.setVisible(dot)
        self._time.setText(title)
        self._words.set_quiet(True)
        self._words.say(words)
        self._consent.hide()
        for name, button in self._buttons.items():
            button.setVisible(name in buttons)
        restyle(self, "on", dot)
        self.show()

    def _let_agree(self) -> None:
        agree, read = self._buttons["agree"], self._consent.read
        agree.setEnabled(read)
        agree.setToolTip("Begin to record" if read else "Read the text to its end first")

    def _build(self) -> None:
        rows = QVBoxLayout(self)
        rows.setContentsMargins(12, 6, 8, 6)
        rows.setSpacing(6)
        rows.addWidget(self._consent)
        layout = QHBoxLayout()
        layout.setSpacing(10)
        rows.addLayout(layout)
        layout.addWidget(self._dot)
        layout.addWidget(self._time)
        layout.addWidget(self._words, 1)
        layout.addWidget(self._note)
        for button in self._buttons.values():
            layout.addWidget(button)

    def _button(self, words: str, tip: str) -> QPushButton:
        button = QPushButton(words)
        button.setToolTip(tip)
        button.setAccessibleDescription(tip)
        reach_by_tab(button)
        return button


class _Words(QLabel):
    """Say as much as there is room for, and all of it in the tooltip."""

    def __init__(self) -> None:
        super().__init__()
        self.setFont(font(BODY_PX))
        self.setProperty("quiet", True)
        self._elided = Elided(self, Qt.TextElideMode.ElideRight)

    @property
    def said(self) -> str:
        return self._elided.text

    def set_quiet(self, quiet: bool) -> None:
        """Show it in the background, or as something that has to be read."""
        restyle(self, "quiet", quiet)

    def say(self, text: str, *, whole: bool = False) -> None:
        """Show a text; whole: on as many lines as it needs."""
        self.setWordWrap(whole)
        self.setToolTip(plain_tip(text))
        self._elided.show(text)


def _figures(status: RecorderStatus) -> str:
    if status.folder is None:
        return "Recording begins with the next frame"
    room = f"{size(status.free)} free" if status.free else ""
    if status.seconds_left is not None:
        room = f"room for {roughly(status.seconds_left)}"
    # What may go wrong comes first: a narrow window cuts the rest.
    dropped, frames = f"{status.dropped:,} dropped", amount(status.frames, "frame")
    parts = filter(None, ["Recording", room, dropped, frames, size(status.bytes)])
    return "  ·  ".join(parts)
