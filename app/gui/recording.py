"""Record from the live workspace: its actions, its strip and its panel, around one recorder."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from app.gui.actions import Actions
from app.gui.recording_bar import RecordingBar
from app.gui.recording_panel import RecordingPanel
from app.gui.workspace import Host
from app.live.engine import EngineState
from app.live.recorder import RecordableEngine, Recorder, RecorderStatus, RecordingOptions
from app.overlays import Shown
from app.sessions.video import VIDEOS, VideoOptions
from app.settings import Settings
from app.words import clock

_REFRESH_SECONDS = 0.25
_CLOSE_SECONDS = 10.0
_GOES_ON = (
    'The recording goes on in "{now}", since its source, model, finder or landmarks changed; what '
    'came before is kept in "{before}".'
)
_ENDED = "{source} has ended, and the recording with it."
_WAITS = "The recording waits: {why}"
_GOES_ON_AGAIN = "The recording goes on: {source} is back."


class RecordingDesk(QObject):
    """Carry out what the user wants recorded.

    overlays: names of those drawn now. shown: what the attention overlay shows now.
    saved: the folder of a session that is in its final form. asking: for consent, which needs the
    room above the picture. begun: a recording was agreed to and waits for its first frame; refused:
    one that was asked for was not.
    """

    saved = Signal(str)
    asking = Signal()
    begun = Signal()
    refused = Signal()

    def __init__(
        self,
        engine: RecordableEngine,
        settings: Settings,
        host: Host,
        actions: Actions,
        overlays: Callable[[], tuple[str, ...]],
        shown: Callable[[], Shown],
    ) -> None:
        super().__init__()
        self._engine = engine
        self.recorder = Recorder(engine)
        self.bar = RecordingBar(host.theme)
        self.panel = RecordingPanel(settings, host.theme)
        self._host = host
        self._actions = actions
        self._overlays = overlays
        self._shown = shown
        self._smoothing_seconds = settings.smoothing_seconds
        self._refreshed_at = float("-inf")
        self._asked = ""
        self._showing = False
        self._folder: Path | None = None
        """Of the session that is being recorded."""
        self._to_tell = False
        self._waits = False
        self._study: dict[str, Any] = {}
        self.also_mark: list[Callable[[str, str, float], bool]] = []
        """Each takes key, text and monotonic seconds of a marker; False when nobody got it."""
        self.others_listen: Callable[[], bool] = lambda: False
        """Says whether a marker reaches anybody while nothing is recorded."""
        actions.record.toggled.connect(self._toggle)
        actions.record_options.triggered.connect(self._show_panel)
        actions.note.triggered.connect(self._begin_note)
        for key, action in enumerate(actions.markers, 1):
            action.triggered.connect(lambda _checked, key=key: self.mark(str(key)))
        self.bar.agreed.connect(self._agree)
        self.bar.declined.connect(self._decline)
        self.bar.stopped.connect(self.stop)
        self.bar.noted.connect(lambda text, at: self.mark("note", text, at))
        self.bar.review_wanted.connect(host.open_path)

    def active(self) -> bool:
        """Say whether the engine's results are needed here."""
        return self.recorder.active

    @property
    def state(self) -> str:
        """Return in a word or two how the recording stands, empty without one."""
        if not self.recorder.active:
            return ""
        if self._waits:
            return "recording, no picture"
        paused = self._engine.status().state is EngineState.PAUSED
        return "recording, paused" if paused else "recording"

    @property
    def idle(self) -> bool:
        """Say whether nothing is recorded and nobody is asked whether to."""
        return not self.recorder.active and not self._asked

    def record_study(self, study: dict[str, Any]) -> None:
        """Record a study, named by its participant; `begun` or `refused` tells what came of it."""
        if self._actions.record.isChecked():  # a recording has just ended by itself
            self.refused.emit()
            return
        self._study = study
        self._actions.record.setChecked(True)

    def stop(self) -> None:
        """End the recording, or the question before it."""
        self._actions.record.setChecked(False)

    def tick(self, now: float) -> None:
        """Bring the strip up to date. now: `time.monotonic` seconds."""
        if now - self._refreshed_at < _REFRESH_SECONDS:
            return
        self._refreshed_at = now
        self._end_with_source(self.recorder.status())
        self._tell_waiting()
        status = self.recorder.status()
        for sentence in self.recorder.take_notices():
            self._host.warn(sentence)
        if not status.active and not self._asked and self._actions.record.isChecked():
            self._show_record(False)  # the disk has ended it, or the source
            if not status.saving:
                self.bar.close_up()  # unless something was saved, as the next lines find
        if not self._asked:  # the question stays until it is answered
            self._show_progress(status)
        self.panel.set_locked(status.active)

    def _end_with_source(self, status: RecorderStatus) -> None:
        """End a recording whose source has ended; one without a frame waits for the next source."""
        engine = self._engine.status()
        if status.active and status.folder and engine.state is EngineState.ENDED:
            self._stop()
            self._host.notices.say(_ENDED.format(source=engine.source))

    def _tell_waiting(self) -> None:
        """Say when a recording has nothing to record, and when it has again.

        In Review or Analyse nothing else does.
        """
        engine = self._engine.status()
        waits = self.recorder.active and engine.state in (EngineState.LOST, EngineState.FAILED)
        if waits == self._waits:
            return
        self._waits = waits
        if waits:
            self._host.warn(_WAITS.format(why=engine.error or engine.source_note))
        elif self.recorder.active:
            self._host.notices.say(_GOES_ON_AGAIN.format(source=engine.source))

    def _show_progress(self, status: RecorderStatus) -> None:
        if status.active:
            before, self._folder = self._folder, status.folder
            if before is not None and self._folder not in (None, before):
                self._host.notices.say(_GOES_ON.format(now=self._folder.name, before=before.name))
        self._take_saved()
        if status.active or status.saving:
            self.bar.show_status(status)
        elif self._to_tell:
            self._to_tell = False
            if status.folder is None:  # no frame came; what was saved is the recording before
                self.bar.close_up()
                return
            earlier = status.sessions - 1
            self.bar.show_saved(status.folder, status.frames, status.error, earlier=earlier)

    def _take_saved(self) -> None:
        """Hear of sessions that were saved since the last time."""
        for folder in self.recorder.take_saved():
            self._to_tell = True  # perhaps by a later tick, which knows that no other is saved
            self.saved.emit(str(folder))

    def mark(self, key: str, text: str = "", at: float | None = None) -> None:
        """Set a marker. at: monotonic seconds, None for this moment."""
        at = time.monotonic() if at is None else at
        taken = [take(key, text, at) for take in self.also_mark]
        if not self.recorder.mark(key, text, at):
            if any(taken):
                self._host.notices.say(f"{text or f'Marker {key}'} was sent.")
                return
            # The words themselves, so that a note that came too late can be written elsewhere.
            said = f'"{text}" is not kept: markers' if text else "Markers"
            self._host.notices.say(f"{said} and notes belong to a recording; R begins one.")
            return
        self.say_marked(key, text, at)

    def say_marked(self, key: str, text: str, at: float) -> None:
        """Say that the recording has a marker. at: monotonic seconds."""
        seconds = self.recorder.status().seconds - (time.monotonic() - at)
        self.bar.say(f"{text or f'Marker {key}'} at {clock(int(seconds), digits=0)}")

    def changed_settings(self, settings: Settings) -> Settings:
        return self.panel.changed_settings(settings)

    def close_down(self) -> None:
        """End the recording and give the disk some time."""
        self._stop()
        self.recorder.close(_CLOSE_SECONDS)
        self._take_saved()

    def _toggle(self, wanted: bool) -> None:
        if self._showing:
            return
        if not wanted:
            if self._asked:
                self._refuse()
            self._set_asked("")
            self._stop()
            self.bar.close_up()
            self._refreshed_at = float("-inf")
        elif self.panel.consent:
            self._set_asked(self.panel.consent)
            self.asking.emit()
            self.panel.close_up()
            self.bar.ask(self._asked)
        else:
            self._start({})

    def _stop(self) -> None:
        """End the recording, if one goes on; a note that is being typed still belongs to it."""
        if self.recorder.active:
            self.bar.take_note()
        self.recorder.stop()

    def _agree(self) -> None:
        consent = {
            "text": self._asked,
            "answer": "agreed",
            "wall": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        self._set_asked("")
        self._start(consent)

    def _decline(self) -> None:
        self._set_asked("")
        self.bar.close_up()
        self._show_record(False)
        self._refuse()

    def _refuse(self) -> None:
        self._study = {}
        self.refused.emit()

    def _set_asked(self, consent: str) -> None:
        """Note what is to be agreed to, "" for nothing; no panel takes the question's room."""
        self._asked = consent
        acts = self._actions
        for action in (acts.record_options, acts.study, acts.streams, acts.triggers):
            action.setEnabled(not consent)

    def _start(self, consent: dict[str, str]) -> None:
        options = RecordingOptions(
            folder=self.panel.folder,
            title=self._study.get("participant", self.panel.title),
            consent=consent,
            settings=self._settings(),
            video=self._video(),
            study=self._study,
        )
        self.recorder.start(options)
        self._study = {}
        self._folder = None
        self._to_tell = False
        self.panel.close_up()
        self.bar.show_status(self.recorder.status())
        self.begun.emit()

    def _settings(self) -> dict[str, Any]:
        return {
            "smoothing_seconds": self._smoothing_seconds,
            "overlays": list(self._overlays()),
        }

    def _video(self) -> VideoOptions | None:
        kinds = {"none": (), "both": tuple(VIDEOS)}.get(self.panel.video, (self.panel.video,))
        if not kinds:
            return None
        names, shown = self._overlays(), self._shown()
        return VideoOptions(kinds, blur=self.panel.blur, overlays=names, shown=shown)

    def _show_record(self, on: bool) -> None:
        self._showing = True  # not by blocking signals: the toolbar changes its sign by one
        self._actions.record.setChecked(on)
        self._showing = False

    def _show_panel(self) -> None:
        self.panel.show_or_hide()

    def _begin_note(self) -> None:
        if self._asked:  # the question stays until it is answered
            return
        if self.recorder.active:
            self.bar.begin_note()
        elif self.others_listen():
            self.bar.begin_lone_note()
        else:
            self.mark("note")
