"""The keyboard's focus, taken for a moment and given back."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget
from shiboken6 import isValid


class BorrowedFocus:
    """Remember which widget of a window had the focus, so that it can have it again."""

    def __init__(self) -> None:
        self._before: QWidget | None = None

    def remember(self, window: QWidget) -> None:
        """Take note of who has it now."""
        self._before = window.focusWidget()

    def give_back(self) -> None:
        """Give it back, if who had it is still there."""
        if self._before is not None and isValid(self._before):
            self._before.setFocus()
        self._before = None
