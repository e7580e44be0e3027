"""How well landmarks sit, by any program that fits them, on people held back from training."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.data.faces_parquet import FacePicture, read_pixels
from models.data.landmark_labels import disagreement
from models.data.landmarks import PATCH_SIDE, LandmarkSet, make_landmark_set
from models.runtime.framing import square_of
from models.runtime.landmark_crop import LOWERED
from models.timing import median_ms

__all__ = [
    "CONDITIONS",
    "Fitter",
    "MarkedFace",
    "Score",
    "confidences",
    "jitter",
    "marked_faces",
    "milliseconds",
    "score",
]

Square = tuple[float, float, float]
Fitter = Callable[
    [NDArray[np.uint8], Sequence[Square]], tuple[NDArray[np.float32], NDArray[np.float32]]
]
"""Maps a gray picture and squares (middle x, y, side) to points (N, 68, 2), confidence (N,)."""

CONDITIONS: dict[str, tuple[tuple[float, float, float], ...]] = {
    "in place": ((0, 0, 1),),
    "shifted by 10 %": ((0.1, 0, 1), (-0.1, 0, 1), (0, 0.1, 1), (0, -0.1, 1)),
    "scaled by 20 %": ((0, 0, 1.2), (0, 0, 1 / 1.2)),
    "both": tuple(
        (right, down, size)
        for right in (-0.07, 0.07)
        for down in (-0.07, 0.07)
        for size in (1.2, 1 / 1.2)
    ),
}
"""How the box is moved, by name: right and down in sides, and its size."""

# Labels that five points of another program contradict by more, in distances between the eyes,
# are of another place than the face.
_TRUSTED = 0.2
_FAILURES = (0.08, 0.10)
# A still face in a still camera: noise in grey levels, and of the box in sides.
_NOISE, _UNSTEADY = 3.0, 0.01
_FRAMES = 12


@dataclass(frozen=True, slots=True, eq=False)
class MarkedFace:
    """Hold a face whose 68 landmarks are known.

    gray: (H, W) uint8. points: (68, 2) pixels. square: middle x, y and side of FER2013's square
    by five points of another program, so that no label decides where it is.
    """

    gray: NDArray[np.uint8]
    points: NDArray[np.float32]
    square: Square

    @property
    def between_eyes(self) -> float:
        """Return the distance of the outer corners of the eyes in pixels."""
        return float(np.linalg.norm(self.points[45] - self.points[36]))


@dataclass(frozen=True, slots=True)
class Score:
    """Hold one measurement.

    n: fits. mean, median: of the mean distance from the labels, in distances between the outer
    corners of the eyes. above_8, above_10: parts of the fits whose error is above 0.08 and 0.10.
    """

    landmarker: str
    split: str
    box: str
    n: int
    mean: float
    median: float
    above_8: float
    above_10: float
    date: str

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for a card."""
        return asdict(self)


def marked_faces(pictures: Iterable[FacePicture]) -> list[MarkedFace]:
    """Return the faces with 68 landmarks that five of another program do not contradict."""
    faces = []
    for picture in pictures:
        if picture.points68 is None:
            continue
        gray = cv2.cvtColor(read_pixels(picture), cv2.COLOR_BGR2GRAY).astype(np.uint8, copy=False)
        label = square_of(picture.points68)
        near = [face[4:14].reshape(5, 2) for face in picture.faces]
        near = [five for five in near if _away(square_of(five), label) < 0.5]
        if near:
            faces.append((MarkedFace(gray, picture.points68, square_of(near[0])), near[0]))
    if not faces:
        return []
    sides = np.array([face.square[2] for face, _ in faces], np.float32)[:, None, None]
    points = (np.stack([face.points for face, _ in faces]) / sides).astype(np.float32)
    five = (np.stack([five for _, five in faces]) / sides).astype(np.float32)
    nothing = np.zeros((len(faces), 0, 0), np.uint8)
    apart, _ = disagreement(LandmarkSet(nothing, points, five))
    return [face for (face, _), away in zip(faces, apart, strict=True) if away <= _TRUSTED]


def score(name: str, fit: Fitter, faces: Sequence[MarkedFace], box: str, split: str) -> Score:
    """Measure a landmarker on faces with the box moved by one of `CONDITIONS`."""
    errors = []
    for face in faces:
        x, y, side = face.square
        squares = [
            (x + right * side, y + down * side, size * side)
            for right, down, size in CONDITIONS[box]
        ]
        points, _ = fit(face.gray, squares)
        away = np.linalg.norm(points - face.points, axis=2).mean(1)
        errors.append(away / face.between_eyes)
    values = np.concatenate(errors)
    return Score(
        landmarker=name,
        split=split,
        box=box,
        n=len(values),
        mean=round(float(values.mean()), 4),
        median=round(float(np.median(values)), 4),
        above_8=round(float((values > _FAILURES[0]).mean()), 4),
        above_10=round(float((values > _FAILURES[1]).mean()), 4),
        date=datetime.now(UTC).date().isoformat(),
    )


def jitter(fit: Fitter, faces: Sequence[MarkedFace]) -> float:
    """Return how much landmarks tremble on a still face, in distances between the eyes.

    Each face is shown 12 times with new noise of 3 grey levels, in a box that trembles by 1 % of
    its side. The result is the root of the mean squared distance of points from their own mean.
    """
    rng = np.random.default_rng(1)
    squared = []
    for face in faces:
        x, y, side = face.square
        shown = []
        for _ in range(_FRAMES):
            noisy = face.gray + rng.normal(0, _NOISE, face.gray.shape)
            right, down, grown = rng.normal(0, _UNSTEADY, 3)
            square = (x + right * side, y + down * side, side * (1 + grown))
            shown.append(fit(np.clip(noisy, 0, 255).astype(np.uint8), [square])[0][0])
        points = np.stack(shown)
        away = ((points - points.mean(0)) ** 2).sum(2).mean()
        squared.append(away / face.between_eyes**2)
    return float(np.sqrt(np.mean(squared)))


def confidences(
    fit: Fitter, pictures: Sequence[FacePicture]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the confidences on faces, all that are in the pictures, and on squares without one."""
    data = make_landmark_set(pictures)
    side = data.patches.shape[1]
    square = side / PATCH_SIDE
    found = np.array(
        [
            # The middle of a patch is that of the crop, which lies lower than the square's.
            fit(patch, [(side / 2, side / 2 - LOWERED * square, square)])[1][0]
            for patch in data.patches
        ],
        np.float32,
    )
    return found[data.faces], found[~data.faces]


def milliseconds(fit: Fitter, faces: Sequence[MarkedFace], count: int = 100) -> float:
    """Return the median time of fitting one face, the crop included, over this many in turn."""
    turn = itertools.cycle(faces)

    def fit_next() -> None:
        face = next(turn)
        fit(face.gray, [face.square])

    return median_ms(fit_next, seconds=60, runs=count)


def _away(one: Square, other: Square) -> float:
    return float(np.hypot(one[0] - other[0], one[1] - other[1]) / other[2])
