"""The foot of the list: how far the whole is, what came of the chosen file, start and stop."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout

from app.gui.analyse.actions import AnalyseActions
from app.gui.keys import KeepSpace


class Foot(QFrame):
    """Show one line on the whole, one on the chosen file, and the buttons for them."""

    def __init__(self, actions: AnalyseActions) -> None:
        super().__init__()
        self.setObjectName("transport")
        self.progress = QProgressBar()
        self.progress.setAccessibleName("Progress of the whole list")
        self.progress.setRange(0, 1000)
        self.progress.setTextVisible(False)
        self.progress.setObjectName("thin")
        self.said = QLabel()
        self.said.setAccessibleName("How far the list is")
        self.detail = QLabel()
        self.detail.setAccessibleName("The chosen file")
        self.detail.setWordWrap(True)
        self.detail.setProperty("quiet", True)
        self.detail.setTextFormat(Qt.TextFormat.PlainText)
        self.detail.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.start = _button(actions.start)
        self.start.setProperty("primary", True)
        self.stop = _button(actions.stop)
        self.review = _button(actions.review)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.detail, 1)
        for button in (self.review, self.stop, self.start):
            row.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 8, 16, 8)
        column.setSpacing(8)
        column.addWidget(self.said)
        column.addWidget(self.progress)
        column.addLayout(row)

    def show_running(self, running: bool) -> None:
        """Offer to stop while something runs, to start while nothing does."""
        for button, shown in ((self.stop, running), (self.start, not running)):
            if button.isVisibleTo(self) != shown:
                had_focus = button.hasFocus()
                button.setVisible(shown)
                if had_focus:
                    (self.stop if running else self.start).setFocus()

    def show_whole(self, share: float | None, words: str) -> None:
        """Show how far the whole is; share: 0 to 1, negative while unknown, None for nothing."""
        self.progress.setVisible(share is not None)
        if share is not None:
            self.progress.setRange(0, 0 if share < 0 else 1000)
            self.progress.setValue(round(1000 * max(0.0, share)))
        self.said.setText(words)
        self.said.setVisible(bool(words))

    def show_detail(self, text: str) -> None:
        """Show what there is to say of the chosen file; empty for nothing."""
        self.detail.setText(text)


def _button(action: QAction) -> QPushButton:
    """Return a button that is as its action is."""
    made = QPushButton()
    made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    made.installEventFilter(KeepSpace(made))
    made.clicked.connect(action.trigger)

    def follow() -> None:
        made.setText(action.text().replace("&", ""))
        made.setToolTip(action.toolTip())
        made.setEnabled(action.isEnabled())

    action.changed.connect(follow)
    follow()
    return made
