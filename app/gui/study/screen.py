"""What a participant sees: pictures, films, texts and questions on a screen of their own."""

from __future__ import annotations

import time

from PySide6.QtCore import QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QColor,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QScreen,
)
from PySide6.QtWidgets import QWidget

from app.gui.study.material import Material
from app.gui.theme import font
from app.study.protocol import TEXT, Question
from app.study.runner import CROSS, QUESTION, Runner, Scene
from app.study.soundtrack import PLAYED

__all__ = ["StudyScreen"]

END_WORDS = "This is the end. Thank you."
STOP_WORDS = "Press Esc once more to stop the study."
# In the middle of what screens show, so that a picture changes the light on the face little.
_GROUND = QColor("#5C5C5C")
_INK = QColor("#FFFFFF")
_HINT = QColor("#E2E2E2")
_MARGIN = 0.07
_TICK_MS = 4
_STOP_SECONDS = 3.0


class StudyScreen(QWidget):
    """Show the scenes of a runner, take the answers, and tell the moments in which it painted them.

    finished: all scenes were shown. stopped: Esc was pressed twice, or the window closed before
    the end. scene_shown: another scene is on the screen. sound_lost: a film is heard no more.
    left: somebody is done with the end.
    """

    finished = Signal()
    stopped = Signal()
    scene_shown = Signal()
    sound_lost = Signal()
    left = Signal()

    def __init__(self, runner: Runner, question: Question | None) -> None:
        super().__init__(None, Qt.WindowType.Window | Qt.WindowType.FramelessWindowHint)
        self._runner = runner
        self._question = question
        self._material = Material()
        self._image: QImage | None = None
        self._buttons: list[QRectF] = []
        self._painted = self._told = self._ended = False
        self._stop_asked_at = float("-inf")
        self.setWindowTitle("Study")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self.tick)

    @property
    def notes(self) -> list[str]:
        """Return a sentence for each file that could not be shown, or heard, so far."""
        return list(self._material.notes)

    def begin(self, on: QScreen) -> None:
        """Fill a screen and show the first scene."""
        self.setScreen(on)
        self.setGeometry(on.geometry())
        self._material.most = (self._inner.size() * on.devicePixelRatio()).toSize()
        self._enter_scene()
        if any(scene.show.sound == PLAYED for scene in self._runner.scenes):
            self._material.open_speaker()
        self.showFullScreen()
        self.activateWindow()
        self.setFocus()
        self._timer.start()

    def end(self) -> None:
        """Be gone; nothing is told any more."""
        self._ended = True
        self._timer.stop()
        self._material.close()
        self.close()

    def tick(self) -> None:
        """Go on where a scene's time is over, and fetch the frame of a film that is due."""
        now = time.monotonic()
        scene = self._runner.scene
        if scene is None or self._ended:
            return
        elapsed = self._runner.elapsed(now)
        ended = self._material.film_ended(elapsed) and self._runner.film_ended()
        if ended or self._runner.tick(now):
            self._enter_scene()
            return
        image = self._material.film_frame(elapsed)
        if image is not None:
            self._image = image
            self.update()
        if self._material.sound_failed(now):
            self.sound_lost.emit()
        if 0 <= now - self._stop_asked_at - _STOP_SECONDS < 1:
            self._stop_asked_at = float("-inf")
            self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self.take_key(event)

    def take_key(self, event: QKeyEvent) -> None:
        """Take a key that was pressed, here or in a window that hands its keys over."""
        if event.isAutoRepeat():
            return
        key, scene = event.key(), self._runner.scene
        if scene is None:
            self.left.emit()
        elif key == Qt.Key.Key_Escape:
            self._ask_to_stop()
        elif scene.kind == QUESTION:
            self._answer(key - Qt.Key.Key_0)
        elif key in (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._press()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        scene, at = self._runner.scene, event.position()
        if scene is None:
            self.left.emit()
        elif scene.kind == QUESTION:
            for step, place in enumerate(self._buttons, 1):
                if place.contains(at):
                    self._answer(step)
                    return
        else:
            self._press()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        event.accept()  # its first click was taken

    def closeEvent(self, event: QCloseEvent) -> None:
        super().closeEvent(event)
        if not self._ended and self._runner.scene is not None:
            self.stopped.emit()
        elif not self._ended:
            self.left.emit()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHints(
            QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform
        )
        painter.fillRect(self.rect(), _GROUND)
        scene = self._runner.scene
        if scene is None:
            self._draw_words(painter, self._inner, END_WORDS)
        else:
            self._draw_scene(painter, scene)
            self._draw_foot(painter, self._foot_words(scene))
        painter.end()
        self._painted = True
        if not self._told:  # it was the system that asked for it, as for the first
            QTimer.singleShot(0, self, self._tell_painted)

    @property
    def _inner(self) -> QRectF:
        across, down = self.width() * _MARGIN, self.height() * _MARGIN
        return QRectF(self.rect()).adjusted(across, down, -across, -down)

    def _tell_painted(self) -> None:
        """Note that the scene was handed to the screen, and make ready for what comes next."""
        if self._told or not self._painted:
            return
        at, self._told = time.monotonic(), True
        if self._runner.scene is None:
            self._runner.finish(at)
            self._timer.stop()
            self.finished.emit()
            return
        self._runner.painted(at)
        self._material.begin(at)
        if (following := self._runner.next_scene) is not None:
            self._material.prepare(following, self._runner.due)
        self.scene_shown.emit()

    def _enter_scene(self) -> None:
        self._image = self._material.enter(self._runner.scene)
        while (scene := self._runner.scene) is not None and scene.show.name in self._material.lost:
            self._runner.skip()
            self._image = self._material.enter(self._runner.scene)
        self._told = self._painted = False
        asked = scene is None or scene.kind == QUESTION
        self.setCursor(Qt.CursorShape.ArrowCursor if asked else Qt.CursorShape.BlankCursor)
        self.setAccessibleName(self._said(scene))
        if self.isVisible():
            self.repaint()  # at once, and until it is handed to the screen: that is its moment
            self._tell_painted()

    def _said(self, scene: Scene | None) -> str:
        """Return the scene in words, for those who read by other means than the eye."""
        if scene is None:
            return END_WORDS
        if scene.kind == QUESTION and self._question is not None:
            asked = self._question
            return f"{asked.text} 1 {asked.low} to {asked.steps} {asked.high}"
        # Not the name of a file, which may tell what is meant to be found out.
        return scene.show.content if scene.kind == TEXT else f"{scene.kind} {scene.number}"

    def _press(self) -> None:
        if self._runner.press(time.monotonic()):
            self._enter_scene()

    def _answer(self, step: int) -> None:
        if self._runner.answer(step, time.monotonic()):
            self._enter_scene()

    def _ask_to_stop(self) -> None:
        now = time.monotonic()
        if now - self._stop_asked_at < _STOP_SECONDS:
            self._stop_asked_at = float("-inf")
            self.stopped.emit()
            return
        self._stop_asked_at = now
        self.update()

    def _draw_scene(self, painter: QPainter, scene: Scene) -> None:
        if scene.kind == CROSS:
            self._draw_cross(painter)
        elif scene.kind == QUESTION:
            self._draw_question(painter)
        elif self._image is not None:
            self._draw_image(painter, self._image)
        elif scene.kind == TEXT:
            self._draw_words(painter, self._inner, scene.show.content)

    def _draw_image(self, painter: QPainter, image: QImage) -> None:
        inner = self._inner
        size = image.size().scaled(inner.size().toSize(), Qt.AspectRatioMode.KeepAspectRatio)
        place = QRectF(0, 0, size.width(), size.height())
        place.moveCenter(inner.center())
        painter.drawImage(place, image)

    def _draw_cross(self, painter: QPainter) -> None:
        arm, middle = self.height() / 36, QRectF(self.rect()).center()
        painter.setPen(QPen(_INK, max(2.0, arm / 6)))
        painter.drawLine(middle - QPointF(arm, 0), middle + QPointF(arm, 0))
        painter.drawLine(middle - QPointF(0, arm), middle + QPointF(0, arm))

    def _draw_words(self, painter: QPainter, place: QRectF, words: str) -> None:
        """Draw words in a size in which they fit."""
        pixels = max(16, self.height() // 26)
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        while pixels > 12:
            painter.setFont(font(pixels))
            needed = painter.boundingRect(place, flags, words)
            if needed.height() <= place.height() and needed.width() <= place.width():
                break
            pixels -= 2
        painter.setPen(_INK)
        painter.drawText(place, flags, words)

    def _foot_words(self, scene: Scene) -> str:
        if time.monotonic() - self._stop_asked_at < _STOP_SECONDS:
            return STOP_WORDS
        if scene.kind == QUESTION and self._question is not None:
            return f"Press a key from 1 to {self._question.steps}, or click"
        return "Space goes on" if scene.waits_for_key else ""

    def _draw_foot(self, painter: QPainter, words: str) -> None:
        painter.setFont(font(max(14, self.height() // 48)))
        painter.setPen(_HINT)
        foot = QRectF(0, self.height() * (1 - _MARGIN), self.width(), self.height() * _MARGIN)
        painter.drawText(foot, Qt.AlignmentFlag.AlignCenter, words)

    def _draw_question(self, painter: QPainter) -> None:
        asked = self._question
        assert asked is not None
        inner = self._inner
        words = QRectF(inner.left(), inner.top(), inner.width(), inner.height() * 0.42)
        self._draw_words(painter, words, asked.text)
        side = min(self.height() / 11, inner.width() / (asked.steps * 1.35))
        apart = side * 1.35
        left = self.width() / 2 - apart * asked.steps / 2 + (apart - side) / 2
        top = inner.top() + inner.height() * 0.5
        self._buttons = [
            QRectF(left + apart * step, top, side, side) for step in range(asked.steps)
        ]
        painter.setFont(font(int(side * 0.42)))
        for step, place in enumerate(self._buttons, 1):
            painter.setPen(QPen(_INK, 2))
            painter.drawEllipse(place)
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, str(step))
        self._draw_ends(painter, asked, side)

    def _draw_ends(self, painter: QPainter, asked: Question, side: float) -> None:
        """Draw what the first and the last step mean, below them."""
        first, last = self._buttons[0], self._buttons[-1]
        middle, inner = self.width() / 2, self._inner
        top, height = first.bottom() + side * 0.25, side * 1.4
        painter.setFont(font(max(14, int(side * 0.3))))
        painter.setPen(_HINT)
        wraps = Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignTop
        low = QRectF(inner.left(), top, middle - inner.left() - side / 2, height)
        low.setLeft(min(first.left(), low.left()) if asked.steps < 4 else first.left())
        high = QRectF(middle + side / 2, top, last.right() - middle - side / 2, height)
        painter.drawText(low, wraps | Qt.AlignmentFlag.AlignLeft, asked.low)
        painter.drawText(high, wraps | Qt.AlignmentFlag.AlignRight, asked.high)
