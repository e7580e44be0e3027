"""Keys while a study runs: all are the participant's, wherever the window manager sends them."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QLineEdit, QPlainTextEdit, QWidget

_KEYS = (QEvent.Type.KeyPress, QEvent.Type.ShortcutOverride)


class HandOverKeys(QObject):
    """Hand keys that go to a window over to somebody else, but those that are typed into a field.

    A click into the window takes the keyboard along: without this, what a participant presses on
    another screen would pause, mark or end the recording.
    """

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._to: Callable[[QKeyEvent], None] | None = None

    def begin(self, to: Callable[[QKeyEvent], None]) -> None:
        """Hand over from now on."""
        self._to = to
        QApplication.instance().installEventFilter(self)  # type: ignore[union-attr]

    def end(self) -> None:
        """Let keys go where they go."""
        self._to = None
        QApplication.instance().removeEventFilter(self)  # type: ignore[union-attr]

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if self._to is None or event.type() not in _KEYS or not isinstance(event, QKeyEvent):
            return False
        if not isinstance(watched, QWidget) or watched.window() is not self._window:
            return False
        if isinstance(watched, QLineEdit | QPlainTextEdit):
            return False
        if event.type() == QEvent.Type.ShortcutOverride:
            event.accept()  # no shortcut: it comes again as a key
        else:
            self._to(event)  # not sent: Qt would look for a shortcut of the active window again
        return True
