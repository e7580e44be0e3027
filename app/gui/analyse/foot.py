"""The foot of the list: how far the whole is, what came of the chosen file, start and stop."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QVBoxLayout

from app.gui.analyse.actions import AnalyseActions
from app.gui.analyse.bar import action_button
from app.gui.plain import plain_label
from app.gui.theme import restyle


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
        self.said = plain_label()
        self.said.setAccessibleName("How far the list is")
        self.detail = plain_label()
        self.detail.setAccessibleName("The chosen file")
        self.detail.setWordWrap(True)
        self.detail.setProperty("quiet", True)
        self.detail.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.start = action_button(actions.start)
        self.stop = action_button(actions.stop)
        self.review = action_button(actions.review)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.detail, 1)
        for button in (self.start, self.stop, self.review):
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

    def show_next(self, *, review: bool) -> None:
        """Let what the user is likely to do next stand out: review what is done, else start."""
        for button, first in ((self.review, review), (self.start, not review)):
            restyle(button, "primary", first)

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
