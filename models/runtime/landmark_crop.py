"""The crop that the landmark network sees, the same in training, measuring and the live program."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.runtime.sampling import sample

__all__ = ["CROP", "LOWERED", "MIRRORED", "POINTS", "WIDER", "cut"]

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

# More samples than this along a side of a pixel of the crop cost time and change nothing.
_FINEST = 2


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
