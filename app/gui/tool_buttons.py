"""Buttons that stand for actions: how they are made, and the signs that they show."""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QIcon
from PySide6.QtWidgets import QToolButton

from app.gui.icons import SIGN_SIZE, icon
from app.gui.keys import reach_by_tab
from app.gui.theme import Theme, Tokens


def tool_button(action: QAction) -> QToolButton:
    """Return a button for an action, reached by Tab and read aloud as the action is."""
    button = QToolButton()
    button.setDefaultAction(action)
    button.setIconSize(SIGN_SIZE)
    reach_by_tab(button)
    button.setAccessibleName(action.text().replace("&", ""))
    button.setAccessibleDescription(action.toolTip())
    return button


class Signs(QObject):
    """Give actions their signs, in the colours of the theme; each is drawn once."""

    def __init__(self, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self._theme = theme
        self._shown: dict[QAction, str] = {}
        self._drawn: dict[tuple[str, Tokens], QIcon] = {}
        theme.changed.connect(self._dress)

    def show(self, action: QAction, sign: str) -> None:
        """Let an action show a sign of `icons.NAMES` from now on."""
        if self._shown.get(action) != sign:
            self._shown[action] = sign
            self._give(action, sign)
            # Icons belong to the buttons; a menu with a few of them looks ragged.
            action.setIconVisibleInMenu(False)

    def _dress(self) -> None:
        for action, sign in self._shown.items():
            self._give(action, sign)

    def _give(self, action: QAction, sign: str) -> None:
        key = (sign, self._theme.tokens)
        if key not in self._drawn:
            self._drawn[key] = icon(*key)
        action.setIcon(self._drawn[key])
