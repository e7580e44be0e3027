"""Controls as the window wants them: with signs of their own, or at home in a narrow page."""

from __future__ import annotations

from PySide6.QtCore import QLocale, QPointF
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QSpinBox,
    QStyle,
    QStyleOptionButton,
    QWidget,
)

from app.gui.keys import KeepSpace
from app.gui.theme import Theme
from app.gui.wheel import LeaveWheel


class Number(QSpinBox):
    """A box for a number, with arrows that show it is one."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        _draw_arrow(self, self._theme, self.height() / 2 - 5, -2.0)
        _draw_arrow(self, self._theme, self.height() / 2 + 5, 2.0)


class Seconds(QDoubleSpinBox):
    """A box for some seconds, up to a minute, written with as few digits as they need."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setLocale(QLocale.c())  # as they are written on the command line
        self.setRange(0, 60)
        self.setDecimals(2)
        self.setSingleStep(0.5)
        self.setSuffix(" s")

    def textFromValue(self, value: float) -> str:
        return f"{value:g}"

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        _draw_arrow(self, self._theme, self.height() / 2 - 5, -2.0)
        _draw_arrow(self, self._theme, self.height() / 2 + 5, 2.0)


class Choice(QComboBox):
    """A box to choose from, in a narrow page that scrolls.

    Long names are cut short instead of making the page wider, the wheel is the page's until the box
    has the focus, and Space is the box's.
    """

    def __init__(self, name: str) -> None:
        """Name it for those who do not see it."""
        super().__init__()
        self.setAccessibleName(name)
        self.setSizeAdjustPolicy(self.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(10)
        self.installEventFilter(KeepSpace(self))
        LeaveWheel(self)


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
    ink = theme.tokens.quiet if control.isEnabled() else theme.tokens.line
    painter.setPen(QPen(QColor(ink), 1.6))
    x = control.width() - 16.0
    painter.drawPolyline([QPointF(x - 4, y - dip), QPointF(x, y + dip), QPointF(x + 4, y - dip)])
    painter.end()
