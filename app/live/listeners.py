"""Who else hears of every result and of every frame that was passed over."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable

from app.live.capture import Capture, Dropped
from app.messages import FrameResult

log = logging.getLogger(__name__)

_MOST_EARLY = 1000


class Listeners:
    """Pass on results and dropped frames, and number what they come from."""

    def __init__(self, say: Callable[[str], None]) -> None:
        """Begin with none. say: takes every sentence for the user."""
        self._say = say
        self._lock = threading.Lock()
        # Replaced whole, never changed: they are walked through without a lock.
        self._on_result: tuple[Callable[[FrameResult], None], ...] = ()
        self._on_drop: tuple[Dropped, ...] = ()
        self._generation = 0
        # What a source dropped before its first result: it belongs to what begins with that.
        self._playing: Capture | None = None
        self._early: deque[tuple[Capture, int | None, float, str]] = deque(maxlen=_MOST_EARLY)

    @property
    def generation(self) -> int:
        """Return a number that grows with every change of source, model or finder."""
        return self._generation

    def add(self, listener: Callable[[FrameResult], None]) -> None:
        with self._lock:
            self._on_result = (*self._on_result, listener)

    def remove(self, listener: Callable[[FrameResult], None]) -> None:
        with self._lock:
            self._on_result = tuple(each for each in self._on_result if each != listener)

    def add_for_drops(self, listener: Dropped) -> None:
        with self._lock:
            self._on_drop = (*self._on_drop, listener)

    def remove_for_drops(self, listener: Dropped) -> None:
        with self._lock:
            self._on_drop = tuple(each for each in self._on_drop if each != listener)

    def tell(self, result: FrameResult) -> None:
        """Pass on a result."""
        for listener in self._on_result:
            self._call(listener, result)

    def tell_dropped(self, index: int | None, time: float, reason: str) -> None:
        """Pass on a frame that has no result."""
        for listener in self._on_drop:
            self._call(listener, index, time, reason)

    def _call(self, listener: Callable[..., None], *told: object) -> None:
        """Call a listener; what it raises is logged and said, and the others go on."""
        try:
            listener(*told)
        except Exception as error:
            log.debug("a listener failed", exc_info=error)
            self._say(
                f"Recording, a stream or a trigger failed at a frame ({type(error).__name__}: "
                f"{error}); the picture goes on, switch it off and on again."
            )

    def note_change(self) -> None:
        """Note that the next result comes from another model or finder."""
        with self._lock:
            self._generation += 1

    def begin(self, capture: Capture) -> None:
        """Note that the next result comes from another source."""
        with self._lock:
            self._generation += 1
            self._playing = capture
            early = [drop for drop in self._early if drop[0] is capture]
            self._early.clear()
        for _, index, time, reason in early:
            self.tell_dropped(index, time, reason)

    def drop_of(self, capture: Capture, index: int | None, time: float, reason: str) -> None:
        """Pass on a frame that a source dropped, once that source is the one that plays."""
        with self._lock:
            if capture is not self._playing:
                self._early.append((capture, index, time, reason))
                return
        self.tell_dropped(index, time, reason)
