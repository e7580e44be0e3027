"""Pictures to measure face finders on, all of them held back from training."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.data.faces_parquet import (
    SURE,
    FacePicture,
    is_scene,
    read_face_pictures,
    read_pixels,
    validation_part,
)
from models.data.mosaics import MosaicMaker
from models.data.pasting import StoredPicture
from models.data.sequences import FilmMaker
from models.finder_scores import Truth
from models.runtime.errors import UserError
from models.runtime.face_detector import YUNET

__all__ = ["SETS", "SIZES", "TURNS", "Example", "HeldBack", "read_held_back", "squares"]

SETS = {
    "pictures": "held-back pictures as they are",
    "mosaics": "made-up 480x480 pictures of many faces, spoilt as in training",
    "films": "made-up 640x480 film of people who move, turn, cross and pass behind things",
}
SIZES = ((10, 20), (20, 40), (40, 80), (80, 160), (160, 10_000))
"""Sides of faces in pixels, by which recall is told apart; from, to."""
TURNS = ("front", "half", "profile")
"""Heads by how far the nose tip lies from the middle of the eyes, in distances between them."""
_HALF, _PROFILE = 0.2, 0.5
_SEED = 20_240_601


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """Hold a picture (H, W, 3) uint8 BGR and its faces as FER2013's squares.

    sides: (m,) pixels. turns: (m,) int64, of `TURNS`.
    """

    pixels: NDArray[np.uint8]
    truth: Truth
    sides: NDArray[np.float32]
    turns: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class HeldBack:
    """Hold the pictures that are held back, and make sets of examples out of them."""

    pictures: Sequence[FacePicture]

    def examples(self, name: str, count: int) -> Iterator[Example]:
        """Give at most `count` examples of one of `SETS`, the same each time."""
        if name == "pictures":
            yield from self._as_they_are(count)
            return
        faces = [StoredPicture.of(one) for one in self.pictures if (one.faces[:, 14] >= SURE).any()]
        scenes = [StoredPicture.of(one) for one in self.pictures if is_scene(one)]
        if name == "mosaics":
            maker = MosaicMaker(faces, scenes, 480)
            for number in range(count):
                mosaic = maker.make(np.random.default_rng((_SEED, number)))
                yield _example(mosaic.pixels, mosaic.boxes, mosaic.points, mosaic.counts)
            return
        films = FilmMaker(faces, scenes)
        frames = 24
        for number in range(-(-count // frames)):
            film = films.make(np.random.default_rng((_SEED, 1, number)), frames)
            for frame in film[: count - number * frames]:
                yield _example(frame.pixels, frame.boxes, frame.points, frame.counts)

    def _as_they_are(self, count: int) -> Iterator[Example]:
        order = np.random.default_rng(_SEED).permutation(len(self.pictures))
        known = [
            one for one in (self.pictures[n] for n in order) if len(one.faces) or is_scene(one)
        ]
        for picture in known[:count]:
            faces = picture.faces
            boxes = np.concatenate([faces[:, :2], faces[:, :2] + faces[:, 2:4]], 1)
            points = faces[:, 4:14].reshape(-1, 5, 2)
            yield _example(read_pixels(picture), boxes, points, faces[:, 14] >= SURE)


def read_held_back(path: Path) -> HeldBack:
    """Read a parquet file or a folder of them; raise `UserError` where nothing is held back."""
    held = HeldBack(validation_part(read_face_pictures(path)))
    sure = any((one.faces[:, 14] >= SURE).any() for one in held.pictures)
    if not sure or not any(map(is_scene, held.pictures)):
        raise UserError(
            f"{path}: expected held-back pictures with sure faces and without any, found not both: "
            "give more pictures"
        )
    return held


def squares(
    boxes: NDArray[np.float32], side: float = YUNET["side"], right: float = 0.0, down: float = 0.0
) -> NDArray[np.float32]:
    """Return FER2013's squares (n, 4) of boxes (n, 4), both left, top, right, bottom.

    side: over the geometric mean of the box's sides. right, down: how far the middle of the square
    lies from that of the box, in sides of the square.
    """
    sizes = np.maximum(boxes[:, 2:] - boxes[:, :2], 0)
    length = side * np.sqrt(sizes[:, :1] * sizes[:, 1:])
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2 + length * (right, down)
    return np.concatenate([middle - length / 2, middle + length / 2], 1).astype(np.float32)


def turns_of(points: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return the index in `TURNS` of each face's five landmarks (n, 5, 2)."""
    eyes = points[:, 1] - points[:, 0]
    apart = np.maximum(np.hypot(eyes[:, 0], eyes[:, 1]), 1e-6)
    nose = points[:, 2] - (points[:, 0] + points[:, 1]) / 2
    aside = np.abs((nose * eyes).sum(1)) / apart**2
    return np.asarray(np.digitize(aside, (_HALF, _PROFILE)))


def _example(
    pixels: NDArray[np.uint8],
    boxes: NDArray[np.float32],
    points: NDArray[np.float32],
    counts: NDArray[np.bool_],
) -> Example:
    square = squares(boxes)
    return Example(pixels, Truth(square, counts), square[:, 2] - square[:, 0], turns_of(points))
