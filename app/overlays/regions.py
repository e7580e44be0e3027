"""The regions of a face that a region attention network weighs, each with its weight."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from app.messages import Box, FaceResult, FrameResult
from app.overlays.base import FADE_SECONDS, Canvas, Fader, Viewport, line_width, text_size, visible
from app.overlays.layout import grown, shared
from app.overlays.paint import (
    INK,
    PAPER,
    Outline,
    blend,
    draw_outlines,
    faded,
    plate,
    tinted_pill,
)
from app.overlays.place import corners_of, crop_to_canvas
from app.overlays.text import draw_text, text_width
from app.views import REGIONS

Square = tuple[float, float, float, float]
"""Left, top, right and bottom, in parts of the crop's side."""

_PLATE_OPACITY = 0.78
# Opacity of the line of a region without any weight and of the weightiest, 0 to 255.
_FAINT, _FULL = 50, 255
# A region that weighs so much more than the mean of all stands out.
_OUTSTANDING = 1.15
# Where eyes and mouth lie in a crop: numbers keep off them.
_FEATURES = (Box(0.2, 0.33, 0.46, 0.47), Box(0.54, 0.33, 0.82, 0.47), Box(0.33, 0.72, 0.67, 0.87))
# On smaller crops, in desktop pixels, only the weightiest region has its number.
_NUMBERS_FROM = 150
# Places along a side where a number may stand.
_ALONG = (0.5, 0.35, 0.65, 0.25, 0.75)


def region_weights(face: FaceResult) -> tuple[list[Square], list[float]] | None:
    """Return the squares and their weights, which sum to 1; None where the model has none."""
    squares = face.prediction.attention.get("square")
    weights = face.prediction.attention.get(REGIONS)
    if squares is None or weights is None or not len(weights):
        return None
    if not (np.isfinite(squares).all() and np.isfinite(weights).all()):
        return None
    return [(a, b, c, d) for a, b, c, d in squares.tolist()], weights.tolist()


def region_name(square: Square, *, mirrored: bool) -> str:
    """Return where a square lies, such as "top left": left and right of the picture as it is shown.

    mirrored: it is shown so.
    """
    left, top, right, bottom = square
    if min(right - left, bottom - top) > 0.98:
        return "whole face"
    across, down = (left + right) / 2 - 0.5, (top + bottom) / 2 - 0.5
    row = "" if abs(down) < 0.04 else "top" if down < 0 else "bottom"
    column = "" if abs(across) < 0.04 else "left" if (across < 0) != mirrored else "right"
    if row or column:
        return " ".join(filter(None, (row, column)))
    return f"middle {100 * (right - left):.0f} %"


class RegionsOverlay:
    """Outline each region, the stronger the more it weighs, with its weight on its line."""

    def __init__(self, fade: float = FADE_SECONDS) -> None:
        self._fader = Fader(fade)

    def draw(self, canvas: Canvas, result: FrameResult, view: Viewport) -> None:
        for face, opacity in self._fader.faces(result):
            found = region_weights(face)
            if found is None:
                continue
            corners = corners_of(face, view)
            area = grown(
                Box(*corners.min(axis=0), *corners.max(axis=0)), 3 * text_size(canvas, view)
            )
            if not visible(area, canvas):
                continue
            squares, weights = found
            with faded(canvas, area, opacity):
                _draw_outlines(canvas, face, squares, weights, view)
                _draw_numbers(canvas, face, squares, weights, view)


def _draw_outlines(
    canvas: Canvas,
    face: FaceResult,
    squares: list[Square],
    weights: list[float],
    view: Viewport,
) -> None:
    width, matrix = line_width(canvas, view), crop_to_canvas(face, view)
    outlines = []
    for index in np.argsort(weights).tolist():
        # Of twice the weight that each would have if all weighed alike.
        share = min(1.0, max(0.0, weights[index] * len(weights) / 2))
        points = _on_crop(_ring(squares[index]), face) @ matrix[:, :2].T + matrix[:, 2]
        level = round(_FAINT + (_FULL - _FAINT) * share)
        outlines.append(Outline(points, width * (0.5 + share), level))
    draw_outlines(canvas, outlines)


def _draw_numbers(
    canvas: Canvas,
    face: FaceResult,
    squares: list[Square],
    weights: list[float],
    view: Viewport,
) -> None:
    size, matrix = text_size(canvas, view), crop_to_canvas(face, view)
    side = face.crop.shape[0] * float(np.hypot(matrix[0, 0], matrix[1, 0]))
    order = sorted(range(len(weights)), key=lambda index: -weights[index])
    if side < _NUMBERS_FROM * view.pixel_ratio:
        order = order[:1]
    wide, tall = text_width("88 %", size) + size, round(1.5 * size)
    places = _number_places(tuple(squares), wide / side, tall / side)
    for index in reversed(order):
        x, y = _on_crop(np.array([places[index]]), face)[0] @ matrix[:, :2].T + matrix[:, 2]
        left, top = round(x - wide / 2), round(y - tall / 2)
        blur = round(0.2 * size)
        best = index == order[0] and weights[index] * len(weights) > _OUTSTANDING
        if best:
            blend(canvas, tinted_pill(wide, tall, PAPER), left, top)
        else:
            back = plate(wide, tall, tall / 2, blur, _PLATE_OPACITY)
            blend(canvas, back, left - blur, top - blur)
        text = f"{100 * weights[index]:.0f} %"
        start = left + (wide - text_width(text, size)) // 2
        draw_text(canvas, text, size, start, top + tall / 2, INK if best else PAPER)


@lru_cache(maxsize=64)
def _number_places(
    squares: tuple[Square, ...], width: float, height: float
) -> tuple[tuple[float, float], ...]:
    """Return where each region's number stands, on its own line and as far from others' as can be.

    All in parts of the crop's side; width, height: of a number's plate.
    """
    taken: list[Box] = []
    places: list[tuple[float, float]] = []
    for index, square in enumerate(squares):
        others = squares[:index] + squares[index + 1 :]

        def badness(point: tuple[float, float], others: tuple[Square, ...] = others) -> float:
            plate_box = _around(point, width, height)
            covered = sum(shared(plate_box, other) for other in taken)
            covered += 0.1 * sum(shared(plate_box, feature) for feature in _FEATURES)
            near = min((_distance(point, other) for other in others), default=1.0)
            return 10 * covered / plate_box.area - min(near, 0.12)

        best = min(_points_on(square), key=badness)
        places.append(best)
        taken.append(_around(best, width, height))
    return tuple(places)


def _around(point: tuple[float, float], width: float, height: float) -> Box:
    x, y = point
    return Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)


def _points_on(square: Square) -> list[tuple[float, float]]:
    left, top, right, bottom = square
    found = []
    for part in _ALONG:
        x, y = left + part * (right - left), top + part * (bottom - top)
        found += [(x, bottom), (right, y), (left, y), (x, top)]
    return found


def _distance(point: tuple[float, float], square: Square) -> float:
    """Return how far a point lies from the line around a square."""
    (x, y), (left, top, right, bottom) = point, square
    beyond = max(left - x, x - right, 0.0), max(top - y, y - bottom, 0.0)
    if max(beyond) > 0:
        return float(np.hypot(*beyond))
    return min(x - left, right - x, y - top, bottom - y)


def _ring(square: Square) -> NDArray[np.float64]:
    left, top, right, bottom = square
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]])


def _on_crop(points: NDArray[np.float64], face: FaceResult) -> NDArray[np.float64]:
    """Return places in parts of the crop's side as pixels of the crop."""
    return np.asarray(points * face.crop.shape[0] - 0.5, np.float64)
