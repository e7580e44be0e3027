"""The row above a session: its name, what is drawn, undo and redo, exports."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QToolButton

from app.gui.elided import Elided
from app.gui.plain import plain_label, plain_tip
from app.gui.review.actions import ReviewActions
from app.gui.theme import HEAD_PX, Theme, font
from app.gui.tool_buttons import Signs, tool_button

_HEIGHT = 36
_WORDS_WIDTH = 1100
_TITLE_MARGIN = 8


class ReviewBar(QFrame):
    """Hold the name of the session and the buttons that concern all of it."""

    def __init__(self, actions: ReviewActions, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("toolbar")
        self._signs = Signs(theme, self)
        self._title = plain_label()
        self._title.setFont(font(HEAD_PX, bold=True))
        self._title.setAccessibleName("Session")
        self._name = Elided(self._title, Qt.TextElideMode.ElideMiddle, _TITLE_MARGIN)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 6, 8, 6)
        layout.setSpacing(2)
        layout.addWidget(self._title, 1)
        self._buttons: list[QToolButton] = []
        words = {
            actions.overlays["boxes"]: ("boxes", "Boxes"),
            actions.overlays["bars"]: ("bars", "Bars"),
            actions.overlays["landmarks"]: ("landmarks", "Landmarks"),
            actions.overlays["attention"]: ("attention", "Attention"),
            actions.undo: ("undo", ""),
            actions.redo: ("redo", ""),
            actions.export_table: ("export", "Export table"),
            actions.export_picture: ("snapshot", "Export picture"),
            actions.report: ("report", "Export report"),
        }
        for action, (sign, text) in words.items():
            if sign in ("undo", "export"):
                layout.addSpacing(10)
            layout.addWidget(self._button(action, sign, text))

    def set_title(self, folder: Path) -> None:
        """Name the session."""
        self._name.show(folder.name)
        self._title.setToolTip(plain_tip(str(folder)))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        wide = self.width() >= _WORDS_WIDTH
        beside = Qt.ToolButtonStyle.ToolButtonTextBesideIcon
        only = Qt.ToolButtonStyle.ToolButtonIconOnly
        for button in self._buttons:
            has_words = bool(button.property("words"))
            button.setToolButtonStyle(beside if wide and has_words else only)

    def _button(self, action: QAction, sign: str, words: str) -> QToolButton:
        if words:
            action.setIconText(words)
        self._signs.show(action, sign)
        button = tool_button(action)
        button.setProperty("words", words)
        button.setFixedHeight(_HEIGHT)
        button.setMinimumWidth(_HEIGHT)
        self._buttons.append(button)
        return button
