"""Keys that mean something else on a control that has the focus."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget


class KeepSpace(QObject):
    """Filter the events of a control so that the window's shortcut does not take its Space."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and event.key() == Qt.Key.Key_Space
        ):
            event.accept()
            return True
        return super().eventFilter(watched, event)


def reach_by_tab(control: QWidget) -> None:
    """Let Tab reach a control, a click leave the focus where it is, and Space be the control's."""
    control.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    control.installEventFilter(KeepSpace(control))


def without_key(text: str) -> str:
    """Return the text of a button or an action in which `&` is itself and stands for no key."""
    return text.replace("&", "&&")


def let_del_remove(control: QWidget, remove: Callable[[], None]) -> None:
    """Let Del remove what is marked in a control, while that has the focus."""
    shortcut = QShortcut(QKeySequence(Qt.Key.Key_Delete), control)
    shortcut.setContext(Qt.ShortcutContext.WidgetShortcut)
    shortcut.activated.connect(remove)
