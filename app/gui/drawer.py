"""A panel above the picture that stops nothing."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QPushButton, QSizePolicy, QWidget

from app.gui.focus import BorrowedFocus
from app.gui.keys import reach_by_tab


class Drawer(QFrame):
    """Open with the focus in `first`; Escape and the button `done` close it and give that back.

    opening: it will be shown now, and others may close first. Subclasses lay out what is in it.
    """

    opening = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("recording")
        # The picture gives way in a small window, not the fields.
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.first: QWidget = self
        self.done = QPushButton("Done")
        reach_by_tab(self.done)
        self.done.clicked.connect(self.close_up)
        self._focus = BorrowedFocus()
        self.hide()

    def show_or_hide(self) -> None:
        """Open it, or close it if it is open."""
        if not self.isHidden():
            self.close_up()
            return
        self.opening.emit()
        self._focus.remember(self.window())
        self.show()
        self.first.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def close_up(self) -> None:
        """Close it."""
        inside = self.isAncestorOf(self.window().focusWidget() or self.window())
        self.hide()
        if inside:
            self._focus.give_back()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close_up()
        else:
            super().keyPressEvent(event)


def open_one_at_a_time(drawers: Sequence[Drawer]) -> None:
    """Let each close the others when it opens: there is room for one."""
    for drawer in drawers:
        for other in drawers:
            if other is not drawer:
                drawer.opening.connect(other.close_up)
