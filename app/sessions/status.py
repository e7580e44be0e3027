"""When a recording began and how it stands: what is known of it without writing tables."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Self

LEAST_FREE = 64 * 1024 * 1024
"""Bytes on the disk below which nothing is recorded."""

NOT_PASSED_OVER = frozenset({"video queue full", "camera lost", "camera back"})
"""Reasons in the ledger of what was dropped for which no frame lacks its row."""


def not_begun(error: Exception) -> str:
    """Return what is said of a recording that a defect keeps from beginning."""
    why = str(error) or type(error).__name__
    return f"The recording could not begin ({why}); try again with another name, folder or source."


@dataclass(frozen=True, slots=True)
class Clock:
    """Say when a session starts: the same moment on two clocks.

    monotonic: seconds as `Frame.captured_at` has them. wall: seconds since 1970.
    """

    monotonic: float
    wall: float

    @classmethod
    def now(cls) -> Self:
        return cls(time.monotonic(), time.time())


@dataclass(frozen=True, slots=True)
class WriterStatus:
    """Hold how a recording stands.

    frames, rows: on the disk or waiting for it. dropped: lines of the ledger by reason. bytes: on
    the disk. free: bytes left on the disk when the writer last looked, 0 before it did.
    seconds: since the start. finished: everything is in its final form, or was given up. error:
    one sentence on why the recording stopped by itself, else empty.
    """

    frames: int = 0
    rows: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    bytes: int = 0
    free: int = 0
    seconds: float = 0.0
    finished: bool = False
    error: str = ""

    @property
    def passed_over(self) -> int:
        """Return how many frames have no row although nobody had paused."""
        meant = {*NOT_PASSED_OVER, "paused"}
        return sum(count for reason, count in self.dropped.items() if reason not in meant)
