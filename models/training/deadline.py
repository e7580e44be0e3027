"""When a training has to end, and how it says so."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping

from models.runtime.errors import UserError


class Deadline:
    """Say whether another epoch would end too late, going by the longest so far.

    minutes: from now on, or None for no end. Raises `UserError` for what is no such number.
    """

    def __init__(self, minutes: float | None) -> None:
        if minutes is not None and not 0 < minutes < math.inf:
            raise UserError(f"expected --minutes above 0, found {minutes:g}")
        self._minutes = minutes
        self._ends = math.inf if minutes is None else time.monotonic() + 60 * minutes
        self._longest = 0.0

    def note(self, seconds: float) -> None:
        """Take note of how long an epoch took."""
        self._longest = max(self._longest, seconds)

    def recall(self, history: Iterable[Mapping[str, float]]) -> None:
        """Take note of the epochs of a training that is gone on with, from their `seconds`."""
        for entry in history:
            self.note(entry.get("seconds", 0.0))

    def over(self, epochs: int = 1) -> bool:
        """Return whether so many more epochs, each as long as the longest, end too late.

        While none is known, it cannot be said, and the first is always begun.
        """
        known = self._longest > 0
        return known and time.monotonic() + epochs * self._longest > self._ends

    def sentence(self, epoch: int, epochs: int, begun: int = 0) -> str:
        """Say that a training stopped after an epoch, of so many; begun: where it went on."""
        if epoch == begun:
            return (
                f"no epoch begun: expected --minutes for one more after {epoch} of {epochs}, each "
                f"of which took up to {self._longest / 60:.3g} minutes, found {self._minutes:g}: "
                "give more"
            )
        return (
            f"stopped after epoch {epoch} of {epochs}: another would run over "
            f"{self._minutes:g} minutes; go on with --resume"
        )


def nothing_left(epochs: int) -> str:
    """Say that a training that was to be gone on with has all its epochs."""
    return (
        f"all {epochs} epochs are done, nothing is left to train: to train on, begin with its "
        "checkpoint in another folder (--from)"
    )
