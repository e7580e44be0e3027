"""Which landmarks of a set to believe.

The 68 points of a public collection may be those of a program that lost the face; five points from
another source show it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.data.landmarks import FIVE, LandmarkSet
from models.runtime.card import FER2013_SIDE
from models.runtime.framing import EYES, similarity

__all__ = ["EYES_APART", "Labels", "believe", "disagreement", "five_of"]

EYES_APART = (EYES[1][0] - EYES[0][0]) / FER2013_SIDE
"""The distance between the eyes of a face seen from the front, in sides of its square."""

_NOSE, _CORNERS = 30, (48, 54)


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """Hold what is taught of N rows of a set.

    points: (N, 68, 2) and five: (N, 5, 2) float32 in sides, five of them moved to where the 68 of
    the same set have them; NaN where unknown. weight: (N,) float32, of the points.
    """

    points: NDArray[np.float32]
    five: NDArray[np.float32]
    weight: NDArray[np.float32]


def five_of(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return eyes, nose tip and corners of the mouth (N, 5, 2) of 68 points (N, 68, 2)."""
    return np.stack(
        [
            points[:, 36:42].mean(1),
            points[:, 42:48].mean(1),
            points[:, _NOSE],
            *(points[:, corner] for corner in _CORNERS),
        ],
        axis=1,
    )


def disagreement(data: LandmarkSet) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return how far 68 and five points of each row are apart, and where the five lie by custom.

    The first is a mean distance in distances between the eyes, (N,), NaN where either is unknown;
    the second the median of five minus 68, (5, 2) in sides, which the first leaves out.
    """
    away = data.five - five_of(data.points)
    known = np.isfinite(away[:, 0, 0])
    custom = np.median(away[known], axis=0) if known.any() else np.zeros((FIVE, 2))
    apart = np.linalg.norm(away - custom, axis=2).mean(1) / EYES_APART
    return apart.astype(np.float32), custom.astype(np.float32)


def believe(data: LandmarkSet, trusted: float) -> Labels:
    """Return the labels: points that the five contradict are moved onto these and count half.

    trusted: the disagreement up to which points are taken as they are, in distances between the
    eyes. Moved is by the shift, turn and scale that fit best.
    """
    apart, custom = disagreement(data)
    five = data.five - custom
    points, weight = data.points.copy(), np.ones(len(data), np.float32)
    for row in np.flatnonzero(apart > trusted):
        moved = similarity(five_of(points[row : row + 1])[0], five[row])
        points[row] = points[row] @ moved[:, :2].T + moved[:, 2]
        weight[row] = 0.5
    return Labels(points, five.astype(np.float32), weight)
