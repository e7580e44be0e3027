"""One face in the panel: what is said of it, how surely, and where the model found it."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QFontMetrics,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.gui.keys import KeepSpace
from app.gui.theme import BODY_PX, HEAD_PX, SMALL_PX, Theme, font, label_colour
from app.messages import FaceResult
from app.overlays.attention import CROP_CELLS, attention_map, coloured
from app.palette import UNSURE, display_order

# Bars come within 8 % of a new value in this time.
_EASE_SECONDS = 0.1
# Numbers that change more often cannot be read.
_NUMBER_SECONDS = 0.2
# Shorter ways than this share of a bar cannot be seen.
_LEAST_STEP = 0.002
_PAD = 12
_ROW = 20
_HEADER = 52
_THUMB = 72
_CAPTION = 20
_INK = QColor("#14100D")


class FaceCard(QWidget):
    """Show one track: label and confidence, a bar for every label, its crop and attention map.

    chosen: the user picked this card by mouse or keyboard; carries the track.
    """

    chosen = Signal(int)

    def __init__(self, track: int, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.track = track
        self._theme = theme
        self._labels: tuple[str, ...] = ()
        self._target = np.zeros(0)
        self._shown = np.zeros(0)
        self._numbers: list[int] = []
        self._number_age = math.inf
        self._label, self._confidence = "", 0
        self._face: FaceResult | None = None
        self._thumbs: tuple[QImage, QImage | None] | None = None
        self._selected = self._away = False
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setToolTip("Show this face in the chart (Enter)")
        self.installEventFilter(KeepSpace(self))
        theme.changed.connect(self.update)

    @property
    def label(self) -> str:
        return self._label

    @property
    def labels(self) -> tuple[str, ...]:
        """Return the labels from top to bottom."""
        return self._labels

    @property
    def shown_values(self) -> dict[str, float]:
        """Return the length of each bar as it is drawn now, 0 to 1."""
        return dict(zip(self._labels, self._shown.tolist(), strict=True))

    @property
    def selected(self) -> bool:
        return self._selected

    @property
    def away(self) -> bool:
        return self._away

    def set_selected(self, selected: bool) -> None:
        if selected != self._selected:
            self._selected = selected
            self._describe()
            self.update()

    def set_away(self, away: bool) -> None:
        """Dim the card of a face that is no longer in the picture."""
        if away != self._away:
            self._away = away
            self._describe()
            self.update()

    def show_face(self, face: FaceResult) -> None:
        """Take in the newest word on this face; bars move there with `advance`."""
        labels = display_order(face.prediction.labels)
        values = dict(zip(face.prediction.labels, face.probabilities.tolist(), strict=True))
        self._target = np.array([values[label] for label in labels])
        if labels != self._labels:
            self._labels = labels
            self._shown = self._target.copy()
            self._number_age = math.inf
            self.setFixedHeight(self.sizeHint().height())
        self._face = face
        if face.label != self._label:
            self._label = face.label
            self._number_age = math.inf

    def advance(self, seconds: float) -> None:
        """Let so much time pass: bars ease towards their values, numbers follow at times."""
        if self._face is None:
            return
        way = self._target - self._shown
        step = 1 - math.exp(-2.5 * seconds / _EASE_SECONDS)
        self._shown += np.where(np.abs(way) < _LEAST_STEP, way, way * step)
        self._number_age += seconds
        if self._number_age >= _NUMBER_SECONDS:
            self._number_age = 0.0
            self._refresh_numbers(self._face)
            self.update()
        elif np.abs(way).max() >= _LEAST_STEP:
            self.update(self._bars_rect().toAlignedRect())

    def sizeHint(self) -> QSize:
        rows = len(self._labels) * _ROW
        return QSize(280, _PAD + _HEADER + rows + 8 + _THUMB + _CAPTION + _PAD - 4)

    def mousePressEvent(self, _event: QMouseEvent) -> None:
        self.chosen.emit(self.track)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.chosen.emit(self.track)
        elif event.key() == Qt.Key.Key_Down:
            self.focusNextChild()
        elif event.key() == Qt.Key.Key_Up:
            self.focusPreviousChild()
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        self._paint_frame(painter)
        if self._away:
            painter.setOpacity(0.45)
        if self._labels:
            self._paint_header(painter)
            self._paint_bars(painter)
            self._paint_thumbs(painter)
        painter.end()

    def _refresh_numbers(self, face: FaceResult) -> None:
        self._numbers = [round(100 * value) for value in self._target.tolist()]
        self._confidence = round(100 * face.confidence)
        self._thumbs = _thumbs(face)
        self._describe()

    def _describe(self) -> None:
        """Tell screen readers what the eyes see."""
        said = f"{self._label}, sure {self._confidence} %"
        if self._label == UNSURE:
            said = "unsure"
        state = ", in the chart" if self._selected else ""
        state += ", no longer in the picture" if self._away else ""
        name = f"Face {self.track}: {said}{state}"
        if name != self.accessibleName():
            self.setAccessibleName(name)

    def _bars_rect(self) -> QRectF:
        return QRectF(_PAD, _PAD + _HEADER, self.width() - 2 * _PAD, len(self._labels) * _ROW)

    def _paint_frame(self, painter: QPainter) -> None:
        tokens = self._theme.tokens
        edge = QColor(tokens.accent if self._selected else tokens.line)
        width = 2.0 if self._selected else 1.0
        painter.setPen(QPen(edge, width))
        painter.setBrush(QColor(tokens.surface))
        inset = 1 + width / 2
        whole = self.rect().toRectF()
        painter.drawRoundedRect(whole.adjusted(inset, inset, -inset, -inset), 8, 8)
        if self.hasFocus():
            ring = QPen(QColor(tokens.text if self._selected else tokens.accent), 2)
            ring.setStyle(Qt.PenStyle.DotLine if self._selected else Qt.PenStyle.SolidLine)
            painter.setPen(ring)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(whole.adjusted(4, 4, -4, -4), 6, 6)

    def _paint_header(self, painter: QPainter) -> None:
        tokens = self._theme.tokens
        width = self.width() - 2 * _PAD
        sure = self._label != UNSURE
        painter.setFont(font(SMALL_PX))
        painter.setPen(QColor(tokens.quiet))
        top = QRectF(_PAD, _PAD - 2, width, 18)
        painter.drawText(top, Qt.AlignmentFlag.AlignVCenter, f"Face {self.track}")
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(top, right, "not in view" if self._away else "apparent expression")
        painter.setPen(QColor(tokens.text))
        painter.setFont(font(HEAD_PX, bold=True))
        line = QRectF(_PAD, _PAD + 18, width, 24)
        said = f"sure {self._confidence} %" if sure else f"at best {self._confidence} %"
        painter.drawText(line, right, said)
        room = width - 16 - painter.fontMetrics().horizontalAdvance(said) - 8
        dot = QRectF(line.left(), line.center().y() - 5, 10, 10)
        _paint_mark(painter, dot, label_colour(self._label, tokens), filled=sure)
        painter.setPen(QColor(tokens.text))
        text = painter.fontMetrics().elidedText(self._label, Qt.TextElideMode.ElideRight, int(room))
        painter.drawText(line.adjusted(16, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, text)

    def _paint_bars(self, painter: QPainter) -> None:
        tokens = self._theme.tokens
        area = self._bars_rect()
        plain, bold = font(BODY_PX), font(BODY_PX, bold=True)
        metrics = QFontMetrics(bold)
        number = metrics.horizontalAdvance("100 %")
        widest = max(metrics.horizontalAdvance(label) for label in self._labels)
        words = min(widest, int(area.width() * 0.4))
        start = area.left() + words + 10
        length = area.right() - number - 8 - start
        for index, label in enumerate(self._labels):
            row = QRectF(area.left(), area.top() + index * _ROW, area.width(), _ROW)
            said = label == self._label
            painter.setFont(bold if said else plain)
            painter.setPen(QColor(tokens.text if said else tokens.quiet))
            word = painter.fontMetrics().elidedText(label, Qt.TextElideMode.ElideMiddle, words)
            painter.drawText(row, Qt.AlignmentFlag.AlignVCenter, word)
            right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(row, right, f"{self._numbers[index]} %" if self._numbers else "")
            bar = QRectF(start, row.center().y() - 4, length, 8)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(tokens.raised))
            painter.drawRoundedRect(bar, 4, 4)
            value = min(1.0, max(0.0, float(self._shown[index])))
            if value * length >= 1:
                painter.save()
                painter.setClipRect(bar.adjusted(0, 0, -(1 - value) * length, 0))
                painter.setBrush(label_colour(label, tokens))
                painter.drawRoundedRect(bar, 4, 4)
                painter.restore()

    def _paint_thumbs(self, painter: QPainter) -> None:
        if self._thumbs is None:
            return
        tokens = self._theme.tokens
        top = self._bars_rect().bottom() + 8
        painter.setFont(font(SMALL_PX))
        half = (self.width() - 2 * _PAD) / 2
        captions = ("the model's view", "what it goes by")
        for index, (image, caption) in enumerate(zip(self._thumbs, captions, strict=True)):
            left = _PAD + index * half
            place = QRectF(left, top, _THUMB, _THUMB)
            if image is None:
                caption = "no map from this model"
            else:
                painter.drawImage(place, image)
            painter.setPen(QColor(tokens.quiet))
            below = QRectF(left, place.bottom() + 2, half - 4, _CAPTION - 2)
            text = painter.fontMetrics().elidedText(
                caption, Qt.TextElideMode.ElideRight, int(below.width())
            )
            painter.drawText(below, Qt.AlignmentFlag.AlignVCenter, text)


def _paint_mark(painter: QPainter, place: QRectF, ink: QColor, *, filled: bool) -> None:
    if filled:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ink)
        painter.drawRoundedRect(place, 3, 3)
    else:
        painter.setPen(QPen(ink, 1.5))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(place.adjusted(1, 1, -1, -1), 3, 3)


def _thumbs(face: FaceResult) -> tuple[QImage, QImage | None]:
    """Return the crop, and the crop with the attention map on it where the model has one."""
    crop = np.asarray(cv2.cvtColor(face.crop, cv2.COLOR_GRAY2BGR), np.uint8)
    values = attention_map(face)
    if values is None:
        return _image(crop), None
    painted = coloured(values)[CROP_CELLS, CROP_CELLS]
    side = painted.shape[0]
    below = np.asarray(cv2.resize(crop, (side, side), interpolation=cv2.INTER_LINEAR), np.uint8)
    keep = 255 - painted[..., 3:].astype(np.uint16)
    blended = (below * keep // 255 + painted[..., :3]).clip(0, 255).astype(np.uint8)
    return _image(crop), _image(blended)


def _image(pixels: NDArray[np.uint8]) -> QImage:
    height, width = pixels.shape[:2]
    wrapped = QImage(pixels.tobytes(), width, height, width * 3, QImage.Format.Format_BGR888)
    return wrapped.copy()  # the bytes belong to Python
