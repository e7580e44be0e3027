"""Find pictures again: those that are the same to the last pixel, and the same photographs.

FER2013 was gathered by a search engine, and holds many photographs several times: equal, or cut,
scaled and marked otherwise. Barz and Denzler, "Do We Train on Test Data? Purging CIFAR of
Near-Duplicates", arXiv 1902.00423, section 3, find such pictures by their distance as well.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

BLANK = 1.0
"""A picture whose standard deviation is below this, of 255, shows nothing."""
NEAR = 0.98
"""Two pictures whose likeness is above this show one photograph: on FER2013 all 48 pairs that were
looked at, the most and the least alike."""
_SIDE = 16
_AT_ONCE = 512


def copies_of(pixels: NDArray[np.uint8], among: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return which of M pictures (M,) equal one of N others to the last pixel.

    pixels: the N, (N, S, S). among: the M, (M, S, S).
    """
    known = {face.tobytes() for face in pixels}
    return np.array([face.tobytes() in known for face in among], dtype=bool)


def near_copies_of(pixels: NDArray[np.uint8], among: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return which of M pictures (M,) show the photograph of one of N others, or equal it.

    pixels: the N, (N, S, S). among: the M, (M, S, S). Blank pictures are like none.
    """
    return likeness(among, pixels) > NEAR


def likeness(asked: NDArray[np.uint8], among: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return how like each of M pictures the likest of N others is, (M,), -1 to 1.

    asked: the M, (M, S, S). among: the N, (N, S, S). The likeness of two is the cosine between
    them, brought to 16x16 and without their mean: 1 for pictures that differ in brightness and
    contrast alone, 0 where one is blank or there are no others.
    """
    if not len(among):
        return np.zeros(len(asked), np.float32)
    others = _directions(among).T
    parts = [
        (_directions(asked[start : start + _AT_ONCE]) @ others).max(1)
        for start in range(0, len(asked), _AT_ONCE)
    ]
    return np.concatenate([np.zeros(0, np.float32), *parts])


def _directions(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return pictures (N, S, S) as unit vectors (N, 256) without their mean; 0 for blank ones."""
    vectors = np.empty((len(pictures), _SIDE * _SIDE), np.float32)
    for row, picture in enumerate(pictures):
        vectors[row] = cv2.resize(picture, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).ravel()
        vectors[row] *= picture.std() >= BLANK
    vectors -= vectors.mean(1, keepdims=True)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)
    return vectors
