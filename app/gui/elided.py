"""A text on as much room as there is."""

from __future__ import annotations

import re

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QLabel, QSizePolicy

_BREAK = "\N{ZERO WIDTH SPACE}"
_LONG_WORD = re.compile(r"\S{20,}")
# Up to a sign that joins words, or as many letters as any line has room for.
_PART = re.compile(r"[_./\\-]|[^_./\\-]{20}")


def breakable(text: str) -> str:
    """Return a text whose long words, such as names of files, may go on in the next line."""
    return _LONG_WORD.sub(lambda word: _PART.sub(rf"\g<0>{_BREAK}", word[0]), text)


class Elided(QObject):
    """Cut a label's text to its width, anew whenever that changes.

    mode: which part goes. margin: pixels of the width that are not the text's. The widget takes
    whatever width it is given; a label that wraps its lines shows all of the text.
    """

    def __init__(self, widget: QLabel, mode: Qt.TextElideMode, margin: int = 0) -> None:
        super().__init__(widget)
        self.text = ""
        self._widget, self._mode, self._margin = widget, mode, margin
        widget.setSizePolicy(QSizePolicy.Policy.Ignored, widget.sizePolicy().verticalPolicy())
        widget.installEventFilter(self)
        if isinstance(widget, QLabel):
            widget.setTextFormat(Qt.TextFormat.PlainText)

    def show(self, text: str) -> None:
        """Show a text, or the part of it that fits."""
        self.text = text
        self._fit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Resize, QEvent.Type.FontChange):
            self._fit()
        return super().eventFilter(watched, event)

    def _fit(self) -> None:
        text, widget = self.text, self._widget
        if not widget.wordWrap():
            room = max(0, widget.width() - self._margin)
            text = widget.fontMetrics().elidedText(text, self._mode, room)
        widget.setText(text)
