"""Make the faces of a picture unknowable."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from app.messages import Box, FaceResult, FrameResult

__all__ = ["Blur"]

# Of the face's square, which ends at the brows: hair and ears are to go as well.
_LARGER = 1.7
# What is left of a face: so many cells across. Faces are known again from about 16.
_CELLS = 7
# A face that is not found any more is blurred where it was for so long, ever larger.
_REMEMBERED = 2.0
_GROWTH = 0.4
# Pictures wait for so long: a face is found up to a search, 0.8 s, after it has come.
_AHEAD = 1.0
_MOST_HELD = 256 * 1024 * 1024
_SHOWS_FACES = ("warped", "guided")
"""Attention outputs that are the network's own picture of the face, or its lines."""


class Blur:
    """Blur all faces of one frame after another: before they are found, and after they are lost.

    Frames come out a second after they went in, 256 MB of them at most: a face that is found within
    that time is blurred from the moment in which it may have come.
    """

    def __init__(self) -> None:
        self._seen: dict[int | None, tuple[float, Box]] = {}
        self._held: deque[FrameResult] = deque()
        self._bytes = 0

    def add(self, result: FrameResult) -> list[FrameResult]:
        """Take a frame in; return those that are ready, blurred, in their order."""
        self._held.append(result)
        self._bytes += result.frame.image.nbytes
        ready = []
        newest = result.frame.captured_at
        while newest - self._held[0].frame.captured_at > _AHEAD or self._bytes > _MOST_HELD:
            ready.append(self._take())
        return ready

    def rest(self) -> list[FrameResult]:
        """Return the frames that are left, blurred: no other comes."""
        return [self._take() for _ in range(len(self._held))]

    def _take(self) -> FrameResult:
        result = self._held.popleft()
        self._bytes -= result.frame.image.nbytes
        return self._blurred(result)

    def _blurred(self, result: FrameResult) -> FrameResult:
        now = result.frame.captured_at
        self._seen |= _boxes(result)
        self._seen = {
            track: (seen, box)
            for track, (seen, box) in self._seen.items()
            if 0 <= now - seen <= _REMEMBERED
        }
        picture = result.frame.image.copy()
        for seen, box in (*self._seen.values(), *self._coming(now)):
            _cover(picture, box, _LARGER * (1 + _GROWTH * abs(now - seen)))
        faces = tuple(_faceless(face) for face in result.faces)
        return replace(result, frame=replace(result.frame, image=picture), faces=faces)

    def _coming(self, now: float) -> list[tuple[float, Box]]:
        """Return where those faces will be first that are not seen now."""
        found: dict[int | None, tuple[float, Box]] = {}
        for later in self._held:
            found = _boxes(later) | found
        here = {track for track, (seen, _) in self._seen.items() if seen == now}
        return [
            first
            for track, first in found.items()
            if track not in here and 0 <= first[0] - now <= _REMEMBERED
        ]


def _boxes(result: FrameResult) -> dict[int | None, tuple[float, Box]]:
    """Return when and where each face of a frame was seen, by its track."""
    return {
        -1 - number if face.face.track_id is None else face.face.track_id: (
            result.frame.captured_at,
            face.face.box,
        )
        for number, face in enumerate(result.faces)
    }


def _faceless(face: FaceResult) -> FaceResult:
    """Return a face without what an overlay would draw its features from."""
    kept = {
        name: values
        for name, values in face.prediction.attention.items()
        if name not in _SHOWS_FACES
    }
    return replace(face, prediction=replace(face.prediction, attention=kept))


def _cover(picture: NDArray[np.uint8], box: Box, larger: float) -> None:
    """Draw an oval of a few coarse cells over a box, in place."""
    height, width = picture.shape[:2]
    (x, y), half = box.centre, larger * max(box.width, box.height) / 2
    left, top = max(0, round(x - half)), max(0, round(y - half))
    right, bottom = min(width, round(x + half)), min(height, round(y + half))
    if right - left < 2 or bottom - top < 2:
        return
    part = picture[top:bottom, left:right]
    cells = (
        max(1, round(_CELLS * part.shape[1] / (2 * half))),
        max(1, round(_CELLS * part.shape[0] / (2 * half))),
    )
    coarse = cv2.resize(part, cells, interpolation=cv2.INTER_AREA)
    smooth = cv2.resize(coarse, part.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    mask = np.zeros(part.shape[:2], np.uint8)
    centre = round(x - left), round(y - top)
    cv2.ellipse(mask, centre, (round(0.85 * half), round(half)), 0, 0, 360, 255, -1)
    part[mask > 0] = smooth[mask > 0]
