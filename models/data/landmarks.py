"""Faces with landmarks, cut out for the landmark network, and squares without a face."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.data.faces_parquet import SURE, FacePicture, read_pixels
from models.runtime.errors import UserError
from models.runtime.framing import square_of
from models.runtime.landmark_crop import LOWERED, POINTS, cut

__all__ = ["FIVE", "PATCH", "PATCH_SIDE", "LandmarkSet", "make_landmark_set"]

PATCH = 136
PATCH_SIDE = 2.4
"""Side of what is kept of a picture, in pixels and in sides of FER2013's square."""

FIVE = 5
_SMALLEST = 20.0
# Squares without a face: so many of a scene, and beside the faces of other pictures.
_OF_SCENE = 14
_BESIDE = 1
_TRIES = 8
# How far from a face's middle a square without one begins, in mean sides of the two.
_CLEAR = 0.7


@dataclass(frozen=True, slots=True, eq=False)
class LandmarkSet:
    """Hold N cut-outs whose middle is that of the crop a well placed box gives.

    patches: (N, 136, 136) uint8 gray. points: (N, 68, 2) float32 in sides of the square around
    that middle, NaN where unknown. five: (N, 5, 2) likewise: eyes, nose tip, corners of the mouth,
    left in the picture first. A row without either shows no face.
    """

    patches: NDArray[np.uint8]
    points: NDArray[np.float32]
    five: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.patches)

    @property
    def marked(self) -> NDArray[np.bool_]:
        """Return which rows have 68 points, (N,)."""
        return np.isfinite(self.points[:, 0, 0])

    @property
    def faces(self) -> NDArray[np.bool_]:
        """Return which rows show a face, (N,)."""
        return self.marked | np.isfinite(self.five[:, 0, 0])


def make_landmark_set(pictures: Iterable[FacePicture], seed: int = 1) -> LandmarkSet:
    """Cut out the faces of pictures and, by chance drawn from the seed, squares without one.

    Raises `UserError` where no picture has 68 points or none has room for a square without a face.
    """
    rows = [row for picture in pictures for row in _rows(picture, seed)]
    if not rows:
        raise UserError("expected pictures of faces, found none: give another --data")
    patches, points, five = (np.stack(column) for column in zip(*rows, strict=True))
    made = LandmarkSet(patches, points, five)
    if not made.marked.any() or made.faces.all():
        raise UserError(
            f"expected faces with 68 points and squares without a face, found "
            f"{made.marked.sum()} and {(~made.faces).sum()}: give the whole data"
        )
    return made


_Row = tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.float32]]


def _rows(picture: FacePicture, seed: int) -> Iterator[_Row]:
    gray = cv2.cvtColor(read_pixels(picture), cv2.COLOR_BGR2GRAY).astype(np.uint8, copy=False)
    sure = [face for face in picture.faces if face[14] >= SURE]
    unknown = np.full((POINTS, 2), np.nan, np.float32)
    main = picture.points68
    if main is not None:
        yield _row(gray, square_of(main), main, _nearest_five(main, sure))
    for face in sure:
        five = face[4:14].reshape(FIVE, 2)
        square = square_of(five)
        is_main = main is not None and _away(square, square_of(main)) < _CLEAR
        if not is_main and square[2] >= _SMALLEST:
            yield _row(gray, square, unknown, five)
    for square in _empty_squares(gray, picture, seed):
        yield _row(gray, square, unknown, np.full((FIVE, 2), np.nan, np.float32))


def _row(
    gray: NDArray[np.uint8],
    square: tuple[float, float, float],
    points: NDArray[np.float32],
    five: NDArray[np.float32],
) -> _Row:
    x, y, side = square
    middle = (x, y + LOWERED * side)
    # Of landmarks 0, 0 is the middle of the first pixel, of a cut its corner.
    corner = (middle[0] + 0.5, middle[1] + 0.5)
    patch = cut(gray, corner, PATCH_SIDE * side, PATCH, finest=8)
    origin = np.array(middle)
    return (
        patch,
        ((points - origin) / side).astype(np.float32),
        ((five - origin) / side).astype(np.float32),
    )


def _nearest_five(
    main: NDArray[np.float32], faces: list[NDArray[np.float32]]
) -> NDArray[np.float32]:
    """Return the five points of the face that the 68 belong to, NaN where none was found."""
    square = square_of(main)
    for face in faces:
        five = face[4:14].reshape(FIVE, 2)
        if _away(square_of(five), square) < _CLEAR / 2:
            return five
    return np.full((FIVE, 2), np.nan, np.float32)


def _empty_squares(
    gray: NDArray[np.uint8], picture: FacePicture, seed: int
) -> Iterator[tuple[float, float, float]]:
    """Give squares in which no face lies, not even an unsure one."""
    taken = [square_of(face[4:14].reshape(FIVE, 2)) for face in picture.faces]
    if picture.points68 is not None:
        taken.append(square_of(picture.points68))
    rng = np.random.default_rng([seed, *picture.path.encode()])
    height, width = gray.shape
    wanted = _BESIDE if taken else _OF_SCENE
    for _ in range(wanted * _TRIES):
        if not wanted:
            return
        side = min(height, width) * float(np.exp(rng.uniform(np.log(0.12), np.log(0.9))))
        square = (rng.uniform(0, width), rng.uniform(0, height), side)
        if side >= _SMALLEST and all(_away(square, face) > _CLEAR for face in taken):
            wanted -= 1
            yield square


def _away(one: tuple[float, float, float], other: tuple[float, float, float]) -> float:
    """Return the distance of two squares' middles in their mean side."""
    x, y, side = one
    other_x, other_y, other_side = other
    return float(np.hypot(x - other_x, y - other_y) / ((side + other_side) / 2))
