"""Made-up pictures of many faces: stored faces pasted, turned and spoilt on scenes without any.

Pasting several pictures into one follows the mosaics of Bochkovskiy et al., arXiv 2004.10934,
section 3.3, and the pasting of Ghiasi et al., arXiv 2012.07177. Everything is drawn from the
generator that is given, so that the same seed makes the same picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.data.clutter import draw_clutter
from models.data.faces_parquet import SURE
from models.data.finder_spoiling import cover_face, spoil_all, spoil_part
from models.data.pasting import (
    PlacedFace,
    StoredPicture,
    beside_faces,
    blend,
    head_mask,
    middle_of,
    mirror,
    mirror_about,
    outline_mask,
    place_face,
    placing,
    visible_part,
    warp,
)

__all__ = ["Mosaic", "MosaicMaker"]

_MOST_ANGLE = 40.0
_USUAL_ANGLE = 12.0
_MOST_ENLARGED = 3.0
_SMALLEST, _LARGEST = 10.0, 500.0
_COUNTED_VISIBLE = 0.55
_COUNTED_WITHIN = 0.4
"""Enough where all five landmarks are on the picture: a face larger than the frame."""
_UNSEEN = 0.2
_BLACK = 255
_LEAST_SIDE = 8.5
"""Smaller faces are neither taught nor held against the network."""
# How many faces of which sizes share a picture, and how often.
_KINDS = (
    (0.36, (6, 14), (_SMALLEST, 80.0)),
    (0.32, (2, 7), (20.0, 180.0)),
    (0.27, (1, 2), (64.0, _LARGEST)),
    (0.05, (0, 0), (_SMALLEST, _LARGEST)),
)


@dataclass(frozen=True, slots=True, eq=False)
class Mosaic:
    """Hold a picture and its faces.

    pixels: (S, S, 3) uint8 BGR. boxes: (n, 4) float32 left, top, right, bottom; they may leave
    the picture. points: (n, 5, 2) float32. counts: (n,) bool, False for a face that is too
    doubtful, too small or too hidden to be taught, but too visible to be background.
    """

    pixels: NDArray[np.uint8]
    boxes: NDArray[np.float32]
    points: NDArray[np.float32]
    counts: NDArray[np.bool_]


class MosaicMaker:
    """Make square pictures of `side` pixels out of stored ones.

    clutter: how often a face has a thing beside it that is none but may pass for one: drawn, or
    what is beside the faces of another picture. Raises `ValueError` when there are no faces or
    no scenes.
    """

    def __init__(
        self,
        faces: Sequence[StoredPicture],
        scenes: Sequence[StoredPicture],
        side: int,
        *,
        clutter: float = 0.0,
    ) -> None:
        if not faces or not scenes:
            raise ValueError("expected pictures with and without faces")
        self.side = side
        self._clutter = clutter
        self._faces = faces
        self._scenes = scenes

    def make(self, rng: np.random.Generator) -> Mosaic:
        """Make one picture; what is drawn depends on the generator alone."""
        canvas = self._background(rng)
        owner = np.zeros(canvas.shape[:2], np.uint8)
        kind = _KINDS[int(rng.choice(len(_KINDS), p=[kind[0] for kind in _KINDS]))]
        wanted = int(rng.integers(kind[1][0], kind[1][1] + 1))
        placed: list[PlacedFace] = []
        # A picture without a face has as much beside none as others have beside theirs.
        for part in range(200, 200 + (max(wanted, 3) if self._clutter else 0)):
            if rng.random() < self._clutter:
                self._add_clutter(canvas, owner, rng, part)
        for part in range(1, wanted + 1):
            if rng.random() < 0.3:
                self._paste_scene(canvas, owner, rng, part + 100)
            size = _log_uniform(rng, *kind[2])
            placed += self._paste_face(canvas, owner, rng, size, part)
        if rng.random() < 0.08:  # as OpenCV pads a picture to whole cells
            rows, columns = (int(value) for value in rng.integers(1, self.side // 3, 2))
            owner[-rows:] = owner[:, -columns:] = _BLACK
        seen = np.array([visible_part(face, owner) for face in placed], np.float64)
        for face, visible in zip(placed, seen, strict=True):
            if visible > 0.7 and rng.random() < 0.25:
                cover_face(canvas, face.box, face.points, rng)
        boxes = np.array([face.box for face in placed], np.float32).reshape(-1, 4)
        canvas = spoil_all(canvas, boxes, rng)
        canvas[owner == _BLACK] = 0
        return _finished(canvas, placed, boxes, seen)

    def _background(self, rng: np.random.Generator) -> NDArray[np.uint8]:
        side = self.side
        if rng.random() < 0.07:
            plain = rng.integers(0, 256, (1, 1, 3), np.uint8)
            return cv2.resize(plain, (side, side)).astype(np.uint8, copy=False)
        scene = self._scenes[int(rng.integers(len(self._scenes)))]
        height, width = scene.levels[0].shape[:2]
        scale = side / min(height, width) * float(rng.uniform(1.0, 2.2))
        x, y = (-float(rng.uniform(0, scale * n - side)) for n in (width, height))
        matrix = np.array([[scale, 0, x], [0, scale, y]], np.float32)
        if rng.random() < 0.5:
            matrix = mirror(matrix, width)
        return warp(scene, matrix, side, side, cv2.BORDER_REPLICATE)

    def _paste_scene(
        self,
        canvas: NDArray[np.uint8],
        owner: NDArray[np.uint8],
        rng: np.random.Generator,
        part: int,
    ) -> None:
        """Paste a piece without a face, so that an edge alone is no sign of one."""
        side = self.side
        width, height = (int(rng.uniform(0.08, 0.5) * side) for _ in range(2))
        left, top = int(rng.integers(0, side - width)), int(rng.integers(0, side - height))
        scene = self._scenes[int(rng.integers(len(self._scenes)))]
        across, down = scene.levels[0].shape[1], scene.levels[0].shape[0]
        scale = max(width / across, height / down) * float(rng.uniform(1.0, 4.0))
        matrix = np.array(
            [
                [scale, 0, -float(rng.uniform(0, scale * across - width))],
                [0, scale, -float(rng.uniform(0, scale * down - height))],
            ],
            np.float32,
        )
        piece = warp(scene, matrix, width, height, cv2.BORDER_REPLICATE)
        _lay(piece, (left, top), canvas, owner, part)

    def _add_clutter(
        self,
        canvas: NDArray[np.uint8],
        owner: NDArray[np.uint8],
        rng: np.random.Generator,
        part: int,
    ) -> None:
        """Draw a thing that may pass for a face, or paste what is beside one."""
        if rng.random() < 0.5:
            draw_clutter(canvas, owner, rng, part)
            return
        picture = self._faces[int(rng.integers(len(self._faces)))]
        square = beside_faces(picture, rng)
        if square is None:
            return
        x, y, across = square
        side = int(self.side * np.exp(rng.uniform(np.log(0.06), np.log(0.6))))
        side = max(8, min(side, int(_MOST_ENLARGED * across)))
        left, top = (int(value) for value in rng.integers(0, self.side - side, 2))
        scale = side / across
        matrix = np.array([[scale, 0, -scale * x], [0, scale, -scale * y]], np.float32)
        piece = warp(picture, matrix, side, side, cv2.BORDER_REPLICATE)
        _lay(spoil_part(piece, rng), (left, top), canvas, owner, part)

    def _paste_face(
        self,
        canvas: NDArray[np.uint8],
        owner: NDArray[np.uint8],
        rng: np.random.Generator,
        size: float,
        part: int,
    ) -> list[PlacedFace]:
        """Paste a part of a picture with one of its faces at about a size, in pixels."""
        picture = self._faces[int(rng.integers(len(self._faces)))]
        main = picture.faces[int(rng.integers(len(picture.faces)))]
        scale = min(size / float(np.sqrt(main[2] * main[3])), _MOST_ENLARGED)
        angle = _angle(rng)
        # Mostly inside; a fifth may be cut off by the frame.
        reach = 0.5 if rng.random() < 0.2 else 0.0
        half = scale * float(np.sqrt(main[2] * main[3])) / 2
        low, high = half * (1 - 2 * reach), self.side - half * (1 - 2 * reach)
        place = rng.uniform(min(low, high), max(low, high), 2)
        matrix = placing(main, scale, angle, place)
        mirrored = bool(rng.random() < 0.5)
        if mirrored:
            matrix = mirror_about(matrix, main)
        region = _clip(main, matrix, scale, picture, rng, self.side)
        if region is None:
            return []
        left, top, right, bottom = region
        shifted = matrix.copy()
        shifted[:, 2] -= (left, top)
        width, height = right - left, bottom - top
        patch = spoil_part(warp(picture, shifted, width, height, cv2.BORDER_REPLICATE), rng)
        mask = outline_mask(picture, shifted, (height, width))
        if rng.random() < 0.3:
            mask &= head_mask(main, shifted, (height, width), float(rng.uniform(1.35, 2.2)))
        soft = bool(rng.random() < 0.4)
        if soft:
            reach = min(15, int(float(rng.uniform(0.02, 0.12)) * scale * main[2])) * 2 + 1
            mask = cv2.blur(mask, (reach, reach)).astype(np.uint8, copy=False)
        blend(canvas[top:bottom, left:right], patch, mask, soft=soft)
        owner[top:bottom, left:right][mask > 127] = part
        return [
            place_face(face, matrix, angle, mirrored=mirrored, part=part) for face in picture.faces
        ]


def _lay(
    piece: NDArray[np.uint8],
    corner: tuple[int, int],
    canvas: NDArray[np.uint8],
    owner: NDArray[np.uint8],
    part: int,
) -> None:
    """Lay a piece over the canvas, with its upper left corner at x, y, and note whose it is."""
    left, top = corner
    rows, columns = piece.shape[:2]
    place = np.s_[top : top + rows, left : left + columns]
    canvas[place] = piece
    owner[place] = part


def _finished(
    canvas: NDArray[np.uint8],
    placed: list[PlacedFace],
    boxes: NDArray[np.float32],
    seen: NDArray[np.float64],
) -> Mosaic:
    """Return the picture with the faces that are to be seen, and which of them count."""
    side = np.sqrt(np.prod(boxes[:, 2:] - boxes[:, :2], axis=1))
    scores = np.array([face.score for face in placed])
    points = np.array([face.points for face in placed], np.float32).reshape(-1, 5, 2)
    within = ((points >= 0) & (points < canvas.shape[0])).all((1, 2))
    visible = seen >= np.where(within, _COUNTED_WITHIN, _COUNTED_VISIBLE)
    counts = visible & (side >= _LEAST_SIDE) & (scores >= SURE)
    kept = seen > _UNSEEN
    return Mosaic(canvas, boxes[kept], points[kept], counts[kept])


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _angle(rng: np.random.Generator) -> float:
    if rng.random() < 0.35:
        return float(rng.uniform(-_MOST_ANGLE, _MOST_ANGLE))
    return float(np.clip(rng.normal(0, _USUAL_ANGLE), -_MOST_ANGLE, _MOST_ANGLE))


def _clip(
    face: NDArray[np.float32],
    matrix: NDArray[np.float32],
    scale: float,
    picture: StoredPicture,
    rng: np.random.Generator,
    side: int,
) -> tuple[int, int, int, int] | None:
    """Return the part of the canvas to paste into: more or less of what surrounds the face."""
    x, y = matrix[:, :2] @ middle_of(face) + matrix[:, 2]
    margins = rng.uniform(0.05, 0.5, 4) if rng.random() < 0.5 else rng.uniform(0.4, 3.0, 4)
    half = scale * float(np.sqrt(face[2] * face[3])) / 2
    reach = half * (1.2 + 2 * margins)
    height, width = picture.levels[0].shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    corners = corners @ matrix[:, :2].T + matrix[:, 2]
    left = max(0.0, x - reach[0], corners[:, 0].min())
    top = max(0.0, y - reach[1], corners[:, 1].min())
    right = min(float(side), x + reach[2], corners[:, 0].max())
    bottom = min(float(side), y + reach[3], corners[:, 1].max())
    region = int(left), int(top), int(np.ceil(right)), int(np.ceil(bottom))
    if region[2] - region[0] < 4 or region[3] - region[1] < 4:
        return None
    return region
