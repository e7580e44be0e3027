"""What shows that a recording goes on, in whatever workspace somebody looks."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QWidget

from app.gui.theme import Theme


class Dot(QWidget):
    """The red dot. A word always stands beside it."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setAccessibleName("Recording")
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(14, 14)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._theme.tokens.danger))
        painter.drawEllipse(self.rect().adjusted(1, 1, -1, -1))
        painter.end()


class RecordingSign(QWidget):
    """The red dot and its word, for the foot of the window; hidden at first."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 12, 0)
        row.setSpacing(6)
        self._word = QLabel()
        row.addWidget(Dot(theme))
        row.addWidget(self._word)
        self.hide()

    @property
    def word(self) -> str:
        """Return what it says, empty while hidden."""
        return "" if self.isHidden() else self._word.text()

    def say(self, word: str) -> None:
        """Say how the recording stands; "" hides it."""
        self.setVisible(bool(word))
        if word != self._word.text():
            self._word.setText(word)
