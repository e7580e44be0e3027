"""A picture measured in millimetres, painted with soft-edged shapes."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Canvas", "Colour", "Floats", "Patch", "ellipse", "ribbon", "smooth"]

Floats = NDArray[np.float32]
Colour = tuple[float, float, float]

_SHIFT = 5  # fractional bits of polygon corners: 1/32 pixel


@dataclass(frozen=True, slots=True)
class Patch:
    """Hold a soft mask: alpha (h, w) float32, 0 to 1, at rows and columns of a canvas."""

    rows: slice
    columns: slice
    alpha: Floats


class Canvas:
    """Hold a picture and its opacity in millimetres.

    colour: (H, W, 3) float32, BGR, 0 to 1. alpha: (H, W) float32, 0 to 1.
    left, top: millimetres of the upper left corner. scale: pixels a millimetre.
    """

    def __init__(self, left: float, top: float, right: float, bottom: float, scale: float) -> None:
        self.left, self.top, self.scale = left, top, scale
        height, width = round((bottom - top) * scale), round((right - left) * scale)
        self.colour: Floats = np.zeros((height, width, 3), np.float32)
        self.alpha: Floats = np.zeros((height, width), np.float32)

    def grid(self) -> tuple[Floats, Floats]:
        """Return the millimetres of the pixel centres: x (1, W) and y (H, 1)."""
        height, width = self.alpha.shape
        x = self.left + (np.arange(width, dtype=np.float32) + 0.5) / self.scale
        y = self.top + (np.arange(height, dtype=np.float32) + 0.5) / self.scale
        return x[None, :], y[:, None]

    def mask(self, polygon: ArrayLike, blur: float, within: Patch | None = None) -> Patch:
        """Return a polygon (N, 2) in millimetres as a mask with an edge `blur` mm soft (sigma).

        With `within`, the mask has the place of that patch and is clipped by it.
        """
        corners = (np.asarray(polygon, np.float64) - (self.left, self.top)) * self.scale - 0.5
        sigma = blur * self.scale
        if within is None:
            pad = 3 * sigma + 2
            height, width = self.alpha.shape
            low = np.clip(np.floor(corners.min(0) - pad), 0, (width, height)).astype(int)
            high = np.clip(np.ceil(corners.max(0) + pad), 0, (width, height)).astype(int)
            rows, columns = slice(low[1], high[1]), slice(low[0], high[0])
        else:
            rows, columns = within.rows, within.columns
        shape = (max(rows.stop - rows.start, 1), max(columns.stop - columns.start, 1))
        drawn = np.zeros(shape, np.uint8)
        fixed = np.round((corners - (columns.start, rows.start)) * (1 << _SHIFT)).astype(np.int32)
        cv2.fillPoly(drawn, [fixed], 255, cv2.LINE_AA, _SHIFT)
        alpha = drawn.astype(np.float32) / np.float32(255)
        if sigma > 0.2:
            alpha = cv2.GaussianBlur(alpha, (0, 0), sigma).astype(np.float32)
        if within is not None:
            alpha = alpha * within.alpha
        return Patch(rows, columns, alpha[: rows.stop - rows.start, : columns.stop - columns.start])

    def paint(self, patch: Patch, colour: Colour, opacity: float = 1.0) -> None:
        """Lay a colour over the picture where the patch says."""
        below = self.colour[patch.rows, patch.columns]
        below += (np.array(colour, np.float32) - below) * (patch.alpha * np.float32(opacity))[
            ..., None
        ]

    def tint(self, patch: Patch, factor: Colour, strength: float = 1.0) -> None:
        """Multiply the picture by a factor where the patch says: below 1 darkens."""
        below = self.colour[patch.rows, patch.columns]
        change = np.array(factor, np.float32) - 1
        below *= 1 + change * (patch.alpha * np.float32(strength))[..., None]

    def cover(self, patch: Patch) -> None:
        """Make the picture opaque where the patch says."""
        below = self.alpha[patch.rows, patch.columns]
        below += (1 - below) * patch.alpha

    def bgra(self) -> NDArray[np.uint8]:
        """Return the picture (H, W, 4) uint8, colour multiplied by its opacity."""
        both = np.dstack([self.colour.clip(0, 1) * self.alpha[..., None], self.alpha])
        return np.round(both * 255).astype(np.uint8)


def smooth(points: ArrayLike, steps: int = 8, *, closed: bool = False) -> NDArray[np.float64]:
    """Return a Catmull-Rom curve through the points (N, 2), `steps` pieces between two of them."""
    knots = np.asarray(points, np.float64)
    if closed:
        padded = np.vstack([knots[-1:], knots, knots[:2]])
    else:
        padded = np.vstack([2 * knots[0] - knots[1], knots, 2 * knots[-1] - knots[-2]])
    before, start, end, after = (padded[i : len(padded) - 3 + i, None] for i in range(4))
    t = (np.arange(steps) / steps)[None, :, None]
    curve = 0.5 * (
        2 * start
        + (end - before) * t
        + (2 * before - 5 * start + 4 * end - after) * t**2
        + (3 * (start - end) + after - before) * t**3
    )
    flat = curve.reshape(-1, 2)
    return flat if closed else np.vstack([flat, knots[-1:]])


def ribbon(points: ArrayLike, widths: ArrayLike) -> NDArray[np.float64]:
    """Return the polygon around a line (N, 2) whose width runs through `widths` from end to end."""
    line = np.asarray(points, np.float64)
    given = np.asarray(widths, np.float64)
    places = np.linspace(0, 1, len(line))
    half = np.interp(places, np.linspace(0, 1, len(given)), given) / 2
    along = np.gradient(line, axis=0)
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    across = np.stack([-along[:, 1], along[:, 0]], 1) * half[:, None]
    return np.vstack([line + across, (line - across)[::-1]])


def ellipse(x: float, y: float, radius_x: float, radius_y: float) -> NDArray[np.float64]:
    """Return an ellipse as a polygon of 32 corners."""
    angle = np.linspace(0, 2 * np.pi, 32, endpoint=False)
    return np.stack([x + radius_x * np.cos(angle), y + radius_y * np.sin(angle)], 1)
