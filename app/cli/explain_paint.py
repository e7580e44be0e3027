"""From a crop and what was found in it to the small pictures of a figure."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
"""(side, side, 3) uint8 RGB."""
Map = NDArray[np.float32]

# As on the live picture: the colours are read alike with and without colour blindness.
_COLOURS = cv2.COLORMAP_VIRIDIS
_OPACITY = 0.72
_EDGE = (240, 192, 0)


def gray_picture(crop: NDArray[np.uint8], side: int) -> Picture:
    """Return a gray crop enlarged."""
    large = cv2.resize(crop, (side, side), interpolation=cv2.INTER_CUBIC)
    return np.asarray(cv2.cvtColor(large, cv2.COLOR_GRAY2RGB), np.uint8)


def overlaid(crop: NDArray[np.uint8], values: Map, side: int) -> Picture:
    """Return the crop with a map of 0 to 1 on it: the more it matters, the more is painted over."""
    below = gray_picture(crop, side).astype(np.float32)
    large = np.asarray(cv2.resize(values, (side, side), interpolation=cv2.INTER_CUBIC), np.float32)
    smooth: Map = np.clip(large, 0, 1)
    painted = _coloured(smooth).astype(np.float32)
    share = (smooth * _OPACITY)[..., None]
    return np.asarray(np.round(below * (1 - share) + painted * share), np.uint8)


def relief(gradient: Map, side: int) -> Picture:
    """Return a signed gradient in grays as the documents show it: nothing is a middle gray.

    Arriaga et al., arXiv 1710.07557, figure 6, in the way of their published code: a tenth of the
    range for one standard deviation.
    """
    spread = float(gradient.std()) or 1.0
    shown = np.clip((gradient - gradient.mean()) / spread * 0.1 + 0.5, 0, 1)
    gray = np.asarray(np.round(shown * 255), np.uint8)
    return gray_picture(gray, side)


def framed(crop: NDArray[np.uint8], mask: Map, corners: Map, side: int) -> Picture:
    """Return the crop with what is not seen darkened, and the edge of a quadrilateral drawn.

    mask: (S, S), 1 where it is seen. corners: (4, 2), x and y in pixels of the crop.
    """
    below = gray_picture(crop, side).astype(np.float32)
    inside = np.clip(cv2.resize(mask, (side, side), interpolation=cv2.INTER_LINEAR), 0, 1)
    shown = np.asarray(np.round(below * (0.3 + 0.7 * inside[..., None])), np.uint8)
    scale = side / crop.shape[0]
    places = np.round(((corners + 0.5) * scale - 0.5) * 16).astype(np.int32)
    cv2.polylines(shown, [places], True, _EDGE, max(1, side // 80), cv2.LINE_AA, 4)
    return shown


def colour_bar(width: int, height: int) -> Picture:
    """Return the colours from nothing to much, (height, width, 3), on a middle gray."""
    values = np.broadcast_to(np.linspace(0, 1, width, dtype=np.float32), (height, width))
    share = (values * _OPACITY)[..., None]
    mixed = 150.0 * (1 - share) + _coloured(np.ascontiguousarray(values)) * share
    return np.asarray(np.round(mixed), np.uint8)


def _coloured(values: Map) -> Picture:
    levels = np.asarray(np.round(values * 255), np.uint8)
    return np.asarray(cv2.applyColorMap(levels, _COLOURS)[..., ::-1], np.uint8)
