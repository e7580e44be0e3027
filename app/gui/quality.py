"""The foot of a face's card: how well the face can be read, and its neutral face."""

from __future__ import annotations

import math

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QPushButton, QSizePolicy, QWidget

from app.gui.keys import reach_by_tab
from app.gui.theme import SMALL_PX, Theme, font
from app.messages import Calibration, FaceResult, Quality

_DOTS = 4
_ROW = 26
_WORDS = {
    "size": "size",
    "sharpness": "sharpness",
    "light": "light",
    "turn": "turned to the camera",
    "cut_off": "inside the picture",
    "occluded": "uncovered",
}
# The advice must not change faster than it can be read.
_ADVICE_SECONDS = 1.0
_GIVEN_UP_SECONDS = 6.0


class FaceFoot(QWidget):
    """Show quality as dots with a word of advice, and measure the person's neutral face.

    calibrate, forget: the user wants a neutral face measured or forgotten; carry the track.
    grown: it takes more of the card. The row of words comes when it is first needed and stays, so
    that the card does not jump with each word.
    """

    calibrate = Signal(int)
    forget = Signal(int)
    grown = Signal()

    def __init__(self, track: int, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._track = track
        self._theme = theme
        self._quality: Quality | None = None
        self._calibration: Calibration | None = None
        self._corrected = False
        self._advice, self._advice_age = "", math.inf
        self._given_up, self._given_up_left = "", 0.0
        self._possible = True
        self._rows = 1
        self._seen: tuple[int, str, float | None] | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._button = QPushButton(self)
        reach_by_tab(self._button)
        self._button.setFont(font(SMALL_PX))
        self._button.clicked.connect(self._pressed)
        theme.changed.connect(self.update)
        self._dress()

    @property
    def button(self) -> QPushButton:
        return self._button

    @property
    def tall(self) -> int:
        """Return how many pixels it takes of the card."""
        return self._rows * _ROW

    @property
    def words(self) -> str:
        """Return what is said in the lower line."""
        if self._calibration is not None:
            left = math.ceil(5 * (1 - self._calibration.progress))
            return self._calibration.note or f"Hold it, {left} s more"
        if self._given_up_left > 0:
            return self._given_up
        return self._advice or ("Relative to this neutral face" if self._corrected else "")

    @property
    def dots(self) -> int:
        """Return how many of four dots are filled; 0 where nothing was measured."""
        overall = self._quality.overall if self._quality is not None else 0.0
        return min(_DOTS, math.floor(overall * _DOTS + 0.5)) if overall > 0 else 0

    def set_possible(self, possible: bool) -> None:
        """Say whether the model's card knows neutral faces to compare with."""
        if possible != self._possible:
            self._possible = possible
            self._dress()

    def show_face(self, face: FaceResult) -> None:
        """Take in the newest word on the face."""
        self._quality = face.quality
        before = (self._calibration is not None, self._corrected)
        self._calibration = face.calibration
        self._corrected = face.corrected is not None
        if face.calibration is not None and face.calibration.given_up:
            self._given_up, self._given_up_left = face.calibration.note, _GIVEN_UP_SECONDS
            self._calibration = None
        if before != (self._calibration is not None, self._corrected):
            self._given_up_left = 0.0 if self._corrected else self._given_up_left
            self._dress()

    def advance(self, seconds: float) -> None:
        """Let so much time pass."""
        self._given_up_left -= seconds
        self._advice_age += seconds
        if self._advice_age >= _ADVICE_SECONDS:
            self._advice = self._quality.advice if self._quality is not None else ""
            self._advice_age = 0.0
            self._describe()
        if self.words and self._rows == 1:
            self._rows = 2
            self.grown.emit()
        measured = None if self._calibration is None else self._calibration.progress
        seen = (self.dots, self.words, measured)
        if seen != self._seen:
            self._seen = seen
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(256, self.tall)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        event.ignore()  # the card is chosen

    def resizeEvent(self, _event: object) -> None:
        self._place()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        tokens = self._theme.tokens
        painter.setFont(font(SMALL_PX))
        painter.setPen(QColor(tokens.quiet))
        row = QRectF(0, 0, self.width(), _ROW)
        painter.drawText(row, Qt.AlignmentFlag.AlignVCenter, "quality")
        left = painter.fontMetrics().horizontalAdvance("quality") + 10.0
        for place in range(_DOTS):
            dot = QRectF(left + 13 * place, row.center().y() - 4, 8, 8)
            if place < self.dots:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(QColor(tokens.text))
            else:
                painter.setPen(QPen(QColor(tokens.quiet), 1.2))
                painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(dot)
        if self._rows > 1:
            self._paint_words(painter, QRectF(0, _ROW, self.width(), _ROW))
        painter.end()

    def _paint_words(self, painter: QPainter, row: QRectF) -> None:
        tokens = self._theme.tokens
        if self._calibration is not None:
            track = QRectF(0, row.bottom() - 4, row.width(), 3)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(tokens.raised))
            painter.drawRoundedRect(track, 1.5, 1.5)
            painter.setBrush(QColor(tokens.accent))
            track.setWidth(track.width() * self._calibration.progress)
            painter.drawRoundedRect(track, 1.5, 1.5)
            row.setBottom(row.bottom() - 5)
        painter.setPen(QColor(tokens.text if self._calibration is not None else tokens.quiet))
        text = painter.fontMetrics().elidedText(
            self.words, Qt.TextElideMode.ElideRight, int(row.width())
        )
        painter.drawText(row, Qt.AlignmentFlag.AlignVCenter, text)

    def _pressed(self) -> None:
        if self._calibration is not None or self._corrected:
            self.forget.emit(self._track)
        else:
            self.calibrate.emit(self._track)

    def _dress(self) -> None:
        if self._calibration is not None:
            words, tip = "Cancel", "Stop measuring the neutral face"
        elif self._corrected:
            words, tip = "Reset", "Forget the neutral face and show the values as they are"
        else:
            words = "Calibrate"
            tip = "Measure this person's neutral face for five quiet seconds"
        if not self._possible:
            tip = "This model's card has no neutral faces to compare with"
        self._button.setText(words)
        self._button.setToolTip(tip)
        self._button.setAccessibleName(f"{words}, face {self._track}")
        self._button.setAccessibleDescription(tip)
        self._button.setEnabled(self._possible)
        self._place()
        self._describe()

    def _place(self) -> None:
        wide = QFontMetrics(self._button.font()).horizontalAdvance(self._button.text()) + 28
        self._button.setGeometry(self.width() - wide, 0, wide, _ROW)

    def _describe(self) -> None:
        """Tell screen readers and the mouse what each measure is."""
        if self._quality is None:
            self.setToolTip("")
            return
        lines = [
            f"{words}: {_percent(getattr(self._quality, name))}" for name, words in _WORDS.items()
        ]
        tip = "How well this face can be read\n" + "\n".join(lines)
        if tip != self.toolTip():
            self.setToolTip(tip)
        said = f"Quality {self.dots} of {_DOTS}"
        self.setAccessibleName(f"{said}. {self._advice}" if self._advice else said)


def _percent(value: float) -> str:
    return "not measured" if math.isnan(value) else f"{100 * value:.0f} %"
