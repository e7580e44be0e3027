"""The crop that the landmark network sees, the same in training, measuring and the live program."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.runtime.card import FER2013_SIDE
from models.runtime.preprocess import FER2013_EYES, FER2013_MOUTH
from models.runtime.sampling import sample

__all__ = ["CROP", "LOWERED", "MIRRORED", "POINTS", "WIDER", "anchors_of", "cut", "square_of"]

POINTS = 68
CROP = 64
"""Side of the crop in pixels."""

WIDER = 1.5
LOWERED = 0.1
"""Side of the crop, and how much lower its middle lies, in sides of FER2013's square."""

MIRRORED = (
    *range(16, -1, -1),
    *range(26, 16, -1),
    *range(27, 31),
    *range(35, 30, -1),
    *(45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40),
    *range(54, 47, -1),
    *range(59, 54, -1),
    *range(64, 59, -1),
    *range(67, 64, -1),
)
"""The landmark that each one becomes in a mirrored face."""

_TEMPLATE = np.array([*FER2013_EYES, FER2013_MOUTH])
# More samples than this along a side of a pixel of the crop cost time and change nothing.
_FINEST = 2


def anchors_of(points: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the middles of both eyes, left in the picture first, and of the mouth: (3, 2).

    points: (68, 2) in the iBUG order, or (5, 2): eyes, nose tip, corners of the mouth.
    """
    if len(points) == POINTS:
        middles = points[36:42].mean(0), points[42:48].mean(0), points[48:68].mean(0)
    else:
        middles = points[0], points[1], (points[3] + points[4]) / 2
    return np.array(middles, np.float64)


def square_of(points: NDArray[np.float32]) -> tuple[float, float, float]:
    """Return the middle x, y and the side of the upright square FER2013 would have cut.

    points: as `anchors_of` takes them, in any unit; the square is in the same.
    """
    anchors = anchors_of(points)
    mean, template_mean = anchors.mean(0), _TEMPLATE.mean(0)
    a, b = (_TEMPLATE - template_mean) @ (1, 1j), (anchors - mean) @ (1, 1j)
    turn = np.vdot(a, b) / np.vdot(a, a).real
    # The middle of 48 pixels whose middles are whole numbers.
    away = np.full(2, (FER2013_SIDE - 1) / 2) - template_mean
    middle = turn * complex(*away)
    return mean[0] + middle.real, mean[1] + middle.imag, FER2013_SIDE * abs(turn)


def cut(
    gray: NDArray[np.uint8],
    middle: tuple[float, float],
    side: float,
    size: int = CROP,
    *,
    finest: int = _FINEST,
) -> NDArray[np.uint8]:
    """Return an upright square of a picture, drawn at (size, size) pixels.

    gray: (H, W) uint8. middle, side: of the square in pixels, the corner of the picture being
    0, 0. What lies outside the picture repeats its edge.
    """
    step = max(side, 1e-3) / size
    left, top = (place - side / 2 + step / 2 - 0.5 for place in middle)
    return sample(gray, np.array([[step, 0.0, left], [0.0, step, top]]), size, finest)
