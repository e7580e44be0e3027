"""The project's own 68 landmarks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.faces.base import gray_of
from app.faces.landmarks import Fit, Limits
from app.messages import Box
from models.runtime.landmark_model import LandmarkModel, bundled_landmarks

__all__ = ["NetLandmarker"]


class NetLandmarker:
    """Fit 68 landmarks by a small network that also says how sure it is of them.

    Trained by the recipe `landmarks68`; the limits are its card's.
    """

    name = "landmarks68"

    def __init__(self, file: Path | None = None) -> None:
        """Load the network; `file` defaults to the bundled one. Raises `ModelError`."""
        self._model = LandmarkModel(file or bundled_landmarks())
        settings = self._model.card.settings
        self.limits = Limits(settings["new"], settings["followed"], settings["doubtful"])

    def fit_all(
        self,
        image: NDArray[np.uint8],
        boxes: Sequence[Box],
        *,
        sure: Sequence[bool] = (),
    ) -> list[Fit]:
        """Return a fit for each box, all in one batch; the mean of two where `sure` is left out."""
        squares = [(*box.centre, float(np.sqrt(max(box.area, 1.0)))) for box in boxes]
        points, confidences = self._model.fit(gray_of(image), squares, twice=not sure)
        return [
            Fit(fitted, float(confidence))
            for fitted, confidence in zip(points, confidences, strict=True)
        ]
