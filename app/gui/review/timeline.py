"""The timeline: ruler, a lane a face, the lines of the chosen one, and the whole in small."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPen, QResizeEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QScrollBar, QSizePolicy, QVBoxLayout

from app.gui.review.lanes import LANE, Lanes
from app.gui.review.lines import LineChart
from app.gui.review.model import ReviewModel
from app.gui.review.ruler import Ruler
from app.gui.review.strips import GUTTER, TimeStrip, draw_ribbon
from app.gui.theme import SMALL_PX, Theme, font
from app.review.decimate import ribbon

_MOST_LANES = 6
_OVERVIEW = 26


class Overview(TimeStrip):
    """Show the whole session with a frame around the part in view; a drag moves the frame."""

    selects = False

    def __init__(self, model: ReviewModel, theme: Theme) -> None:
        super().__init__(model, theme, "Whole session")
        self.setFixedHeight(_OVERVIEW)
        model.viewed.disconnect(self.renew)
        model.viewed.connect(self.update)
        self._held: float | None = None

    def span(self) -> tuple[float, float]:
        return 0.0, self.model.duration

    def sizeHint(self) -> QSize:
        return QSize(640, _OVERVIEW)

    def paint_content(self, painter: QPainter, size: QSizeF) -> None:
        painter.setFont(font(SMALL_PX))
        painter.setPen(QColor(self.tokens.quiet))
        name = QRectF(12, 0, GUTTER - 20, size.height())
        painter.drawText(name, Qt.AlignmentFlag.AlignVCenter, "Whole session")
        part = self.model.series(self.model.face)
        columns = self.columns(size.width())
        until = self.model.recording.shown_until(part.frames)
        end = self.model.duration
        codes = ribbon(part.times, until, part.decided, len(part.labels), 0.0, end, columns)
        band = QRectF(GUTTER, 9, columns, 8)
        painter.setOpacity(0.7)
        draw_ribbon(painter, codes, part.labels, band, self.tokens)
        painter.setOpacity(1.0)

    def paint_over(self, painter: QPainter, size: QSizeF) -> None:
        super().paint_over(painter, size)
        if self.model.is_open:
            left, right = (self.x_of(time, size.width()) for time in self.model.view)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(QColor(self.tokens.accent), 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(left, 4, max(3.0, right - left), 18), 3, 3)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton or not self.model.is_open:
            return
        start, end = self.model.view
        time = self.time_at(event.position().x())
        self._held = time - start if start <= time <= end else (end - start) / 2
        self._pan(time)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._held is not None:
            self._pan(self.time_at(event.position().x()))

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        self._held = None

    def _pan(self, time: float) -> None:
        assert self._held is not None
        start, end = self.model.view
        self.model.show(time - self._held, time - self._held + end - start)


class Timeline(QFrame):
    """Hold the strips of the timeline, all on one axis of time."""

    def __init__(self, model: ReviewModel, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("chart")
        self._model = model
        self.ruler = Ruler(model, theme)
        self.lanes = Lanes(model, theme)
        self.lines = LineChart(model, theme)
        self.overview = Overview(model, theme)
        self._scroll = QScrollArea()
        self._scroll.setWidget(self.lanes)
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        # The bar lies over the free margin instead, so that all strips have the same width.
        self._scroll.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._bar = QScrollBar(Qt.Orientation.Vertical, self)
        self._bar.setAccessibleName("Scroll the faces")
        inner = self._scroll.verticalScrollBar()
        inner.rangeChanged.connect(self._place_bar)
        inner.valueChanged.connect(self._bar.setValue)
        self._bar.valueChanged.connect(inner.setValue)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setAccessibleName("Faces over time")
        self._scroll.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.ruler)
        layout.addWidget(self._scroll)
        layout.addWidget(self.lines, 1)
        layout.addWidget(self.overview)
        for signal in (model.opened, model.changed, model.compared):
            signal.connect(self._fit)
        model.chosen.connect(self._reveal)
        self._fit()

    def strips(self) -> list[TimeStrip]:
        """Return the strips from top to bottom, as they are exported."""
        return [self.ruler, self.lanes, self.lines]

    def paint(self, painter: QPainter, width: float) -> float:
        """Paint what is shown on something else, such as a file; return the height painted."""
        top = 0.0
        for strip in self.strips():
            part, size = strip.part(), QSizeF(width, strip.height())
            painter.save()
            painter.translate(0, top - part.top())
            painter.setClipRect(QRectF(0, part.top(), width, part.height()))
            painter.fillRect(QRectF(QPointF(0, 0), size), QColor(strip.tokens.background))
            strip.paint_content(painter, size)
            strip.paint_over(painter, size)
            painter.restore()
            top += part.height()
        return top

    def painted_height(self) -> int:
        return sum(strip.part().height() for strip in self.strips())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()
        self._place_bar()

    def _fit(self) -> None:
        """Give the lanes room for a few faces; more can be scrolled to."""
        lanes = max(1, len(self.lanes.lanes()))
        room = max(2, int(0.28 * self.height()) // LANE)
        self._scroll.setFixedHeight(LANE * min(lanes, _MOST_LANES, room))
        self._reveal()

    def _place_bar(self) -> None:
        inner = self._scroll.verticalScrollBar()
        self._bar.setRange(inner.minimum(), inner.maximum())
        self._bar.setPageStep(inner.pageStep())
        self._bar.setVisible(inner.maximum() > 0)
        area = self._scroll.geometry()
        width = self._bar.sizeHint().width()
        self._bar.setGeometry(self.width() - width - 1, area.top(), width, area.height())
        self._bar.raise_()

    def _reveal(self) -> None:
        if self._model.is_open:
            top = self.lanes.place_of(self._model.face)
            self._scroll.ensureVisible(0, top + LANE // 2, 0, LANE)
