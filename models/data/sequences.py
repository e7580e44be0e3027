"""Made-up film: stored faces that move, turn, come closer, cross and pass behind something.

Who is who is known in every frame, which no film found elsewhere offers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.data.faces_parquet import SURE
from models.data.pasting import (
    PlacedFace,
    StoredPicture,
    blend,
    head_mask,
    outline_mask,
    place_face,
    placing,
    scale_of,
    visible_part,
    warp,
)
from models.runtime.errors import UserError

__all__ = ["FilmFrame", "FilmMaker"]

_LARGEST = 150.0
_SMALLEST = 40.0
_MOST_ENLARGED = 2.5
_PILLAR = 255
_COUNTED_VISIBLE = 0.55
_UNSEEN = 0.2


@dataclass(frozen=True, slots=True, eq=False)
class FilmFrame:
    """Hold one frame and who is to be seen on it.

    pixels: (H, W, 3) uint8 BGR. boxes: (n, 4) float32 left, top, right, bottom. points:
    (n, 5, 2). people: (n,) int64, the same number for the same person in every frame. counts:
    (n,) bool, False for a face that something covers by more than about half.
    """

    pixels: NDArray[np.uint8]
    boxes: NDArray[np.float32]
    points: NDArray[np.float32]
    people: NDArray[np.int64]
    counts: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class _Person:
    """Hold a picture, the row of its face, and how it moves: size in pixels, phases of a turn."""

    picture: StoredPicture
    face: NDArray[np.float32]
    size: float
    middle: NDArray[np.float64]
    swing: NDArray[np.float64]
    turns: NDArray[np.float64]
    phases: NDArray[np.float64]

    def matrix_at(self, moment: float) -> tuple[NDArray[np.float32], float]:
        """Return the map onto the frame at a moment of 0 to 1, and the angle in degrees."""
        wave = np.sin(2 * np.pi * (self.turns * moment + self.phases))
        size = self.size * (1 + 0.25 * wave[2])
        angle = 22 * float(wave[3])
        scale = size / float(np.sqrt(self.face[2] * self.face[3]))
        return placing(self.face, scale, angle, self.middle + self.swing * wave[:2]), angle


class FilmMaker:
    """Make film of (height, width) frames out of stored pictures.

    Pictures with one face of at least 40 px are used. Raises `UserError` without any, or without
    scenes.
    """

    def __init__(
        self,
        faces: Sequence[StoredPicture],
        scenes: Sequence[StoredPicture],
        size: tuple[int, int] = (480, 640),
    ) -> None:
        self._faces = [one for one in faces if _suits(one)]
        if not self._faces or not scenes:
            raise UserError(
                "expected pictures with one face of at least 40 pixels each, and scenes, to make "
                f"films of, found {len(self._faces)} and {len(scenes)}: give more pictures"
            )
        self._scenes = scenes
        self.height, self.width = size

    def make(self, rng: np.random.Generator, frames: int) -> list[FilmFrame]:
        """Make a film of two to four people; what is drawn depends on the generator alone."""
        people = [self._person(rng) for _ in range(int(rng.integers(2, 5)))]
        people.sort(key=lambda person: person.size)  # who is nearer hides who is farther
        background = self._scene(rng, self.width, self.height)
        pillar = None
        if rng.random() < 0.5:
            pillar = self._scene(rng, int(rng.uniform(0.08, 0.2) * self.width), self.height)
        left = int(rng.uniform(0.2, 0.7) * self.width)
        film = []
        for number in range(frames):
            canvas, owner = background.copy(), np.zeros(background.shape[:2], np.uint8)
            placed = [
                self._paste(canvas, owner, person, number / frames, part)
                for part, person in enumerate(people, start=1)
            ]
            if pillar is not None:
                canvas[:, left : left + pillar.shape[1]] = pillar
                owner[:, left : left + pillar.shape[1]] = _PILLAR
            film.append(_frame(canvas, owner, placed))
        return film

    def _person(self, rng: np.random.Generator) -> _Person:
        picture = self._faces[int(rng.integers(len(self._faces)))]
        face = picture.faces[0]
        own = float(np.sqrt(face[2] * face[3]))
        size = float(np.exp(rng.uniform(np.log(_SMALLEST), np.log(_LARGEST))))
        reach = np.array([self.width, self.height])
        return _Person(
            picture=picture,
            face=face,
            size=min(size, _MOST_ENLARGED * own),
            middle=reach * rng.uniform((0.35, 0.4), (0.65, 0.6)),
            swing=reach * rng.uniform((0.1, 0.02), (0.35, 0.15)),
            turns=rng.uniform(0.3, 1.2, 4),
            phases=rng.random(4),
        )

    def _scene(self, rng: np.random.Generator, width: int, height: int) -> NDArray[np.uint8]:
        scene = self._scenes[int(rng.integers(len(self._scenes)))]
        down, across = scene.levels[0].shape[:2]
        scale = max(width / across, height / down)
        matrix = np.array([[scale, 0, 0], [0, scale, 0]], np.float32)
        return warp(scene, matrix, width, height, cv2.BORDER_REPLICATE)

    def _paste(
        self,
        canvas: NDArray[np.uint8],
        owner: NDArray[np.uint8],
        person: _Person,
        moment: float,
        part: int,
    ) -> PlacedFace:
        matrix, angle = person.matrix_at(moment)
        mask = outline_mask(person.picture, matrix, owner.shape)
        mask &= head_mask(person.face, matrix, owner.shape, 2.0)
        left, top, width, height = cv2.boundingRect(mask)
        if width and height:
            moved = matrix.copy()
            moved[:, 2] -= (left, top)
            patch = warp(person.picture, moved, width, height, cv2.BORDER_REPLICATE)
            inside = mask[top : top + height, left : left + width]
            edge = max(1, int(0.04 * scale_of(matrix) * person.face[2])) * 2 + 1
            soft = cv2.blur(inside, (edge, edge)).astype(np.uint8, copy=False)
            blend(canvas[top : top + height, left : left + width], patch, soft, soft=True)
            owner[mask > 0] = part
        return place_face(person.face, matrix, angle, mirrored=False, part=part)


def _suits(picture: StoredPicture) -> bool:
    if len(picture.faces) != 1 or picture.faces[0, 14] < SURE:
        return False
    return float(np.sqrt(picture.faces[0, 2] * picture.faces[0, 3])) >= _SMALLEST


def _frame(
    canvas: NDArray[np.uint8], owner: NDArray[np.uint8], placed: list[PlacedFace]
) -> FilmFrame:
    seen = np.array([visible_part(face, owner) for face in placed])
    kept = seen > _UNSEEN
    return FilmFrame(
        pixels=canvas,
        boxes=np.array([face.box for face in placed], np.float32)[kept],
        points=np.array([face.points for face in placed], np.float32)[kept],
        people=np.arange(len(placed))[kept],
        counts=(seen >= _COUNTED_VISIBLE)[kept],
    )
