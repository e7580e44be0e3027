"""Run studies from the live workspace: the panel, the recording and the participant's screen."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QGuiApplication, QScreen

from app.gui.recording import RecordingDesk
from app.gui.study.keys import HandOverKeys
from app.gui.study.panel import StudyPanel
from app.gui.study.screen import StudyScreen
from app.gui.workspace import Host
from app.live.recorder import STAMP, folder_title
from app.settings import Settings
from app.study.protocol import Protocol, read_protocol
from app.study.runner import Runner, order_of, scenes_of
from app.study.soundtrack import PLAYED
from app.study.speaker import why_no_speaker
from app.study.template import write_template
from app.study.words import silence_words

__all__ = ["StudyDesk", "is_protocol", "study_info"]

T = TypeVar("T")

_FRAME_SECONDS = 10.0
_STILL_SECONDS = 5.0
_LAST_SECONDS = 1.0
"""How long is recorded after the end: frames of the last moments are still being read."""
_NO_FRAME = (
    "No picture came within ten seconds, so the study did not begin; see to it that the camera "
    "plays, and begin again."
)
_STILL = (
    "No picture came for five seconds, so the study was stopped; what was recorded until then is "
    "kept."
)
_RECORDING = "End the recording first"
_CUT_SHORT = "The recording has ended, and the study with it; what was recorded is kept."
_STOPPED = "The study was stopped; what was recorded until then is kept."
_NO_SCREEN = (
    "The screen chosen for the participant is gone, so the study did not begin; connect it again "
    "or choose another, and begin again."
)
_BEFORE = "{code} was recorded before; both recordings are kept."


class StudyDesk(QObject):
    """Carry out a study: record, show the scenes, mark them, and end the recording after the last.

    It begins once the first frame is recorded, so that every stimulus lies within the recording,
    and is stopped when none comes any more.
    """

    def __init__(
        self, recording: RecordingDesk, settings: Settings, host: Host, action: QAction
    ) -> None:
        super().__init__()
        self._recording = recording
        self._host = host
        self._remembered = settings.study_protocol
        self._wanted: tuple[Protocol, str, QScreen] | None = None
        """The protocol, the participant and the screen of the study that is to begin."""
        self._asked_at: float | None = None
        self._ended_at: float | None = None
        """When the last words came, while the recording of that study goes on."""
        self._frames, self._frame_at = 0, 0.0
        self._newest = 0
        self._reading = False
        self._runner: Runner | None = None
        self._keys = HandOverKeys(host.window)
        self._told_lost = 0
        self.screen: StudyScreen | None = None
        self.panel = StudyPanel()
        self.panel.file_chosen.connect(self._read)
        self.panel.template_wanted.connect(self._write_template)
        self.panel.begin_wanted.connect(self._begin)
        action.triggered.connect(self._show_panel)
        recording.begun.connect(self._wait_for_frame)
        recording.refused.connect(self._forget)

    @property
    def running(self) -> bool:
        """Say whether somebody is shown a study."""
        return self._runner is not None

    def open(self, path: str) -> None:
        """Show the panel with a protocol."""
        self._read(path)
        if self.panel.isHidden():
            self.panel.show_or_hide()

    def tick(self, now: float) -> None:
        """Begin once a frame is recorded, and end where the recording has. now: monotonic s."""
        self.panel.refuse("" if self._recording.idle else _RECORDING)
        active = self._recording.active()
        if self._asked_at is not None:
            self._look_for_frame(self._asked_at, now, active=active)
        elif self.running and not active:
            self._end()
            self._host.warn(_CUT_SHORT)
        elif self.running:
            self._look_on(now)
        elif not active:
            self._ended_at = None
        elif self._ended_at is not None and now - self._ended_at > _LAST_SECONDS:
            self._ended_at = None
            self._recording.stop()

    def changed_settings(self, settings: Settings) -> Settings:
        return replace(settings, study_protocol=self._remembered)

    def close_down(self) -> None:
        """End a study that goes on; the recording is ended by its own desk."""
        self._forget()
        self._end()

    def _show_panel(self) -> None:
        unread = self.panel.protocol is None and not self._reading
        if unread and self._remembered is not None:
            self._read(self._remembered)
        self.panel.show_or_hide()

    def _read(self, path: str) -> None:
        """Read a protocol aside: it opens every file that it names."""
        self.panel.show_reading(Path(path))
        self._choose(lambda: _with_silence(read_protocol(Path(path))), self._take)

    def _take(self, found: tuple[Protocol, str]) -> None:
        protocol, silence = found
        self._remembered = str(protocol.path)
        self.panel.show_protocol(protocol, silence)

    def _write_template(self, path: str) -> None:
        """Write a small study and read it."""
        self._choose(lambda: write_template(Path(path)), lambda _none: self._read(path))

    def _choose(self, work: Callable[[], T], done: Callable[[T], None]) -> None:
        """Do aside what a choice needs; what comes of one before the newest is not shown."""
        self._newest += 1
        self._reading = True
        choice = self._newest

        def finish(show: Callable[[], None]) -> None:
            if choice == self._newest:
                self._reading = False
                show()

        self._host.jobs.submit(
            work,
            lambda result: finish(lambda: done(result)),
            lambda problem: finish(lambda: self.panel.show_protocol(None, problem)),
        )

    def _begin(self) -> None:
        protocol, screen = self.panel.protocol, self.panel.screen_chosen
        if protocol is None or screen is None or self.running or not self._recording.idle:
            return
        participant = self.panel.participant
        self._close_screen()  # of the one before, who has not left it
        self._wanted = (protocol, participant, screen)
        self.panel.keep_begun()
        self.panel.close_up()
        self._look_for_earlier(participant)
        self._recording.record_study(study_info(protocol, participant, self.panel.variables))

    def _look_for_earlier(self, participant: str) -> None:
        """Say when a participant was recorded before; folders may lie on a slow disk."""
        folder, now = self._recording.panel.folder, datetime.now()

        def tell(recorded: bool) -> None:
            if recorded:
                self._host.notices.say(_BEFORE.format(code=participant))

        self._host.jobs.submit(
            lambda: _is_recorded(folder, participant, now), tell, self._host.warn
        )

    def _wait_for_frame(self) -> None:
        self._ended_at = None  # of another recording
        if self._wanted is not None:
            self._asked_at = time.monotonic()

    def _forget(self) -> None:
        """No study is to begin any more."""
        self._wanted = self._asked_at = None

    def _look_for_frame(self, asked_at: float, now: float, *, active: bool) -> None:
        """Begin to show once a frame is recorded."""
        if not active:  # it was ended before its first frame
            self._forget()
        elif self._recording.recorder.status().folder is not None:
            self._show(now)
        elif now - asked_at > _FRAME_SECONDS:
            self._give_up(_NO_FRAME)

    def _give_up(self, why: str) -> None:
        """End the recording of a study that cannot begin."""
        self._forget()
        self._recording.stop()
        self._host.warn(why)

    def _look_on(self, now: float) -> None:
        """Stop a study whose face is not recorded any more, as in a pause or without a camera."""
        frames = self._recording.recorder.status().frames
        if frames != self._frames:
            self._frames, self._frame_at = frames, now
        elif now - self._frame_at > _STILL_SECONDS:
            self._stop(_STILL)

    def _show(self, now: float) -> None:
        assert self._wanted is not None
        protocol, participant, screen = self._wanted
        if screen not in QGuiApplication.screens():
            self._give_up(_NO_SCREEN)
            return
        self._forget()
        self._frames, self._frame_at = 0, now
        steps = protocol.question.steps if protocol.question is not None else 0
        self._runner = Runner(scenes_of(protocol, participant), steps, self._recording.mark)
        self._told_lost = 0
        self.screen = StudyScreen(self._runner, protocol.question)
        self.screen.finished.connect(self._finish)
        self.screen.stopped.connect(self._stop)
        self.screen.left.connect(self._close_screen)
        for found in (self.screen.scene_shown, self.screen.sound_lost):
            found.connect(self._tell_lost)
        self._keys.begin(self.screen.take_key)
        self.screen.begin(screen)

    def _tell_lost(self) -> None:
        """Note in the recording what could not be shown or heard."""
        lost = self.screen.notes if self.screen is not None else []
        for sentence in lost[self._told_lost :]:
            self._recording.mark("note", sentence)
            self._host.warn(sentence)
        self._told_lost = len(lost)

    def _finish(self) -> None:
        """All was shown: the last words stay until a key is pressed."""
        self._tell_lost()
        self._runner = None
        self._keys.end()
        self._ended_at = time.monotonic()
        self.panel.next_participant()

    def _stop(self, why: str = _STOPPED) -> None:
        self._recording.mark("note", "study stopped")
        self._end()
        self._recording.stop()
        self._host.notices.say(why)

    def _end(self) -> None:
        """Take the scenes away before their end."""
        if self._runner is not None:
            self._runner.stop()
            self._runner = None
        self._ended_at = None
        self._keys.end()
        self._close_screen()

    def _close_screen(self) -> None:
        if self.screen is not None:
            screen, self.screen = self.screen, None
            screen.end()
            screen.deleteLater()


def is_protocol(path: str) -> bool:
    """Say whether a file is called as the protocol of a study is."""
    return path.lower().endswith(".toml")


def _is_recorded(folder: Path, participant: str, before: datetime) -> bool:
    """Say whether there is an earlier recording of this code, as far as names of folders tell.

    Of two in the same second the later is numbered, and need not be looked at.
    """
    title, stamp = folder_title(participant), f"{before:{STAMP}}"
    try:
        names = [path.name.partition(" ") for path in folder.iterdir()]
    except OSError:
        return False
    return any(begun < stamp and of == title for begun, _, of in names if of)


def _with_silence(protocol: Protocol) -> tuple[Protocol, str]:
    """Return a protocol with what is to be said of films that will not be heard."""
    heard = any(one.sound == PLAYED for one in protocol.shown)
    return protocol, silence_words(protocol, why_no_speaker() if heard else "")


def study_info(protocol: Protocol, participant: str, variables: dict[str, str]) -> dict[str, Any]:
    """Return what a session keeps of the study that it was recorded in."""
    return {
        "title": protocol.title,
        "participant": participant,
        "variables": variables,
        "protocol": {"file": protocol.path.name, "sha256": protocol.digest},
        "drawn": protocol.order,
        "pause": protocol.pause,
        "question": protocol.question.text if protocol.question is not None else "",
        "steps": protocol.question.steps if protocol.question is not None else 0,
        "order": [
            {
                "name": show.name,
                "kind": show.kind,
                "condition": show.condition,
                "position": number,
                "seconds": show.seconds,
                "file": show.path.name if show.path is not None else "",
                "sound": show.sound,
            }
            for number, show in enumerate(order_of(protocol, participant), 1)
        ],
    }
