"""What the analyse workspace shows while its list is empty: what it is for, and how to begin."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.gui.analyse.actions import AnalyseActions
from app.gui.keys import reach_by_tab
from app.gui.theme import HEAD_PX, font

_TITLE = "Nothing to analyse yet"
_TEXT = (
    "Drop videos, images or folders here. Each video, and all images of one folder, become a "
    "session: a table with a row for every face on every frame, which Review opens and other "
    "programs read. Nothing leaves this computer."
)
_WIDTH = 440


class EmptyPage(QWidget):
    """Invite to add something."""

    def __init__(self, actions: AnalyseActions) -> None:
        super().__init__()
        title = QLabel(_TITLE)
        title.setFont(font(HEAD_PX + 3, bold=True))
        text = QLabel(_TEXT)
        text.setWordWrap(True)
        text.setProperty("quiet", True)
        self.add_files = QPushButton("Add files…")
        self.add_files.setProperty("primary", True)
        self.add_files.setToolTip(actions.add_files.toolTip())
        self.add_files.clicked.connect(actions.add_files.trigger)
        self.add_folder = QPushButton("Add folder…")
        self.add_folder.setToolTip(actions.add_folder.toolTip())
        self.add_folder.clicked.connect(actions.add_folder.trigger)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        for button in (self.add_files, self.add_folder):
            reach_by_tab(button)
            buttons.addWidget(button)
        buttons.addStretch(1)
        inside = QWidget()
        inside.setMaximumWidth(_WIDTH)
        column = QVBoxLayout(inside)
        column.setSpacing(8)
        column.addWidget(title)
        column.addWidget(text)
        column.addSpacing(8)
        column.addLayout(buttons)
        centred = QHBoxLayout()
        centred.addStretch(1)
        centred.addWidget(inside, 8)
        centred.addStretch(1)
        rows = QVBoxLayout(self)
        rows.addStretch(2)
        rows.addLayout(centred)
        rows.addStretch(3)
