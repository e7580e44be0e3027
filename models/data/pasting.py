"""Stored pictures of faces, brought to another place, size and turn on a larger picture."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.data.faces_parquet import FacePicture, read_pixels

__all__ = [
    "PlacedFace",
    "StoredPicture",
    "beside_faces",
    "blend",
    "head_mask",
    "middle_of",
    "mirror",
    "mirror_about",
    "outline_mask",
    "place_face",
    "placing",
    "scale_of",
    "turned_box",
    "visible_part",
    "warp",
]

_MIRRORED = np.array([1, 0, 2, 4, 3])
"""Where the five landmarks come from when a picture is mirrored."""
_LEAST_PIECE = 12.0
"""Pixels; of smaller pieces nothing is to be seen."""


@dataclass(frozen=True, slots=True, eq=False)
class StoredPicture:
    """Hold a picture at its size and halved again and again, with its faces at its size.

    levels: (h, w, 3) uint8 BGR. faces: (n, 15) float32, as `models.data.faces_parquet`.
    """

    levels: tuple[NDArray[np.uint8], ...]
    faces: NDArray[np.float32]

    @classmethod
    def of(cls, picture: FacePicture) -> StoredPicture:
        level = read_pixels(picture)
        levels = [level]
        while min(level.shape[:2]) > 24:
            level = cv2.resize(level, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA).astype(
                np.uint8, copy=False
            )
            levels.append(level)
        return cls(tuple(levels), picture.faces)


@dataclass(frozen=True, slots=True, eq=False)
class PlacedFace:
    """Hold a face on the canvas: its ellipse, landmarks, score and the number of its part."""

    box: NDArray[np.float32]
    points: NDArray[np.float32]
    score: float
    part: int


def beside_faces(
    picture: StoredPicture, rng: np.random.Generator
) -> tuple[float, float, float] | None:
    """Draw a square that touches no face of a picture: left, top, side in its pixels.

    None where four tries find no room.
    """
    height, width = picture.levels[0].shape[:2]
    corner, sides = picture.faces[:, :2], picture.faces[:, 2:4]
    grown = np.concatenate([corner - 0.1 * sides, corner + 1.1 * sides], axis=1)
    for _ in range(4):
        side = float(rng.uniform(0.15, 0.6)) * min(height, width)
        x, y = float(rng.uniform(0, width - side)), float(rng.uniform(0, height - side))
        apart = (
            (grown[:, 0] >= x + side)
            | (grown[:, 2] <= x)
            | (grown[:, 1] >= y + side)
            | (grown[:, 3] <= y)
        )
        if side >= _LEAST_PIECE and bool(apart.all()):
            return x, y, side
    return None


def turned_box(
    centre: NDArray[np.float64], width: float, height: float, angle: float
) -> NDArray[np.float32]:
    """Return the upright box (4,) around an ellipse of these axes turned by degrees."""
    cosine, sine = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    half_width = np.hypot(width * cosine, height * sine) / 2
    half_height = np.hypot(width * sine, height * cosine) / 2
    half = np.array([half_width, half_height])
    return np.concatenate([centre - half, centre + half]).astype(np.float32)


def middle_of(face: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.array([face[0] + face[2] / 2, face[1] + face[3] / 2], np.float64)


def scale_of(matrix: NDArray[np.float32]) -> float:
    """Return how much a similarity enlarges; a mirrored one too."""
    return float(np.hypot(matrix[0, 0], matrix[1, 0]))


def placing(
    face: NDArray[np.float32], scale: float, angle: float, place: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Return the (2, 3) map that scales and turns a picture about a face and puts it somewhere."""
    cosine, sine = scale * np.cos(np.radians(angle)), scale * np.sin(np.radians(angle))
    linear = np.array([[cosine, -sine], [sine, cosine]])
    return np.column_stack([linear, place - linear @ middle_of(face)]).astype(np.float32)


def mirror_about(matrix: NDArray[np.float32], face: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the map of the picture mirrored about the upright line through a face."""
    return mirror(matrix, 2 * float(middle_of(face)[0]))


def mirror(matrix: NDArray[np.float32], width: float) -> NDArray[np.float32]:
    flip = np.array([[-1, 0, width], [0, 1, 0], [0, 0, 1]], np.float32)
    return (matrix @ flip).astype(np.float32)


def warp(
    picture: StoredPicture, matrix: NDArray[np.float32], width: int, height: int, border: int
) -> NDArray[np.uint8]:
    """Warp from the level that is nearest above the size wanted, so that little is skipped."""
    scale = scale_of(matrix)
    level = int(np.clip(np.floor(np.log2(1 / max(scale, 1e-6))), 0, len(picture.levels) - 1))
    source = picture.levels[level]
    across = picture.levels[0].shape[1] / source.shape[1]
    down = picture.levels[0].shape[0] / source.shape[0]
    # Pixel centres lie at halves on every level.
    grow = np.array([[across, 0, (across - 1) / 2], [0, down, (down - 1) / 2], [0, 0, 1]])
    warped = cv2.warpAffine(source, matrix @ grow, (width, height), borderMode=border)
    return warped.astype(np.uint8, copy=False)


def outline_mask(
    picture: StoredPicture, matrix: NDArray[np.float32], shape: tuple[int, int]
) -> NDArray[np.uint8]:
    """Return where a patch (H, W) shows the picture that `matrix` brings to it, 0 or 255."""
    height, width = picture.levels[0].shape[:2]
    corners = np.array([[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]])
    outline = np.round(corners @ matrix[:, :2].T + matrix[:, 2]).astype(np.int32)
    mask = np.zeros(shape, np.uint8)
    cv2.fillConvexPoly(mask, outline, 255)
    return mask


def head_mask(
    face: NDArray[np.float32], matrix: NDArray[np.float32], shape: tuple[int, int], grown: float
) -> NDArray[np.uint8]:
    """Return the ellipse about a head, `grown` times the face's box, 0 or 255."""
    mask = np.zeros(shape, np.uint8)
    half = scale_of(matrix) * grown / 2
    x, y = matrix[:, :2] @ (middle_of(face) - (0, 0.08 * face[3])) + matrix[:, 2]
    axes = (max(1, int(face[2] * half)), max(1, int(face[3] * half)))
    angle = float(np.degrees(np.arctan2(matrix[1, 1], matrix[0, 1]))) - 90
    cv2.ellipse(mask, (int(x), int(y)), axes, angle, 0, 360, 255, -1)
    return mask


def blend(
    canvas: NDArray[np.uint8], patch: NDArray[np.uint8], mask: NDArray[np.uint8], *, soft: bool
) -> None:
    if soft:
        part = mask.astype(np.float32) / 255
        canvas[:] = cv2.blendLinear(patch, np.ascontiguousarray(canvas), part, 1 - part)
    else:
        cv2.copyTo(patch, mask, canvas)


def place_face(
    face: NDArray[np.float32],
    matrix: NDArray[np.float32],
    angle: float,
    *,
    mirrored: bool,
    part: int,
) -> PlacedFace:
    scale = scale_of(matrix)
    centre = matrix[:, :2].astype(np.float64) @ middle_of(face) + matrix[:, 2]
    points = face[4:14].reshape(5, 2) @ matrix[:, :2].T + matrix[:, 2]
    if mirrored:
        points = points[_MIRRORED]
    box = turned_box(centre, float(face[2]) * scale, float(face[3]) * scale, angle)
    return PlacedFace(box, points.astype(np.float32), float(face[14]), part)


def visible_part(face: PlacedFace, owner: NDArray[np.uint8]) -> float:
    """Return the part of a face's box that its own patch still shows, 0 to 1."""
    height, width = owner.shape
    left, top, right, bottom = (round(float(value)) for value in face.box)
    inside = owner[max(0, top) : min(height, bottom), max(0, left) : min(width, right)]
    area = max(1, (right - left) * (bottom - top))
    return float(np.count_nonzero(inside == face.part)) / area
