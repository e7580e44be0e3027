"""What a hand does to the timeline and the wheel to controls, and what a widget shows."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from app.gui.review.strips import TimeStrip


def at(strip: TimeStrip, time: float, y: float | None = None) -> QPoint:
    """Return the point of a strip that means a time."""
    return QPointF(strip.x_of(time), strip.height() / 2 if y is None else y).toPoint()


def drag(strip: TimeStrip, start: QPoint, end: QPoint) -> None:
    button = Qt.MouseButton.LeftButton
    QTest.mousePress(strip, button, pos=start)
    for share in (0.3, 0.6, 1.0):
        QTest.mouseMove(strip, start + (end - start) * share)
    QTest.mouseRelease(strip, button, pos=end)


def roll_down(widget: QWidget) -> None:
    """Turn the wheel by a step with the pointer over a widget."""
    window = widget.window()
    place = QPointF(widget.mapTo(window, widget.rect().center()))
    QTest.wheelEvent(window.windowHandle(), place, QPoint(0, -120))
    QApplication.processEvents()


def pixels(widget: QWidget) -> bytes:
    image = widget.grab().toImage()
    return bytes(image.constBits())
