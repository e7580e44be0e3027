"""The landmarks of a face: 68 as contours with small dots, or 5 as dots."""

from __future__ import annotations

from functools import lru_cache
from itertools import accumulate

import cv2
import numpy as np
from numpy.typing import NDArray

from app.messages import Box, FrameResult
from app.overlays.base import FADE_SECONDS, Canvas, Fader, Viewport, line_width, visible
from app.overlays.layout import grown
from app.overlays.paint import (
    LINE,
    SHIFT,
    Mask,
    blend,
    faded,
    fixed_point,
    shadowed,
    shared_scratch,
)

# The iBUG order of 68: first and last point, and whether the contour is closed.
_CONTOURS = (
    (0, 16, False),  # jaw
    (17, 21, False),  # the person's right brow
    (22, 26, False),
    (27, 30, False),  # bridge of the nose
    (31, 35, False),
    (36, 41, True),  # the person's right eye
    (42, 47, True),
    (48, 59, True),  # outer lips
    (60, 67, True),
)
# Pieces of a curve between two landmarks.
_STEPS = 5


def _rows(first: int, last: int, closed: bool) -> int:
    """Return how many points the curve of a contour has."""
    return (last - first + closed) * _STEPS + 1


_PARTS = tuple(
    slice(end - rows, end)
    for end, rows in zip(
        accumulate(_rows(*contour) for contour in _CONTOURS),
        (_rows(*contour) for contour in _CONTOURS),
        strict=True,
    )
)
# Opacity of the lines, 0 to 255, and of the shadow below them.
_LINE = 185
_SHADOW = 0.75
# On smaller faces, in canvas pixels, dots would hide the lines.
_DOTS_FROM = 110


class LandmarksOverlay:
    """Draw where the landmarks lie; faces without landmarks stay as they are."""

    def __init__(self, fade: float = FADE_SECONDS) -> None:
        self._fader = Fader(fade)

    def draw(self, canvas: Canvas, result: FrameResult, view: Viewport) -> None:
        for face, opacity in self._fader.faces(result):
            landmarks = face.face.landmarks
            if landmarks is None or not len(landmarks):
                continue
            points = view.to_canvas(landmarks)
            area = grown(Box(*points.min(axis=0), *points.max(axis=0)), 1)
            if not visible(area, canvas):
                continue
            # Finer than the box: the face matters more than the lines on it.
            side = max(area.width, area.height)
            width = min(line_width(canvas, view), max(1.0, side / 110))
            area = grown(area, 4 * width)
            with faded(canvas, area, opacity):
                _draw(canvas, points, area, width)


def _draw(canvas: Canvas, points: NDArray[np.float64], area: Box, width: float) -> None:
    """Draw within the area: fine light lines on a soft shadow, so that the face stays visible."""
    x, y = max(0, int(area.x1)), max(0, int(area.y1))
    right, bottom = min(canvas.shape[1], int(area.x2) + 1), min(canvas.shape[0], int(area.y2) + 1)
    scratch = shared_scratch()
    mask = scratch.lend("mask", bottom - y, right - x)
    mask.fill(0)
    local = points - (x, y)
    if len(points) == 68:
        smooth = fixed_point(_curves() @ local)
        curves = [smooth[part] for part in _PARTS]
        thickness = max(1, round(width * 0.6))
        cv2.polylines(mask, curves, False, _LINE, thickness, cv2.LINE_AA, SHIFT)
        if min(area.width, area.height) >= _DOTS_FROM:
            _draw_dots(mask, local, 0.85 * width)
    else:
        _draw_dots(mask, local, 1.5 * width + 1)
    blend(canvas, shadowed(mask, LINE, round(width), _SHADOW, scratch), x, y)


def _draw_dots(mask: Mask, points: NDArray[np.float64], radius: float) -> None:
    # Lines of no length with round ends: all dots in one call.
    dots = list(fixed_point(points)[:, None])
    cv2.polylines(mask, dots, True, 255, max(1, round(2 * radius)), cv2.LINE_AA, SHIFT)


@lru_cache(maxsize=1)
def _curves() -> NDArray[np.float64]:
    """Return the (N, 68) weights that turn landmarks into smooth curves, contour by contour.

    Catmull-Rom splines: they pass through every landmark. `_PARTS` holds the rows of each.
    """
    return np.concatenate([_spline(*contour) for contour in _CONTOURS])


def _spline(first: int, last: int, closed: bool) -> NDArray[np.float64]:
    count = last - first + 1
    weights = np.zeros((_rows(first, last, closed), 68))
    for row in range(len(weights)):
        span, step = divmod(row, _STEPS)
        t = step / _STEPS
        basis = (
            (-t + 2 * t**2 - t**3) / 2,
            (2 - 5 * t**2 + 3 * t**3) / 2,
            (t + 4 * t**2 - 3 * t**3) / 2,
            (t**3 - t**2) / 2,
        )
        for offset, weight in enumerate(basis, start=-1):
            index = span + offset
            index = index % count if closed else min(max(index, 0), count - 1)
            weights[row, first + index] += weight
    return weights
