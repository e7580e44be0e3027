"""One face in the panel: what is said of it, how surely, and what the model goes by."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QFontMetrics,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QRegion,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.gui.inset import make_inset
from app.gui.inset_painter import HEIGHT, InsetPainter, tile_side
from app.gui.keys import KeepSpace
from app.gui.quality import FOOT, FaceFoot
from app.gui.theme import BODY_PX, HEAD_PX, SMALL_PX, Theme, font, label_colour
from app.messages import FaceResult
from app.overlays import Shown
from app.palette import UNSURE, display_order

# Bars come within 8 % of a new value in this time.
_EASE_SECONDS = 0.1
# Numbers that change more often cannot be read.
_NUMBER_SECONDS = 0.2
# Shorter ways than this share of a bar cannot be seen.
_LEAST_STEP = 0.002
_LEAST_TICK = 0.02
_PAD = 12
_ROW = 20
_HEADER = 52
_GAP = 10


class FaceCard(QWidget):
    """Show one track: label and confidence, a bar for every label, and the inset of its reasons.

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
        self._inset = InsetPainter(theme)
        self._plain: NDArray[np.float32] | None = None
        self.foot = FaceFoot(track, theme, self)
        self._selected = self._away = self._mirrored = False
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

    def set_view(self, shown: Shown, doubt: str = "") -> None:
        """Show the reasons in a way. doubt: what speaks against believing it, in a few words."""
        if self._inset.set_view(shown, doubt):
            self._number_age = math.inf
            self.setAccessibleDescription(self._inset.words)

    def set_mirrored(self, mirrored: bool) -> None:
        """Word left and right as they are on a large picture that is mirrored, or not."""
        if mirrored != self._mirrored:
            self._mirrored = mirrored
            self._number_age = math.inf

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
        values = dict(zip(face.prediction.labels, face.shown.tolist(), strict=True))
        self._target = np.array([values[label] for label in labels])
        if labels != self._labels:
            self._labels = labels
            self._shown = self._target.copy()
            self._numbers = []  # of other labels; resizing paints at once
            self._number_age = math.inf
            self.setFixedHeight(self.sizeHint().height())
        self._face = face
        self._plain = None
        if face.corrected is not None:
            places = [face.prediction.labels.index(label) for label in labels]
            self._plain = face.probabilities[places]
        self.foot.show_face(face)
        if face.said != self._label:
            self._label = face.said
            self._number_age = math.inf

    def advance(self, seconds: float) -> None:
        """Let so much time pass: bars ease towards their values, numbers follow at times."""
        if self._face is None:
            return
        self.foot.advance(seconds)
        way = self._target - self._shown
        step = 1 - math.exp(-2.5 * seconds / _EASE_SECONDS)
        self._shown += np.where(np.abs(way) < _LEAST_STEP, way, way * step)
        self._number_age += seconds
        if self._number_age >= _NUMBER_SECONDS:
            self._number_age = 0.0
            self._refresh_numbers(self._face)
            self.update()
        else:
            for index in np.flatnonzero(np.abs(way) >= _LEAST_STEP).tolist():
                self.update(self._row_rect(index).toAlignedRect())

    def sizeHint(self) -> QSize:
        rows = len(self._labels) * _ROW
        return QSize(280, _PAD + _HEADER + rows + _GAP + HEIGHT + FOOT + _PAD - 4)

    def resizeEvent(self, _event: QResizeEvent) -> None:
        self.foot.setGeometry(_PAD, self.height() - FOOT - _PAD + 4, self.width() - 2 * _PAD, FOOT)

    def mousePressEvent(self, _event: QMouseEvent) -> None:
        self.chosen.emit(self.track)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.chosen.emit(self.track)
        elif event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Up):
            self._go_on(forward=event.key() == Qt.Key.Key_Down)
        else:
            super().keyPressEvent(event)

    def _go_on(self, *, forward: bool) -> None:
        """Give the focus to the next card, past the button between."""
        for _ in range(2):
            self.focusNextPrevChild(forward)
            if isinstance(self.window().focusWidget(), FaceCard):
                return

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint what is asked for: thirty times a second that is a bar or two."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        asked = event.region()
        if self.rect().adjusted(_PAD, _PAD, -_PAD, -_PAD).contains(asked.boundingRect()):
            painter.fillRect(asked.boundingRect(), QColor(self._theme.tokens.surface))
        else:
            self._paint_frame(painter)
        if self._away:
            painter.setOpacity(0.45)
        if self._labels:
            if asked.boundingRect().top() < _PAD + _HEADER:
                self._paint_header(painter)
            self._paint_bars(painter, asked)
            if asked.intersects(self._inset_rect().toAlignedRect()):
                self._inset.paint(painter, self._inset_rect())
        painter.end()

    def _refresh_numbers(self, face: FaceResult) -> None:
        self._numbers = [round(100 * value) for value in self._target.tolist()]
        self._confidence = round(100 * face.said_confidence)
        side = round(tile_side(self._inset_rect().width()) * self.devicePixelRatioF())
        inset = make_inset(face, self._inset.shown, side, mirrored=self._mirrored)
        self._inset.set_inset(inset)
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

    def _row_rect(self, index: int) -> QRectF:
        bars = self._bars_rect()
        return QRectF(bars.left(), bars.top() + index * _ROW, bars.width(), _ROW)

    def _inset_rect(self) -> QRectF:
        bars = self._bars_rect()
        return QRectF(bars.left(), bars.bottom() + _GAP, bars.width(), HEIGHT)

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

    def _paint_bars(self, painter: QPainter, asked: QRegion) -> None:
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
            row = self._row_rect(index)
            if not asked.intersects(row.toAlignedRect()):
                continue
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
            if self._plain is not None and abs(value - float(self._plain[index])) > _LEAST_TICK:
                # Where it would be without the neutral face.
                place = bar.left() + length * float(self._plain[index])
                painter.setBrush(QColor(tokens.text))
                painter.drawRect(QRectF(place - 0.5, bar.top() - 2, 1.5, bar.height() + 4))


def _paint_mark(painter: QPainter, place: QRectF, ink: QColor, *, filled: bool) -> None:
    if filled:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ink)
        painter.drawRoundedRect(place, 3, 3)
    else:
        painter.setPen(QPen(ink, 1.5))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(place.adjusted(1, 1, -1, -1), 3, 3)
