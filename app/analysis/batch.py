"""A batch of inputs on its way: what is done, what is left, and how long that will take."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from app.analysis.job import STOPPED, Job, Outcome, Progress
from app.analysis.workers import Tell
from models.runtime.errors import UserError

log = logging.getLogger(__name__)

WAITING, RUNNING = "waiting", "running"
Run = Callable[[Sequence[Job], Tell, threading.Event], None]

# What is left takes as long as the last half minute says: files differ, and so do machines.
_SPEED_SECONDS = 30.0
_FIRST_ESTIMATE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class FileState:
    """Hold how it goes with one input.

    status: `WAITING`, `RUNNING`, or that of its outcome. frames: read so far. outcome: when there
    is one.
    """

    job: Job
    status: str = WAITING
    frames: int = 0
    outcome: Outcome | None = None

    @property
    def share(self) -> float | None:
        """Return how much of it is done, 0 to 1; None while nobody can say."""
        if self.status not in (WAITING, RUNNING, STOPPED):
            return 1.0
        total = self.job.source.frames
        return min(1.0, self.frames / total) if total else None


@dataclass(frozen=True, slots=True)
class BatchState:
    """Hold how it goes as a whole.

    speed: frames read a second of late, all workers together. seconds_left: None while nobody can
    say, as at the beginning or with a video whose header tells no length. error: one sentence on
    why nothing went on, else empty. stopping: the user asked for it, and workers still end.
    """

    files: tuple[FileState, ...]
    speed: float = 0.0
    seconds_left: float | None = None
    error: str = ""
    running: bool = False
    stopping: bool = False

    @property
    def share(self) -> float:
        """Return how much is done, 0 to 1: of all frames, or of the files when those differ."""
        totals = [file.job.source.frames for file in self.files]
        if not self.files:
            return 0.0
        if any(total is None for total in totals):
            return sum(file.share or 0.0 for file in self.files) / len(self.files)
        done = sum((file.share or 0.0) * (file.job.source.frames or 1) for file in self.files)
        return done / sum(total or 1 for total in totals)

    def count(self, *statuses: str) -> int:
        return sum(file.status in statuses for file in self.files)


class Batch:
    """Run jobs on a thread of its own; `state` may be asked for at any time."""

    def __init__(self, jobs: Sequence[Job], run: Run) -> None:
        """Prepare; `start` begins. run: as `run_in_processes`, with its number of workers set."""
        self._jobs = tuple(jobs)
        self._run = run
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._files = [FileState(job) for job in self._jobs]
        self._places = {job.number: place for place, job in enumerate(self._jobs)}
        self._read = 0
        self._marks: deque[tuple[float, int]] = deque()
        self._error = ""
        # Waited for in place of the thread: before Python 3.13, Ctrl-C in `Thread.join` makes a
        # thread that still runs count as ended (bpo-45274).
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, name="mien-batch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Give up what runs and begin nothing more; returns at once."""
        self._stop.set()

    def wait(self, seconds: float) -> bool:
        """Wait for the end, at most so long; return whether it has come."""
        return self._ended.wait(seconds)

    def state(self) -> BatchState:
        """Return how it goes now."""
        with self._lock:
            files = tuple(self._files)
            speed = self._speed()
        left = _frames_left(files)
        known = left is not None and speed > 0
        return BatchState(
            files=files,
            speed=speed,
            seconds_left=left / speed if known and left is not None else None,
            error=self._error,
            running=not self._ended.is_set(),
            stopping=self._stop.is_set() and not self._ended.is_set(),
        )

    def _work(self) -> None:
        try:
            self._work_off()
        finally:
            self._ended.set()

    def _work_off(self) -> None:
        try:
            self._run(self._jobs, self._hear, self._stop)
        except UserError as error:
            self._error = str(error)
        except Exception as error:
            log.exception("the batch failed")
            self._error = f"The batch ended unexpectedly ({type(error).__name__}: {error})."
        with self._lock:
            self._files = [
                file
                if file.outcome
                else replace(file, status=STOPPED, outcome=Outcome(file.job.number, STOPPED))
                for file in self._files
            ]

    def _hear(self, message: Progress | Outcome) -> None:
        with self._lock:
            place = self._places[message.number]
            file = self._files[place]
            if isinstance(message, Outcome):
                self._files[place] = replace(file, status=message.status, outcome=message)
            elif file.outcome is None:
                self._read += message.frames - file.frames
                self._files[place] = replace(file, status=RUNNING, frames=message.frames)
                self._marks.append((time.monotonic(), self._read))
                while self._marks[-1][0] - self._marks[0][0] > _SPEED_SECONDS:
                    self._marks.popleft()

    def _speed(self) -> float:
        """Return frames a second over the last half minute, 0 while it is too early to say."""
        if not self._marks:
            return 0.0
        (begun, before), (_, now) = self._marks[0], self._marks[-1]
        elapsed = time.monotonic() - begun
        return (now - before) / elapsed if elapsed >= _FIRST_ESTIMATE_SECONDS else 0.0


def _frames_left(files: Sequence[FileState]) -> int | None:
    left = 0
    for file in files:
        if file.outcome is None:
            if file.job.source.frames is None:
                return None
            left += max(0, file.job.source.frames - file.frames)
    return left
