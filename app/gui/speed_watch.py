"""Whether the machine keeps up: which share of the frames it skips, and whether it is slow."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from app.gui.menus import FINDER_NAMES
from app.live.engine import EngineState, EngineStatus

_QUICKEST = "mien-quick"
_SLOW_MS = 250.0
_SLOW_SECONDS = 5.0
_SLOW = (
    "This computer is slow at this: {latency:.0f} ms from the camera to the result. Fewer "
    "overlays{finder} may help."
)


_SKIP_SECONDS = 5.0
# Shorter ones would make much of a single frame.
_LEAST_SECONDS = 2.0


class Skips:
    """Measure which share of the frames was passed over during the last seconds."""

    def __init__(self) -> None:
        # When it was, and how many frames had been passed over, and about how many read, by then.
        self._seen: deque[tuple[float, int, float]] = deque()

    @property
    def share(self) -> float:
        """Return the share, 0 to 1; 0 where it is not known yet."""
        if not self._seen or self._seen[-1][0] - self._seen[0][0] < _LEAST_SECONDS:
            return 0.0
        (_, before, begun), (_, dropped, read) = self._seen[0], self._seen[-1]
        skipped = dropped - before
        return skipped / (skipped + read - begun) if skipped else 0.0

    def look(self, status: EngineStatus, now: float) -> None:
        """Take note of how things stand. now: `time.monotonic` seconds."""
        seen = self._seen
        if status.state is not EngineState.RUNNING or (seen and status.dropped < seen[-1][1]):
            seen.clear()
            return
        read = seen[-1][2] + status.fps * (now - seen[-1][0]) if seen else 0.0
        seen.append((now, status.dropped, read))
        while now - seen[0][0] > _SKIP_SECONDS:
            seen.popleft()


class SpeedWatch:
    """Say once that the machine is slow. say: takes the sentence."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._quick_at = time.monotonic()
        self._said = False

    def look(self, status: EngineStatus, *, shown: bool) -> None:
        """Look at how things stand. shown: somebody sees the picture, which costs time, too."""
        now = time.monotonic()
        slow = status.state is EngineState.RUNNING and status.latency_ms > _SLOW_MS
        if not slow or not shown:
            self._quick_at = now
        elif now - self._quick_at > _SLOW_SECONDS and not self._said:
            self._said = True
            quicker = status.finder != _QUICKEST
            finder = f" or the finder “{FINDER_NAMES[_QUICKEST]}”" if quicker else ""
            self._say(_SLOW.format(latency=status.latency_ms, finder=finder))
