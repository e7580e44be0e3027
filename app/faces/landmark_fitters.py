"""dlib's landmarks as `fer-evaluate landmarks68` measures them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from app.faces.base import square
from app.faces.landmarks_dlib import DlibLandmarker

__all__ = ["dlib_once", "dlib_twice"]

Fitter = Callable[
    [NDArray[np.uint8], Sequence[tuple[float, float, float]]],
    tuple[NDArray[np.float32], NDArray[np.float32]],
]


def dlib_once() -> Fitter:
    """Return dlib as it follows a face that has convinced: one fit."""
    return _fitter(sure=True)


def dlib_twice() -> Fitter:
    """Return dlib as it judges a face: the mean of two fits."""
    return _fitter(sure=False)


def _fitter(*, sure: bool) -> Fitter:
    landmarker = DlibLandmarker()

    def fit(
        gray: NDArray[np.uint8], squares: Sequence[tuple[float, float, float]]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        boxes = [square(*each) for each in squares]
        fits = landmarker.fit_all(gray, boxes, sure=[sure] * len(boxes))
        points = np.stack([fitted.points for fitted in fits])
        return points, np.array([fitted.confidence for fitted in fits], np.float32)

    return fit
