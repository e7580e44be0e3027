"""An eye on one point of the screen, for the benchmarks beside it."""

from __future__ import annotations

import threading
import time

import mss

_WHITE = 200


class Eye(threading.Thread):
    """Read one point of a screen and remember when it turned white, monotonic s.

    onsets: these moments. looks: how often it was read. Set `done` and join it to end.
    """

    def __init__(self, x: int, y: int, rest: float = 0.0) -> None:
        """Prepare. x, y: pixels of the screen. rest: seconds between two looks."""
        super().__init__(daemon=True)
        self.onsets: list[float] = []
        self.looks = 0
        self.done = False
        self._place = {"left": x, "top": y, "width": 1, "height": 1}
        self._rest = rest

    def run(self) -> None:
        white = False
        with mss.MSS() as screen:
            while not self.done:
                before = time.monotonic()
                bright = min(screen.grab(self._place).pixel(0, 0)) > _WHITE
                if bright and not white:
                    self.onsets.append((before + time.monotonic()) / 2)
                white = bright
                self.looks += 1
                if self._rest:
                    time.sleep(self._rest)
