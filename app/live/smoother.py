"""Steady the probabilities and the label of each track."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.messages import Prediction

__all__ = ["Smoothed", "Smoother"]

# One frame of a sure network must not outvote a second of others.
_FLOOR = 1e-4
# An unsure face needs so much more than the threshold to be sure again.
_SURER = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Smoothed:
    """Hold what is shown of a track.

    probabilities: (C,) float32, sums to 1. corrected: (C,) float32, the same relative to the
    track's neutral face, None without one. label: the decision. confidence: its probability, of
    the corrected ones where they are there. unsure: whether that is too little to name the label.
    """

    probabilities: NDArray[np.float32]
    label: str
    confidence: float
    corrected: NDArray[np.float32] | None = None
    unsure: bool = False


@dataclass(slots=True, eq=False)
class _Memory:
    log_probabilities: NDArray[np.float64]
    labels: tuple[str, ...]
    time: float
    label: int
    challenger: int | None = None
    leads_since: float = 0.0
    unsure: bool | None = None


class Smoother:
    """Average each track's log-probabilities over time and hold its label until clearly beaten.

    The average is exponential with a time constant, so the frame rate does not matter; of
    logarithms, so it is the normalised geometric mean: frames on which the network hesitates
    weigh little. The label gives way at once to one that leads by `margin`, and to one that has
    itself led for `patience`. Below `unsure_below` the face is unsure: its label goes on being
    decided, but is not to be named before its probability is a little higher again.
    """

    def __init__(
        self, time_constant: float = 0.25, *, margin: float = 0.1, patience: float = 0.4
    ) -> None:
        """Set the time constant (s; 0 switches averaging off), margin (0-1) and patience (s)."""
        self._time_constant = time_constant
        self._margin = margin
        self._patience = patience
        self.unsure_below = 0.0
        """The confidence that a label needs to be named, 0 for none: the model's own."""
        self._memories: dict[int, _Memory] = {}

    def update(
        self,
        track_id: int,
        prediction: Prediction,
        time: float,
        offset: NDArray[np.float64] | None = None,
    ) -> Smoothed:
        """Take in what the network says of a track at `time` (s) and return what to show.

        offset: (C,), what the track's neutral face adds to the logarithms; it is taken off again.
        """
        logs = np.log(np.maximum(prediction.probabilities.astype(np.float64), _FLOOR))
        memory = self._memories.get(track_id)
        if memory is None or memory.labels != prediction.labels:
            first = logs if offset is None else logs - offset
            memory = _Memory(logs, prediction.labels, time, int(first.argmax()))
            self._memories[track_id] = memory
        else:
            weight = self._weight(time - memory.time)
            memory.log_probabilities += weight * (logs - memory.log_probabilities)
            memory.time = time
        probabilities = _normalised(memory.log_probabilities)
        corrected = None if offset is None else _normalised(memory.log_probabilities - offset)
        decisive = probabilities if corrected is None else corrected
        self._decide(memory, decisive, time)
        confidence = float(decisive[memory.label])
        self._doubt(memory, confidence)
        return Smoothed(
            probabilities.astype(np.float32),
            memory.labels[memory.label],
            confidence,
            None if corrected is None else corrected.astype(np.float32),
            bool(memory.unsure),
        )

    def keep(self, track_ids: Collection[int]) -> None:
        """Forget all tracks but these."""
        self._memories = {key: self._memories[key] for key in self._memories if key in track_ids}

    def reset(self) -> None:
        """Forget all tracks."""
        self._memories.clear()

    def _weight(self, elapsed: float) -> float:
        if self._time_constant <= 0:
            return 1.0
        return -math.expm1(-max(0.0, elapsed) / self._time_constant)

    def _decide(self, memory: _Memory, probabilities: NDArray[np.float64], time: float) -> None:
        best = int(probabilities.argmax())
        if best == memory.label:
            memory.challenger = None
            return
        if memory.challenger != best:
            memory.challenger, memory.leads_since = best, time
        leads = probabilities[best] - probabilities[memory.label] >= self._margin
        if leads or time - memory.leads_since >= self._patience:
            memory.label, memory.challenger = best, None

    def _doubt(self, memory: _Memory, confidence: float) -> None:
        needed = self.unsure_below
        if memory.unsure:  # so that it does not flicker at the threshold
            needed = min(needed + _SURER, (1 + needed) / 2)
        # A threshold of 1 says that even the surest are too often wrong.
        memory.unsure = confidence < needed or self.unsure_below >= 1


def _normalised(logs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the probabilities (C,) with these logarithms up to a constant."""
    values = np.exp(logs - logs.max())
    normalised: NDArray[np.float64] = values / values.sum()
    return normalised
