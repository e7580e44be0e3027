"""Make the faces of a picture unknowable."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from app.messages import Box, FrameResult

__all__ = ["Blur"]

# Of the face's square, which ends at the brows: hair and ears are to go as well.
_LARGER = 1.7
# What is left of a face: so many cells across. Faces are known again from about 16.
_CELLS = 7
# A face that is not found any more is blurred where it was for so long, ever larger.
_REMEMBERED = 2.0
_GROWTH = 0.4


class Blur:
    """Blur all faces of one frame after another, also for a while after one was lost."""

    def __init__(self) -> None:
        self._seen: dict[int | None, tuple[float, Box]] = {}

    def blurred(self, result: FrameResult) -> FrameResult:
        """Return the result with a picture on which the faces are blurred."""
        now = result.frame.captured_at
        for number, face in enumerate(result.faces):
            track = face.face.track_id
            self._seen[-1 - number if track is None else track] = now, face.face.box
        self._seen = {
            track: (seen, box)
            for track, (seen, box) in self._seen.items()
            if 0 <= now - seen <= _REMEMBERED
        }
        picture = result.frame.image.copy()
        for seen, box in self._seen.values():
            _cover(picture, box, _LARGER * (1 + _GROWTH * (now - seen)))
        return replace(result, frame=replace(result.frame, image=picture))


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
