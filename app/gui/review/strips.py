"""What all strips of the timeline share: the axis of time, scrubbing, selecting, zooming."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import (
    QColor,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from app.gui.review.model import ReviewModel
from app.gui.theme import Theme, Tokens, label_colour
from app.review.decimate import AWAY
from app.review.edited import UNDECIDED

GUTTER = 194
"""Pixels at the left of every strip, for names and values."""
RIGHT = 14
DRAG_PIXELS = 4
"""From so far on a press that moves is a drag, no click of a hand that trembles."""
_EDGE_PIXELS = 5
_WHEEL_ZOOM = 1.25
_WHEEL_PAN = 0.1


class TimeStrip(QWidget):
    """Draw something along the time in view, and let the mouse scrub or select.

    What changes seldom is painted by `paint_content` and kept; the moment shown and the selection
    are painted over it. A click goes to a moment. A drag selects an interval where `selects`,
    else it scrubs. The wheel zooms, with Shift it moves along.
    """

    selects = True

    def __init__(self, model: ReviewModel, theme: Theme, name: str) -> None:
        super().__init__()
        self.model = model
        self.theme = theme
        self._content: QPixmap | None = None
        self._content_part = QRect()
        self._pressed: QPointF | None = None
        self._anchor: float | None = None
        self.setAccessibleName(name)
        self.setMouseTracking(True)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        for signal in (model.opened, model.changed, model.viewed, model.chosen, model.compared):
            signal.connect(self.renew)
        for signal in (model.moved, model.selected):
            signal.connect(self.update)
        theme.changed.connect(self.renew)

    @property
    def tokens(self) -> Tokens:
        return self.theme.tokens

    def renew(self) -> None:
        """Paint all anew: the content is another."""
        self._content = None
        self.update()

    def part(self) -> QRect:
        """Return the part of the strip that is painted: all of it, unless most is out of view."""
        return self.rect()

    def span(self) -> tuple[float, float]:
        """Return the time at the left and right end (s)."""
        return self.model.view

    def columns(self, width: float) -> int:
        """Return the pixels along which time runs in a strip of that width."""
        return max(1, round(width) - GUTTER - RIGHT)

    def x_of(self, time: float, width: float | None = None) -> float:
        start, end = self.span()
        columns = self.columns(self.width() if width is None else width)
        return GUTTER + (time - start) / (end - start) * columns

    def time_at(self, x: float) -> float:
        start, end = self.span()
        return start + (x - GUTTER) / self.columns(self.width()) * (end - start)

    def paint_content(self, painter: QPainter, size: QSizeF) -> None:
        """Paint what stays while time goes on, on a strip of that size."""
        raise NotImplementedError

    def paint_over(self, painter: QPainter, size: QSizeF) -> None:
        """Paint the selection and the moment shown."""
        if not self.model.is_open:
            return
        if self.model.selection is not None:
            self._paint_selection(painter, size, self.model.selection)
        x = self.x_of(self.model.position, size.width())
        if GUTTER - 1 <= x <= size.width() - RIGHT + 1:
            painter.setPen(QPen(QColor(self.tokens.text), 1))
            painter.drawLine(QPointF(x, 0), QPointF(x, size.height()))

    def sizeHint(self) -> QSize:
        return QSize(640, 24)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._content = None
        super().resizeEvent(event)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self.renew()
        return super().event(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        part, size = self.part(), self.size().toSizeF()
        if self._content is None or part != self._content_part:
            self._content = self._painted(part, size)
            self._content_part = part
        painter = QPainter(self)
        painter.drawPixmap(part.topLeft(), self._content)
        self.paint_over(painter, size)
        painter.end()

    def _painted(self, part: QRect, size: QSizeF) -> QPixmap:
        ratio = self.devicePixelRatioF()
        content = QPixmap(part.size() * ratio)
        content.setDevicePixelRatio(ratio)
        content.fill(QColor(self.tokens.background))
        if self.model.is_open:
            painter = QPainter(content)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.translate(-part.topLeft())
            self.paint_content(painter, size)
            painter.end()
        return content

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton or not self.model.is_open:
            return
        self._pressed = event.position()
        self._anchor = self._anchor_at(event.position().x()) if self.selects else None
        if not self.selects:
            self.model.move_to(self.time_at(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        x = event.position().x()
        if self._pressed is None:
            self.setCursor(self._cursor_at(x))
        elif not self.selects:
            self.model.move_to(self.time_at(x))
        elif self._anchor is not None:
            self.model.select(self._anchor, self.time_at(x))
        elif abs(x - self._pressed.x()) >= DRAG_PIXELS:
            self._anchor = self.time_at(self._pressed.x())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._pressed is not None and self._anchor is None and self.selects:
            self.model.move_to(self.time_at(event.position().x()))
        self._pressed = self._anchor = None

    def wheelEvent(self, event: QWheelEvent) -> None:
        if not self.model.is_open:
            return
        down, across = event.angleDelta().y(), event.angleDelta().x()
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier or abs(across) > abs(down):
            start, end = self.model.view
            shift = -(down or across) / 120 * _WHEEL_PAN * (end - start)
            self.model.show(start + shift, end + shift)
        else:
            at = min(
                max(self.time_at(event.position().x()), self.model.view[0]), self.model.view[1]
            )
            self.model.zoom(_WHEEL_ZOOM ** (-down / 120), at)
        event.accept()

    def _anchor_at(self, x: float) -> float | None:
        """Return the other end of the selection where one end of it is taken hold of."""
        if self.model.selection is None:
            return None
        start, end = self.model.selection
        if abs(self.x_of(start) - x) <= _EDGE_PIXELS:
            return end
        return start if abs(self.x_of(end) - x) <= _EDGE_PIXELS else None

    def _cursor_at(self, x: float) -> Qt.CursorShape:
        if self.selects and self._anchor_at(x) is not None:
            return Qt.CursorShape.SizeHorCursor
        return Qt.CursorShape.ArrowCursor

    def _paint_selection(
        self, painter: QPainter, size: QSizeF, selection: tuple[float, float]
    ) -> None:
        left, right = (
            min(max(self.x_of(time, size.width()), GUTTER), size.width() - RIGHT)
            for time in selection
        )
        colour = QColor(self.tokens.accent)
        fill = QColor(colour)
        fill.setAlpha(46)
        painter.fillRect(QRectF(left, 0, max(1.0, right - left), size.height()), fill)
        painter.setPen(QPen(colour, 1))
        for x in (left, right):
            painter.drawLine(QPointF(x, 0), QPointF(x, size.height()))


def draw_ribbon(
    painter: QPainter,
    shown: NDArray[np.int16],
    labels: tuple[str, ...],
    area: QRectF,
    tokens: Tokens,
) -> None:
    """Draw a ribbon of labels, a pixel a column; unsure in outline only, away not at all."""
    if not len(shown):
        return
    starts = np.concatenate([[0], np.flatnonzero(np.diff(shown)) + 1])
    ends = np.append(starts[1:], len(shown))
    scale = area.width() / len(shown)
    outline = QColor(tokens.quiet)
    colours = [label_colour(label, tokens) for label in labels]
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    for start, end, code in zip(
        starts.tolist(), ends.tolist(), shown[starts].tolist(), strict=True
    ):
        if code == AWAY:
            continue
        rect = QRectF(area.left() + start * scale, area.top(), (end - start) * scale, area.height())
        if code == UNDECIDED:
            painter.setPen(QPen(outline, 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(rect.adjusted(0, 0, -1, -1))
        else:
            painter.fillRect(rect, colours[code])
    painter.restore()
