"""How well a face can be read, and what would make it better.

The bounds of size, sharpness and light come from spoiling the 3,199 PublicTest faces on which FER+
agrees and reading them with mini-Xception: 1 is where accuracy begins to fall, 0 where little is
left of it. `benchmarks/quality_bounds.py` prints the figures, `docs/sessions.md` has them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from app.faces.alignment import Alignment, align
from app.faces.cover import CoverMeter
from app.messages import Box, Face, Quality
from models.runtime.card import FER2013_SIDE

__all__ = ["QualityMeter", "head_turn"]

# Pixels of the picture under the crop's side.
_SIZE = (12.0, 40.0)
# Root mean square of the Laplacian over the standard deviation, in the middle of the crop.
_SHARPNESS = (0.14, 0.42)
# Gray levels and their standard deviation. A dark skin well lit has contrast enough.
_DARKNESS = (8.0, 45.0)
_CONTRAST = (5.0, 20.0)
# Share of the face that is white, and difference of its halves over their sum.
_BURNT = (0.85, 0.20)
_ONE_SIDED = (0.85, 0.35)
_WHITE = 239
# Degrees away from the camera. Up to 40 the accuracy on PublicTest does not fall, but landmarks
# and what is hidden beyond grow worse.
_TURN = (60.0, 15.0)
# Share of the face's square that lies in the picture.
_INSIDE = (0.65, 1.0)
_WELL = 0.6
# Seconds from one look at what covers a face to the next; it is half of what quality costs.
_COVER_EVERY = 0.095
_FACE = (slice(8, 46), slice(8, 40))
_MIDDLE = (slice(6, 44), slice(6, 42))

# Causes before what they cause: in poor light a face looks covered, from afar unsharp.
_FIRST = ("cut_off", "light", "size", "turn", "occluded", "sharpness")
_ADVICE = {
    "size": "Come closer.",
    "sharpness": "Hold still, or clean and focus the camera.",
    "turn": "Look into the camera.",
    "cut_off": "Move into the middle of the picture.",
    "occluded": "Uncover your face.",
}
_TOO_DARK = "More light from the front."
_TOO_BRIGHT = "Less light on your face."
_UNEVEN = "Light both sides of your face."

# Corners of the eyes, bridge, tip and wings of the nose: what hardly moves with an expression.
_RIGID = [36, 39, 42, 45, 27, 28, 29, 30, 31, 33, 35]
# Where they lie on an average head, in hundredths of the distance between the outer corners of the
# eyes: x to the right of the picture, y down, z away from the camera. By factorisation (Tomasi and
# Kanade 1992, IJCV 9, section 3) of the hand-marked points on 3,099 television pictures, made
# symmetric and turned so that the median person looks into the camera.
_HEAD = np.array([
    [-50.0, -22.7, 21.6], [-22.2, -21.4, 14.8], [22.2, -21.4, 14.8], [50.0, -22.7, 21.6],
    [0.0, -21.1, -4.7], [0.0, -6.3, -13.6], [0.0, 7.7, -23.2], [0.0, 19.6, -24.6],
    [-14.0, 28.2, 0.0], [0.0, 31.8, -6.6], [14.0, 28.2, 0.0],
])  # fmt: skip
_TO_POSE = np.linalg.pinv(_HEAD - _HEAD.mean(0))


class QualityMeter:
    """Measure faces; holds the small network that knows covered ones. Not for two threads."""

    def __init__(self) -> None:
        self._cover = CoverMeter()
        # By track: how free its face was, and when.
        self._known: dict[int | None, tuple[float, float]] = {}

    def measure(
        self,
        gray: NDArray[np.uint8],
        faces: Sequence[Face],
        alignments: Sequence[Alignment],
        *,
        field: int = FER2013_SIDE,
        time: float | None = None,
    ) -> list[Quality]:
        """Return the quality of each face.

        gray: (H, W), the picture. alignments: of the same faces; field: how much of FER2013's 48
        pixels their crops show. time: of the picture, seconds: whether a track's face is covered
        then is looked at ten times a second; without it, anew each time.
        """
        looks = [
            _look(gray, face, alignment, field)
            for face, alignment in zip(faces, alignments, strict=True)
        ]
        free = self._free(faces, looks, time)
        return [
            _quality(gray, face, alignment, look, clear, field)
            for face, alignment, look, clear in zip(faces, alignments, looks, free, strict=True)
        ]

    def _free(
        self, faces: Sequence[Face], looks: Sequence[NDArray[np.uint8]], time: float | None
    ) -> list[float]:
        """Return how free each face is, as known of its track or measured now."""
        now = math.nan if time is None else time  # no moment is near that one
        before = [self._known.get(face.track_id) for face in faces]
        recent = [
            entry if entry is not None and 0 <= now - entry[1] < _COVER_EVERY else None
            for entry in before
        ]
        unknown = [look for look, entry in zip(looks, recent, strict=True) if entry is None]
        measured = iter(self._cover.measure(unknown))
        entries = [(next(measured), now) if entry is None else entry for entry in recent]
        self._known = {
            face.track_id: entry
            for face, entry in zip(faces, entries, strict=True)
            if face.track_id is not None
        }
        return [free for free, _ in entries]


def head_turn(landmarks: NDArray[np.float32]) -> tuple[float, float]:
    """Return by how many degrees a head is turned to the right of the picture and down.

    landmarks: (68, 2) in the iBUG order. Pose from orthography and scaling (DeMenthon and Davis
    1995, IJCV 15, section 4) with an average head.
    """
    points = landmarks[_RIGID].astype(np.float64)
    across, down = (_TO_POSE @ (points - points.mean(0))).T
    across /= max(float(np.linalg.norm(across)), 1e-9)
    down /= max(float(np.linalg.norm(down)), 1e-9)
    # The head's own -z, the way it faces, seen from the camera: the third is their cross product.
    (x, y, right), (u, v, lower) = across.tolist(), down.tolist()
    towards = max(x * v - y * u, 1e-9)
    return math.degrees(math.atan2(-right, towards)), math.degrees(math.atan2(-lower, towards))


def _quality(
    gray: NDArray[np.uint8],
    face: Face,
    alignment: Alignment,
    look: NDArray[np.uint8],
    clear: float,
    field: int,
) -> Quality:
    scale = math.hypot(alignment.crop_to_frame[0, 0], alignment.crop_to_frame[1, 0])
    side = scale * alignment.crop.shape[0] * FER2013_SIDE / field
    light, light_advice = _light(look)
    turned = _turned(face)
    measured = {
        "size": _graded(side, _SIZE),
        "sharpness": _sharpness(look),
        "light": light,
        "turn": turned,
        "cut_off": _graded(_share_inside(face.box, gray), _INSIDE),
        "occluded": clear,
    }
    known = {name: value for name, value in measured.items() if not math.isnan(value)}
    advice = _ADVICE | {"light": light_advice}
    poor = next((name for name in _FIRST if known.get(name, 1.0) < _WELL), None)
    return Quality(**measured, overall=min(known.values()), advice=advice[poor] if poor else "")


def _look(
    gray: NDArray[np.uint8], face: Face, alignment: Alignment, field: int
) -> NDArray[np.uint8]:
    """Return the face in FER2013's own framing: (48, 48) gray."""
    crop = alignment.crop
    if field != FER2013_SIDE or crop.shape[0] < FER2013_SIDE:
        return align(gray, face, FER2013_SIDE, finest=4).crop
    if crop.shape[0] == FER2013_SIDE:
        return crop
    side = (FER2013_SIDE, FER2013_SIDE)
    return np.asarray(cv2.resize(crop, side, interpolation=cv2.INTER_AREA), np.uint8)


def _graded(value: float, bounds: tuple[float, float]) -> float:
    """Return 0 at the first bound and beyond, 1 at the second and beyond, a line in between."""
    zero, one = bounds
    return min(1.0, max(0.0, (value - zero) / (one - zero)))


def _sharpness(look: NDArray[np.uint8]) -> float:
    middle = look[_MIDDLE]
    _, contrast = _mean_and_spread(middle)
    mean, spread = _mean_and_spread(cv2.Laplacian(middle, cv2.CV_32F))
    return _graded(math.hypot(mean, spread) / (contrast + 5), _SHARPNESS)


def _light(look: NDArray[np.uint8]) -> tuple[float, str]:
    """Return how good the light is and what would make it better."""
    face = look[_FACE]
    level, contrast = _mean_and_spread(face)
    middle = face.shape[1] // 2
    left, right = cv2.mean(face[:, :middle])[0], cv2.mean(face[:, middle:])[0]
    dark = min(_graded(level, _DARKNESS), _graded(contrast, _CONTRAST))
    bright = _graded(float(np.count_nonzero(face > _WHITE)) / face.size, _BURNT)
    even = _graded(abs(left - right) / (left + right + 1), _ONE_SIDED)
    return min((dark, _TOO_DARK), (bright, _TOO_BRIGHT), (even, _UNEVEN))


def _mean_and_spread(values: NDArray[Any]) -> tuple[float, float]:
    mean, spread = cv2.meanStdDev(values)
    return float(mean[0, 0]), float(spread[0, 0])


def _turned(face: Face) -> float:
    if face.landmarks is None or len(face.landmarks) != 68:
        return math.nan
    right, down = (math.radians(angle) for angle in head_turn(face.landmarks))
    away = math.degrees(math.atan(math.hypot(math.tan(right), math.tan(down))))
    return _graded(away, _TURN)


def _share_inside(box: Box, gray: NDArray[np.uint8]) -> float:
    height, width = gray.shape
    picture = Box(0.0, 0.0, float(width), float(height))
    across = min(box.x2, picture.x2) - max(box.x1, picture.x1)
    down = min(box.y2, picture.y2) - max(box.y1, picture.y1)
    return max(0.0, across) * max(0.0, down) / max(box.area, 1e-6)
