"""Playing a session: the buttons below the picture, and the clock behind them."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QToolButton

from app.gui.elided import Elided
from app.gui.plain import plain_tip
from app.gui.review.actions import ReviewActions
from app.gui.review.model import ReviewModel
from app.gui.theme import HEAD_PX, Theme, font
from app.gui.tool_buttons import Signs, tool_button
from app.review.words import moment
from app.words import clock

_WIDE = 600
_BUTTON, _GAP = 32, 2
_TIMES = "\N{MULTIPLICATION SIGN}"
SPEEDS = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)


class Transport(QFrame):
    """Play a session at a speed; `advance` moves it on."""

    def __init__(self, model: ReviewModel, theme: Theme, actions: ReviewActions) -> None:
        super().__init__()
        self._model = model
        self._signs = Signs(theme, self)
        self._actions = actions
        self._speed = SPEEDS.index(1.0)
        self.setObjectName("transport")
        for action, sign in (
            (actions.first, "first"), (actions.back, "back"), (actions.play, "play"),
            (actions.forward, "forward"), (actions.last, "last"),
            (actions.slower, "slower"), (actions.faster, "faster"),
            (actions.zoom_out, "zoom_out"), (actions.zoom_in, "zoom_in"), (actions.whole, "whole"),
        ):  # fmt: skip
            self._signs.show(action, sign)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 4)
        layout.setSpacing(_GAP)
        for action in (actions.first, actions.back, actions.play, actions.forward, actions.last):
            layout.addWidget(_button(action))
        self._clock = QLabel()
        self._clock.setFont(font(HEAD_PX, bold=True))
        self._clock.setAccessibleName("Moment shown")
        self._total = QLabel()
        self._total.setProperty("quiet", True)
        self._said = Elided(self._total, Qt.TextElideMode.ElideMiddle)
        self._speed_label = QLabel()
        self._speed_label.setAccessibleName("Speed")
        self._speed_label.setMinimumWidth(44)
        self._speed_label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        layout.addSpacing(8)
        layout.addWidget(self._clock)
        layout.addSpacing(6)
        layout.addWidget(self._total, 1)
        layout.addWidget(_button(actions.slower))
        layout.addWidget(self._speed_label)
        layout.addWidget(_button(actions.faster))
        layout.addSpacing(8)
        self._zoom_buttons = [
            _button(action) for action in (actions.zoom_out, actions.zoom_in, actions.whole)
        ]
        for button in self._zoom_buttons:
            layout.addWidget(button)
        self._connect()
        self._show_speed()
        self._show_clock()

    @property
    def playing(self) -> bool:
        return self._actions.play.isChecked()

    @property
    def moment(self) -> str:
        """Return what is said of the moment shown."""
        return f"{self._clock.text()} {self._said.text}"

    @property
    def speed(self) -> float:
        return SPEEDS[self._speed]

    def minimumSizeHint(self) -> QSize:
        """Return what is needed without the buttons that go when it is narrow."""
        least = super().minimumSizeHint()
        shown = [button for button in self._zoom_buttons if not button.isHidden()]
        return QSize(least.width() - len(shown) * (_BUTTON + _GAP), least.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        # The wheel zooms, too; the moment shown matters more.
        for button in self._zoom_buttons:
            button.setVisible(self.width() >= _WIDE)

    def advance(self, seconds: float) -> None:
        """Let so much time of the clock pass; at the end, or that of the interval, it stops."""
        if not self.playing or not self._model.is_open:
            return
        before = self._model.position
        after = before + seconds * self.speed
        end = self._model.duration
        if self._model.selection is not None and before < self._model.selection[1] <= after:
            end = self._model.selection[1]
        self._model.move_to(min(after, end))
        self._model.follow()
        if after >= end:
            self._actions.play.setChecked(False)

    def _connect(self) -> None:
        model, actions = self._model, self._actions
        actions.play.toggled.connect(self._begin_again)
        actions.play.toggled.connect(
            lambda playing: self._signs.show(actions.play, "pause" if playing else "play")
        )
        actions.slower.triggered.connect(lambda: self._change_speed(-1))
        actions.faster.triggered.connect(lambda: self._change_speed(1))
        for action, frames in ((actions.back, -1), (actions.forward, 1)):
            action.triggered.connect(lambda _checked=False, frames=frames: self._step(frames))
        for action, seconds in ((actions.second_back, -1.0), (actions.second_forward, 1.0)):
            action.triggered.connect(
                lambda _checked=False, seconds=seconds: self._go(model.position + seconds)
            )
        actions.first.triggered.connect(lambda: self._go(0.0))
        actions.last.triggered.connect(lambda: self._go(model.duration))
        actions.previous_marker.triggered.connect(lambda: self._go_to_marker(-1))
        actions.next_marker.triggered.connect(lambda: self._go_to_marker(1))
        actions.zoom_in.triggered.connect(lambda: self._zoom(0.5))
        actions.zoom_out.triggered.connect(lambda: self._zoom(2.0))
        actions.whole.triggered.connect(lambda: model.show(0.0, model.duration))
        actions.zoom_selection.triggered.connect(lambda: model.show(*model.interval))
        model.moved.connect(self._show_clock)
        model.opened.connect(self._after_opening)

    def _after_opening(self) -> None:
        self._actions.play.setChecked(False)
        self._show_clock()

    def _begin_again(self, playing: bool) -> None:
        """Play from the beginning again once it has come to the end."""
        if playing and self._model.is_open and self._model.position >= self._model.duration - 1e-6:
            self._model.move_to(0.0)

    def _step(self, frames: int) -> None:
        self._actions.play.setChecked(False)
        self._model.step(frames)
        self._model.follow()

    def _go(self, time: float) -> None:
        self._model.move_to(time)
        self._model.follow()

    def _go_to_marker(self, direction: int) -> None:
        if not self._model.is_open:
            return
        now = self._model.position
        times = [marker.time for marker in self._model.state.markers]
        if direction > 0:
            ahead = [time for time in times if time > now + 1e-6]
            self._go(min(ahead, default=now))
        else:
            behind = [time for time in times if time < now - 1e-6]
            self._go(max(behind, default=now))

    def _zoom(self, factor: float) -> None:
        if self._model.is_open:
            start, end = self._model.view
            at = self._model.position
            self._model.zoom(factor, at if start <= at <= end else (start + end) / 2)

    def _change_speed(self, steps: int) -> None:
        self._speed = min(max(0, self._speed + steps), len(SPEEDS) - 1)
        self._show_speed()

    def _show_speed(self) -> None:
        fractions = {0.125: "⅛", 0.25: "¼", 0.5: "½"}
        self._speed_label.setText(f"{fractions.get(self.speed, f'{self.speed:.0f}')} {_TIMES}")

    def _show_clock(self) -> None:
        model = self._model
        if model.is_open and model.recording.of_images:
            recording = model.recording
            self._clock.setText(moment(recording, model.frame_time))
            self._said.show(recording.image_of(model.frame))
        else:
            self._clock.setText(clock(model.position, digits=2))
            self._said.show(f"/ {clock(model.duration, digits=0)}")
        self._total.setToolTip(plain_tip(self._said.text))


def _button(action: QAction) -> QToolButton:
    button = tool_button(action)
    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
    button.setFixedSize(_BUTTON, _BUTTON)
    button.setAutoRepeat(action.autoRepeat())
    return button
