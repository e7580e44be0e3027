"""Follow known faces by their landmarks, and judge the finders' new ones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from app.faces.alignment import align, misfit, upright_square
from app.faces.landmarks import Fit, Landmarker
from app.faces.looks import look_of
from app.live.tracker import Track
from app.messages import Box, Face

__all__ = ["Follower", "same_place"]

# One that the finder has missed so often must convince by itself.
_DOUBTFUL = 3
_MISFIT = 0.09
# Frames for which a fit that convinced is trusted: on these it need not be judged again.
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
_LIKENESS = 0.6
# A face not seen for so long, in seconds, may have turned, and need be only so alike.
_MOMENT = 0.15
_LIKENESS_LATER = 0.4
# Seconds from one look at what a face is usually like to the next.
_LOOK_EVERY = 0.2


class Follower:
    """Fit landmarks where faces are expected and keep only what still looks like a face."""

    def __init__(self, landmarker: Landmarker) -> None:
        self._landmarker = landmarker

    def follow(self, gray: NDArray[np.uint8], tracks: Sequence[Track], time: float) -> list[Face]:
        """Return the tracks that could be followed onto this picture (H, W), with their IDs.

        Where two end on the same face, one of them is hidden behind it: the one that had to
        jump farther from its path. A face that from one frame to the next has become another
        comes without an ID, for it is another person or one who stepped in front.
        """
        looks: dict[int | None, NDArray[np.float32]] = {}
        others: list[Face] = []
        followed = self._follow_all(gray, [t for t in tracks if t.present], time, looks, others)
        # Who is absent is not looked for where another face now is.
        absent = [
            track
            for track in tracks
            if not track.present
            and not any(same_place(track.predict(time), face.box) for _, face in followed)
        ]
        followed += self._follow_all(gray, absent, time, looks, others)
        kept: list[Face] = []
        for _, face in sorted(followed, key=lambda pair: pair[0]):
            if not any(same_place(face.box, other.box) for other in kept):
                kept.append(face)
        known = {face.track_id: face for face in kept}
        for track in tracks:
            if track.track_id in known:
                track.look = looks[track.track_id]
                if track.usual.age(time) >= _LOOK_EVERY:
                    track.usual.take(look_of(gray, known[track.track_id]), time)
        for face in others:
            if not any(same_place(face.box, other.box) for other in kept):
                kept.append(face)
        return kept

    def inspect(self, gray: NDArray[np.uint8], found: Face) -> Face | None:
        """Return a finder's face with its 68 landmarks, None when they show it is none.

        A finder that brought landmarks of its own is believed where the fit is as sure as that of
        a face that turns while it is followed: the face may be turned so far that 68 cannot be
        fitted, and keeps those it has. Knees and lettering that a finder takes for faces lie below.
        """
        ((fit, box),) = self._settle(gray, [found.box])
        limits = self._landmarker.limits
        known = fit.confidence >= limits.new
        if known and same_place(box, found.box) and _plausible(fit, box, gray):
            return replace(found, box=box, landmarks=fit.points)
        turned = found.landmarks is not None and fit.confidence >= limits.followed
        return found if turned else None

    def _follow_all(
        self,
        gray: NDArray[np.uint8],
        tracks: Sequence[Track],
        time: float,
        looks: dict[int | None, NDArray[np.float32]],
        others: list[Face],
    ) -> list[tuple[float, Face]]:
        """Return the faces followed, each with the distance from where it was expected.

        looks: gets the look of each by its number. others: gets the faces that have taken the
        place of a track's.
        """
        expected = [track.predict(time) for track in tracks]
        sure = [t.trusted > 0 and t.present and t.missed == 0 for t in tracks]
        settled = self._settle(gray, expected, sure) if tracks else []
        followed = []
        for track, start, known, (fit, box) in zip(tracks, expected, sure, settled, strict=True):
            if not self._reached(track, start, fit, box) or not _plausible(fit, box, gray):
                continue
            track.trusted = track.trusted - 1 if known else _TRUSTED
            face = Face(box, track.score, fit.points, track.track_id)
            looks[track.track_id] = look = _look(gray, face)
            alike = 1.0 if track.look is None else float(np.vdot(look, track.look))
            moment = time - track.seen <= _MOMENT
            if alike >= (_LIKENESS if moment else _LIKENESS_LATER):
                followed.append((_distance(start, box), face))
            elif moment and self._is_face(gray, face):
                track.replaced = True
                others.append(replace(face, track_id=None))
        return followed

    def _is_face(self, gray: NDArray[np.uint8], face: Face) -> bool:
        """Return whether a fit that was taken on trust would pass as a new face."""
        (fit,) = self._landmarker.fit_all(gray, [face.box])
        return fit.confidence >= self._landmarker.limits.new

    def _reached(self, track: Track, expected: Box, fit: Fit, box: Box) -> bool:
        """Return whether a fit may be of this track's face: near, as large, and sure enough."""
        grown = max(box.width, 1e-6) / max(expected.width, 1e-6)
        if _distance(expected, box) > _JUMP or not 1 / _GROWTH < grown < _GROWTH:
            return False
        limits = self._landmarker.limits
        return fit.confidence >= (limits.followed if track.missed < _DOUBTFUL else limits.doubtful)

    def _settle(
        self, gray: NDArray[np.uint8], starts: Sequence[Box], sure: Sequence[bool] = ()
    ) -> list[tuple[Fit, Box]]:
        """Fit landmarks in boxes, and again from their own box those that led far from it."""
        fits = self._landmarker.fit_all(gray, starts, sure=sure)
        settled = [(fit, upright_square(fit.points)) for fit in fits]
        again = [at for at, start in enumerate(starts) if _far(start, settled[at][1])]
        if again:
            boxes = [settled[at][1] for at in again]
            fits = self._landmarker.fit_all(gray, boxes, sure=[sure[at] for at in again if sure])
            for at, fit in zip(again, fits, strict=True):
                settled[at] = (fit, upright_square(fit.points))
        return settled


def same_place(one: Box, other: Box) -> bool:
    """Return whether two squares are so close that they can only show one face."""
    return _distance(one, other) < _SAME


def _look(gray: NDArray[np.uint8], face: Face) -> NDArray[np.float32]:
    """Return a small aligned picture, without its mean and of length 1."""
    crop = align(gray, face, _LOOK, finest=3).crop.astype(np.float32)
    crop -= crop.mean()
    crop /= max(math.sqrt(float(np.vdot(crop, crop))), 1e-6)
    return crop


def _distance(one: Box, other: Box) -> float:
    """Return the distance of the centres in sides of the smaller box."""
    (x, y), (other_x, other_y) = one.centre, other.centre
    return math.hypot(other_x - x, other_y - y) / max(min(one.width, other.width), 1e-6)


def _far(start: Box, box: Box) -> bool:
    """Return whether a fit led so far from its start that another, from where it led, pays."""
    grown = max(box.width, 1e-6) / max(start.width, 1e-6)
    return _distance(start, box) > _REFIT or abs(grown - 1) > _REFIT


def _plausible(fit: Fit, box: Box, gray: NDArray[np.uint8]) -> bool:
    height, width = gray.shape
    inside = Box(max(box.x1, 0), max(box.y1, 0), min(box.x2, width), min(box.y2, height))
    seen = max(0.0, inside.width) * max(0.0, inside.height) >= _INSIDE * box.area
    return seen and misfit(fit.points) <= _MISFIT
