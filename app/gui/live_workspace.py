"""The live workspace: the picture, the cards of the faces, the chart, and what steers them."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace

from PySide6.QtWidgets import QMenu, QVBoxLayout, QWidget

from app.gui.actions import make_actions
from app.gui.attention_menu import AttentionViews
from app.gui.banner import Banner
from app.gui.camera_watch import CameraWatch
from app.gui.choices import Choices
from app.gui.commands import Commands
from app.gui.drawer import open_one_at_a_time
from app.gui.face_panel import FacePanel
from app.gui.history import History
from app.gui.live_engine import LiveEngine
from app.gui.live_panes import LivePanes, was_shown
from app.gui.mirror import Mirror
from app.gui.pages import show_model_card
from app.gui.recording import RecordingDesk
from app.gui.speed_watch import Skips, SpeedWatch
from app.gui.stage import PLAY_AGAIN, stage, status_line, status_tip
from app.gui.steady import Steady
from app.gui.streaming import StreamDesk
from app.gui.strip_chart import StripChart
from app.gui.study.desk import StudyDesk, is_protocol
from app.gui.triggering import TriggerDesk
from app.gui.video_view import VideoView, switch_overlays
from app.gui.workspace import Host, Workspace
from app.messages import FrameResult
from app.settings import Settings
from app.sources import is_network

log = logging.getLogger(__name__)

# A little less than a thirtieth of a second: no frame of a 30 Hz camera is passed over.
_DRAW_SECONDS = 0.03
_STATUS_SECONDS = 0.25
_NO_FACE_SECONDS = 0.7


class LiveWorkspace(Workspace):
    """Show what a started engine says, and pass on what the user wants.

    The newest result is fetched by `tick`. While another workspace is shown the engine rests,
    unless one of `users` says that somebody else needs its results, such as a recording.
    """

    name = "live"

    def __init__(self, engine: LiveEngine, settings: Settings, host: Host) -> None:
        super().__init__(host)
        self._engine = engine
        self._history = History()
        self._steady = Steady()
        self._status = engine.status()
        self._result: FrameResult | None = None
        self._shown = False
        self._wants_pause = self._paused = False
        self._runs = host.around.engine_runs
        self.users: list[Callable[[], bool]] = []
        """Each returns True while it needs the engine's results although nobody looks."""
        now = time.monotonic()
        self._ticked_at = self._drawn_at = self._status_at = self._face_at = now
        theme, around = host.theme, host.around
        self.menu_actions = make_actions(self)
        self.video = VideoView(theme)
        self.panel = FacePanel(theme)
        self.chart = StripChart(theme, self._history)
        self.banner = Banner(self._banner_pressed, host.theme)
        self._mirror = Mirror(
            self.menu_actions.mirror, self.video, self.panel, for_cameras=settings.mirror
        )
        self._speed, self._skips = SpeedWatch(host.notices.say), Skips()
        self._status_parts: list[tuple[str, str]] = []
        self.commands = Commands(
            host.window, engine, settings, source=around.source, notices=host.notices,
            jobs=host.jobs, theme=theme, snapshot_folder=around.snapshot_folder,
            end_pause=lambda: self.menu_actions.pause.setChecked(False),
            yunet_file=around.yunet_file,
        )  # fmt: skip
        self._make_menus(settings)
        self._make_desks(settings)
        self._build()
        self._connect()
        self._restore(settings)

    @property
    def menus(self) -> list[QMenu]:
        return self.choices.menus

    @property
    def status_text(self) -> str:
        return status_line(self._status_parts)

    @property
    def status_tip(self) -> str:
        return status_tip(self._status_parts, self._status.dropped)

    @property
    def privacy(self) -> str:
        """Return what leaves this computer, for the foot of the window."""
        networked = is_network(self._status.spec)
        return self.streaming.privacy(networked=networked, calls=self.triggers.calls)

    @property
    def notice_area(self) -> QWidget:
        return self.video

    def enter(self) -> None:
        self._shown = True
        if not self._runs:
            self._runs = True
            self._engine.start()
        self._rest_or_run()
        self._face_at = time.monotonic()  # no face was missed meanwhile
        self.refresh_status()
        self.video.setFocus()

    def leave(self) -> None:
        self._shown = False
        self._rest_or_run()

    def tick(self, now: float, *, at_once: bool = False) -> None:
        result = self._engine.latest()
        due = at_once or now - self._drawn_at >= _DRAW_SECONDS
        if self._shown and due and result is not None and result is not self._result:
            # Counted from when it was due, so that a late picture makes none after it late.
            self._drawn_at = max(self._drawn_at + _DRAW_SECONDS, now - _DRAW_SECONDS)
            self._show(result, now)
        elif self._shown and (last := self._steady.overdue(now)) is not None:
            self._present(last)
        if at_once or now - self._ticked_at >= _DRAW_SECONDS:
            seconds, self._ticked_at = now - self._ticked_at, now
            self.panel.advance(seconds)
            self.chart.advance(seconds)
        self.recording.tick(now)
        self.choices.toolbar.show_recording(self.recording.active())
        self.streaming.tick(now)
        self.triggers.tick(now)
        self.study.tick(now)
        if now - self._status_at >= _STATUS_SECONDS:
            self._status_at = now
            self._rest_or_run()
            self.refresh_status()
        if self._shown:
            self.cameras.tick(now)

    def refresh_status(self) -> None:
        """Bring everything that depends on the engine's state up to date."""
        status = self._engine.status()
        before, self._status = self._status, status
        notices = self._engine.take_notices()
        if (status.source, status.spec) != (before.source, before.spec):
            self._forget_faces()
            self.commands.note_playing(status)
            self.choices.sources.set_recent(self.commands.settings.recent)
        if (status.model, status.base_rates) != (before.model, before.base_rates):
            self._history.clear()  # two models' lines would pass for one
        if status.second != before.second:
            self._history.forget_agreement()
        self.panel.set_second(status.second, self.choices.models.shown_name(status.second))
        self.chart.set_two(bool(status.second))
        self.commands.note_finder(status)
        card = self._engine.card
        self.panel.set_can_calibrate(card is None or bool(card.neutral))
        self.choices.refresh(status, self._engine.labels)
        self.views.refresh(seen=self._shown or self.recording.active())
        self._say_stage()
        told = self.banner.text if self.banner.isVisibleTo(self.window()) else ""
        for sentence in notices:
            if sentence not in told:
                self.host.warn(sentence)
        self._speed.look(status, shown=self._shown)
        self._skips.look(status, time.monotonic())
        self._status_parts = self.choices.status_parts(
            status, self._engine.labels, self._skips.share
        )

    def open_path(self, path: str) -> bool:
        if is_protocol(path):
            self.study.open(path)
        else:
            self.commands.open_dropped(path)
        return True

    def changed_settings(self, settings: Settings) -> Settings:
        acts = self.menu_actions
        sizes = self.panes.shared_out() if self.laid_out else {}
        chosen = self.commands.settings_now(self._engine.status())
        settings = self.recording.changed_settings(settings)
        settings = self.streaming.changed_settings(settings)
        settings = self.triggers.changed_settings(settings)
        settings = self.study.changed_settings(settings)
        return replace(
            settings,
            source=chosen.source,
            model=chosen.model,
            second_model=chosen.second_model,
            base_rates=chosen.base_rates,
            finder=chosen.finder,
            landmarks=chosen.landmarks,
            yunet_file=chosen.yunet_file,
            recent=chosen.recent,
            overlays=tuple(name for name, act in acts.overlays.items() if act.isChecked()),
            attention_view=self.views.wished,
            mirror=self._mirror.for_cameras,
            splitters={**settings.splitters, **sizes},
        )

    @property
    def unfinished(self) -> str:
        what = "study" if self.study.running else "recording"
        recording = f"A {what} goes on. What it has so far is saved."
        return recording if self.recording.active() else ""

    def close_down(self) -> None:
        log.info("%.1f pictures a second were painted", self.video.rate())
        self._engine.stop()  # first: the camera's light is not to wait for the disk
        self.commands.screen_picker.close()
        self.study.close_down()
        self.triggers.close_down()
        self.recording.close_down()
        self.streaming.close_down()

    def use_usual_sizes(self, width: int, height: int, settings: Settings) -> None:
        self.panes.share_out(width, height, settings.splitters)

    def _make_menus(self, settings: Settings) -> None:
        """Make what models, sources and views are chosen with."""
        host, acts = self.host, self.menu_actions
        self.choices = Choices(
            host.window, acts, host.actions, self.commands, host.around.models, host.theme
        )
        self.cameras = CameraWatch(
            host.jobs, host.around.list_cameras, self.choices.sources.set_cameras, host.warn
        )
        self.views = AttentionViews(
            self._engine, self.video, self.panel, acts.overlays["attention"],
            wished=settings.attention_view, say=host.notices.say, parent=host.window,
        )  # fmt: skip
        _, view, _ = self.choices.menus
        view.insertMenu(acts.mirror, self.views.menu)
        view.insertAction(acts.mirror, acts.next_view)

    def _make_desks(self, settings: Settings) -> None:
        """Make what records, streams, waits for expressions and runs studies."""
        engine, host = self._engine, self.host
        self.recording = RecordingDesk(
            engine, settings, host, self.menu_actions,
            overlays=lambda: self.video.overlay_names, shown=lambda: self.video.shown_view,
        )  # fmt: skip
        self.users.append(self.recording.active)
        self.streaming = StreamDesk(
            engine, settings, host, self.menu_actions.streams,
            lambda marker: self.recording.recorder.mark(marker.key, marker.text, marker.time),
        )  # fmt: skip
        self.users.append(self.streaming.active)
        self.recording.also_mark.append(self.streaming.mark)
        self.recording.others_listen = self.streaming.active
        self.triggers = TriggerDesk(
            engine, settings, host, self.menu_actions.triggers, self.recording, self.streaming
        )
        self.users.append(self.triggers.active)
        self.study = StudyDesk(self.recording, settings, host, self.menu_actions.study)
        self._desks = (self.recording, self.streaming, self.triggers, self.study)

    def _build(self) -> None:
        panels = [desk.panel for desk in self._desks]
        self.panes = LivePanes(
            [self.banner, *panels, self.recording.bar],
            self.video,
            self.chart,
            self.panel,
            self.menu_actions.chart,
        )
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        rows.addWidget(self.choices.toolbar)
        rows.addWidget(self.panes, 1)

    def _connect(self) -> None:
        acts, commands = self.menu_actions, self.commands
        acts.open_file.triggered.connect(commands.open_file)
        acts.open_folder.triggered.connect(commands.open_folder)
        acts.open_screen.triggered.connect(commands.open_screen)
        acts.open_network.triggered.connect(commands.open_network)
        acts.next_camera.triggered.connect(self._next_camera)
        acts.pause.toggled.connect(self._pause)
        acts.snapshot.triggered.connect(lambda: self._snapshot(ask=False))
        acts.snapshot_as.triggered.connect(lambda: self._snapshot(ask=True))
        acts.next_view.triggered.connect(self.views.show_next)
        acts.faces.toggled.connect(self.panel.setVisible)
        acts.open_model.triggered.connect(commands.open_model)
        acts.model_card.triggered.connect(self._show_model_card)
        self.panel.chosen_changed.connect(lambda track: self.chart.set_track(track or None))
        self.video.face_clicked.connect(self.panel.choose)
        panels = [desk.panel for desk in self._desks]
        open_one_at_a_time(panels)
        for panel in panels:
            self.recording.asking.connect(panel.close_up)
        self.panel.calibrate.connect(self._engine.calibrate)
        self.panel.forget.connect(self._engine.forget_baseline)

    def _restore(self, settings: Settings) -> None:
        acts = self.menu_actions
        switch_overlays(self.video, acts.overlays, settings.overlays)
        acts.faces.setChecked(was_shown("main", settings.splitters))
        acts.chart.setChecked(was_shown("left", settings.splitters))
        self.panel.setVisible(acts.faces.isChecked())
        self.chart.setVisible(acts.chart.isChecked())
        self.choices.sources.set_recent(settings.recent)
        self.refresh_status()

    def _show(self, result: FrameResult, now: float) -> None:
        before, self._result = self._result, result
        if before is not None and result.frame.index < before.frame.index:
            self._forget_faces()
        self._mirror.suit(result.frame, self._status.spec)
        if result.faces:
            self._face_at = now
        self._present(self._steady.take(result, now))
        self._history.add(result)
        if before is None or bool(before.faces) != bool(result.faces):
            self._say_stage()

    def _present(self, result: FrameResult) -> None:
        """Bring a result to the picture and the cards, which say the same."""
        if not self.window().isMinimized():
            self.video.show_result(result)
        self.panel.show_result(result)

    def _forget_faces(self) -> None:
        """Another source plays: its faces are others."""
        self.panel.clear()
        self._history.clear()
        self._steady = Steady()

    def _say_stage(self) -> None:
        said = stage(
            self._status,
            has_picture=self._result is not None,
            no_face=time.monotonic() - self._face_at > _NO_FACE_SECONDS,
            asked_to_pause=self._wants_pause,
        )
        self.banner.say(said.banner)
        self.video.set_state(message=said.message, hint=said.hint, dimmed=said.dimmed)
        self.panel.set_old(said.dimmed)

    def _banner_pressed(self, word: str) -> None:
        if word == PLAY_AGAIN:
            self.commands.play_again(self._status)
        else:
            self.commands.try_again()

    def _next_camera(self) -> None:
        self.commands.next_camera(self.choices.sources.cameras, self._status.source)

    def _pause(self, paused: bool) -> None:
        self._wants_pause = paused
        self._rest_or_run()
        self.refresh_status()

    def _rest_or_run(self) -> None:
        """Let the engine rest where the user paused it, or nobody needs what it says."""
        unseen = not self._shown and not any(user() for user in self.users)
        paused = self._wants_pause or unseen
        if paused != self._paused:
            self._paused = paused
            self._face_at = time.monotonic()  # no face was missed in a pause
            self._engine.set_paused(paused)

    def _snapshot(self, *, ask: bool) -> None:
        video = self.video
        self.commands.snapshot(
            video.result,
            video.overlay_names,
            mirrored=video.mirrored,
            ask=ask,
            shown=video.shown_view,
        )

    def _show_model_card(self) -> None:
        card = self._engine.card
        if card is None:
            self.host.warn("The model is not loaded yet; try again in a moment.")
        else:
            show_model_card(self.host.window, card)
