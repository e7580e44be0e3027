"""Whether the machine keeps up: said once, when it has not for a while."""

from __future__ import annotations

import time
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
