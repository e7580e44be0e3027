"""The row above the list: what puts files into it, and what takes them out."""

from __future__ import annotations

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton

from app.gui.analyse.actions import AnalyseActions
from app.gui.keys import reach_by_tab


class ListBar(QFrame):
    """Hold the buttons that change the list."""

    def __init__(self, actions: AnalyseActions) -> None:
        super().__init__()
        self.setObjectName("toolbar")
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 6, 16, 6)
        row.setSpacing(8)
        for action in (actions.add_files, actions.add_folder):
            row.addWidget(action_button(action))
        row.addStretch(1)
        row.addWidget(action_button(actions.remove))


def action_button(action: QAction) -> QPushButton:
    """Return a button that is as its action is."""
    made = QPushButton()
    reach_by_tab(made)
    made.clicked.connect(action.trigger)

    def follow() -> None:
        made.setText(action.text().replace("&", ""))
        made.setToolTip(action.toolTip())
        made.setEnabled(action.isEnabled())

    action.changed.connect(follow)
    follow()
    return made
