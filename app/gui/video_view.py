"""The picture: the newest result's own frame with what was found on it."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterable, Mapping

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QAction,
    QColor,
    QFontMetrics,
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPixmap,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.gui.theme import BODY_PX, HEAD_PX, Theme, font
from app.messages import FrameResult
from app.overlays import OVERLAYS, Overlay, Shown, make_overlay, render

log = logging.getLogger(__name__)

# Device pixels. Larger pictures are scaled up by Qt: drawing on more would cost the frames.
_MOST_PIXELS = 2560 * 1440
_DIM = QColor(0, 0, 0, 150)
_PLATE = QColor(13, 16, 20, 190)
# Pixels below which a picture has room for its faces alone.
_CAPTION_LEAST = 200
_PAPER = QColor("#E8EBEF")


class VideoView(QWidget):
    """Show a result letterboxed, overlays drawn at the screen's own pixels.

    face_clicked: the track of the face that was clicked in the picture.
    """

    face_clicked = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._result: FrameResult | None = None
        self._image: QImage | None = None
        self._pixels: NDArray[np.uint8] | None = None
        self._overlays: dict[str, Overlay] = {}
        self._attention = Shown()
        self._canvas: NDArray[np.uint8] | None = None
        self._mirrored = False
        self._dimmed = False
        self._message = ""
        self._hint = ""
        # Results painted, the last of them, and when the first one with a face was.
        self._count, self._first_at = 0, 0.0
        self._painted: FrameResult | None = None
        self._written: tuple[str, int, float] | None = None
        self._caption_plate = QPixmap()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName("Picture")
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setMinimumSize(160, 90)
        theme.changed.connect(self.update)

    @property
    def result(self) -> FrameResult | None:
        return self._result

    @property
    def mirrored(self) -> bool:
        return self._mirrored

    @property
    def overlay_names(self) -> tuple[str, ...]:
        return tuple(self._overlays)

    @property
    def shown_view(self) -> Shown:
        """Return in which way the attention overlay shows the reasons."""
        return self._attention

    @property
    def message(self) -> str:
        """Return the sentence in the middle of the stage, empty while there is a picture."""
        return self._message

    @property
    def caption(self) -> str:
        """Return what the source says of the frame shown, such as the actor's pose."""
        return "" if self._result is None else self._result.frame.caption

    @property
    def hint(self) -> str:
        """Return the quiet line at the foot of the picture."""
        return self._hint

    @property
    def dimmed(self) -> bool:
        return self._dimmed

    def sizeHint(self) -> QSize:
        return QSize(800, 600)

    def show_result(self, result: FrameResult | None) -> None:
        """Show a result, or the empty stage for None."""
        self._result = result
        self._draw()

    def set_overlays(self, names: Iterable[str]) -> None:
        """Draw exactly these of `OVERLAYS`; those that stay keep their state."""
        wanted = set(names)
        self._overlays = {
            name: self._overlays.get(name) or make_overlay(name, self._attention)
            for name in OVERLAYS
            if name in wanted
        }
        self._draw()

    def set_view(self, shown: Shown) -> None:
        """Show the reasons in another way."""
        if shown != self._attention:
            self._attention = shown
            names = self.overlay_names
            self._overlays.pop("attention", None)
            self.set_overlays(names)

    def set_mirrored(self, mirrored: bool) -> None:
        if mirrored != self._mirrored:
            self._mirrored = mirrored
            self._draw()

    def set_state(self, *, message: str = "", hint: str = "", dimmed: bool = False) -> None:
        """Set what is written on the stage, and whether the picture is an old one."""
        if (message, hint, dimmed) != (self._message, self._hint, self._dimmed):
            self._message, self._hint, self._dimmed = message, hint, dimmed
            self.setAccessibleDescription(message or hint)
            self.update()

    def picture(self) -> QImage:
        """Return what is shown of the frame, overlays and all; a null image before the first."""
        return QImage() if self._image is None else self._image

    def picture_rect(self) -> QRectF:
        """Return where the picture lies, in the widget's own coordinates."""
        if self._result is None:
            return QRectF()
        height, width = self._result.frame.image.shape[:2]
        scale = min(self.width() / width, self.height() / height)
        size = QSize(max(1, round(width * scale)), max(1, round(height * scale)))
        # On whole pixels of the screen, so that nothing is resampled once more.
        ratio = self.devicePixelRatioF()
        left = round((self.width() - size.width()) / 2 * ratio) / ratio
        top = round((self.height() - size.height()) / 2 * ratio) / ratio
        return QRectF(left, top, size.width(), size.height())

    def face_at(self, point: QPointF) -> int | None:
        """Return the track of the face at a point of the widget, the smallest if several."""
        rect = self.picture_rect()
        if self._result is None or not rect.contains(point):
            return None
        scale = self._result.frame.image.shape[1] / rect.width()
        across = rect.right() - point.x() if self._mirrored else point.x() - rect.left()
        x, y = across * scale, (point.y() - rect.top()) * scale
        hits = [
            (face.face.box.area, face.face.track_id)
            for face in self._result.faces
            if face.face.track_id is not None
            and face.face.box.x1 <= x < face.face.box.x2
            and face.face.box.y1 <= y < face.face.box.y2
        ]
        return min(hits)[1] if hits else None

    def resizeEvent(self, _event: QResizeEvent) -> None:
        self._draw()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self._draw()
        return super().event(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        track = self.face_at(event.position())
        if track is not None:
            self.face_clicked.emit(track)
        super().mousePressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        tokens = self._theme.tokens
        rect = self.picture_rect()
        if self._image is None or rect.isEmpty():
            painter.fillRect(event.rect(), QColor(tokens.stage))
        else:
            self._paint_picture(painter, rect)
        if self._message:
            on_stage = self._image is None
            ink = QColor(tokens.text) if on_stage else _PAPER
            self._paint_line(painter, self.rect().toRectF(), self._message, HEAD_PX, ink, on_stage)
        elif self._hint and self._image is not None:
            foot = QRectF(rect.left(), rect.bottom() - 56, rect.width(), 48)
            self._paint_line(painter, foot, self._hint, BODY_PX, _PAPER, False)
        painter.end()
        self._note_painted()

    def rate(self) -> float:
        """Return how many results a second were painted since the first one with a face."""
        seconds = time.monotonic() - self._first_at
        return self._count / seconds if self._first_at and seconds > 0 else 0.0

    def _note_painted(self) -> None:
        if self._result is None or self._result is self._painted:
            return
        self._painted = self._result
        if self._first_at:
            self._count += 1
        elif self._result.faces:
            self._first_at = time.monotonic()
            window = self.window()
            log.info(
                "the first labelled picture is painted, window %dx%d",
                window.width(),
                window.height(),
            )

    def _draw(self) -> None:
        """Make the picture anew from the result that is shown."""
        rect = self.picture_rect()
        if self._result is None or rect.isEmpty():
            self._image = self._pixels = None
            self.update()
            return
        ratio = self.devicePixelRatioF()
        width, height = rect.width() * ratio, rect.height() * ratio
        shrink = min(1.0, (_MOST_PIXELS / (width * height)) ** 0.5)
        self._canvas = canvas = render(
            self._result,
            size=(max(1, round(width * shrink)), max(1, round(height * shrink))),
            mirrored=self._mirrored,
            overlays=self._overlays.values(),
            pixel_ratio=ratio * shrink,
            out=self._canvas,
        )
        # Four bytes a pixel are what the screen takes: Qt copies them as they are.
        self._pixels = np.asarray(cv2.cvtColor(canvas, cv2.COLOR_BGR2BGRA), np.uint8)
        rows, columns = self._pixels.shape[:2]
        self._image = QImage(
            self._pixels.data, columns, rows, columns * 4, QImage.Format.Format_RGB32
        )
        self.update()

    def _paint_picture(self, painter: QPainter, rect: QRectF) -> None:
        assert self._image is not None
        stage = QColor(self._theme.tokens.stage)
        whole = self.rect().toRectF()
        for bar in (
            QRectF(0, 0, whole.width(), rect.top()),
            QRectF(0, rect.bottom(), whole.width(), whole.height() - rect.bottom()),
            QRectF(0, rect.top(), rect.left(), rect.height()),
            QRectF(rect.right(), rect.top(), whole.width() - rect.right(), rect.height()),
        ):
            painter.fillRect(bar, stage)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(rect, self._image)
        if self._dimmed:
            painter.fillRect(rect, _DIM)
        if self.caption and rect.height() >= _CAPTION_LEAST:
            self._paint_caption(painter, rect)

    def _paint_caption(self, painter: QPainter, rect: QRectF) -> None:
        """Write what the source says of this frame in the lower left corner, below the plates."""
        written = self.caption, int(rect.width()) - 40, self.devicePixelRatioF()
        if written != self._written:
            self._written = written
            self._caption_plate = _caption_plate(*written)
        high = self._caption_plate.height() / self._caption_plate.devicePixelRatio()
        painter.drawPixmap(rect.bottomLeft() + QPointF(8, -8 - high), self._caption_plate)

    def _paint_line(
        self, painter: QPainter, area: QRectF, text: str, pixels: int, ink: QColor, bare: bool
    ) -> None:
        """Write one centred sentence, on a dark plate where there is a picture below it."""
        painter.setFont(font(pixels))
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        inner = area.adjusted(24, 8, -24, -8)
        bounds = painter.boundingRect(inner, int(flags), text)
        if not bare:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(_PLATE)
            painter.drawRoundedRect(bounds.adjusted(-12, -6, 12, 6), 6, 6)
        painter.setPen(ink)
        painter.drawText(inner, int(flags), text)


def switch_overlays(
    video: VideoView, actions: Mapping[str, QAction], shown: Collection[str]
) -> None:
    """Let actions switch the overlays of a picture, by their names; those `shown` are on now."""

    def draw() -> None:
        video.set_overlays(name for name, action in actions.items() if action.isChecked())

    for name, action in actions.items():
        action.setChecked(name in shown)
        action.toggled.connect(draw)
    draw()


def _caption_plate(text: str, room: int, ratio: float) -> QPixmap:
    """Return a caption on its dark plate; it is the same for many frames. room: pixels."""
    metrics = QFontMetrics(font(BODY_PX))
    text = metrics.elidedText(text, Qt.TextElideMode.ElideMiddle, room)
    plate = QRectF(0, 0, metrics.horizontalAdvance(text) + 16, 24)
    pixmap = QPixmap((plate.size() * ratio).toSize())
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setFont(font(BODY_PX))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(_PLATE)
    painter.drawRoundedRect(plate, 6, 6)
    painter.setPen(_PAPER)
    painter.drawText(plate, int(Qt.AlignmentFlag.AlignCenter), text)
    painter.end()
    return pixmap
