"""Controls that draw their own signs, since the style sheet knows pictures only."""

from __future__ import annotations

from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QCheckBox, QSpinBox, QStyle, QStyleOptionButton, QWidget

from app.gui.theme import Theme


class Number(QSpinBox):
    """A box for a number, with arrows that show it is one."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        _draw_arrow(self, self._theme, self.height() / 2 - 5, -2.0)
        _draw_arrow(self, self._theme, self.height() / 2 + 5, 2.0)


class Check(QCheckBox):
    """A box to tick, with a tick of its own."""

    def __init__(self, text: str, theme: Theme) -> None:
        super().__init__(text)
        self._theme = theme
        self.setProperty("ticks", True)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self.isChecked():
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(self._theme.tokens.on_accent), 2.0))
        option = QStyleOptionButton()
        self.initStyleOption(option)
        box = (
            self.style()
            .subElementRect(QStyle.SubElement.SE_CheckBoxIndicator, option, self)
            .toRectF()
        )
        painter.translate(box.center())
        painter.drawPolyline([QPointF(-4, 0), QPointF(-1, 3.5), QPointF(4.5, -3.5)])
        painter.end()


def _draw_arrow(control: QWidget, theme: Theme, y: float, dip: float) -> None:
    """Draw an arrow at the right of a control; dip: px down to its point, negative for up."""
    painter = QPainter(control)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(theme.tokens.quiet), 1.6))
    x = control.width() - 16.0
    painter.drawPolyline([QPointF(x - 4, y - dip), QPointF(x, y + dip), QPointF(x + 4, y - dip)])
    painter.end()
