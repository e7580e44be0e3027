"""Where in the face the classifier found its label, blended onto the face."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from app.messages import Box, FaceResult, FrameResult
from app.overlays.base import FADE_SECONDS, Canvas, Fader, Viewport, visible
from app.overlays.layout import grown
from app.overlays.paint import Patch, blend, faded

CAM = "cam"

# Perceptually uniform, read alike with and without colour blindness, and unlike any skin.
_COLOUR_MAP = cv2.COLORMAP_VIRIDIS
_OPACITY = 0.62
# The map is coloured on a grid of this side; the warp onto the face smooths it further. A few of
# its cells lie around the crop, for the soft edge: the mouth is too near the crop's end to fade.
_INNER = 88
_AROUND = 4
_GRID = _INNER + 2 * _AROUND
CROP_CELLS = slice(_AROUND, _AROUND + _INNER)
"""The rows, and the columns, of the grid that lie on the crop."""

# Of the grid's half side: where the soft edge begins.
_EDGE = 0.72


class AttentionOverlay:
    """Blend the attention map of the shown label onto each face.

    name: the map of `Prediction.attention` to show, a (C, h, w) one with one map a label or a
    (h, w) one. A face whose prediction lacks it stays as it is.
    """

    def __init__(self, name: str = CAM, fade: float = FADE_SECONDS) -> None:
        self._name = name
        self._fader = Fader(fade)

    def draw(self, canvas: Canvas, result: FrameResult, view: Viewport) -> None:
        for face, opacity in self._fader.faces(result):
            values = attention_map(face, self._name)
            if values is None:
                continue
            corners, matrix = _grid_on_canvas(face, view)
            if not visible(corners, canvas):
                continue
            with faded(canvas, corners, opacity):
                _draw(canvas, coloured(values), corners, matrix)


def attention_map(face: FaceResult, name: str = CAM) -> NDArray[np.float32] | None:
    """Return the (h, w) float32 map of the shown label, 0 to 1; None where there is none.

    Of a (C, h, w) array the shown label's map is taken, or the likeliest label's while none is
    sure. Only what speaks for the label counts: negative values become 0, then all are divided
    by the greatest. So 1 is the strongest place of this face, not a strength that can be
    compared between faces; a map without positive values says nothing and is None too.
    """
    values = face.prediction.attention.get(name)
    if values is None or not values.size:
        return None
    if values.ndim == 3:
        labels = face.prediction.labels
        label = face.label if face.label in labels else face.prediction.label
        values = values[labels.index(label)]
    positive = np.maximum(values, np.float32(0))
    greatest = float(positive.max())
    if not np.isfinite(greatest) or greatest <= 0:
        return None
    return (positive / greatest).astype(np.float32)


def coloured(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return a (h, w) map of 0 to 1 as (96, 96, 4) uint8 BGR and opacity.

    The crop is the middle 88, `[CROP_CELLS, CROP_CELLS]`; all fades to nothing around it.
    The opacity grows with the value, so that what does not matter stays the face itself; the
    colours are already multiplied by it.
    """
    inner = cv2.resize(values, (_INNER, _INNER), interpolation=cv2.INTER_CUBIC)
    smooth = np.pad(inner, _AROUND, mode="edge")
    # Cubic interpolation swings a little beyond its values.
    smooth = np.clip(smooth, 0, 1)
    colours = _colour_map()[(smooth * 255).astype(np.uint8)]
    opacity = smooth * _window()
    share = (opacity * 255).astype(np.uint8)
    painted = cv2.multiply(colours, cv2.merge((share, share, share)), scale=1 / 255)
    return np.asarray(cv2.merge((*cv2.split(painted), share)), np.uint8)


@lru_cache(maxsize=1)
def _colour_map() -> NDArray[np.uint8]:
    """Return the colours (256, 3) BGR: one look-up is faster than `applyColorMap` each frame."""
    column = cv2.applyColorMap(np.arange(256, dtype=np.uint8), _COLOUR_MAP)
    return np.asarray(column, np.uint8).reshape(256, 3)


@lru_cache(maxsize=1)
def _window() -> NDArray[np.float32]:
    """Return the greatest opacity in each place: full inside, softly nothing at the edge."""
    side = np.abs((np.arange(_GRID) + 0.5) * 2 / _GRID - 1)
    # Between a circle and a square: hugs the face, keeps nearly all of the crop.
    distance = (side[None] ** 4 + side[:, None] ** 4) ** 0.25
    fall = np.clip((1 - distance) / (1 - _EDGE), 0, 1)
    window: NDArray[np.float32] = (_OPACITY * fall * fall * (3 - 2 * fall)).astype(np.float32)
    return window


def _grid_on_canvas(face: FaceResult, view: Viewport) -> tuple[Box, NDArray[np.float64]]:
    """Return the box around the grid on the canvas, and the (2, 3) matrix from grid to canvas."""
    scale = face.crop.shape[0] / _INNER
    shift = (scale - 1) / 2 - scale * _AROUND
    grid_to_crop = np.array([[scale, 0, shift], [0, scale, shift], [0, 0, 1]])
    crop_to_canvas = _stacked(view.matrix) @ _stacked(face.crop_to_frame)
    matrix = (crop_to_canvas @ grid_to_crop)[:2]
    last = _GRID - 1
    corners = np.array([[0, 0], [last, 0], [0, last], [last, last]])
    points = corners @ matrix[:, :2].T + matrix[:, 2]
    return grown(Box(*points.min(axis=0), *points.max(axis=0)), 1), matrix


def _stacked(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.vstack([matrix, (0.0, 0.0, 1.0)])


def _draw(
    canvas: Canvas, painted: NDArray[np.uint8], area: Box, matrix: NDArray[np.float64]
) -> None:
    x, y = max(0, int(area.x1)), max(0, int(area.y1))
    size = min(canvas.shape[1], int(area.x2) + 1) - x, min(canvas.shape[0], int(area.y2) + 1) - y
    if min(size) <= 0:
        return
    moved = matrix - np.array([[0, 0, x], [0, 0, y]])
    warped = cv2.warpAffine(painted, moved, size, flags=cv2.INTER_LINEAR)
    blue, green, red, opacity = cv2.split(np.asarray(warped, np.uint8))
    below = cv2.bitwise_not(opacity)
    colour = np.asarray(cv2.merge((blue, green, red)), np.uint8)
    keep = np.asarray(cv2.merge((below, below, below)), np.uint8)
    blend(canvas, Patch(colour, keep), x, y)
