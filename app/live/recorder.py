"""Record what an engine says: begin, rule off and end sessions while the picture goes on."""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from app.live.capture import Dropped
from app.live.session_info import program_info, session_info
from app.live.status import EngineStatus
from app.messages import FrameResult
from app.sessions.status import LEAST_FREE, Clock, WriterStatus, not_begun
from app.sessions.video import VIDEOS, VideoOptions
from models.runtime.card import Card

# It brings pyarrow, 40 MB that a window which records nothing can do without.
if TYPE_CHECKING:
    from app.sessions.writer import SessionWriter

__all__ = ["STAMP", "Recorder", "RecorderStatus", "RecordingOptions", "folder_title"]

log = logging.getLogger(__name__)

_WRITER = "app.sessions.writer"
STAMP = "%Y-%m-%d_%H-%M-%S"
"""How the moment of its beginning is written in the name of a session's folder."""
_MOST_LETTERS = 60
_RATE_SECONDS = 2.0
_MOST_EARLY = 1000


@dataclass(frozen=True, slots=True)
class RecordingOptions:
    """Say what is recorded. folder: in which each session gets a folder of its own.

    title: added to its name, such as a participant's code; may be empty. consent: the text that
    was agreed to and when (ISO 8601), empty where nobody was asked. settings: of the window, kept
    in session.json. video: what is kept of the picture, None for nothing. study: what is shown
    meanwhile and to whom, empty for no study.
    """

    folder: Path
    title: str = ""
    consent: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    video: VideoOptions | None = None
    study: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RecorderStatus:
    """Hold how the recording stands.

    active: results are being recorded. saving: the last sessions are brought into their final form.
    folder: of the session being recorded or recorded last, None until the first is on the disk.
    sessions: how many the recording has begun, that one included. seconds, frames, dropped, bytes:
    of it. free: bytes left on its disk when the writer last looked, 0 before it did. seconds_left:
    until the disk is full at this rate, None while that is unknown. error: one sentence on why it
    stopped by itself, else empty.
    """

    active: bool = False
    saving: bool = False
    folder: Path | None = None
    sessions: int = 0
    seconds: float = 0.0
    frames: int = 0
    dropped: int = 0
    bytes: int = 0
    free: int = 0
    seconds_left: float | None = None
    error: str = ""


class RecordableEngine(Protocol):
    """Name what is used of `Engine`."""

    @property
    def labels(self) -> tuple[str, ...]: ...
    @property
    def card(self) -> Card | None: ...
    @property
    def generation(self) -> int: ...
    def status(self) -> EngineStatus: ...
    def source_facts(self) -> dict[str, Any]: ...
    def add_listener(self, listener: Callable[[FrameResult], None], /) -> None: ...
    def remove_listener(self, listener: Callable[[FrameResult], None], /) -> None: ...
    def add_drop_listener(self, listener: Dropped, /) -> None: ...
    def remove_drop_listener(self, listener: Dropped, /) -> None: ...


class Recorder:
    """Turn an engine's results into sessions.

    A session has one source, one model and one finder: when one of them changes, the next result
    begins another folder. All methods return at once and may be called from any thread: who waits
    for the disk are a thread that prepares a recording, and those of the writers.
    """

    def __init__(self, engine: RecordableEngine) -> None:
        self._engine = engine
        self._lock = threading.RLock()
        self._options: RecordingOptions | None = None
        self._preparing: threading.Thread | None = None
        self._writer: SessionWriter | None = None
        self._begun: list[SessionWriter] = []
        """All of this recording, or of the last one."""
        self._ending: list[SessionWriter] = []
        self._generation = -1
        self._since = 0.0
        self._notices: list[str] = []
        self._saved: list[Path] = []
        self._early: deque[tuple[int | None, float, str]] = deque(maxlen=_MOST_EARLY)
        self._early_marks: deque[tuple[float, str, str]] = deque(maxlen=_MOST_EARLY)
        self._calibrating: set[int] = set()

    @property
    def active(self) -> bool:
        return self._options is not None

    def start(self, options: RecordingOptions) -> None:
        """Record from the next frame that is taken on; does nothing while recording.

        First the folder is looked at, and once in a program what writes tables is loaded, half a
        second. If nothing can be recorded there, the recording ends and a notice says why.
        """
        with self._lock:
            if self._options is not None:
                return
            self._options = options
            self._early.clear()
            self._early_marks.clear()
            self._calibrating.clear()
            self._begun.clear()
            self._preparing = threading.Thread(
                target=self._prepare, args=(options,), name="mien-recorder-prepare", daemon=True
            )
            self._preparing.start()

    def _prepare(self, options: RecordingOptions) -> None:
        """Wait for what a recording needs, then listen, if it is still wanted."""
        refusal = _refusal(options.folder)
        with self._lock:
            if self._preparing is not threading.current_thread():
                return  # ended meanwhile, and perhaps begun anew
            self._preparing = None
            if refusal:
                self._refuse(refusal)
            else:
                self._listen()

    def _refuse(self, sentence: str) -> None:
        """End a recording that cannot begin."""
        self._notices.append(sentence)
        self._early_marks.clear()
        self.stop()

    def _listen(self) -> None:
        self._since = time.monotonic()
        self._engine.add_listener(self._take)
        self._engine.add_drop_listener(self._drop)

    def stop(self) -> None:
        """End the recording; what is left is written in the background."""
        with self._lock:
            if self._early_marks:
                self._early_marks.clear()
                self._notices.append(
                    "No frame came, so nothing was recorded and the markers are not kept."
                )
            self._options = self._preparing = None
            self._engine.remove_listener(self._take)
            self._engine.remove_drop_listener(self._drop)
            self._rule_off()

    def close(self, timeout: float) -> bool:
        """End the recording and wait for the disk, seconds; return whether all is written.

        What is not by then is finished when the session is opened.
        """
        self.stop()
        deadline = time.monotonic() + timeout
        while not self._all_written() and time.monotonic() < deadline:
            time.sleep(0.02)
        return self._all_written()

    def mark(self, key: str, text: str = "", at: float | None = None) -> bool:
        """Set a marker; return False when it is not kept, such as when nothing is recorded.

        at: monotonic seconds, None for now. One from before the session's first frame stands at
        it.
        """
        now = time.monotonic() if at is None else at
        with self._lock:
            if self._options is None:
                return False
            if self._writer is None:
                self._early_marks.append((now, key, text))
            else:
                return self._writer.mark(now, key, text)
            return True

    def status(self) -> RecorderStatus:
        """Return how the recording stands; cheap enough to ask four times a second."""
        with self._lock:
            self._look_at_writers()
            opened = [writer for writer in self._begun if writer.opened]
            now = opened[-1].status() if opened else WriterStatus()
            return RecorderStatus(
                active=self.active,
                saving=any(writer.opened or not writer.error for writer in self._ending),
                folder=opened[-1].path if opened else None,
                sessions=len(opened),
                seconds=now.seconds,
                frames=now.frames,
                dropped=now.passed_over,
                bytes=now.bytes,
                free=now.free,
                seconds_left=_seconds_left(now) if self._writer is not None else None,
                error=now.error,
            )

    def take_notices(self) -> list[str]:
        """Return the sentences for the user that nobody has taken yet."""
        with self._lock:
            self._look_at_writers()
            taken, self._notices = self._notices, []
            return taken

    def take_saved(self) -> list[Path]:
        """Return the folders that were brought into their final form since the last call."""
        with self._lock:
            self._look_at_writers()
            taken, self._saved = self._saved, []
            return taken

    def _take(self, result: FrameResult) -> None:
        """Record a result; runs on the inference thread."""
        with self._lock:
            if self._options is None or result.frame.captured_at < self._since:
                return
            if self._generation != self._engine.generation or not self._fits(result):
                self._rule_off()
                self._begin(self._options, result)
            if self._writer is not None:
                self._writer.add(result)
                self._mark_neutral(self._writer, result)

    def _mark_neutral(self, writer: SessionWriter, result: FrameResult) -> None:
        """Mark the frame from which a face's columns are corrected by its neutral measure."""
        for face in result.faces:
            track = face.face.track_id
            if track is None:
                continue
            if face.calibration is not None and not face.calibration.given_up:
                self._calibrating.add(track)
            elif track in self._calibrating:
                self._calibrating.discard(track)
                if face.corrected is not None and face.calibration is None:
                    writer.mark(result.frame.captured_at, "neutral", f"face {track}")

    def _fits(self, result: FrameResult) -> bool:
        """Say whether a result belongs into the session that is being recorded."""
        writer = self._writer
        return writer is not None and writer.labels == _labels_of(result, writer.labels)

    def _drop(self, index: int | None, time: float, reason: str) -> None:
        with self._lock:
            if self._writer is None or self._generation != self._engine.generation:
                self._early.append((index, time, reason))  # a session is about to begin
            elif time >= self._writer.clock.monotonic:
                self._writer.drop(index, time, reason)

    def _begin(self, options: RecordingOptions, result: FrameResult) -> None:
        self._generation = self._engine.generation
        try:
            self._writer = self._new_writer(options, result)
        except Exception as error:  # a defect: it must not come again with every frame
            log.exception("a recording could not begin")
            self._refuse(not_begun(error))
            return
        self._begun.append(self._writer)
        early, self._early = self._early, deque(maxlen=_MOST_EARLY)
        for drop in early:
            self._drop(*drop)
        marks, self._early_marks = self._early_marks, deque(maxlen=_MOST_EARLY)
        for at, key, text in marks:
            self._writer.mark(at, key, text)

    def _new_writer(self, options: RecordingOptions, result: FrameResult) -> SessionWriter:
        """Return the writer of a new session that begins with a result."""
        from app.sessions.writer import SessionWriter  # loaded by now

        taken = result.frame.captured_at
        clock = Clock(taken, time.time() - (time.monotonic() - taken))
        name = _name(options.title, datetime.fromtimestamp(clock.wall).astimezone())
        info = session_info(
            status=self._engine.status(),
            card=self._engine.card,
            source=self._engine.source_facts(),
            frame=result.frame.image.shape,
        )
        info |= {"title": options.title, "consent": dict(options.consent)}
        info |= {"settings": dict(options.settings), "video": _of_video(options.video)}
        if options.study:
            info |= {"study": dict(options.study)}
        labels = _labels_of(result, self._engine.labels)
        video = _at_rate(options.video, info)
        return SessionWriter(
            options.folder / name, info, labels, clock=clock, video=video, numbered=True
        )

    def _rule_off(self) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.stop()
            self._ending.append(writer)

    def _look_at_writers(self) -> None:
        """Note which sessions are finished, and end a recording that the disk has stopped."""
        if self._writer is not None and self._writer.error:
            self.stop()
        for writer in [writer for writer in self._ending if writer.finished]:
            self._ending.remove(writer)
            if writer.opened:
                self._saved.append(writer.path)
            if writer.error:
                self._notices.append(writer.error)

    def _all_written(self) -> bool:
        with self._lock:
            self._look_at_writers()
            return not self._ending


def _labels_of(result: FrameResult, known: tuple[str, ...]) -> tuple[str, ...]:
    """Return the labels of a result's model; without a face it says nothing of them."""
    return result.faces[0].prediction.labels if result.faces else known


def _at_rate(video: VideoOptions | None, info: Mapping[str, Any]) -> VideoOptions | None:
    """Return the options with the source's own frame rate, where it is known."""
    fps = info["source"].get("fps")
    return replace(video, fps=float(fps)) if video is not None and fps else video


def _of_video(video: VideoOptions | None) -> dict[str, Any]:
    if video is None:
        return {}
    files = {kind: VIDEOS[kind] for kind in video.kinds}
    return {"files": files, "blur": video.blur, "overlays": list(video.overlays)}


def folder_title(title: str) -> str:
    """Return a title as the names of folders keep it, on every system; may be empty."""
    kept = "".join(sign if sign.isalnum() or sign in "-_. " else "_" for sign in title)
    return kept.strip(" .")[:_MOST_LETTERS].rstrip(" .")


def _name(title: str, when: datetime) -> str:
    """Return what a session's folder is called."""
    return f"{when:{STAMP}} {folder_title(title)}".rstrip()


def _refusal(folder: Path) -> str:
    """Make a folder and load what writes into it; return why that cannot be, "" where it can."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
        import_module(_WRITER)
        program_info()
    except OSError as error:
        return f'Recordings cannot be kept in "{folder}" ({error.strerror}); choose another folder.'
    except Exception as error:
        log.exception("a recording could not begin")
        return not_begun(error)
    if free < LEAST_FREE:
        return (
            f'There are only {free / 1e6:.0f} MB left where "{folder}" is, too few to record; free '
            f"some space or choose another folder."
        )
    return ""


def _seconds_left(status: WriterStatus) -> float | None:
    if status.seconds < _RATE_SECONDS or not (status.bytes and status.free):
        return None
    return max(0.0, status.free - LEAST_FREE) * status.seconds / status.bytes
