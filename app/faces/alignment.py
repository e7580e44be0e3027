"""Bring a face into FER2013's framing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.faces.base import gray_of, square
from app.messages import Box, Face
from models.runtime.card import FER2013_SIDE
from models.runtime.sampling import sample

__all__ = ["Alignment", "align", "anchors", "misfit", "similarity", "template", "upright_square"]

Points = NDArray[np.float32] | NDArray[np.float64]

# Left eye of the picture, right eye, mouth: the medians of FER2013, in pixels of its 48.
_TEMPLATE = np.array([[15.0, 18.9], [32.7, 18.8], [24.0, 38.0]])


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


@dataclass(frozen=True, slots=True, eq=False)
class Alignment:
    """Hold a face as the network sees it.

    crop: (S, S) uint8 gray. crop_to_frame: (2, 3) float64, maps crop pixels (x, y, 1), whole
    numbers being the middles of pixels, to those of the picture.
    """

    crop: NDArray[np.uint8]
    crop_to_frame: NDArray[np.float64]


def align(
    image: NDArray[np.uint8],
    face: Face,
    size: int,
    *,
    field: int = FER2013_SIDE,
    finest: int = 64,
) -> Alignment:
    """Return the face turned, scaled and moved into FER2013's framing.

    image: (H, W, 3) BGR or (H, W) gray, uint8. face: its 68 or 5 landmarks decide, without them
    its box. size: side of the crop in pixels. field: how much of FER2013's framing the crop
    shows, the middle so many of its 48 pixels wide. finest: the most samples along a side of a
    pixel of the crop; few are quick, and rough where the face is large.

    What lies outside the picture repeats its edge: a black band would be a contour of a kind
    that the photos of the training set, cut from larger ones, do not have.
    """
    if face.landmarks is None:
        crop_to_frame = _square_to_frame(face.box, size, field)
    else:
        crop_to_frame = similarity(template(size, field), anchors(face.landmarks))
    return Alignment(sample(gray_of(image), crop_to_frame, size, finest), crop_to_frame)


def template(size: int, field: int = FER2013_SIDE) -> NDArray[np.float64]:
    """Return where both eyes and the mouth lie in a crop of that size and field: (3, 2) pixels."""
    # Pixel middles are whole numbers, so the scaling is about the corner at -0.5.
    return (_TEMPLATE + 0.5 - (FER2013_SIDE - field) / 2) * (size / field) - 0.5


def anchors(landmarks: Points) -> NDArray[np.float64]:
    """Return the middles of both eyes, left in the picture first, and of the mouth: (3, 2).

    landmarks: (68, 2) in the iBUG order or (5, 2) as `Face` has them.
    """
    weights = _ANCHORS.get(len(landmarks))
    if weights is not None:
        middles: NDArray[np.float64] = weights @ np.asarray(landmarks, dtype=np.float64)
        return middles
    raise ValueError(f"alignment needs 68 or 5 landmarks, not {len(landmarks)}")


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


def _complex(points: Points) -> NDArray[np.complex128]:
    """Return points (N, 2) as N complex numbers x + iy."""
    return np.ascontiguousarray(points, np.float64).view(np.complex128)[:, 0]


def upright_square(landmarks: Points) -> Box:
    """Return the square around the crop's centre, as large as the crop but not turned."""
    to_frame = similarity(_TEMPLATE, anchors(landmarks))
    middle = (FER2013_SIDE - 1) / 2
    x, y = to_frame @ (middle, middle, 1.0)
    side = FER2013_SIDE * math.hypot(to_frame[0, 0], to_frame[1, 0])
    return square(float(x) + 0.5, float(y) + 0.5, side)


def misfit(landmarks: Points) -> float:
    """Return how far eyes and mouth lie from the template after alignment, in crop sides."""
    middles = anchors(landmarks)
    to_frame = similarity(_TEMPLATE, middles)
    off = _TEMPLATE @ to_frame[:, :2].T + to_frame[:, 2] - middles
    side = FER2013_SIDE * math.hypot(to_frame[0, 0], to_frame[1, 0])
    return math.sqrt(float(np.vdot(off, off)) / len(off)) / max(side, 1e-6)


def _square_to_frame(box: Box, size: int, field: int) -> NDArray[np.float64]:
    x, y = box.centre
    scale = math.sqrt(max(box.area, 1e-6)) * field / (FER2013_SIDE * size)
    shift = (size - 1) / 2 * scale + 0.5
    return np.array([[scale, 0.0, x - shift], [0.0, scale, y - shift]])
