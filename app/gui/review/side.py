"""The panel beside the picture: faces, interval, markers, comparison, one at a time."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QScrollArea,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.gui.keys import reach_by_tab

_LEAST_WIDTH = 288
_LEAST_HEIGHT = 200


class SidePanel(QFrame):
    """Show one of several pages, chosen by buttons above them."""

    def __init__(self, pages: dict[str, QWidget]) -> None:
        """Take the pages by the words on their buttons."""
        super().__init__()
        self.setObjectName("side")
        self.setMinimumWidth(_LEAST_WIDTH)
        self._stack = QStackedWidget()
        self.buttons: dict[str, QToolButton] = {}
        row = QHBoxLayout()
        row.setSpacing(2)
        for words, page in pages.items():
            button = QToolButton()
            button.setText(words)
            button.setCheckable(True)
            button.setProperty("tab", True)
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
            reach_by_tab(button)
            button.setAccessibleName(f"Show {words.lower()}")
            button.setToolTip(f"Show {words.lower()}")
            # No exclusive group: Tab would reach only the button that is down.
            button.clicked.connect(lambda _checked=False, words=words: self.show_page(words))
            self.buttons[words] = button
            self._stack.addWidget(_scrolled(page))
            row.addWidget(button)
        row.addStretch(1)
        self.show_page(next(iter(pages)))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 4, 0)
        layout.setSpacing(4)
        layout.addLayout(row)
        layout.addWidget(self._stack, 1)

    def show_page(self, words: str) -> None:
        """Bring a page to the front."""
        for name, button in self.buttons.items():
            button.setChecked(name == words)
        self._stack.setCurrentIndex(list(self.buttons).index(words))


def _scrolled(page: QWidget) -> QScrollArea:
    """Let a page be scrolled where the window is lower than what is on it."""
    page.setObjectName("cards")
    scroll = QScrollArea()
    scroll.setWidget(page)
    scroll.setWidgetResizable(True)
    scroll.setFrameShape(QFrame.Shape.NoFrame)
    scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    scroll.setMinimumHeight(_LEAST_HEIGHT)
    scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return scroll
