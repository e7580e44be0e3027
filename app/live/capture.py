"""The thread that owns one source: opens it, reads it, and gets a lost camera back."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Any, Protocol

from app.errors import CameraLost
from app.live.slot import Slot
from app.messages import Frame
from app.sources import is_device, shown_spec
from app.sources.base import FrameSource
from models.runtime.errors import UserError
from models.runtime.files import user_path

log = logging.getLogger(__name__)

RETRY_SECONDS = 2.0
_PAUSE_CHECK = 0.05
_PREDECESSOR_SECONDS = 5.0


class CaptureState(Enum):
    OPENING = auto()
    RUNNING = auto()
    LOST = auto()
    ENDED = auto()
    FAILED = auto()


@dataclass(frozen=True, slots=True)
class Captured:
    """Hold a frame on its way to inference.

    run: grows whenever the camera came back. read_ms: what reading took where every frame
    matters; 0 for live sources, whose reading is mostly waiting.
    """

    frame: Frame
    run: int
    read_ms: float


Dropped = Callable[[int | None, float, str], None]
"""Take a frame that is passed over: its number, when it was taken (monotonic s) and why."""


def _untold(_index: int | None, _time: float, _reason: str) -> None:
    """Leave it at the count."""


class Listener(Protocol):
    """Hear of a capture; called on its thread."""

    def opened(self, capture: Capture) -> None: ...
    def refused(self, capture: Capture, sentence: str) -> None: ...
    def noticed(self, sentence: str) -> None: ...


class Capture:
    """Read one source into `frames` until it ends or is stopped.

    Live and paced sources never wait: the newest frame wins. With `every_frame` a source that is
    not live waits until the frame before was taken.
    """

    def __init__(
        self,
        spec: str,
        open_source: Callable[[str, str], FrameSource],
        listener: Listener,
        *,
        going: threading.Event,
        every_frame: bool = False,
        predecessors: Sequence[Capture] = (),
        retry_seconds: float = RETRY_SECONDS,
        dropped: Dropped = _untold,
    ) -> None:
        """Prepare; `start` begins.

        open_source: as `Makers` has it. going: while it is not set, files stand still and what a
        camera sends is thrown away. predecessors: captures that must give their cameras back
        first, since no two can hold one. retry_seconds: between two tries to get a lost camera
        back. dropped: called on this capture's thread; without a number it says that a camera was
        lost or is back.
        """
        self.spec = spec
        self.frames: Slot[Captured] = Slot(self._overtaken)
        self._dropped = dropped
        self.state = CaptureState.OPENING
        self.name = shown_spec(spec)
        self.note = ""
        self._open_source = open_source
        self._listener = listener
        self._going = going
        self._every_frame = every_frame
        self._predecessors = tuple(predecessors)
        self._retry_seconds = retry_seconds
        self._retry_at: float | None = None
        self._poked = threading.Event()
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._source: FrameSource | None = None
        self._source_notice = ""
        self._run = 0
        self._next_index = 0
        self._first_index = 0
        self._thread = threading.Thread(
            target=self._work, name=f"mien-capture {self.name}", daemon=True
        )

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    @property
    def over(self) -> bool:
        """Say whether no further frame will come."""
        return self.state in (CaptureState.ENDED, CaptureState.FAILED)

    @property
    def stopping(self) -> bool:
        return self._stopping.is_set()

    @property
    def each_frame_counts(self) -> bool:
        """Say whether this source waits until each frame was taken."""
        source = self._source
        return self._every_frame and source is not None and not source.live

    @property
    def retry_in(self) -> float | None:
        """Return seconds until the next try, None unless the camera is lost."""
        retry_at = self._retry_at
        return None if retry_at is None else max(0.0, retry_at - time.monotonic())

    def facts(self) -> dict[str, Any]:
        """Return what is known of the source in plain values."""
        source = self._source
        facts: dict[str, Any] = {"name": self.name, "spec": whole_spec(self.spec)}
        if source is not None:
            facts |= {"live": source.live, "fps": source.fps, **source.properties}
        return facts

    def start(self) -> None:
        self._thread.start()

    def retry_now(self) -> None:
        """Try a lost camera at once."""
        self._poked.set()

    def stop(self) -> None:
        """Ask the thread to end; returns at once, even when a read hangs."""
        self._stopping.set()
        self._poked.set()
        self.frames.close()
        with self._lock:
            source = self._source
        if source is not None:
            # Ends a wait inside `read`; on a thread of its own, since a camera's `close` waits
            # for the read that is going on.
            threading.Thread(target=source.close, name="mien-close", daemon=True).start()

    def join(self, timeout: float) -> bool:
        """Wait for the thread, seconds; return whether it has ended."""
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def _work(self) -> None:
        try:
            self._wait_for_predecessors()
            if self.stopping:
                return
            self._open()
        except Exception as error:
            self._fail(error)
            self._listener.refused(self, self.note)
            return
        if not self.stopping:
            self._listener.opened(self)
        try:
            self._read_until_end()
        finally:
            self._close()
            self.frames.close()

    def _wait_for_predecessors(self) -> None:
        for predecessor in self._predecessors:
            predecessor.stop()
        for predecessor in self._predecessors:
            deadline = time.monotonic() + _PREDECESSOR_SECONDS
            while not self.stopping and time.monotonic() < deadline:
                if predecessor.join(_PAUSE_CHECK):
                    break
        self._predecessors = ()

    def _open(self, camera: str = "") -> None:
        log.info("opening %s", shown_spec(self.spec))
        source = self._open_source(self.spec, camera)
        log.info("opened %s", source.name)
        with self._lock:
            self._source = source
        if self.stopping:  # asked while opening, when there was nothing to close yet
            source.close()
        self.name = source.name
        self._source_notice = ""
        self.note = ""
        self.state = CaptureState.RUNNING
        self._pass_notice_on(source)

    def _close(self) -> None:
        with self._lock:
            source, self._source = self._source, None
        if source is not None:
            source.close()

    def _fail(self, error: Exception) -> None:
        if isinstance(error, UserError):
            self.note = str(error)
        else:
            log.error("source %s failed", shown_spec(self.spec), exc_info=error)
            self.note = (
                f"{self.name} stopped unexpectedly ({type(error).__name__}: {error}); open it "
                f"again or choose another source."
            )
        self.state = CaptureState.FAILED

    def _read_until_end(self) -> None:
        while not self.stopping:
            try:
                self._read_until_lost()
            except CameraLost as error:
                self._recover(str(error))
            except Exception as error:
                self._fail(error)
                return
            else:
                self.state = CaptureState.ENDED
                return

    def _read_until_lost(self) -> None:
        """Pass frames on until the source ends."""
        source = self._source
        assert source is not None
        each_counts = self.each_frame_counts
        while not self.stopping:
            begun = time.perf_counter()
            frame = source.read()
            read_ms = 1000 * (time.perf_counter() - begun)
            self._pass_notice_on(source)
            if frame is None:
                return
            frame = self._numbered(frame)
            if not source.live and not self._going.is_set():
                frame = self._stand_still(source, frame)
            if each_counts:
                self.frames.put_when_taken(Captured(frame, self._run, read_ms))
            elif not source.live or self._going.is_set():
                self.frames.put(Captured(frame, self._run, 0.0))
            else:
                self._dropped(frame.index, frame.captured_at, "paused")

    def _stand_still(self, source: FrameSource, frame: Frame) -> Frame:
        """Hold a file's frame until it is wanted; return it as taken then."""
        begun = time.monotonic()
        while not self.stopping and not self._going.wait(_PAUSE_CHECK):
            pass
        now = time.monotonic()
        source.delay(now - begun)
        return replace(frame, captured_at=now)

    def _overtaken(self, captured: Captured) -> None:
        self._dropped(captured.frame.index, captured.frame.captured_at, "overtaken")

    def _numbered(self, frame: Frame) -> Frame:
        """Let the count go on where it was when a camera came back and begins at 0 again."""
        if self._first_index:
            frame = replace(frame, index=self._first_index + frame.index)
        self._next_index = frame.index + 1
        return frame

    def _recover(self, sentence: str) -> None:
        """Open the lost camera again and again until it is back; no other takes its place."""
        log.warning("%s", sentence)
        self._dropped(None, time.monotonic(), "camera lost")
        self.note = sentence
        self._retry_at = time.monotonic() + self._retry_seconds
        self.state = CaptureState.LOST
        self._close()
        while True:
            self._poked.wait(self.retry_in)
            self._poked.clear()
            if self.stopping:
                break
            self._retry_at = time.monotonic()
            try:
                self._open(camera=self.name)
            except Exception as error:
                log.debug("not back yet: %s", error)
                self._retry_at = time.monotonic() + self._retry_seconds
            else:
                self._dropped(None, time.monotonic(), "camera back")
                self._run += 1
                self._first_index = self._next_index
                break
        self._retry_at = None

    def _pass_notice_on(self, source: FrameSource) -> None:
        if source.notice != self._source_notice:
            self._source_notice = source.notice
            if source.notice:
                self._listener.noticed(source.notice)


def whole_spec(spec: str) -> str:
    """Return what a source was opened by, to be kept: a file's path absolute, no password."""
    if is_device(spec):
        return shown_spec(spec.strip())
    try:
        path = user_path(spec)
        return str(path.absolute()) if path.exists() else spec
    except (OSError, ValueError, UserError):
        return spec
