"""How FER2013 frames a face, and the similarity that brings another face there."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.runtime.card import FER2013_SIDE

__all__ = ["EYES", "MOUTH", "TEMPLATE", "Points", "anchors", "similarity", "square_of"]

Points = NDArray[np.float32] | NDArray[np.float64]

EYES = ((15.0, 18.9), (32.7, 18.8))
"""Where the centres of the eyes lie in FER2013's 48 pixels, (x, y), left in the picture first: the
medians over its pictures."""
MOUTH = (24.0, 38.0)
"""Where the middle of the mouth lies there, (x, y)."""
TEMPLATE = np.array([*EYES, MOUTH])
"""All three, (3, 2)."""


def _means(count: int, *parts: Sequence[int]) -> NDArray[np.float64]:
    """Return the matrix (parts, count) that takes points to the middles of some of them."""
    weights = np.zeros((len(parts), count))
    for row, part in zip(weights, parts, strict=True):
        row[list(part)] = 1 / len(part)
    return weights


# Eyes and mouth of 68 and of 5 points. Three matrix rows are ten times as quick as three means.
_ANCHORS = {
    68: _means(68, range(36, 42), range(42, 48), range(48, 68)),
    5: _means(5, [0], [1], [3, 4]),
}


def anchors(landmarks: Points) -> NDArray[np.float64]:
    """Return the middles of both eyes, left in the picture first, and of the mouth: (3, 2).

    landmarks: (68, 2) in the iBUG order, or (5, 2): eyes, nose tip, corners of the mouth. Raises
    `ValueError` for another number of them.
    """
    weights = _ANCHORS.get(len(landmarks))
    if weights is None:
        raise ValueError(f"a framing needs 68 or 5 landmarks, not {len(landmarks)}")
    middles: NDArray[np.float64] = weights @ np.asarray(landmarks, dtype=np.float64)
    return middles


def similarity(source: Points, target: Points) -> NDArray[np.float64]:
    """Return the (2, 3) rotation, scale and shift that best maps source (N, 2) onto target.

    Least squares in closed form (Umeyama 1991, IEEE PAMI 13, eq. 40-42), in the plane, where
    with complex numbers it is one division; it never mirrors.
    """
    a, b = _complex(source), _complex(target)
    a_mean, b_mean = complex(a.sum()) / len(a), complex(b.sum()) / len(b)
    a, b = a - a_mean, b - b_mean
    turn = complex(np.vdot(a, b)) / max(float(np.vdot(a, a).real), 1e-12)
    shift = b_mean - turn * a_mean
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])


def square_of(landmarks: Points) -> tuple[float, float, float]:
    """Return the middle x, y and the side of the upright square FER2013 would have cut.

    landmarks: as `anchors` takes them, in any unit; the square is in the same.
    """
    to_picture = similarity(TEMPLATE, anchors(landmarks))
    middle = (FER2013_SIDE - 1) / 2  # of pixels whose middles are whole numbers
    x, y = to_picture @ (middle, middle, 1.0)
    return float(x), float(y), FER2013_SIDE * math.hypot(to_picture[0, 0], to_picture[1, 0])


def _complex(points: Points) -> NDArray[np.complex128]:
    """Return points (N, 2) as N complex numbers x + iy."""
    return np.ascontiguousarray(points, np.float64).view(np.complex128)[:, 0]
