"""The switch between the workspaces, at the left of the menus."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFrame, QHBoxLayout, QToolButton

from app.gui.tool_buttons import tool_button


class WorkspaceSwitch(QFrame):
    """Show one button for each workspace; the one that is shown is checked."""

    def __init__(self, actions: Iterable[QAction]) -> None:
        super().__init__()
        self.setObjectName("workspaces")
        self.setAccessibleName("Workspaces")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 2, 16, 2)
        layout.setSpacing(2)
        self.buttons: list[QToolButton] = []
        for action in actions:
            button = tool_button(action)
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
            button.setAccessibleName(f"Workspace {action.text().replace('&', '')}")
            layout.addWidget(button)
            self.buttons.append(button)
