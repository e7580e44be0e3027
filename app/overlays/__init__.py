"""What is drawn onto the picture; numpy, cv2 and Pillow only."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import cv2
import numpy as np

from app.messages import FrameResult
from app.overlays.attention import AttentionOverlay
from app.overlays.bars import BarsOverlay
from app.overlays.base import Canvas, Overlay, Viewport
from app.overlays.boxes import BoxOverlay
from app.overlays.landmarks import LandmarksOverlay

__all__ = [
    "OVERLAYS",
    "AttentionOverlay",
    "BarsOverlay",
    "BoxOverlay",
    "LandmarksOverlay",
    "Overlay",
    "Viewport",
    "render",
]

OVERLAYS: dict[str, Callable[[], Overlay]] = {
    "attention": AttentionOverlay,
    "landmarks": LandmarksOverlay,
    "boxes": BoxOverlay,
    "bars": BarsOverlay,
}
"""Every overlay by its name, in the order they are drawn: text comes last, above all else."""


def render(
    result: FrameResult,
    *,
    size: tuple[int, int],
    mirrored: bool = False,
    overlays: Iterable[Overlay] = (),
    pixel_ratio: float = 1.0,
) -> Canvas:
    """Return the frame with overlays as a new (H, W, 3) uint8 BGR picture.

    size: (width, height) of the picture, with the frame's own aspect ratio. mirrored: left and
    right of the picture are swapped, texts stay readable. pixel_ratio: pixels of the picture a
    pixel of the desktop. The overlays are drawn in the order given.
    """
    canvas = _resized(result.frame.image, size, mirrored=mirrored)
    view = Viewport(size[0] / result.frame.image.shape[1], mirrored, size[0], pixel_ratio)
    for overlay in overlays:
        overlay.draw(canvas, result, view)
    return canvas


def _resized(image: Canvas, size: tuple[int, int], *, mirrored: bool) -> Canvas:
    height, width = image.shape[:2]
    if (width, height) == size:
        return np.asarray(cv2.flip(image, 1), np.uint8) if mirrored else image.copy()
    shrinks = size[0] < width
    # Flipped on the smaller side of the resize: fewer pixels to move.
    if mirrored and not shrinks:
        image = np.asarray(cv2.flip(image, 1), np.uint8)
    # Averaging areas is several times slower, and shows only where much is left out.
    how = cv2.INTER_AREA if size[0] < 0.6 * width else cv2.INTER_LINEAR
    canvas = np.asarray(cv2.resize(image, size, interpolation=how), np.uint8)
    if mirrored and shrinks:
        canvas = np.asarray(cv2.flip(canvas, 1, dst=canvas), np.uint8)
    return canvas
