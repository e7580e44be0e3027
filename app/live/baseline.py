"""What each person's face says at rest, and how its expressions stand out from that."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.faces.alignment import template
from app.messages import Calibration, Face, Prediction, Quality
from models.runtime.base_rates import unweighted
from models.runtime.framing import anchors, similarity

__all__ = ["QUIET_SECONDS", "Baselines", "neutral_logs", "neutral_offset"]

QUIET_SECONDS = 5.0
"""How long a face has to be at rest."""

_PATIENCE = 30.0
# A frame stands for no more time than this: what lies in a gap was not seen.
_LONGEST_STEP = 0.2
# As in the card's means: one prediction that is sure to the last digit must not set the mean.
_FLOOR = 1e-3
# In nats. A neutral face may be read as another label, but five seconds are few for a label that
# is never likely: its offset would rest on the floor alone.
_MOST_OFFSET = 2.0
# Mean way of the landmarks of brows, eyes or mouth from their own average, in sides of the crop:
# on the demo actor 0.003 at rest and 0.02 or more in a change; a camera's noise adds to both.
_STILL = 0.015
_PARTS = (slice(17, 27), slice(36, 48), slice(48, 68))
_SETTLE_SECONDS = 0.7
# Share of the probability that lies elsewhere than in the seconds counted so far (total variation):
# a smile that is held is as still as a rest. Read by the default model, an expression that the demo
# actor holds wanders by 0.08 at most, and the next one differs by 0.40 to 1.
_OTHERWISE = 0.35
_LEAST_TURN = 0.5
_LEAST_QUALITY = 0.3

_SAID_SECONDS = 1.0
_GIVEN_UP = Calibration(0.0, "The face was not at rest for long enough.", given_up=True)
_LOOK = "Look into the camera."
_REST = "Rest your face: do not speak or smile."
_CHANGED = "Your face changed: rest it, from the start."
_BETTER = "Make the face easier to see first."


@dataclass(slots=True, eq=False)
class _Collecting:
    """Hold what was gathered of a face at rest so far."""

    began: float
    last: float
    since: float
    """When the stretch began that is being counted, else when the face last changed."""
    seconds: float = 0.0
    logs: NDArray[np.float64] | float = 0.0
    read: NDArray[np.float64] | float = 0.0
    lately: NDArray[np.float64] | None = None
    shape: NDArray[np.float64] | None = None
    before: str = _REST
    """What is asked for until the stretch counts."""

    def count(self, probabilities: NDArray[np.float64], step: float) -> None:
        """Take a frame in that stands for `step` seconds."""
        self.logs = self.logs + step * neutral_logs(probabilities)
        self.read = self.read + step * probabilities
        self.seconds += step

    def changed(self, probabilities: NDArray[np.float64], step: float) -> bool:
        """Say whether the face is lately read otherwise than in the seconds counted."""
        if self.lately is None:
            self.lately = probabilities
        self.lately = self.lately + min(1.0, step / _SETTLE_SECONDS) * (probabilities - self.lately)
        return self.unlike(self.lately)

    def unlike(self, probabilities: NDArray[np.float64]) -> bool:
        """Say whether probabilities are far from their mean over the seconds counted."""
        if self.seconds == 0:
            return False
        return float(np.abs(probabilities - self.read / self.seconds).sum()) / 2 > _OTHERWISE

    def begin_again(self, time: float) -> None:
        """Forget what was counted."""
        self.since, self.before = time, _CHANGED
        self.seconds = self.logs = self.read = 0.0


class Baselines:
    """Measure neutral faces and give each track its offset.

    A person's neutral face is not what a model calls neutral: resting brows look angry, resting
    lips sad. Over five quiet seconds the mean logarithm of each probability is taken; its
    difference from the same mean over many neutral faces, which the model's card holds, is the
    track's offset. Taking it off the logarithms brings this person's neutral face where the
    average neutral face is, and leaves every change of the face as large as it was.

    Normalising by the person's own neutral face is that of Baltrušaitis, Mahmoud and Robinson
    (2015, FERA at IEEE FG), there done on features by their median; on probabilities the difference
    of logarithms is Aitchison's perturbation (1982, J. R. Stat. Soc. B 44). Bounds and
    durations are ours.
    """

    def __init__(self) -> None:
        self._neutral: NDArray[np.float64] | None = None
        self._weights: NDArray[np.float64] | None = None
        self._offsets: dict[int, NDArray[np.float64]] = {}
        self._collecting: dict[int, _Collecting | None] = {}
        self._given_up: dict[int, float] = {}

    @property
    def possible(self) -> bool:
        """Say whether the model's card knows neutral faces."""
        return self._neutral is not None

    def use(
        self,
        neutral_logs: NDArray[np.float64] | None,
        weights: NDArray[np.float64] | None = None,
    ) -> None:
        """Go by another model from now on: (C,) mean logarithms of its neutral faces, or None.

        weights: (C,) by which its own probabilities are multiplied for other base rates, None where
        they are not. All tracks' neutral faces are forgotten, since another model reads them
        otherwise.
        """
        self._neutral, self._weights = neutral_logs, weights
        self.clear()

    def begin(self, track_id: int) -> None:
        """Measure this track's neutral face from its next frame on; an older one stays till then.

        Does nothing where the model's card knows no neutral faces.
        """
        if self.possible:
            self._collecting[track_id] = None
            self._given_up.pop(track_id, None)

    def reset(self, track_id: int) -> None:
        """Forget this track's neutral face and any measuring of it."""
        for known in (self._offsets, self._collecting, self._given_up):
            known.pop(track_id, None)

    def clear(self) -> None:
        """Forget all tracks."""
        for known in (self._offsets, self._collecting, self._given_up):
            known.clear()

    def keep(self, track_ids: Collection[int]) -> None:
        """Forget all tracks but these."""
        for known in (self._offsets, self._collecting, self._given_up):
            for track_id in [each for each in known if each not in track_ids]:
                del known[track_id]

    def offset(self, track_id: int) -> NDArray[np.float64] | None:
        """Return what a track's neutral face adds to the logarithms (C,), None if unmeasured."""
        return self._offsets.get(track_id)

    def watch(
        self, face: Face, prediction: Prediction, quality: Quality | None, time: float
    ) -> Calibration | None:
        """Take in a frame of a face and return how its measuring stands, None if it is not on.

        time: seconds. Frames on which the face moves, is turned or hard to see do not count; a
        face that is read otherwise from some moment on, as when a smile is held, begins anew. It
        ends with the measure, or without one when too few came in half a minute of being seen.
        """
        track_id = face.track_id
        if track_id is None or track_id not in self._collecting:
            gave_up = self._given_up.get(track_id or 0, -math.inf)
            return _GIVEN_UP if 0 <= time - gave_up < _SAID_SECONDS else None
        now = self._collecting[track_id]
        if now is None or time < now.last:
            now = self._collecting[track_id] = _Collecting(began=time, last=time, since=time)
        elapsed = time - now.last
        step, now.last = min(elapsed, _LONGEST_STEP), time
        now.began += elapsed - step
        # The card's neutral faces were read without other base rates. The offset suits both.
        read = unweighted(prediction.probabilities, self._weights)
        if now.changed(read, step):
            now.begin_again(time)
        note = _what_disturbs(now, face, quality, time, step)
        if not note and not now.unlike(read):
            now.count(read, step)
        if now.seconds >= QUIET_SECONDS:
            self._settle(track_id, now)
            return None
        if time - now.began > _PATIENCE:
            del self._collecting[track_id]
            self._given_up[track_id] = time
            return _GIVEN_UP
        return Calibration(now.seconds / QUIET_SECONDS, note)

    def _settle(self, track_id: int, found: _Collecting) -> None:
        assert self._neutral is not None
        mean = np.asarray(found.logs / found.seconds)
        self._offsets[track_id] = neutral_offset(mean, self._neutral)
        del self._collecting[track_id]


def neutral_logs(probabilities: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the logarithms of which a neutral face's mean is made; shape as given."""
    return np.log(np.maximum(probabilities.astype(np.float64), _FLOOR))


def neutral_offset(mean: NDArray[np.float64], usual: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what a neutral face adds to the logarithms (C,).

    mean: (C,) of `neutral_logs` over the quiet seconds. usual: (C,) the same over the neutral faces
    of the model's card.
    """
    return np.clip(mean - usual, -_MOST_OFFSET, _MOST_OFFSET)


def _what_disturbs(
    now: _Collecting, face: Face, quality: Quality | None, time: float, step: float
) -> str:
    """Return what to do before this frame counts, empty when it does."""
    moved = _movement(now, face, step)
    if quality is not None:
        if quality.turn < _LEAST_TURN:
            return _LOOK
        if quality.overall < _LEAST_QUALITY:
            return quality.advice or _BETTER
    if moved > _STILL:
        return _REST
    return now.before if time - now.since < _SETTLE_SECONDS else ""


def _movement(now: _Collecting, face: Face, step: float) -> float:
    """Return how far brows, eyes or mouth are from their running average, in sides of the crop."""
    if face.landmarks is None:
        return 0.0
    to_crop = similarity(anchors(face.landmarks), template(1))
    shape = face.landmarks @ to_crop[:, :2].T + to_crop[:, 2]
    if now.shape is None or now.shape.shape != shape.shape:
        now.shape = shape
        return 0.0
    ways = np.sqrt(((shape - now.shape) ** 2).sum(1))
    way = max(float(ways[part].mean()) for part in (_PARTS if len(ways) == 68 else (slice(None),)))
    now.shape = now.shape + min(1.0, step / _SETTLE_SECONDS) * (shape - now.shape)
    return way
