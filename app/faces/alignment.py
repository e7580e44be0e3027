"""Bring a face into FER2013's framing."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.faces.base import gray_of, square
from app.messages import Box, Face
from models.runtime.card import FER2013_SIDE
from models.runtime.framing import TEMPLATE, Points, anchors, similarity, square_of
from models.runtime.sampling import sample

__all__ = ["Alignment", "align", "misfit", "template", "upright_square"]


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
    return (TEMPLATE + 0.5 - (FER2013_SIDE - field) / 2) * (size / field) - 0.5


def upright_square(landmarks: Points) -> Box:
    """Return the square around the crop's centre, as large as the crop but not turned."""
    x, y, side = square_of(landmarks)
    return square(x + 0.5, y + 0.5, side)


def misfit(landmarks: Points) -> float:
    """Return how far eyes and mouth lie from the template after alignment, in crop sides."""
    middles = anchors(landmarks)
    to_frame = similarity(TEMPLATE, middles)
    off = TEMPLATE @ to_frame[:, :2].T + to_frame[:, 2] - middles
    side = FER2013_SIDE * math.hypot(to_frame[0, 0], to_frame[1, 0])
    return math.sqrt(float(np.vdot(off, off)) / len(off)) / max(side, 1e-6)


def _square_to_frame(box: Box, size: int, field: int) -> NDArray[np.float64]:
    x, y = box.centre
    scale = math.sqrt(max(box.area, 1e-6)) * field / (FER2013_SIDE * size)
    shift = (size - 1) / 2 * scale + 0.5
    return np.array([[scale, 0.0, x - shift], [0.0, scale, y - shift]])
