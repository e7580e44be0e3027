"""Follow known faces by their landmarks, and judge the finders' new ones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from app.faces.alignment import align, misfit, upright_square
from app.faces.landmarks import Fit, Landmarker
from app.live.tracker import Track
from app.messages import Box, Face

__all__ = ["Follower", "same_place"]

# In sides: the two landmark fits on a face differ less, on three quarters of the cascade's false
# alarms more. A face that is being followed has earned more patience: it may be turning.
_SPREAD_NEW = 0.03
_SPREAD_FOLLOWED = 0.05
# One that the finder has missed so often must convince by itself.
_DOUBTFUL = 3
_SPREAD_DOUBTFUL = 0.02
_MISFIT = 0.09
# Frames for which two fits that agreed are trusted: on these one fit must do, at half the cost.
_TRUSTED = 2
# A second fit pays once the start was off by this much of the side.
_REFIT = 0.08
_JUMP = 0.5
_GROWTH = 1.4
_INSIDE = 0.5
_SAME = 0.45
# Correlation with the aligned face of a moment ago: above 0.89 in 99 of 100 frames of moving
# faces, below 0.25 in 75 of 100 where the face has gone and the background took its points.
_LOOK = 24
_LIKENESS = 0.4


class Follower:
    """Fit landmarks where faces are expected and keep only what still looks like a face."""

    def __init__(self, landmarker: Landmarker) -> None:
        self._landmarker = landmarker

    def follow(self, gray: NDArray[np.uint8], tracks: Sequence[Track], time: float) -> list[Face]:
        """Return the tracks that could be followed onto this picture (H, W), with their IDs.

        Where two end on the same face, one of them is hidden behind it: the one that had to
        jump farther from its path.
        """
        followed: list[tuple[float, Face]] = []
        looks: dict[int | None, NDArray[np.float32]] = {}
        for track in sorted(tracks, key=lambda track: not track.present):
            expected = track.predict(time)
            if not track.present and any(same_place(expected, face.box) for _, face in followed):
                continue
            face = self._follow_one(gray, track, expected)
            if face is None:
                continue
            looks[track.track_id] = look = _look(gray, face)
            if track.look is None or float((look * track.look).sum()) >= _LIKENESS:
                followed.append((_distance(expected, face.box), face))
        kept: list[Face] = []
        for _, face in sorted(followed, key=lambda pair: pair[0]):
            if not any(same_place(face.box, other.box) for other in kept):
                kept.append(face)
        for track in tracks:
            if any(face.track_id == track.track_id for face in kept):
                track.look = looks[track.track_id]
        return kept

    def inspect(self, gray: NDArray[np.uint8], found: Face) -> Face | None:
        """Return a finder's face with its 68 landmarks, None when they show it is none.

        A finder that brought landmarks of its own is believed: the face may be turned so far
        that 68 cannot be fitted, and keeps those it has.
        """
        fit, box = self._settle(gray, found.box, twice=True)
        if same_place(box, found.box) and _plausible(fit, box, gray, _SPREAD_NEW):
            return replace(found, box=box, landmarks=fit.points)
        return found if found.landmarks is not None else None

    def _follow_one(self, gray: NDArray[np.uint8], track: Track, expected: Box) -> Face | None:
        twice = not track.trusted or not track.present or track.missed > 0
        fit, box = self._settle(gray, expected, twice=twice)
        grown = max(box.width, 1e-6) / expected.width
        if _distance(expected, box) > _JUMP or not 1 / _GROWTH < grown < _GROWTH:
            return None
        spread = _SPREAD_FOLLOWED if track.missed < _DOUBTFUL else _SPREAD_DOUBTFUL
        if not _plausible(fit, box, gray, spread):
            return None
        track.trusted = _TRUSTED if twice else track.trusted - 1
        return Face(box, track.score, fit.points, track.track_id)

    def _settle(self, gray: NDArray[np.uint8], start: Box, *, twice: bool) -> tuple[Fit, Box]:
        """Fit landmarks in a box, and again from their own box when they lead far from it.

        A single fit has no spread: it is taken on trust.
        """
        fit = self._fit(gray, start, twice=twice)
        box = upright_square(fit.points)
        grown = max(box.width, 1e-6) / max(start.width, 1e-6)
        if _distance(start, box) > _REFIT or abs(grown - 1) > _REFIT:
            fit = self._fit(gray, box, twice=twice)
            box = upright_square(fit.points)
        return fit, box

    def _fit(self, gray: NDArray[np.uint8], start: Box, *, twice: bool) -> Fit:
        if twice:
            return self._landmarker.fit_twice(gray, start)
        return Fit(self._landmarker.fit(gray, start), spread=0.0)


def same_place(one: Box, other: Box) -> bool:
    """Return whether two squares are so close that they can only show one face."""
    return _distance(one, other) < _SAME


def _look(gray: NDArray[np.uint8], face: Face) -> NDArray[np.float32]:
    """Return a small aligned picture, without its mean and of length 1."""
    crop = align(gray, face, _LOOK, finest=3).crop.astype(np.float32)
    crop -= crop.mean()
    return np.asarray(crop / max(float(np.linalg.norm(crop)), 1e-6), np.float32)


def _distance(one: Box, other: Box) -> float:
    """Return the distance of the centres in sides of the smaller box."""
    (x, y), (other_x, other_y) = one.centre, other.centre
    return math.hypot(other_x - x, other_y - y) / max(min(one.width, other.width), 1e-6)


def _plausible(fit: Fit, box: Box, gray: NDArray[np.uint8], spread: float) -> bool:
    height, width = gray.shape
    inside = Box(max(box.x1, 0), max(box.y1, 0), min(box.x2, width), min(box.y2, height))
    seen = max(0.0, inside.width) * max(0.0, inside.height) >= _INSIDE * box.area
    return seen and fit.spread <= spread and misfit(fit.points) <= _MISFIT
