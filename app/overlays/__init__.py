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
from app.overlays.look import LookOverlay
from app.overlays.regions import RegionsOverlay
from app.views import LOOK, REGIONS, Shown

__all__ = [
    "OVERLAYS",
    "AttentionOverlay",
    "BarsOverlay",
    "BoxOverlay",
    "LandmarksOverlay",
    "LookOverlay",
    "Overlay",
    "RegionsOverlay",
    "Shown",
    "Viewport",
    "make_overlay",
    "render",
]

OVERLAYS: dict[str, Callable[[], Overlay]] = {
    "attention": AttentionOverlay,
    "landmarks": LandmarksOverlay,
    "boxes": BoxOverlay,
    "bars": BarsOverlay,
}
"""Every overlay by its name, in the order they are drawn: text comes last, above all else."""


def make_overlay(name: str, shown: Shown | None = None) -> Overlay:
    """Return a new overlay of `OVERLAYS`; shown: what the attention overlay shows."""
    if name != "attention" or shown is None:
        return OVERLAYS[name]()
    if shown.view == LOOK:
        return LookOverlay(shown.card)
    if shown.view == REGIONS:
        return RegionsOverlay()
    return AttentionOverlay(shown.view)


def render(
    result: FrameResult,
    *,
    size: tuple[int, int],
    mirrored: bool = False,
    overlays: Iterable[Overlay] = (),
    pixel_ratio: float = 1.0,
    out: Canvas | None = None,
) -> Canvas:
    """Return the frame with overlays as a (H, W, 3) uint8 BGR picture.

    size: (width, height) of the picture, with the frame's own aspect ratio. mirrored: left and
    right of the picture are swapped, texts stay readable. pixel_ratio: pixels of the picture a
    pixel of the desktop. The overlays are drawn in the order given. out: where the picture is
    drawn, if it has the right shape; otherwise a new one is returned. Memory that is used again
    from frame to frame saves as much time as an overlay takes.
    """
    if out is None or out.shape != (size[1], size[0], 3):
        out = np.empty((size[1], size[0], 3), np.uint8)
    canvas = _resized(result.frame.image, out, mirrored=mirrored)
    view = Viewport(size[0] / result.frame.image.shape[1], mirrored, size[0], pixel_ratio)
    for overlay in overlays:
        overlay.draw(canvas, result, view)
    return canvas


def _resized(image: Canvas, out: Canvas, *, mirrored: bool) -> Canvas:
    """Draw the image over the whole of `out` and return it."""
    width, wanted = image.shape[1], out.shape[1]
    if image.shape == out.shape:
        if mirrored:
            cv2.flip(image, 1, dst=out)
        else:
            np.copyto(out, image)
        return out
    shrinks = wanted < width
    # Flipped on the smaller side of the resize: fewer pixels to move.
    if mirrored and not shrinks:
        image = np.asarray(cv2.flip(image, 1), np.uint8)
    # Averaging areas is several times slower, and shows only where much is left out.
    how = cv2.INTER_AREA if wanted < 0.6 * width else cv2.INTER_LINEAR
    cv2.resize(image, (wanted, out.shape[0]), dst=out, interpolation=how)
    if mirrored and shrinks:
        cv2.flip(out, 1, dst=out)
    return out
