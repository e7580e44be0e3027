"""What is remembered of each face as one model reads it: its averages and its neutral face."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from app.live.baseline import Baselines
from app.live.smoother import Smoothed, Smoother
from app.messages import Calibration, Face, Prediction, Quality

__all__ = ["Memory"]


class Memory:
    """Steady what a model says of every track, relative to its neutral face if there is one."""

    def __init__(self, time_constant: float) -> None:
        """Begin with no model. time_constant: of the smoothing, seconds."""
        self._smoother = Smoother(time_constant)
        self.baselines = Baselines()

    def use(self, classifier: Any) -> None:
        """Go by a model from now on, None for none: averages and neutral faces begin anew.

        What unsure and neutral mean to it is on its card, where it has one.
        """
        self._smoother.reset()
        self._smoother.unsure_below = getattr(classifier, "unsure_below", 0.0)
        self.baselines.use(
            getattr(classifier, "neutral_logs", None), getattr(classifier, "rate_weights", None)
        )

    def reset(self) -> None:
        """Forget all tracks."""
        self._smoother.reset()
        self.baselines.clear()

    def keep(self, present: Collection[int], known: Collection[int]) -> None:
        """Forget all tracks but these: present counts for averages, known for neutral faces.

        The neutral face of somebody who turned away is theirs when they come back.
        """
        self._smoother.keep(present)
        self.baselines.keep(known)

    def update(
        self, face: Face, prediction: Prediction, quality: Quality, time: float
    ) -> tuple[Smoothed, Calibration | None]:
        """Take in a tracked face at `time` (s); return what to show and how measuring stands."""
        assert face.track_id is not None
        calibration = self.baselines.watch(face, prediction, quality, time)
        offset = self.baselines.offset(face.track_id)
        return self._smoother.update(face.track_id, prediction, time, offset), calibration
