"""Where in the face the classifier found its label, blended onto the face."""

from __future__ import annotations

import math
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from app.messages import Box, FaceResult, FrameResult
from app.overlays.base import FADE_SECONDS, Canvas, Fader, Viewport, visible
from app.overlays.layout import grown
from app.overlays.maps import view_map
from app.overlays.paint import Patch, blend, faded, shared_scratch
from app.overlays.place import crop_to_canvas
from app.views import CAM

# Perceptually uniform, read alike with and without colour blindness, and unlike any skin.
_COLOUR_MAP = cv2.COLORMAP_VIRIDIS
_OPACITY = 0.62
# The crop has so many cells on a side; the warp onto the face smooths the map further. So many
# more lie around it, for the soft edge: within the crop the brightest place is the strongest.
_INNER = 80
_AROUND = 8
_GRID = _INNER + 2 * _AROUND
CROP_CELLS = slice(_AROUND, _AROUND + _INNER)
"""The rows, and the columns, of the grid that lie on the crop."""
_CORNERS = np.array([[0, 0], [1, 0], [0, 1], [1, 1]]) * (_GRID - 1.0)
# Samples of a turned map a point of the grid, along a side.
_SAMPLES = 1.25


class AttentionOverlay:
    """Blend a map, such as that of the shown label, onto each face.

    name: a view of `app.views`, or any other map of `Prediction.attention`, a (C, h, w)
    one with one map a label or a (h, w) one. A face whose prediction lacks it stays as it is.
    """

    def __init__(self, name: str = CAM, fade: float = FADE_SECONDS) -> None:
        self._name = name
        self._fader = Fader(fade)

    def draw(self, canvas: Canvas, result: FrameResult, view: Viewport) -> None:
        for face, opacity in self._fader.faces(result):
            values = view_map(face, self._name)
            if values is None:
                continue
            corners, matrix = _grid_on_canvas(face, view)
            if not visible(corners, canvas):
                continue
            with faded(canvas, corners, opacity):
                _draw(canvas, coloured(values), corners, matrix)


def coloured(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return a (h, w) map of 0 to 1 as (96, 96, 4) uint8 BGR and opacity.

    The crop is the middle 80, `[CROP_CELLS, CROP_CELLS]`; all fades to nothing around it.
    The opacity grows with the value, so that what does not matter stays the face itself; the
    colours are already multiplied by it.
    """
    # In bytes, where cubic interpolation cannot swing beyond 0 and 1.
    coarse = np.asarray(values * 255 + 0.5, np.float32).astype(np.uint8)
    inner = cv2.resize(coarse, (_INNER, _INNER), interpolation=cv2.INTER_CUBIC)
    edge = (_AROUND,) * 4
    levels = np.asarray(cv2.copyMakeBorder(inner, *edge, cv2.BORDER_REPLICATE), np.uint8)
    painted = np.take(_colours_by_level(), levels).view(np.uint8).reshape(_GRID, _GRID, 4)
    return np.asarray(cv2.multiply(painted, _window(), dst=painted, scale=1 / 255), np.uint8)


@lru_cache(maxsize=1)
def _colours_by_level() -> NDArray[np.uint32]:
    """Return for each of 256 values its colour times the value, and the value: four bytes."""
    levels = np.arange(256, dtype=np.uint8)
    colours = np.asarray(cv2.applyColorMap(levels, _COLOUR_MAP), np.uint8).reshape(256, 3)
    share = levels[:, None] / 255
    table = np.concatenate([np.round(colours * share), levels[:, None]], axis=1)
    return np.ascontiguousarray(table, np.uint8).view(np.uint32).reshape(256)


@lru_cache(maxsize=1)
def _window() -> NDArray[np.uint8]:
    """Return the greatest opacity in each place, (96, 96, 4): one on all of the crop, then less."""
    beyond = np.maximum(np.abs(np.arange(_GRID) + 0.5 - _GRID / 2) - _INNER / 2, 0) / _AROUND
    fall = np.clip(1 - np.hypot(beyond[None], beyond[:, None]), 0, 1)
    window = np.round(255 * _OPACITY * fall * fall * (3 - 2 * fall)).astype(np.uint8)
    return np.ascontiguousarray(np.repeat(window[..., None], 4, axis=2))


def _grid_on_canvas(face: FaceResult, view: Viewport) -> tuple[Box, NDArray[np.float64]]:
    """Return the box around the grid on the canvas, and the (2, 3) matrix from grid to canvas."""
    scale = face.crop.shape[0] / _INNER
    shift = (scale - 1) / 2 - scale * _AROUND
    matrix = crop_to_canvas(face, view)
    matrix[:, 2] += matrix[:, :2].sum(axis=1) * shift
    matrix[:, :2] *= scale
    points = _CORNERS @ matrix[:, :2].T + matrix[:, 2]
    return grown(Box(*points.min(axis=0), *points.max(axis=0)), 1), matrix


def _draw(
    canvas: Canvas,
    painted: NDArray[np.uint8],
    area: Box,
    matrix: NDArray[np.float64],
) -> None:
    scratch = shared_scratch()
    x, y = max(0, int(area.x1)), max(0, int(area.y1))
    width, height = (
        min(canvas.shape[1], int(area.x2) + 1) - x,
        min(canvas.shape[0], int(area.y2) + 1) - y,
    )
    if min(width, height) <= 0:
        return
    # Turned at about the grid's own fineness and then only enlarged: turning costs more, and
    # between the grid's points there is nothing to see.
    coarser = max(1.0, math.hypot(matrix[0, 0], matrix[1, 0]) / _SAMPLES)
    columns, rows = math.ceil(width / coarser), math.ceil(height / coarser)
    shrink = np.array([columns / width, rows / height])
    moved = matrix - np.array([[0, 0, x], [0, 0, y]])
    moved = moved * shrink[:, None]
    moved[:, 2] += (shrink - 1) / 2  # (0, 0) is the centre of the corner pixel
    turned = scratch.lend("turned", rows, columns, 4)
    cv2.warpAffine(painted, moved, (columns, rows), dst=turned, flags=cv2.INTER_LINEAR)
    warped = turned
    if (columns, rows) != (width, height):
        warped = scratch.lend("warped", height, width, 4)
        cv2.resize(turned, (width, height), dst=warped, interpolation=cv2.INTER_LINEAR)
    colour = scratch.lend("colour", height, width, 3)
    keep = scratch.lend("in three", height, width, 3)
    below = scratch.lend("soft", height, width)
    cv2.cvtColor(warped, cv2.COLOR_BGRA2BGR, dst=colour)
    cv2.extractChannel(warped, 3, dst=below)
    cv2.bitwise_not(below, dst=below)
    cv2.cvtColor(below, cv2.COLOR_GRAY2BGR, dst=keep)
    blend(canvas, Patch(colour, keep), x, y)
