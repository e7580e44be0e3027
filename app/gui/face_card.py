"""One face in the panel: what is said of it, how surely, and what decided."""

from __future__ import annotations

import math
from dataclasses import replace

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from app.gui.card_bars import CardBars
from app.gui.inset import make_inset
from app.gui.inset_painter import TILE, InsetPainter, inset_height, tile_side
from app.gui.keys import KeepSpace
from app.gui.quality import FaceFoot
from app.gui.theme import HEAD_PX, SMALL_PX, Theme, font, label_colour
from app.messages import FaceResult, SecondWord
from app.overlays import Shown
from app.palette import UNSURE
from app.words import whole

# The pictures of the reasons are made anew so often.
_REASON_SECONDS = 0.2
SAME, DIFFERENT = "also", "instead"
_TIP = "Show this face in the chart (Enter)"
_PAD = 12
_HEADER = 52
_SECOND = 40
_GAP = 10
_INDENT = 16


def card_tile(width: float) -> float:
    """Return the side that the pictures of the reasons have on a card of that width, px."""
    return tile_side(width - 2 * _PAD)


class FaceCard(QWidget):
    """Show one track: label and confidence, a bar for every label, and the inset of its reasons.

    Where a second model is asked its word stands below the first, and thin bars below the bars.

    chosen: the user picked this card by mouse or keyboard; carries the track.
    """

    chosen = Signal(int)

    def __init__(self, track: int, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.track = track
        self._theme = theme
        self._bars = CardBars(theme)
        self._second_model = self._second_name = ""
        self._second: tuple[str, str, str] | None = None
        self._label, self._spoken, self._confidence = "", "", ""
        self._leading = ""
        self._face: FaceResult | None = None
        self._clock, self._reason_age = 0.0, math.inf
        self._tile = float(TILE)
        self._inset = InsetPainter(theme)
        self.foot = FaceFoot(track, theme, self)
        self._selected = self._away = self._mirrored = False
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setToolTip(_TIP)
        self.installEventFilter(KeepSpace(self))
        self.foot.grown.connect(self._fit)
        theme.changed.connect(self.update)

    @property
    def label(self) -> str:
        return self._label

    @property
    def labels(self) -> tuple[str, ...]:
        """Return the labels from top to bottom."""
        return self._bars.labels

    @property
    def shown_values(self) -> dict[str, float]:
        """Return the length of each bar as it is drawn now, 0 to 1."""
        return self._bars.values

    @property
    def second_values(self) -> dict[str, float]:
        """Return the length of each thin bar, 0 to 1: what the second model says."""
        return self._bars.second_values

    @property
    def selected(self) -> bool:
        return self._selected

    @property
    def away(self) -> bool:
        return self._away

    @property
    def second_words(self) -> str:
        """Return what is written of the second model, with whether it is the same before it."""
        return "…" if self._second is None else " ".join(self._second).strip()

    def set_view(self, shown: Shown, doubt: str = "", *, on: bool = True) -> None:
        """Show the reasons in a way. doubt: what speaks against believing it, in a few words.

        on: whether the user wants to see reasons.
        """
        if self._inset.set_view(shown, doubt, on=on):
            self._reason_age = math.inf
            self.setAccessibleDescription(self._inset.words)

    def set_tile(self, side: float) -> None:
        """Let the pictures of the reasons be so large where the card has room, desktop pixels."""
        if side != self._tile:
            self._tile, self._reason_age = side, math.inf
            self._fit()

    def set_second(self, model: str, shown: str) -> None:
        """Leave room for the word of a second model. shown: its name for the eye, empty for none.

        What another model said as the second is no longer shown.
        """
        if (model, shown) != (self._second_model, self._second_name):
            self._second_model, self._second_name, self._second = model, shown, None
            self._fit()
            self._describe()
            self.update()
            self.setToolTip(f"{_TIP}\nCompared with {shown}" if shown else _TIP)
            if self._face is not None:
                self.show_face(self._face)

    def set_mirrored(self, mirrored: bool) -> None:
        """Word left and right as they are on a large picture that is mirrored, or not."""
        if mirrored != self._mirrored:
            self._mirrored = mirrored
            self._reason_age = math.inf

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
        if face.second is not None and face.second.model != self._second_model:
            face = replace(face, second=None)
        before = self._said
        if self._bars.show_face(face):
            self._fit()
        self._face = face
        self._label, self._leading, self._spoken = face.said, face.leading, face.spoken
        self._confidence = whole(face.said_confidence)
        self._second = None if face.second is None else _second_words(face, face.second)
        self.foot.show_face(face)
        if self._said != before:
            self._reason_age = math.inf
            self._describe()
            self.update()

    def advance(self, seconds: float) -> None:
        """Let so much time pass: bars ease towards their values, reasons follow at times."""
        if self._face is None:
            return
        self.foot.advance(seconds)
        self._clock += seconds
        self._reason_age += seconds
        for index in self._bars.advance(seconds):
            self.update(self._bars.row(self._bars_rect(), index).toAlignedRect())
        if self._reason_age >= _REASON_SECONDS:
            self._reason_age = 0.0
            self._refresh_reasons(self._face)
            self.update(self._inset_rect().toAlignedRect())

    def tip_at(self, place: QPointF) -> str:
        """Return what there is to say of what lies at a place of the card."""
        return self._inset.tip_at(place, self._inset_rect()) or self.toolTip()

    def sizeHint(self) -> QSize:
        rows = self._bars.height + _GAP + inset_height(self._tile)
        return QSize(280, round(_PAD + self._header + rows + self.foot.tall + _PAD - 4))

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            QToolTip.showText(event.globalPos(), self.tip_at(event.pos().toPointF()), self)
            return True
        return super().event(event)

    def resizeEvent(self, _event: QResizeEvent) -> None:
        tall = self.foot.tall
        self.foot.setGeometry(_PAD, self.height() - tall - _PAD + 4, self.width() - 2 * _PAD, tall)

    def _fit(self) -> None:
        """Be as high as what is on the card."""
        self.setFixedHeight(self.sizeHint().height())

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
        if self._bars.labels:
            if asked.boundingRect().top() < _PAD + self._header:
                self._paint_header(painter)
                self._paint_second(painter)
            self._bars.paint(painter, self._bars_rect(), self._leading, asked)
            if asked.intersects(self._inset_rect().toAlignedRect()):
                self._inset.paint(painter, self._inset_rect())
        painter.end()

    @property
    def _said(self) -> tuple[object, ...]:
        """Return all that is written on the card but for the foot."""
        return self._spoken, self._confidence, self._second, *self._bars.numbers

    def _refresh_reasons(self, face: FaceResult) -> None:
        if self.isVisible() and self.visibleRegion().isEmpty():  # scrolled away
            return
        side = round(self._side * self.devicePixelRatioF())
        inset = make_inset(face, self._inset.shown, side, mirrored=self._mirrored)
        self._inset.set_inset(inset, self._clock)

    def _describe(self) -> None:
        """Tell screen readers what the eyes see."""
        said = f"{self._spoken.replace(' ·', ',')} {self._confidence}"
        state = ", in the chart" if self._selected else ""
        state += ", no longer in the picture" if self._away else ""
        if self._second is not None:
            said += f"; {self._second_name}: {self.second_words.replace(' ·', ',')}"
        name = f"Face {self.track}: {said}{state}"
        if name != self.accessibleName():
            self.setAccessibleName(name)

    @property
    def _side(self) -> float:
        """Return the side of the pictures of the reasons, desktop pixels."""
        return min(self._tile, card_tile(self.width()))

    @property
    def _header(self) -> int:
        return _HEADER + (_SECOND if self._second_name else 0)

    def _bars_rect(self) -> QRectF:
        width = self.width() - 2 * _PAD
        return QRectF(_PAD, _PAD + self._header, width, self._bars.height)

    def _inset_rect(self) -> QRectF:
        bars = self._bars_rect()
        return QRectF(bars.left(), bars.bottom() + _GAP, bars.width(), inset_height(self._side))

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
        dot = QRectF(line.left(), line.center().y() - 5, 10, 10)
        _paint_mark(painter, dot, label_colour(self._label, tokens), filled=sure)
        painter.setPen(QColor(tokens.text))
        _write_ends(painter, line.adjusted(_INDENT, 0, 0, 0), self._spoken, self._confidence)

    def _paint_second(self, painter: QPainter) -> None:
        """Write the second model's name, with a piece of its thin bars, and below what it says."""
        if not self._second_name:
            return
        tokens = self._theme.tokens
        line = QRectF(_PAD, _PAD + _HEADER - 9, self.width() - 2 * _PAD, _SECOND / 2 - 1)
        painter.fillRect(QRectF(line.left(), line.center().y() - 1, 10, 3), QColor(tokens.text))
        line.setLeft(line.left() + _INDENT)
        painter.setFont(font(SMALL_PX))
        painter.setPen(QColor(tokens.quiet))
        _write_ends(painter, line, self._second_name, "")
        sign, words, share = self._second or ("", "…", "")
        painter.setFont(font(SMALL_PX, bold=sign == DIFFERENT))
        painter.setPen(QColor(tokens.text))
        line.translate(0, line.height())
        _write_ends(painter, line, f"{sign} {words}".strip(), share)


def _second_words(face: FaceResult, second: SecondWord) -> tuple[str, str, str]:
    """Return whether both models say the same, what the second one says, and how surely."""
    if not face.comparable:  # the neutral face was measured for one of the two
        return "", "not calibrated", ""
    sign = {True: SAME, False: DIFFERENT, None: ""}[face.agreed]
    return sign, second.spoken, whole(second.said_confidence)


def _write_ends(painter: QPainter, line: QRectF, words: str, number: str) -> None:
    """Write words from the left, shortened if need be, and a number at the right end."""
    middle = Qt.AlignmentFlag.AlignVCenter
    painter.drawText(line, Qt.AlignmentFlag.AlignRight | middle, number)
    room = line.width() - (painter.fontMetrics().horizontalAdvance(number) + 8 if number else 0)
    elided = painter.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, int(room))
    painter.drawText(line, middle, elided)


def _paint_mark(painter: QPainter, place: QRectF, ink: QColor, *, filled: bool) -> None:
    if filled:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ink)
        painter.drawRoundedRect(place, 3, 3)
    else:
        painter.setPen(QPen(ink, 1.5))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(place.adjusted(1, 1, -1, -1), 3, 3)
