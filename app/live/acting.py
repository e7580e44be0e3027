"""Triggers at work: what fires at a frame is done at once, or handed to the thread for calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from app.live.calls import Caller
from app.live.triggers import Fired, Trigger, Triggers
from app.messages import FrameResult
from app.streams.base import monotonic_to_wall

__all__ = ["Acting", "TriggerStatus"]


@dataclass(frozen=True, slots=True)
class TriggerStatus:
    """Hold how a trigger stands. problem: why its last call failed, else empty."""

    fired: int
    problem: str = ""


class Acting:
    """Be a listener of the engine that does what triggers say; it never waits."""

    def __init__(
        self, mark: Callable[[str, str, float], object], caller: Caller | None = None
    ) -> None:
        """Begin without a trigger.

        mark: takes key, text and monotonic seconds of a marker, on the engine's thread, so that
        none comes after the end of the recording that it belongs to.
        """
        self._mark = mark
        self._triggers = Triggers()
        self.calls = caller or Caller()

    @property
    def in_use(self) -> tuple[Trigger, ...]:
        """Return the triggers that are waited for."""
        return self._triggers.in_use

    def use(self, triggers: Iterable[Trigger]) -> None:
        """Wait for these from now on."""
        self._triggers.use(triggers)

    def write(self, result: FrameResult) -> None:
        """Take the next frame in."""
        for fired in self._triggers.look(result):
            self._act(fired)

    def statuses(self) -> dict[Trigger, TriggerStatus]:
        """Return how each stands."""
        problems = self.calls.status().problems
        return {
            trigger: TriggerStatus(times, problems.get(trigger.address, "") if times else "")
            for trigger, times in self._triggers.times_fired().items()
        }

    def close(self) -> None:
        """Wait for nothing more, and for at most 3 s for the calls."""
        self._triggers.use(())
        self.calls.close()

    def _act(self, fired: Fired) -> None:
        marker = fired.trigger.marker
        if marker is not None:
            self._mark(*marker, fired.captured_at)
        else:
            self.calls.call(fired.trigger.address, _values(fired))


def _values(fired: Fired) -> dict[str, Any]:
    """Return what an address is told: no picture, and nothing of who it is."""
    confidence = fired.confidence
    return {
        "trigger": fired.trigger.condition,
        "label": fired.trigger.when,
        "face_id": fired.track_id,
        "confidence": None if confidence is None else round(confidence, 4),
        "time": round(monotonic_to_wall(fired.captured_at), 3),
    }
