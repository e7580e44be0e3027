"""A second model beside the first: its word on the same faces of the same frames."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from app.faces.alignment import Alignment, align
from app.live.memory import Memory
from app.messages import Face, Prediction, Quality, SecondWord
from models.runtime.prediction import Classifier

__all__ = ["SecondModel"]


_PATIENCE = 3

log = logging.getLogger(__name__)


class SecondModel:
    """Read the faces that the first model reads, with a memory of its own.

    Both are smoothed alike, and a neutral face is measured for both at once. What fails here never
    costs the first model's word: after some failures in a row the model is no longer asked.
    """

    def __init__(self, time_constant: float) -> None:
        """Begin without a model. time_constant: of the smoothing, seconds."""
        self._classifier: Classifier | None = None
        self._name = ""
        self._failed: Callable[[str], None] = log.warning
        self._streak = 0
        self._memory = Memory(time_constant)

    def use(
        self, classifier: Classifier | None, name: str, failed: Callable[[str], None] = log.warning
    ) -> None:
        """Read with this model from the next frame on, or with none.

        failed: takes why it is no longer asked, on the thread that reads.
        """
        self._classifier, self._name, self._failed = classifier, name, failed
        self._streak = 0
        self._memory.use(classifier)

    def forget_baselines(self) -> None:
        """Forget all neutral faces, as when the first model has none any more."""
        self._memory.baselines.clear()

    def calibrate(self, track_id: int) -> None:
        """Measure a track's neutral face, as this model reads it."""
        self._memory.baselines.begin(track_id)

    def forget_baseline(self, track_id: int) -> None:
        """Forget a track's neutral face, or stop measuring it."""
        self._memory.baselines.reset(track_id)

    def reset(self) -> None:
        """Forget all faces."""
        self._memory.reset()

    def keep(self, present: Collection[int], known: Collection[int]) -> None:
        """Forget all tracks but these: present counts for averages, known for neutral faces."""
        self._memory.keep(present, known)

    def read(
        self,
        gray: NDArray[np.uint8],
        faces: Sequence[Face],
        cut: Sequence[Alignment],
        first: Classifier,
        qualities: Sequence[Quality],
        time: float,
    ) -> list[SecondWord | None]:
        """Return this model's word on each face, None for all while there is no model.

        gray: (H, W) uint8. cut: the faces as `first` sees them, which need no second cutting where
        both models look at the same part in the same size. time: seconds.
        """
        model = self._classifier
        if model is None or not faces:
            return [None] * len(faces)
        size, field = model.input_size, model.input_field
        try:
            if (size, field) != (first.input_size, first.input_field):
                cut = [align(gray, face, size, field=field) for face in faces]
            predictions = model.classify([each.crop for each in cut])
        except Exception as error:
            self._fail(error)
            return [None] * len(faces)
        self._streak = 0
        return [
            self._word(face, prediction, quality, time)
            for face, prediction, quality in zip(faces, predictions, qualities, strict=True)
        ]

    def _fail(self, error: Exception) -> None:
        log.warning("the second model failed", exc_info=error)
        self._streak += 1
        if self._streak >= _PATIENCE:
            failed = self._failed
            self.use(None, "")
            failed(f"{type(error).__name__}: {error}")

    def _word(
        self, face: Face, prediction: Prediction, quality: Quality, time: float
    ) -> SecondWord:
        shown, _ = self._memory.update(face, prediction, quality, time)
        return SecondWord(
            model=self._name,
            labels=prediction.labels,
            probabilities=shown.probabilities if shown.corrected is None else shown.corrected,
            label=shown.label,
            confidence=shown.confidence,
            unsure=shown.unsure,
            corrected=shown.corrected is not None,
        )
