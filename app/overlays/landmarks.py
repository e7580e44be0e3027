"""The landmarks of a face: 68 as contours with small dots, or 5 as dots."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from app.messages import Box, FrameResult
from app.overlays.base import FADE_SECONDS, Canvas, Fader, Viewport, line_width, visible
from app.overlays.layout import grown
from app.overlays.paint import PAPER, SHIFT, Mask, blend, faded, fixed_point, shadowed

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
    mask = np.zeros((bottom - y, right - x), np.uint8)
    local = points - (x, y)
    if len(points) == 68:
        curves = [fixed_point(weights @ local) for weights in _curves()]
        thickness = max(1, round(width * 0.6))
        cv2.polylines(mask, curves, False, _LINE, thickness, cv2.LINE_AA, SHIFT)
        if min(area.width, area.height) >= _DOTS_FROM:
            _draw_dots(mask, local, 0.85 * width)
    else:
        _draw_dots(mask, local, 1.5 * width + 1)
    blend(canvas, shadowed(mask, PAPER, round(width), _SHADOW), x, y)


def _draw_dots(mask: Mask, points: NDArray[np.float64], radius: float) -> None:
    size = round(radius * (1 << SHIFT))
    for x, y in fixed_point(points).tolist():
        cv2.circle(mask, (x, y), size, 255, cv2.FILLED, cv2.LINE_AA, SHIFT)


@lru_cache(maxsize=1)
def _curves() -> tuple[NDArray[np.float64], ...]:
    """Return for each contour the (N, 68) weights that turn landmarks into a smooth curve.

    Catmull-Rom splines: they pass through every landmark.
    """
    return tuple(_spline(first, last, closed=closed) for first, last, closed in _CONTOURS)


def _spline(first: int, last: int, *, closed: bool) -> NDArray[np.float64]:
    count = last - first + 1
    spans = count if closed else count - 1
    weights = np.zeros((spans * _STEPS + 1, 68))
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
