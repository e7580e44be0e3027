"""The ruler of the timeline, with markers and intervals that are kept."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import QColor, QHelpEvent, QMouseEvent, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QToolTip

from app.gui.plain import plain_tip
from app.gui.review.model import ReviewModel
from app.gui.review.strips import DRAG_PIXELS, GUTTER, RIGHT, TimeStrip
from app.gui.theme import SMALL_PX, Theme, font
from app.review.edited import Interval, Marker
from app.review.words import between, moment
from app.words import clock

_STEPS = (
    0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0,
    3600.0, 7200.0,
)  # fmt: skip
_LEAST_PIXELS = 84
_SCALE_HEIGHT = 20
_FLAG_TOP, _FLAG_HEIGHT, _FLAG_WIDTH = 21, 15, 14
_BAR_TOP, _BAR_HEIGHT = 38, 6
_HEIGHT = 48


class Ruler(TimeStrip):
    """Show times, markers and kept intervals.

    A drag scrubs; a drag of a marker moves it. A click on an interval selects it.
    """

    selects = False

    def __init__(self, model: ReviewModel, theme: Theme) -> None:
        super().__init__(model, theme, "Ruler with markers")
        self._dragged: Marker | None = None
        self._dragged_to: float | None = None
        self._grip = 0.0
        self.setFixedHeight(_HEIGHT)

    def sizeHint(self) -> QSize:
        return QSize(640, _HEIGHT)

    def marker_at(self, point: QPointF) -> Marker | None:
        """Return the marker whose flag is at a point."""
        if not self.model.is_open or not _FLAG_TOP <= point.y() <= _FLAG_TOP + _FLAG_HEIGHT:
            return None
        near = [
            (abs(self.x_of(marker.time) + _FLAG_WIDTH / 2 - point.x()), marker)
            for marker in self.model.state.markers
        ]
        distance, marker = min(near, key=lambda pair: pair[0], default=(99.0, None))
        return marker if distance <= _FLAG_WIDTH / 2 + 2 else None

    def interval_at(self, point: QPointF) -> Interval | None:
        """Return the kept interval whose bar is at a point."""
        if not self.model.is_open or point.y() < _BAR_TOP - 2:
            return None
        time = self.time_at(point.x())
        inside = [one for one in self.model.state.intervals if one.start <= time <= one.end]
        return min(inside, key=lambda one: one.end - one.start, default=None)

    def paint_content(self, painter: QPainter, size: QSizeF) -> None:
        painter.setFont(font(SMALL_PX))
        self._paint_scale(painter, size)
        self._paint_intervals(painter, size)
        for marker in self.model.state.markers:
            if marker is not self._dragged:
                self._paint_flag(painter, size, marker.time, marker.sign)

    def paint_over(self, painter: QPainter, size: QSizeF) -> None:
        super().paint_over(painter, size)
        painter.setFont(font(SMALL_PX))
        if self._dragged is not None and self._dragged_to is not None:
            self._paint_flag(painter, size, self._dragged_to, self._dragged.sign)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        marker = self.marker_at(event.position())
        interval = self.interval_at(event.position())
        if event.button() == Qt.MouseButton.LeftButton and marker is not None:
            self._dragged, self._pressed = marker, event.position()
            self._grip = event.position().x() - self.x_of(marker.time)
            self.model.move_to(marker.time)
        elif event.button() == Qt.MouseButton.LeftButton and interval is not None:
            self.model.select(interval.start, interval.end)
        else:
            super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._dragged is None or self._pressed is None:
            super().mouseMoveEvent(event)
            return
        x = event.position().x()
        if self._dragged_to is None:
            if abs(x - self._pressed.x()) < DRAG_PIXELS:
                return
            self.renew()
        self._dragged_to = min(max(0.0, self.time_at(x - self._grip)), self.model.duration)
        self.model.move_to(self._dragged_to)
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        marker, time = self._dragged, self._dragged_to
        self._dragged = self._dragged_to = None
        super().mouseReleaseEvent(event)
        if marker is not None and time is not None:
            self.model.change_marker(marker, time=time, text=marker.text)
            self.renew()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            point = QPointF(event.pos())
            marker, interval = self.marker_at(point), self.interval_at(point)
            text = ""
            if marker is not None:
                when = moment(self.model.recording, marker.time)
                text = f"{marker.title}, {when}\nDrag to move"
            elif interval is not None:
                where = between(self.model.recording, interval.start, interval.end)
                text = f"{interval.name}, {where}" if interval.name else where
            QToolTip.showText(event.globalPos(), plain_tip(text), self)
            return True
        return super().event(event)

    def _cursor_at(self, x: float) -> Qt.CursorShape:
        return Qt.CursorShape.ArrowCursor if x < GUTTER else Qt.CursorShape.PointingHandCursor

    def _paint_scale(self, painter: QPainter, size: QSizeF) -> None:
        start, end = self.span()
        pixels = self.columns(size.width()) / (end - start)
        images = self.model.recording.of_images
        least = self.model.recording.spacing if images else 0.0
        fitting = (step for step in _STEPS if step * pixels >= _LEAST_PIXELS and step >= least)
        step = next(fitting, _STEPS[-1])
        painter.setPen(QColor(self.tokens.line))
        painter.drawLine(
            QPointF(GUTTER, _SCALE_HEIGHT), QPointF(size.width() - RIGHT, _SCALE_HEIGHT)
        )
        for number in range(int(start / step), int(end / step) + 1):
            x = self.x_of(number * step, size.width())
            if not GUTTER - 0.5 <= x <= size.width() - RIGHT + 0.5:
                continue
            painter.setPen(QColor(self.tokens.quiet))
            painter.drawLine(QPointF(x, _SCALE_HEIGHT - 5), QPointF(x, _SCALE_HEIGHT))
            place = QRectF(x + 4, 0, 90, _SCALE_HEIGHT - 2)
            text = clock(number * step, digits=1 if step < 1 else 0)
            if images and number * step < self.model.duration:
                text = str(self.model.recording.image_number(number * step))
            if x + 4 + painter.fontMetrics().horizontalAdvance(text) <= size.width():
                painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, text)

    def _paint_intervals(self, painter: QPainter, size: QSizeF) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        for place, one in enumerate(self.model.state.intervals):
            left = max(GUTTER, self.x_of(one.start, size.width()))
            right = min(size.width() - RIGHT, self.x_of(one.end, size.width()))
            if right <= left:
                continue
            colour = QColor(self.tokens.accent)
            colour.setAlpha(220 if place % 2 else 140)
            painter.setBrush(colour)
            painter.drawRoundedRect(QRectF(left, _BAR_TOP, right - left, _BAR_HEIGHT), 2, 2)

    def _paint_flag(self, painter: QPainter, size: QSizeF, time: float, sign: str) -> None:
        x = self.x_of(time, size.width())
        if not GUTTER - 1 <= x <= size.width() - RIGHT + 1:
            return
        painter.setPen(QPen(QColor(self.tokens.warning), 1))
        painter.drawLine(QPointF(x, _FLAG_TOP), QPointF(x, size.height()))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self.tokens.warning))
        bottom = _FLAG_TOP + _FLAG_HEIGHT
        corners = [(x, _FLAG_TOP), (x + _FLAG_WIDTH, _FLAG_TOP), (x + _FLAG_WIDTH, bottom - 4),
                   (x + _FLAG_WIDTH - 4, bottom), (x, bottom)]  # fmt: skip
        painter.drawPolygon(QPolygonF([QPointF(*corner) for corner in corners]))
        painter.setPen(QColor(self.tokens.background))
        flag = QRectF(x, _FLAG_TOP, _FLAG_WIDTH, _FLAG_HEIGHT)
        painter.drawText(flag, Qt.AlignmentFlag.AlignCenter, sign)
