"""Where the user draws the part of the screen that is to be watched."""

from __future__ import annotations

import sys
from collections.abc import Callable

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import (
    QCloseEvent,
    QColor,
    QCursor,
    QGuiApplication,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QRegion,
    QScreen,
)
from PySide6.QtWidgets import QWidget

from app.gui.theme import HEAD_PX, Theme, font
from app.sources.screen import Area

HINT = (
    "Draw a frame around what to watch, such as the picture of a video call; leave Mien out.\n"
    "Enter takes the frame, or this whole screen while there is none; Esc takes nothing.\n"
    "The arrow keys draw one as well: they move it, and with Shift they size it."
)
_ARROWS = {
    Qt.Key.Key_Left: QPoint(-1, 0),
    Qt.Key.Key_Right: QPoint(1, 0),
    Qt.Key.Key_Up: QPoint(0, -1),
    Qt.Key.Key_Down: QPoint(0, 1),
}
_STEP = 16
"""Pixels that a frame is moved or sized by a key."""
_DIM = QColor(8, 10, 14, 150)
_TO_EDGE = 24
_PLATE = 12


class ScreenPicker:
    """Lay a sheet over every screen to draw on, until something was picked or Esc was pressed.

    picked: told the area as `open_source` takes it.
    """

    def __init__(self, theme: Theme, picked: Callable[[str], None]) -> None:
        self._theme = theme
        self._picked = picked
        self.sheets: list[ScreenSheet] = []

    def show(self) -> None:
        """Begin, or begin anew."""
        self.close()
        # All pictures first, so that no sheet is on another's.
        shots = [(screen, screen.grabWindow(0)) for screen in QGuiApplication.screens()]
        self.sheets = [ScreenSheet(*one, self._theme, self._done) for one in shots]
        for sheet in self.sheets:
            sheet.lay()
        under = QGuiApplication.screenAt(QCursor.pos())
        first = next((one for one in self.sheets if one.of is under), self.sheets[0])
        first.activateWindow()
        first.setFocus()

    def close(self) -> None:
        """Take the sheets away; nothing is picked."""
        sheets, self.sheets = self.sheets, []
        for sheet in sheets:
            sheet.close()
            sheet.deleteLater()

    def _done(self, area: Area | None) -> None:
        if not self.sheets:
            return
        self.close()
        if area is not None:
            self._picked(area.spec)


class ScreenSheet(QWidget):
    """Show one screen as it was, dimmed but for the frame that is drawn on it.

    of: the screen. done: told the area, or None when nothing is to be picked.
    """

    def __init__(
        self, of: QScreen, shot: QPixmap, theme: Theme, done: Callable[[Area | None], None]
    ) -> None:
        super().__init__(
            None,
            Qt.WindowType.Window
            | Qt.WindowType.FramelessWindowHint
            | Qt.WindowType.WindowStaysOnTopHint,
        )
        self.of = of
        self._shot = shot
        self._theme = theme
        self._done = done
        self._from: QPoint | None = None
        self._frame = QRect()
        self.setWindowTitle("Part of the screen")
        self.setAccessibleName("Part of the screen")
        self.setAccessibleDescription(HINT)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def lay(self) -> None:
        """Cover the screen."""
        self.setScreen(self.of)
        self.setGeometry(self.of.geometry())
        if sys.platform == "darwin":  # where one that fills the screen gets a space of its own
            self.show()
        else:
            self.showFullScreen()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._from = event.position().toPoint()
            self._frame = QRect()
            self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._from is not None:
            begin, to = self._from, event.position().toPoint()
            left, top = min(begin.x(), to.x()), min(begin.y(), to.y())
            size = QSize(abs(to.x() - begin.x()), abs(to.y() - begin.y()))
            self._frame = QRect(QPoint(left, top), size) & self.rect()
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton or self._from is None:
            return
        self._from = None
        if not self._take(self._frame):
            self._frame = QRect()
            self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self._done(None)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            whole = QRect(QPoint(0, 0), self.of.geometry().size())
            self._take(whole if self._frame.isEmpty() else self._frame)
        elif event.key() in _ARROWS:
            by = _ARROWS[Qt.Key(event.key())] * _STEP
            sizes = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self._frame = self._nudged(by, sizes=sizes)
            self.update()

    def closeEvent(self, event: QCloseEvent) -> None:
        super().closeEvent(event)
        self._done(None)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.drawPixmap(self.rect(), self._shot)
        painter.save()
        painter.setClipRegion(QRegion(self.rect()).subtracted(QRegion(self._frame)))
        painter.fillRect(self.rect(), _DIM)
        painter.restore()
        if self._frame.isEmpty():
            self._draw_plate(painter, HINT, QPointF(self.width() / 2, _TO_EDGE))
        else:
            area = area_of(self.of, self._frame)
            tokens = self._theme.tokens
            painter.setPen(QPen(QColor(tokens.accent if area.is_enough else tokens.danger), 2))
            painter.drawRect(QRectF(self._frame))
            self._draw_size(painter, area)
        painter.end()

    def _take(self, frame: QRect) -> bool:
        """Be done with a frame, unless it is too small; return whether it was taken."""
        area = area_of(self.of, frame)
        if area.is_enough:
            self._done(area)
        return area.is_enough

    def _nudged(self, by: QPoint, *, sizes: bool) -> QRect:
        """Return the frame moved or sized, on the sheet; the first one is half as wide."""
        frame, sheet = self._frame, self.rect()
        if frame.isEmpty():
            frame = QRect(QPoint(0, 0), sheet.size() / 2)
            frame.moveCenter(sheet.center())
        elif sizes:
            frame = QRect(frame.topLeft(), frame.size() + QSize(by.x(), by.y())) & sheet
        elif sheet.contains(frame.translated(by)):
            frame = frame.translated(by)
        return frame

    def _draw_size(self, painter: QPainter, area: Area) -> None:
        text = f"{area.width} x {area.height}" if area.is_enough else "Too small for a face"
        below = self._frame.bottom() + 8
        if below + HEAD_PX + 2 * _PLATE > self.height():  # no room: inside
            below = self._frame.bottom() - HEAD_PX - 2 * _PLATE - 14
        self._draw_plate(painter, text, QPointF(self._frame.center().x(), below))

    def _draw_plate(self, painter: QPainter, text: str, top: QPointF) -> None:
        """Draw text on a plate; top: the middle of its upper edge, kept on the sheet."""
        tokens = self._theme.tokens
        painter.setFont(font(HEAD_PX))
        most = QRect(QPoint(0, 0), QSize(max(1, self.width() - 2 * _TO_EDGE - 2 * _PLATE), 400))
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        needed = painter.boundingRect(most, flags, text)
        plate = QRectF(0, 0, needed.width() + 2 * _PLATE, needed.height() + 2 * _PLATE)
        left = min(max(top.x() - plate.width() / 2, 4), self.width() - plate.width() - 4)
        plate.moveTo(left, top.y())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(tokens.line), 1))
        painter.setBrush(QColor(tokens.surface))
        painter.drawRoundedRect(plate, 8, 8)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QColor(tokens.text))
        painter.drawText(plate, flags, text)


def area_of(screen: QScreen, part: QRect) -> Area:
    """Return the area of a part of a screen, given in its own logical pixels.

    Qt leaves the corner of a screen where the system has it and divides what is inside by the
    ratio; macOS itself counts in logical pixels.
    """
    ratio = 1.0 if sys.platform == "darwin" else screen.devicePixelRatio()
    corner = screen.geometry().topLeft()
    return Area(
        corner.x() + round(part.x() * ratio),
        corner.y() + round(part.y() * ratio),
        round(part.width() * ratio),
        round(part.height() * ratio),
    )
