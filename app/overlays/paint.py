"""Blending onto small parts of a canvas. Everything is clipped to the picture."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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

# cv2 takes points with this many binary digits behind the point.
SHIFT = 4


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """Hold a translucent picture.

    colour: (h, w, 3) uint8 BGR, already multiplied by its opacity. keep: (h, w, 3) uint8, how
    much of what lies below stays, 255 for all.
    """

    colour: Canvas
    keep: Canvas


def blend(canvas: Canvas, patch: Patch, x: int, y: int) -> None:
    """Lay a patch onto the canvas with its upper left corner at (x, y)."""
    height, width = patch.colour.shape[:2]
    left, top = max(0, x), max(0, y)
    right, bottom = min(canvas.shape[1], x + width), min(canvas.shape[0], y + height)
    if left >= right or top >= bottom:
        return
    part = np.s_[top - y : bottom - y, left - x : right - x]
    below = canvas[top:bottom, left:right]
    cv2.multiply(below, patch.keep[part], dst=below, scale=1 / 255)
    cv2.add(below, patch.colour[part], dst=below)


def tinted(mask: Mask, colour: Colour, opacity: float = 1.0) -> Patch:
    """Return a patch of one colour where the mask (h, w) is."""
    weight = cv2.merge((mask, mask, mask))
    share = np.array([*(opacity * value / 255 for value in colour), 0.0])
    premultiplied = cv2.multiply(weight, share)
    keep = cv2.convertScaleAbs(weight, alpha=-opacity, beta=255)
    return Patch(np.asarray(premultiplied, np.uint8), np.asarray(keep, np.uint8))


def shadowed(mask: Mask, colour: Colour, reach: int, shadow: float) -> Patch:
    """Return the mask (h, w) in a colour on its own soft shadow.

    The shadow parts it from any background. reach: of the shadow, pixels; shadow: its opacity
    where the mask is wide.
    """
    soft = cv2.blur(mask, (2 * reach + 1, 2 * reach + 1))
    top = tinted(mask, colour)
    ground = cv2.convertScaleAbs(soft, alpha=-shadow, beta=255)
    keep = cv2.multiply(top.keep, cv2.merge((ground, ground, ground)), scale=1 / 255)
    return Patch(top.colour, np.asarray(keep, np.uint8))


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
