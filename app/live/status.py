"""What the engine tells of itself: its state, its speed and its notices."""

from __future__ import annotations

import logging
import statistics
import threading
import time
from collections import deque
from dataclasses import dataclass
from enum import Enum

from models.runtime.base_rates import AS_MEASURED, BaseRates
from models.runtime.errors import UserError

log = logging.getLogger(__name__)

_SPEED_WINDOW = 1.0
_SLOWEST_WINDOW = 3.0
_MOST_NOTICES = 50
_LONG_STREAK = 30
_QUIET_SECONDS = 10.0


class EngineState(Enum):
    """Name what the engine is doing."""

    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    ENDED = "ended"
    LOST = "lost"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """Hold what is shown beside the picture.

    step: what is being loaded or opened, else empty. source: the name of what plays; spec: what it
    was opened by. source_note: one sentence on why it is not the source asked for, or on how it was
    lost; else empty. error: one sentence on why nothing runs, else empty. retry_in: seconds until a
    lost camera is tried again, 0 while it is being tried, None otherwise. fps: results a second,
    latency_ms: from capture to result, median; both of about the last second. dropped: frames of
    this source that were overtaken by newer ones. failed: frames that could not be processed since
    the start. provider, model, second, finder, landmarks: those in use, empty until loaded, second
    where there is none; models as they were asked for. base_rates: how common expressions are taken
    to be. notices: sentences not yet taken.
    """

    state: EngineState
    step: str = ""
    source: str = ""
    spec: str = ""
    source_note: str = ""
    error: str = ""
    retry_in: float | None = None
    fps: float = 0.0
    latency_ms: float = 0.0
    dropped: int = 0
    failed: int = 0
    provider: str = ""
    model: str = ""
    second: str = ""
    finder: str = ""
    landmarks: str = ""
    base_rates: BaseRates = AS_MEASURED
    notices: tuple[str, ...] = ()


class Meter:
    """Measure results a second and their latency over the last moments."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._results: deque[tuple[float, float]] = deque(maxlen=1000)

    def add(self, captured_at: float) -> None:
        """Count a result that is ready now; captured_at: `time.monotonic` seconds."""
        now = time.monotonic()
        with self._lock:
            self._results.append((now, now - captured_at))

    def clear(self) -> None:
        with self._lock:
            self._results.clear()

    def read(self) -> tuple[float, float]:
        """Return (results a second, median latency in ms); zeros when there are too few."""
        now = time.monotonic()
        with self._lock:
            recent = list(self._results)
        # A folder shows one picture a second, so one window would often hold too few.
        for window in (_SPEED_WINDOW, _SLOWEST_WINDOW):
            chosen = [(when, latency) for when, latency in recent if now - when <= window]
            if len(chosen) >= 3:
                break
        if not chosen:
            return 0.0, 0.0
        span = chosen[-1][0] - chosen[0][0]
        fps = (len(chosen) - 1) / span if span > 0 else 0.0
        return fps, 1000 * statistics.median(latency for _, latency in chosen)


class Notices:
    """Collect sentences for the user until they are taken; the same one waits only once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[str] = deque(maxlen=_MOST_NOTICES)

    def add(self, sentence: str) -> None:
        log.info("%s", sentence)
        with self._lock:
            if sentence not in self._waiting:
                self._waiting.append(sentence)

    def waiting(self) -> tuple[str, ...]:
        with self._lock:
            return tuple(self._waiting)

    def take(self) -> list[str]:
        with self._lock:
            taken = list(self._waiting)
            self._waiting.clear()
        return taken


class Faults:
    """Count frames that failed, and say so without flooding: at the first, and when it goes on."""

    def __init__(self, notices: Notices) -> None:
        self._notices = notices
        self._said_at = float("-inf")
        self.count = 0
        self.streak = 0

    def add(self, error: Exception) -> None:
        self.count += 1
        self.streak += 1
        log.debug("frame failed", exc_info=error)
        reason = str(error) if isinstance(error, UserError) else _in_brief(error)
        now = time.monotonic()
        if self.streak == _LONG_STREAK:
            self._notices.add(
                f"{_LONG_STREAK} frames in a row could not be processed ({reason}); choose "
                f"another model or face finder."
            )
        elif self.streak == 1 and now - self._said_at >= _QUIET_SECONDS:
            log.warning("a frame could not be processed", exc_info=error)
            self._said_at = now
            self._notices.add(
                f"A frame could not be processed ({reason}); it was left out and the next goes on."
            )

    def clear(self) -> None:
        """Note that a frame went well."""
        self.streak = 0


def _in_brief(error: Exception) -> str:
    first_line = (str(error).strip() or "no reason given").splitlines()[0]
    return f"{type(error).__name__}: {first_line[:120]}"
