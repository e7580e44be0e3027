"""Keep each face's ID from frame to frame."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from app.faces.base import square
from app.faces.looks import UsualLook
from app.messages import Box, Face

__all__ = ["OneEuro", "Track", "Tracker"]

# Seconds since a track was seen for which it is expected, also behind another face, or remembered.
_ABSENCE = 0.75
_HIDDEN = 2.0
_MEMORY = 10.0
# Hz, of the One Euro filter at rest and for the speed; Hz per side/s, how its cutoff grows with it.
_CUTOFF = 2.0
_SPEED_CUTOFF = 1.0
_CUTOFF_GROWTH = 30.0
# How fast the velocity follows what is seen, in seconds; slow enough that the last pictures of a
# face that slips behind another, whose landmarks are pulled about, do not spoil its course.
_VELOCITY_TIME = 0.3
# Nothing ties a face to one that far from where it was expected, in sides; grows with absence.
_NEAR = 0.6
_NEAR_PER_SECOND = 1.2
_SIZE_RATIO = 1.6
# Unless it looks as usual: two people do above the second in 5 of 100 pairs. Then it may have gone
# so many times as far, for a path can turn while nobody sees it. Below the first are a fourth of
# the pairs of two people, and hardly anybody from one moment to the next.
_UNLIKE, _ALIKE = 0.3, 0.47
_FARTHER = 2.5
# Wherever it appears: 1 of 100 pairs of two people are as alike.
_KNOWN = 0.58
_CONFIRMING_OVERLAP = 0.3


@dataclass(slots=True, eq=False)
class Track:
    """Hold what is known of one face over time.

    track_id: 1 and up. seen: seconds, when it was last seen. x, y, side: its box then, in
    pixels. score: the finder's, from when it was found. velocity: pixels a second. present: it
    was seen on the latest frame. missed: searches in a row in which the finder did not see it.
    look: the follower's small picture of it, None until it was followed once. usual: what it has
    looked like in the last seconds. trusted: frames for which the fit need not be judged.
    replaced: another face has just taken its place.
    """

    track_id: int
    seen: float
    x: float
    y: float
    side: float
    score: float
    velocity: NDArray[np.float64] = field(default_factory=lambda: np.zeros(2))
    steady: OneEuro = field(default_factory=lambda: OneEuro())
    present: bool = True
    missed: int = 0
    trusted: int = 0
    replaced: bool = False
    look: NDArray[np.float32] | None = None
    usual: UsualLook = field(default_factory=UsualLook)

    def predict(self, time: float) -> Box:
        """Return where the box is at `time` if the face moves on as it did."""
        elapsed = time - self.seen
        return square(
            self.x + elapsed * float(self.velocity[0]),
            self.y + elapsed * float(self.velocity[1]),
            self.side,
        )


class Tracker:
    """Tell which face is which by place, size, constant velocity, and what it usually looks like.

    A track that is not seen stays expected for 0.75 s, and for 2 s while the place where it should
    be is taken by another face. For 10 s after it was seen whoever looks like it gets its ID back,
    wherever that may be; time in which nobody looked does not count. Nobody else ever gets it, not
    after `reset` either.
    """

    def __init__(self) -> None:
        self._tracks: list[Track] = []
        self._remembered: list[Track] = []
        self._next_id = 1
        self._time: float | None = None

    @property
    def tracks(self) -> tuple[Track, ...]:
        """Return the tracks seen lately, those now absent included."""
        return tuple(self._tracks)

    @property
    def known_ids(self) -> set[int]:
        """Return the IDs of all tracks, and of those that are remembered."""
        return {track.track_id for track in (*self._tracks, *self._remembered)}

    def advance(self, time: float, *, live: bool = False) -> tuple[Track, ...]:
        """Move to the time (s) of a frame and return the tracks that may be on it.

        Time that runs backward or leaps is another film: its faces are other faces. live: a leap
        is a pause or a delay, after which who was there may be there still.
        """
        elapsed = 0.0 if self._time is None else time - self._time
        if live and elapsed > _ABSENCE:
            self._pass_over(elapsed)
        elif not 0 <= elapsed <= _ABSENCE:
            self.reset()
        self._time = time
        expected = [track for track in self._tracks if self._expected(track, time)]
        self._remember(track for track in self._tracks if track not in expected)
        self._remembered = [one for one in self._remembered if time - one.seen <= _MEMORY]
        self._tracks = expected
        return self.tracks

    def cut(self) -> None:
        """Expect nobody any more: another shot begins. Who is in it too will be recognised."""
        self._remember(self._tracks)
        self._tracks = []

    def _pass_over(self, seconds: float) -> None:
        """Expect nobody after a time in which nobody looked, and let it make nobody absent."""
        self.cut()
        for track in self._remembered:
            track.seen += seconds

    def _remember(self, tracks: Iterable[Track]) -> None:
        self._remembered += [track for track in tracks if track.usual.known]

    def update(
        self,
        faces: Sequence[Face],
        time: float,
        look: Callable[[Face], NDArray[np.float32] | None] | None = None,
    ) -> list[Face]:
        """Return the faces of the frame with IDs and steadied landmarks.

        faces: those that were followed bring their `track_id`; each other is taken for the
        absent track that it fits best, else for whoever looks like it, else it begins a new one.
        look: gives what `UsualLook` compares of a face, or None where it shows too little.
        """
        known = {track.track_id: track for track in self._tracks}
        for track in self._tracks:
            track.present = False
        results = [
            self._see(known[face.track_id], face, time)
            for face in faces
            if face.track_id is not None
        ]
        strangers = [face for face in faces if face.track_id is None]
        looks: list[NDArray[np.float32] | None] = [None] * len(strangers)
        if look is not None and (self._remembered or any(not t.present for t in self._tracks)):
            looks = [look(face) for face in strangers]
        matched = self._match(strangers, looks, time)
        matched |= self._recognise(looks, matched, time)
        for place, face in enumerate(strangers):
            track = matched.get(place) or self._begin(face, time)
            # The finder vouches for it, whatever it looked like before it was away.
            track.score, track.missed, track.trusted, track.look = face.score, 0, 0, None
            results.append(self._see(track, face, time))
        for track in self._tracks:
            track.replaced = False
        return results

    def confirm(self, followed: Sequence[Face], found: Sequence[Face]) -> None:
        """Count for each followed face whether the finder, having searched, sees it too."""
        known = {track.track_id: track for track in self._tracks}
        for face in followed:
            if face.track_id is None:
                continue
            seen = any(face.box.overlap(other.box) >= _CONFIRMING_OVERLAP for other in found)
            track = known[face.track_id]
            track.missed = 0 if seen else track.missed + 1

    def reset(self) -> None:
        """Forget all tracks, those remembered too."""
        self._tracks.clear()
        self._remembered.clear()
        self._time = None

    def _expected(self, track: Track, time: float) -> bool:
        absent = time - track.seen
        if absent <= _ABSENCE:
            return True
        place = track.predict(time)
        return absent <= _HIDDEN and any(
            other.present and other.predict(time).overlap(place) > 0 for other in self._tracks
        )

    def _match(
        self, strangers: Sequence[Face], looks: Sequence[NDArray[np.float32] | None], time: float
    ) -> dict[int, Track]:
        """Pair faces with the absent tracks in whose place they are, the closest pair first."""
        pairs = []
        for at, (face, look) in enumerate(zip(strangers, looks, strict=True)):
            for track in self._tracks:
                if not track.present and not track.replaced:
                    cost = _cost(track, face.box, time, _likeness(track, look))
                    if cost is not None:
                        pairs.append((cost, at, track))
        return _closest(pairs)

    def _recognise(
        self, looks: Sequence[NDArray[np.float32] | None], matched: dict[int, Track], time: float
    ) -> dict[int, Track]:
        """Pair faces with those who looked like them, wherever they were; return the tracks."""
        absent = [track for track in self._tracks if not track.present and not track.replaced]
        away = [track for track in absent if track not in matched.values()] + self._remembered
        pairs = [
            (-likeness, at, track)
            for at, look in enumerate(looks)
            for track in away
            if at not in matched and (likeness := _likeness(track, look) or 0.0) >= _KNOWN
        ]
        found = _closest(pairs)
        for track in found.values():
            # Where it was says nothing of how it moves now.
            track.seen, track.velocity, track.steady = time, np.zeros(2), OneEuro()
            if track in self._remembered:
                self._remembered.remove(track)
                self._tracks.append(track)
        return found

    def _begin(self, face: Face, time: float) -> Track:
        x, y = face.box.centre
        track = Track(self._next_id, time, x, y, face.box.width, face.score)
        self._next_id += 1
        self._tracks.append(track)
        return track

    def _see(self, track: Track, face: Face, time: float) -> Face:
        x, y = face.box.centre
        elapsed = time - track.seen
        if elapsed > 0:
            speed = np.array([x - track.x, y - track.y]) / elapsed
            weight = -math.expm1(-elapsed / _VELOCITY_TIME)
            track.velocity += weight * (speed - track.velocity)
        track.x, track.y, track.side = x, y, face.box.width
        track.seen, track.present = time, True
        landmarks = face.landmarks
        if landmarks is not None:
            landmarks = track.steady(landmarks, time, track.side)
        return replace(face, landmarks=landmarks, track_id=track.track_id)


class OneEuro:
    """Steady points: much while they rest, hardly while they move.

    The One Euro filter (Casiez, Roussel and Vogel 2012, CHI): a low-pass whose cutoff grows
    with the speed, here counted in sides of the face, so that near and far faces are alike.
    """

    def __init__(self) -> None:
        self._time: float | None = None
        self._points = np.zeros((0, 2), np.float32)
        self._speed = np.zeros((0, 2), np.float32)

    def __call__(
        self, points: NDArray[np.float32], time: float, side: float
    ) -> NDArray[np.float32]:
        """Return (K, 2) points at `time` (s); side: of the face, in the points' unit."""
        begins = self._time is None or time <= self._time or len(points) != len(self._points)
        if begins or self._time is None:
            self._points = points.copy()
            self._speed = np.zeros_like(points)
        else:
            elapsed = time - self._time
            speed = (points - self._points) / (elapsed * max(side, 1e-6))
            self._speed = self._speed + _weight(_SPEED_CUTOFF, elapsed) * (speed - self._speed)
            pace = np.linalg.norm(self._speed, axis=1, keepdims=True)
            weight = _weight(_CUTOFF + _CUTOFF_GROWTH * pace, elapsed)
            self._points = (self._points + weight * (points - self._points)).astype(np.float32)
        self._time = time
        return self._points.copy()


def _weight(cutoff: float | NDArray[np.float32], elapsed: float) -> NDArray[np.float32]:
    """Return the weight of the newest value in a first-order low-pass."""
    turns = np.asarray(2 * math.pi * elapsed * cutoff, np.float32)
    return np.asarray(turns / (turns + 1), np.float32)


def _closest(pairs: Iterable[tuple[float, int, Track]]) -> dict[int, Track]:
    """Return the track of each place, by pairs with their cost, of which the least goes first."""
    chosen: dict[int, Track] = {}
    for _, at, track in sorted(pairs, key=lambda pair: pair[0]):
        if at not in chosen and track not in chosen.values():
            chosen[at] = track
    return chosen


def _likeness(track: Track, look: NDArray[np.float32] | None) -> float | None:
    """Return how much a look is like a track's usual one, None where either is unknown."""
    return None if look is None else track.usual.likeness(look)


def _cost(track: Track, box: Box, time: float, likeness: float | None) -> float | None:
    """Return how badly a box fits a track's expectation; None when it cannot be the same face."""
    expected = track.predict(time)
    x, y = expected.centre
    at_x, at_y = box.centre
    side = max(track.side, box.width)
    away = math.hypot(at_x - x, at_y - y) / side
    growth = abs(math.log(max(box.width, 1e-6) / track.side))
    absent = time - track.seen
    reach = _NEAR + _NEAR_PER_SECOND * absent
    if likeness is not None:
        if likeness < _UNLIKE:
            return None
        reach *= _FARTHER if likeness > _ALIKE else 1.0
    if away > reach or growth > math.log(_SIZE_RATIO):
        return None
    return away + growth - (likeness or 0.0)
