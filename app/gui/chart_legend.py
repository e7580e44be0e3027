"""The names of the chart's lines."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.gui.chart_plot import FOOT, ROW, TOP
from app.gui.theme import SMALL_PX, Theme, font, label_colour

# So far the names reach beyond the lines, half above and half below.
_OVER = 14


class Legend(QWidget):
    """Name the lines, in the order of the bars, beside the lines themselves.

    pointed: at the name of a label, empty for none any more.
    """

    pointed = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._labels: tuple[str, ...] = ()
        self._below = FOOT
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        theme.changed.connect(self.update)

    def set_labels(self, labels: tuple[str, ...]) -> None:
        if labels != self._labels:
            self._labels = labels
            self.setAccessibleName("Lines: " + ", ".join(labels))
            self.updateGeometry()
            self.update()

    def set_below(self, below: int) -> None:
        """Take how many pixels lie below the lines."""
        if below != self._below:
            self._below = below
            self.update()

    def place(self, index: int) -> QRectF:
        """Return the row of a label: beside the lines, below them only where they are too low."""
        count = max(1, len(self._labels))
        high = self.height() - TOP - self._below + _OVER
        row = min(20.0, max(12.0, high / count))
        return QRectF(0, TOP - _OVER / 2 + index * row, self.width(), row)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        rows = enumerate(self._labels)
        found = [label for index, label in rows if self.place(index).contains(event.position())]
        self.pointed.emit(found[0] if found else "")

    def leaveEvent(self, _event: QEvent) -> None:
        self.pointed.emit("")

    def sizeHint(self) -> QSize:
        metrics = self.fontMetrics()
        widest = max((metrics.horizontalAdvance(label) for label in self._labels), default=0)
        return QSize(min(widest, 140) + 24, len(self._labels) * ROW)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        tokens = self._theme.tokens
        painter.setFont(font(SMALL_PX))
        for index, label in enumerate(self._labels):
            row = self.place(index)
            middle = row.center().y()
            pen = QPen(label_colour(label, tokens), 3, c=Qt.PenCapStyle.RoundCap)
            painter.setPen(pen)
            painter.drawLine(2, round(middle), 12, round(middle))
            painter.setPen(QColor(tokens.quiet))
            place = row.adjusted(20, 0, 0, 0)
            text = painter.fontMetrics().elidedText(
                label, Qt.TextElideMode.ElideRight, int(place.width())
            )
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, text)
        painter.end()
