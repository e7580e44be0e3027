"""Words that are not ours: names of files and people, notes, markers of other programs.

Qt takes what looks like HTML in a label or a tooltip for HTML. Such words are shown as they are,
and a picture that they name is not fetched from anywhere.
"""

from __future__ import annotations

from html import escape

from PySide6.QtGui import Qt
from PySide6.QtWidgets import QLabel


def plain_label(text: str = "") -> QLabel:
    """Return a label that shows any text as it is."""
    label = QLabel()
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setText(text)
    return label


def plain_tip(text: str) -> str:
    """Return what to give a tooltip so that it shows a text as it is."""
    if not Qt.mightBeRichText(text):
        return text
    lines = escape(text).replace("\n", "<br>")
    return f"<span>{lines}</span>"
