"""A path that is shown, not typed, beside the buttons that change it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget

from app.gui.elided import Elided
from app.gui.keys import reach_by_tab
from app.gui.plain import plain_tip
from app.gui.theme import restyle


class PlaceRow(QWidget):
    """Show where something lies; the first button, `change`, asks for another place."""

    def __init__(self, name: str, change: str, tip: str) -> None:
        """Name the row for those who do not see it. change: the button's words."""
        super().__init__()
        self._name = name
        self._label = QLabel()
        self._elided = Elided(self._label, Qt.TextElideMode.ElideLeft)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(10)
        self._row.addWidget(self._label, 1)
        self.change = self.add_button(change, tip)
        self.change.setAccessibleName(f"{name}: {change}")
        self.setFocusProxy(self.change)

    def add_button(self, words: str, tip: str) -> QPushButton:
        """Add a button at the right."""
        button = QPushButton(words)
        button.setToolTip(tip)
        reach_by_tab(button)
        self._row.addWidget(button)
        return button

    @property
    def text(self) -> str:
        return self._elided.text

    def show_place(self, text: str, *, chosen: bool = True) -> None:
        """Show a path, or words in its place where nothing is chosen."""
        self._elided.show(text)
        self._label.setToolTip(plain_tip(text) if chosen else "")
        self._label.setAccessibleName(f"{self._name}: {text}")
        self.change.setAccessibleDescription(text)
        restyle(self._label, "quiet", not chosen)
