"""Blending onto small parts of a canvas. Everything is clipped to the picture."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from app.messages import Box
from app.overlays.base import Canvas, Colour

Mask = NDArray[np.uint8]

INK: Colour = (20, 16, 13)
"""Plates and outlines."""
PAPER: Colour = (239, 235, 232)
"""Text."""
QUIET: Colour = (214, 207, 200)
"""Text of less weight."""
LINE: Colour = (236, 236, 236)
"""Thin lines on faces: a grey, which is drawn in a third of the time."""

# cv2 takes points with this many binary digits behind the point.
SHIFT = 4
# Of the shadow below an outline.
_SHADOW = 0.75
# Pixels; cv2 draws lines whose ends lie farther outside wrongly.
_FARTHEST = 30_000


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """Hold a translucent picture.

    colour: (h, w, 3) uint8 BGR, already multiplied by its opacity. keep: (h, w, 3) uint8, how
    much of what lies below stays, 255 for all.
    """

    colour: Canvas
    keep: Canvas


class Scratch:
    """Lend arrays for one drawing.

    Memory that is asked for anew each frame costs as much as what is drawn in it.
    """

    def __init__(self) -> None:
        self._memory: dict[str, NDArray[np.uint8]] = {}

    def lend(self, name: str, *shape: int) -> NDArray[np.uint8]:
        """Return an array of that shape with any content, the same memory for the same name."""
        size = math.prod(shape)
        memory = self._memory.get(name)
        if memory is None or memory.size < size:
            memory = self._memory[name] = np.empty(size, np.uint8)
        return memory[:size].reshape(shape)


_threads = threading.local()


def shared_scratch() -> Scratch:
    """Return the scratch of this thread.

    All overlays use the same: memory that one has just left is still close to the processor.
    """
    if not hasattr(_threads, "scratch"):
        _threads.scratch = Scratch()
    scratch: Scratch = _threads.scratch
    return scratch


def blend(canvas: Canvas, patch: Patch, x: int, y: int) -> None:
    """Lay a patch onto the canvas with its upper left corner at (x, y)."""
    colour, keep = patch.colour, patch.keep
    height, width = colour.shape[:2]
    left, top = max(0, x), max(0, y)
    right, bottom = min(canvas.shape[1], x + width), min(canvas.shape[0], y + height)
    if left >= right or top >= bottom:
        return
    if right - left != width or bottom - top != height:
        part = np.s_[top - y : bottom - y, left - x : right - x]
        colour, keep = colour[part], keep[part]
    below = canvas[top:bottom, left:right]
    cv2.multiply(below, keep, dst=below, scale=1 / 255)
    cv2.add(below, colour, dst=below)


def tinted(mask: Mask, colour: Colour, opacity: float = 1.0) -> Patch:
    """Return a patch of one colour where the mask (h, w) is."""
    keep = cv2.convertScaleAbs(mask, alpha=-opacity, beta=255)
    return Patch(_premultiplied(mask, colour, opacity), _in_three(np.asarray(keep, np.uint8)))


def shadowed(
    mask: Mask, colour: Colour, reach: int, shadow: float, scratch: Scratch | None = None
) -> Patch:
    """Return the mask (h, w) in a colour on its own soft shadow.

    The shadow parts it from any background. reach: of the shadow, pixels; shadow: its opacity
    where the mask is wide. scratch: lends the patch its memory, which then is good for one
    drawing.
    """
    lent = scratch or Scratch()
    height, width = mask.shape
    soft, keep = lent.lend("soft", height, width), lent.lend("keep", height, width)
    cv2.blur(mask, (2 * reach + 1, 2 * reach + 1), dst=soft)
    cv2.convertScaleAbs(soft, dst=soft, alpha=-shadow, beta=255)
    cv2.bitwise_not(mask, dst=keep)
    cv2.multiply(keep, soft, dst=keep, scale=1 / 255)
    return Patch(_premultiplied(mask, colour, 1.0, lent), _in_three(keep, lent))


def _premultiplied(
    mask: Mask, colour: Colour, opacity: float, scratch: Scratch | None = None
) -> Canvas:
    lent = scratch or Scratch()
    if len(set(colour)) == 1:
        grey = lent.lend("plane 0", *mask.shape)
        cv2.convertScaleAbs(mask, dst=grey, alpha=opacity * colour[0] / 255)
        merged = cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR, dst=lent.lend("colour", *mask.shape, 3))
        return np.asarray(merged, np.uint8)
    # Channel by channel: a multiplication by four numbers is done in floats and far slower.
    planes = [lent.lend(f"plane {index}", *mask.shape) for index in range(3)]
    for plane, value in zip(planes, colour, strict=True):
        cv2.convertScaleAbs(mask, dst=plane, alpha=opacity * value / 255)
    merged = cv2.merge(planes, dst=lent.lend("colour", *mask.shape, 3))
    return np.asarray(merged, np.uint8)


def _in_three(mask: Mask, scratch: Scratch | None = None) -> Canvas:
    room = (scratch or Scratch()).lend("in three", *mask.shape, 3)
    return np.asarray(cv2.cvtColor(mask, cv2.COLOR_GRAY2BGR, dst=room), np.uint8)


def captured(width: int, height: int, draw: Callable[[Canvas], None]) -> Patch:
    """Return what `draw` blends onto a canvas as one patch."""
    black = np.zeros((height, width, 3), np.uint8)
    white = np.full((height, width, 3), 255, np.uint8)
    draw(black)
    draw(white)
    # What shows of black is the colour alone; what white adds is what stays of the ground.
    return Patch(black, white - black)


@lru_cache(maxsize=512)
def tinted_pill(width: int, height: int, colour: Colour, opacity: float = 1.0) -> Patch:
    """Return a filled bar with round ends."""
    return tinted(rounded(width, height, min(width, height) / 2), colour, opacity)


@lru_cache(maxsize=128)
def plate(width: int, height: int, radius: float, blur: float, opacity: float) -> Patch:
    """Return a dark plate with a soft edge that reaches `blur` pixels beyond it on each side."""
    margin = int(np.ceil(blur))
    inner = _distance(width + 2 * margin, height + 2 * margin, margin, radius)
    # Full inside, falling to nothing outside like a shadow, without a visible rim.
    soft = np.clip(1 - (inner + 0.5) / (blur + 0.5), 0, 1) ** 2
    return tinted((soft * 255).astype(np.uint8), INK, opacity)


def rounded(width: int, height: int, radius: float) -> Mask:
    """Return the anti-aliased mask (height, width) of a rectangle with round corners."""
    inside = np.clip(0.5 - _distance(width, height, 0, radius), 0, 1)
    return (inside * 255).astype(np.uint8)


def _distance(width: int, height: int, margin: int, radius: float) -> NDArray[np.float64]:
    """Return each pixel's distance to a rounded rectangle, negative inside, in pixels."""
    radius = min(radius, (min(width, height) - 2 * margin) / 2)
    across = np.abs(np.arange(width) + 0.5 - width / 2) - (width / 2 - margin - radius)
    down = np.abs(np.arange(height) + 0.5 - height / 2) - (height / 2 - margin - radius)
    outside = np.hypot(np.maximum(across, 0)[None], np.maximum(down, 0)[:, None])
    inside = np.minimum(np.maximum(across[None], down[:, None]), 0)
    distance: NDArray[np.float64] = outside + inside - radius
    return distance


@contextmanager
def faded(canvas: Canvas, area: Box, opacity: float) -> Iterator[None]:
    """Make all that is drawn within `area` (canvas pixels) so opaque, 0 to 1."""
    if opacity >= 1:
        yield
        return
    x1, y1 = max(0, int(area.x1)), max(0, int(area.y1))
    part = canvas[y1 : max(y1, int(area.y2) + 1), x1 : max(x1, int(area.x2) + 1)]
    before = part.copy()
    yield
    if part.size:
        cv2.addWeighted(before, 1 - opacity, part, opacity, 0, dst=part)


def fixed_point(points: NDArray[np.float64]) -> NDArray[np.int32]:
    """Return points (N, 2) as cv2 draws them with `shift=SHIFT`."""
    return np.round(points * (1 << SHIFT)).astype(np.int32)


@dataclass(frozen=True, slots=True, eq=False)
class Outline:
    """Hold a closed line: points (N, 2) and width in canvas pixels, opacity 0 to 255."""

    points: NDArray[np.float64]
    width: float
    level: int = 255


def draw_outlines(canvas: Canvas, outlines: Sequence[Outline]) -> None:
    """Draw closed light lines on one soft shadow, the last one above all."""
    scratch = shared_scratch()
    reach = max(1, round(max(line.width for line in outlines)))
    margin = 3 * reach
    limit = np.array([canvas.shape[1], canvas.shape[0]])
    everything = np.concatenate([line.points for line in outlines])
    # What lies outside is not drawn, and would need a larger mask.
    start = np.clip(np.floor(everything.min(axis=0)) - margin, 0, limit).astype(int)
    end = np.clip(np.ceil(everything.max(axis=0)) + margin, 0, limit).astype(int)
    if (end <= start).any():
        return
    mask = scratch.lend("mask", int(end[1] - start[1]), int(end[0] - start[0]))
    mask.fill(0)
    for line in outlines:
        path = [fixed_point(np.clip(line.points - start, -_FARTHEST, _FARTHEST))]
        thick = max(1, round(line.width))
        cv2.polylines(mask, path, True, line.level, thick, cv2.LINE_AA, SHIFT)
    patch = shadowed(mask, LINE, reach, _SHADOW, scratch)
    blend(canvas, patch, int(start[0]), int(start[1]))
