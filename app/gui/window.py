"""The main window: the picture, the cards of the faces, the chart, and what steers them."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from PySide6.QtCore import QByteArray, QSize, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QKeyEvent
from PySide6.QtWidgets import QLabel, QMainWindow, QSplitter, QVBoxLayout, QWidget

from app.errors import SettingsError
from app.gui.actions import make_actions
from app.gui.banner import WARNING, Banner, Notices
from app.gui.commands import Commands
from app.gui.face_panel import FacePanel
from app.gui.history import History
from app.gui.icons import window_icon
from app.gui.jobs import Jobs
from app.gui.live_engine import LiveEngine
from app.gui.menus import FINDER_NAMES, FinderMenu, ModelMenu, SourceMenu, fill_menu_bar
from app.gui.pages import connect_pages, show_model_card
from app.gui.stage import PLAY_AGAIN, stage, status_line
from app.gui.strip_chart import StripChart
from app.gui.theme import Theme
from app.gui.toolbar import Toolbar
from app.gui.video_view import VideoView
from app.live.engine import EngineState, EngineStatus
from app.messages import FrameResult
from app.settings import Settings, save_settings
from app.sources import CameraInfo
from models.runtime.store import ModelEntry

log = logging.getLogger(__name__)

_POLL_MS = 10
# A little less than a thirtieth of a second: no frame of a 30 Hz camera is passed over.
_DRAW_SECONDS = 0.03
_STATUS_SECONDS = 0.25
_CAMERA_SECONDS = 2.0
_NO_FACE_SECONDS = 0.7
_SLOW_MS = 250.0
_SLOW_SECONDS = 5.0
_SLOW = (
    "This computer is slow at this: {latency:.0f} ms from the camera to the result. Fewer overlays "
    "or the Haar finder may help."
)
_PRIVATE = "nothing leaves this computer"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Hold what lies around the window.

    source: what the engine was asked to play. models: the bundled ones. list_cameras: may take
    a while, is called aside. settings_path: None for the usual place. notices: sentences to
    show at the start.
    """

    source: str
    models: Sequence[ModelEntry]
    list_cameras: Callable[[], list[CameraInfo]]
    snapshot_folder: Path
    settings_path: Path | None = None
    notices: Sequence[str] = ()


class MainWindow(QMainWindow):
    """Show what a started engine says, and pass on what the user wants.

    The newest result is fetched by a timer. Closing the window stops the engine.
    """

    def __init__(
        self, engine: LiveEngine, settings: Settings, theme: Theme, around: Surroundings
    ) -> None:
        super().__init__()
        self._engine = engine
        self._theme = theme
        self._around = around
        self._jobs = Jobs()
        self._history = History()
        self._status = engine.status()
        self._mirror_camera, self._mirror_files = settings.mirror, False
        self._result: FrameResult | None = None
        now = time.monotonic()
        self._ticked_at = self._drawn_at = self._status_at = self._face_at = self._quick_at = now
        self._cameras_at = float("-inf")
        self.setWindowTitle("Mien")
        self.setWindowIcon(window_icon())
        self.setMinimumSize(720, 540)
        self.setAcceptDrops(True)
        self.menu_actions = make_actions(self)
        self.video = VideoView(theme)
        self.panel = FacePanel(theme)
        self.chart = StripChart(theme, self._history)
        self.banner = Banner(self._banner_pressed)
        self.notices = Notices(theme, self.video)
        self.commands = Commands(
            self, engine, settings, source=around.source, notices=self.notices, jobs=self._jobs,
            snapshot_folder=around.snapshot_folder,
        )  # fmt: skip
        self.sources = SourceMenu(self, self.menu_actions, self.commands.use_source)
        self.models = ModelMenu(self, self.menu_actions, around.models, self.commands.use_model)
        self.finders = FinderMenu(self, self.commands.use_finder)
        self.toolbar = Toolbar(self.menu_actions, self.sources, self.models, self.finders, theme)
        self._build()
        self._connect()
        self._restore(settings)
        for sentence in around.notices:
            self.notices.say(sentence, WARNING)
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(_POLL_MS)
        self._timer.timeout.connect(self.tick)

    @property
    def status_text(self) -> str:
        """Return the figures at the foot of the window."""
        return self._figures.text()

    def start(self) -> None:
        """Begin to show what the engine says."""
        self._timer.start()
        self.video.setFocus()
        self.tick()

    def sizeHint(self) -> QSize:
        return QSize(1280, 800)

    def tick(self, *, at_once: bool = False) -> None:
        """Show what is new; called by the timer. at_once: however short ago the last was."""
        now = time.monotonic()
        self._jobs.poll()
        result = self._engine.latest()
        due = at_once or now - self._drawn_at >= _DRAW_SECONDS
        if due and result is not None and result is not self._result:
            # Counted from when it was due, so that a late picture makes none after it late.
            self._drawn_at = max(self._drawn_at + _DRAW_SECONDS, now - _DRAW_SECONDS)
            self._show(result, now)
        if at_once or now - self._ticked_at >= _DRAW_SECONDS:
            seconds, self._ticked_at = now - self._ticked_at, now
            self.panel.advance(seconds)
            self.chart.advance(seconds)
            self.notices.advance(seconds)
        if now - self._status_at >= _STATUS_SECONDS:
            self._status_at = now
            self.refresh_status()
        if now - self._cameras_at >= _CAMERA_SECONDS:
            self._cameras_at = now
            self.look_for_cameras()

    def look_for_cameras(self) -> None:
        """Ask which cameras there are; the menu shows it a little later."""
        self._jobs.submit(self._around.list_cameras, self.sources.set_cameras, self._warn)

    def refresh_status(self) -> None:
        """Bring everything that depends on the engine's state up to date."""
        status = self._engine.status()
        before, self._status = self._status, status
        for sentence in self._engine.take_notices():
            self._warn(sentence)
        if status.source != before.source:
            self._forget_faces()
            self.commands.note_playing(status)
            self.sources.set_recent(self.commands.settings.recent)
        model = self.models.shown_name(status.model)
        finder = FINDER_NAMES.get(status.finder, status.finder)
        self.sources.set_current(status.source)
        self.models.set_current(status.model)
        self.finders.set_current(status.finder)
        self.toolbar.source.set_value(_capitalised(status.source))
        self.toolbar.model.set_value(model)
        self.toolbar.finder.set_value(finder)
        self._figures.setText(status_line(status, model, finder))
        self._say_stage()
        self._watch_speed(status)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Stop everything and store the settings."""
        self._timer.stop()
        self.hide()
        self._engine.stop()
        self._jobs.close()
        self._store()
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.isFullScreen():
            self.menu_actions.full_screen.setChecked(False)
        else:
            super().keyPressEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        paths = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:
            event.acceptProposedAction()
            self.commands.open_dropped(paths[0])

    def _build(self) -> None:
        picture = QWidget()
        column = QVBoxLayout(picture)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.banner)
        column.addWidget(self.video, 1)
        self._left = QSplitter(Qt.Orientation.Vertical)
        self._left.addWidget(picture)
        self._left.addWidget(self.chart)
        self._left.setStretchFactor(0, 1)
        self._main = QSplitter(Qt.Orientation.Horizontal)
        self._main.addWidget(self._left)
        self._main.addWidget(self.panel)
        self._main.setStretchFactor(0, 1)
        for splitter in (self._left, self._main):
            splitter.setChildrenCollapsible(False)
            splitter.setHandleWidth(1)
        whole = QWidget()
        rows = QVBoxLayout(whole)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        rows.addWidget(self.toolbar)
        rows.addWidget(self._main, 1)
        self.setCentralWidget(whole)
        fill_menu_bar(self.menuBar(), self.menu_actions, self.sources, self.models, self.finders)
        self._figures = QLabel()
        self._figures.setAccessibleName("Speed and parts in use")
        self.statusBar().setSizeGripEnabled(False)
        self.statusBar().setContentsMargins(12, 0, 12, 0)
        self.statusBar().addWidget(self._figures, 1)
        self.statusBar().addPermanentWidget(QLabel(_PRIVATE))

    def _connect(self) -> None:
        acts, commands = self.menu_actions, self.commands
        acts.open_file.triggered.connect(commands.open_file)
        acts.open_folder.triggered.connect(commands.open_folder)
        acts.next_camera.triggered.connect(self._next_camera)
        acts.pause.toggled.connect(self._pause)
        acts.snapshot.triggered.connect(lambda: self._snapshot(ask=False))
        acts.snapshot_as.triggered.connect(lambda: self._snapshot(ask=True))
        acts.quit.triggered.connect(self.close)
        for action in acts.overlays.values():
            action.toggled.connect(self._set_overlays)
        acts.mirror.toggled.connect(self._set_mirror)
        acts.full_screen.toggled.connect(self._set_full_screen)
        acts.faces.toggled.connect(self.panel.setVisible)
        acts.chart.toggled.connect(self.chart.setVisible)
        for name, action in acts.themes.items():
            action.triggered.connect(lambda _checked, name=name: self._theme.choose(name))
        acts.open_model.triggered.connect(commands.open_model)
        connect_pages(self, acts)
        acts.model_card.triggered.connect(self._show_model_card)
        self.panel.chosen_changed.connect(lambda track: self.chart.set_track(track or None))
        self.video.face_clicked.connect(self.panel.choose)

    def _restore(self, settings: Settings) -> None:
        acts = self.menu_actions
        for name, action in acts.overlays.items():
            action.setChecked(name in settings.overlays)
        self._set_overlays()
        acts.themes[settings.theme].setChecked(True)
        self.resize(self.sizeHint().boundedTo(self.screen().availableSize()))
        if settings.window:
            self.restoreGeometry(QByteArray.fromBase64(settings.window.encode("ascii", "ignore")))
        for name, splitter in self._splitters().items():
            sizes = settings.splitters.get(name, ())
            usual = self._usual_sizes()[name]
            splitter.setSizes(list(sizes) if len(sizes) == splitter.count() else usual)
        # A panel of no size is one that was hidden.
        acts.faces.setChecked(settings.splitters.get("main", (1, 1))[-1:] != (0,))
        acts.chart.setChecked(settings.splitters.get("left", (1, 1))[-1:] != (0,))
        self.panel.setVisible(acts.faces.isChecked())
        self.chart.setVisible(acts.chart.isChecked())
        self.sources.set_recent(settings.recent)
        self._show_mirror()
        self.refresh_status()

    def _store(self) -> None:
        acts = self.menu_actions
        settings = replace(
            self.commands.settings_now(self._engine.status()),
            overlays=tuple(name for name, act in acts.overlays.items() if act.isChecked()),
            mirror=self._mirror_camera,
            theme=self._theme.choice,
            window=bytes(self.saveGeometry().toBase64().data()).decode("ascii"),
            splitters={name: tuple(s.sizes()) for name, s in self._splitters().items()},
        )
        try:
            save_settings(settings, self._around.settings_path)
        except SettingsError as error:
            # The window is gone; the log is all there is.
            log.warning("%s", error)

    def _splitters(self) -> dict[str, QSplitter]:
        return {"main": self._main, "left": self._left}

    def _usual_sizes(self) -> dict[str, list[int]]:
        side = min(560, max(264, round(self.width() * 0.235)))
        foot = min(320, max(140, round(self.height() * 0.22)))
        return {"main": [self.width() - side, side], "left": [self.height() - foot, foot]}

    def _show(self, result: FrameResult, now: float) -> None:
        before, self._result = self._result, result
        if before is not None and result.frame.index < before.frame.index:
            self._forget_faces()
        if before is None or _from_camera(before) != _from_camera(result):
            self._show_mirror()
        if result.faces:
            self._face_at = now
        if not self.isMinimized():
            self.video.show_result(result)
        self.panel.show_result(result)
        self._history.add(result)
        if before is None or bool(before.faces) != bool(result.faces):
            self._say_stage()

    def _forget_faces(self) -> None:
        """Another source plays: its faces are others."""
        self.panel.clear()
        self._history.clear()

    def _say_stage(self) -> None:
        no_face = time.monotonic() - self._face_at > _NO_FACE_SECONDS
        said = stage(self._status, has_picture=self._result is not None, no_face=no_face)
        self.banner.say(said.banner)
        self.video.set_state(message=said.message, hint=said.hint, dimmed=said.dimmed)

    def _banner_pressed(self, word: str) -> None:
        if word == PLAY_AGAIN:
            self.commands.play_again(self._status)
        else:
            self.commands.try_again()

    def _warn(self, sentence: str) -> None:
        self.notices.say(sentence, WARNING)

    def _watch_speed(self, status: EngineStatus) -> None:
        """Say once that the machine is slow, when it has been so for a while."""
        now = time.monotonic()
        slow = status.state is EngineState.RUNNING and status.latency_ms > _SLOW_MS
        if not slow:
            self._quick_at = now
        elif now - self._quick_at > _SLOW_SECONDS:
            self._quick_at = float("inf")
            self.notices.say(_SLOW.format(latency=status.latency_ms))

    def _next_camera(self) -> None:
        self.commands.next_camera(self.sources.cameras, self._status.source)

    def _pause(self, paused: bool) -> None:
        self._engine.set_paused(paused)
        self.refresh_status()

    def _snapshot(self, *, ask: bool) -> None:
        names, mirrored = self.video.overlay_names, self.video.mirrored
        self.commands.snapshot(self._result, names, mirrored=mirrored, ask=ask)

    def _show_model_card(self) -> None:
        if self._status.model:
            show_model_card(self, self._status.model, self._jobs, self._warn)
        else:
            self._warn("The model is not loaded yet; try again in a moment.")

    def _set_overlays(self) -> None:
        acts = self.menu_actions.overlays
        self.video.set_overlays(name for name, action in acts.items() if action.isChecked())

    def _set_mirror(self, mirrored: bool) -> None:
        """Mirror what plays; cameras and files are each remembered."""
        if self._result is None or _from_camera(self._result):
            self._mirror_camera = mirrored
        else:
            self._mirror_files = mirrored
        self.video.set_mirrored(mirrored)

    def _show_mirror(self) -> None:
        camera = self._result is None or _from_camera(self._result)
        self.menu_actions.mirror.setChecked(self._mirror_camera if camera else self._mirror_files)

    def _set_full_screen(self, full: bool) -> None:
        if full != self.isFullScreen():
            self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)


def _from_camera(result: FrameResult) -> bool:
    """Say whether a frame comes from a camera, where people expect a mirror."""
    return result.frame.media_time is None


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]
