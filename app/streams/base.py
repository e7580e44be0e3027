"""What every stream shares: small samples, a thread of its own, a queue that never holds up."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from app.messages import FaceResult, FrameResult, StageTimings
from models.runtime.errors import UserError

__all__ = ["Marker", "Sample", "Sender", "Stream", "StreamError", "StreamStatus"]

log = logging.getLogger(__name__)

# Two seconds of a camera: what is older is of no use to somebody who looks at it live.
CAPACITY = 64
RETRY_SECONDS = 2.0
_CLOSE_SECONDS = 5.0


class StreamError(UserError):
    """Report a stream that cannot be switched on."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Hold what a stream sends of a frame: all but its picture, since samples wait in queues.

    captured_at, media_time, caption: as `Frame` has them. width, height: of the frame, pixels.
    """

    index: int
    captured_at: float
    media_time: float | None
    width: int
    height: int
    faces: tuple[FaceResult, ...]
    timings: StageTimings
    caption: str = ""

    @classmethod
    def of(cls, result: FrameResult) -> Sample:
        """Return the sample of a result."""
        frame = result.frame
        height, width = frame.image.shape[:2]
        return cls(
            frame.index, frame.captured_at, frame.media_time, width, height, result.faces,
            result.timings, frame.caption,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Marker:
    """Hold a moment that somebody marked.

    time: monotonic seconds, as `Frame.captured_at`. key: 1 to 9, `note`, or `lsl` for one that
    came from another program. text: may be empty.
    """

    time: float
    key: str
    text: str = ""


class Sender(Protocol):
    """Carry samples out of the program; called on the stream's thread, where it may wait.

    listeners: how many programs listen; None where that cannot be known. lost: samples that a
    listener was too slow for.
    """

    @property
    def listeners(self) -> int | None: ...

    @property
    def lost(self) -> int: ...

    def send(self, sample: Sample) -> None: ...

    def mark(self, marker: Marker) -> None: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class StreamStatus:
    """Hold how a stream stands.

    name: such as "osc". where: its address, for the screen. sent, dropped: samples; dropped ones
    came while the queue was full, the stream broken or a listener too slow. listeners: None where
    that cannot be known. error: one sentence while it is broken and tried again, else empty.
    """

    name: str
    where: str
    sent: int = 0
    dropped: int = 0
    listeners: int | None = None
    error: str = ""


class Stream:
    """Send what comes on a thread of its own, without ever making the live loop wait.

    A sender that fails is opened anew every two seconds until it works again; what comes
    meanwhile is counted as dropped.
    """

    def __init__(
        self,
        name: str,
        where: str,
        make: Callable[[], Sender],
        *,
        capacity: int = CAPACITY,
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        """Open the sender and begin. Raises the `StreamError` that `make` does."""
        self.name = name
        self._where = where
        self._make = make
        self._capacity = capacity
        self._retry_seconds = retry_seconds
        self._changed = threading.Condition()
        self._waiting: deque[Sample | Marker] = deque()
        self._closing = False
        self._sent = self._dropped = 0
        self._lost = 0  # by senders that broke off since
        self._error = ""
        self._sender: Sender | None = make()
        self._thread = threading.Thread(target=self._work, name=f"mien-stream {name}", daemon=True)
        self._thread.start()

    def write(self, result: FrameResult) -> None:
        """Take a result in; when too many wait, the oldest goes."""
        self._put(Sample.of(result))

    def mark(self, marker: Marker) -> None:
        """Send a marker after the samples that wait."""
        self._put(marker)

    def status(self) -> StreamStatus:
        """Return how it stands."""
        with self._changed:
            sender = self._sender
            return StreamStatus(
                self.name,
                self._where,
                self._sent,
                self._dropped + self._lost + (sender.lost if sender is not None else 0),
                sender.listeners if sender is not None else None,
                self._error,
            )

    def close(self) -> None:
        """Send what waits and end; may be called again. Waits for at most 5 s."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if self._thread is not threading.current_thread():
            self._thread.join(_CLOSE_SECONDS)

    def _put(self, item: Sample | Marker) -> None:
        with self._changed:
            if self._closing:
                return
            if self._sender is None:
                self._dropped += isinstance(item, Sample)
                return
            self._waiting.append(item)
            if len(self._waiting) > self._capacity:
                self._drop_one()
            self._changed.notify_all()

    def _drop_one(self) -> None:
        """Let the oldest sample go; markers are few and must arrive."""
        oldest = next((item for item in self._waiting if isinstance(item, Sample)), None)
        if oldest is None:
            self._waiting.popleft()
        else:
            self._waiting.remove(oldest)
            self._dropped += 1

    def _work(self) -> None:
        while (item := self._next()) is not None:
            sender = self._sender
            if sender is None:
                continue
            try:
                if isinstance(item, Marker):
                    sender.mark(item)
                else:
                    sender.send(item)
            except Exception as error:
                self._break_off(sender, error, lost=isinstance(item, Sample))
            else:
                with self._changed:
                    self._sent += isinstance(item, Sample)
        self._quit(self._sender)

    def _next(self) -> Sample | Marker | None:
        """Return what is to be sent next, opening the sender anew when needed; None at the end."""
        while True:
            with self._changed:
                broken = self._sender is None
                if not broken:
                    self._changed.wait_for(lambda: self._waiting or self._closing)
                    return self._waiting.popleft() if self._waiting else None
                self._changed.wait_for(lambda: self._closing, self._retry_seconds)
                if self._closing:
                    return None
            self._reopen()

    def _reopen(self) -> None:
        try:
            sender = self._make()
        except Exception as error:
            log.debug("%s is not back yet", self.name, exc_info=error)
            return
        with self._changed:
            self._sender, self._error = sender, ""

    def _break_off(self, sender: Sender, error: Exception, *, lost: bool) -> None:
        log.warning("stream %s failed", self.name, exc_info=error)
        with self._changed:
            self._sender = None
            self._lost += sender.lost
            why = str(error) or type(error).__name__
            self._error = (
                f"The stream {self.name} to {self._where} broke off ({why}); it is tried again "
                f"every {self._retry_seconds:g} s."
            )
            self._dropped += lost + sum(isinstance(item, Sample) for item in self._waiting)
            self._waiting.clear()
        self._quit(sender)

    def _quit(self, sender: Sender | None) -> None:
        if sender is None:
            return
        try:
            sender.close()
        except Exception as error:
            log.debug("closing %s failed", self.name, exc_info=error)


def monotonic_to_wall(captured_at: float) -> float:
    """Return the moment of a monotonic time as seconds since 1970, by the clock as it is now."""
    return time.time() - time.monotonic() + captured_at
