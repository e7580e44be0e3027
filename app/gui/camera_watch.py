"""Which cameras there are, asked aside again and again: some systems take their time to answer."""

from __future__ import annotations

from collections.abc import Callable

from app.gui.jobs import Jobs
from app.sources import CameraInfo

_SECONDS = 2.0


class CameraWatch:
    """Ask every two seconds, but never before the last answer: each asking keeps a thread."""

    def __init__(
        self,
        jobs: Jobs,
        ask: Callable[[], list[CameraInfo]],
        tell: Callable[[list[CameraInfo]], None],
        warn: Callable[[str], None],
    ) -> None:
        """Take what is needed. ask: may take a while. tell: takes the answer, warn: a sentence."""
        self._jobs = jobs
        self._ask = ask
        self._tell = tell
        self._warn = warn
        self._asked_at = float("-inf")
        self._asking = False

    def tick(self, now: float) -> None:
        """Ask when it is time to. now: `time.monotonic` seconds."""
        if now - self._asked_at >= _SECONDS:
            self._asked_at = now
            self.ask()

    def ask(self) -> None:
        """Ask now; the answer comes a little later."""
        if not self._asking:
            self._asking = True
            self._jobs.submit(self._ask, self._take, self._give_up)

    def _take(self, cameras: list[CameraInfo]) -> None:
        self._asking = False
        self._tell(cameras)

    def _give_up(self, sentence: str) -> None:
        self._asking = False
        self._warn(sentence)
