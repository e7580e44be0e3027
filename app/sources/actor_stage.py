"""What surrounds the demo actor's face and never changes: hair, neck and shirt, background."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from app.sources.actor_canvas import Canvas, Colour, Floats, ellipse, ribbon, smooth
from app.sources.actor_face import HEAD_AREA, SKIN
from app.sources.actor_shading import light

__all__ = ["BODY_CORNER", "background", "body", "hair"]

BODY_CORNER = (-200.0, 60.0)
_HAIR: Colour = (0.12, 0.17, 0.27)
_SHIRT: Colour = (0.50, 0.44, 0.28)


@lru_cache(maxsize=1)
def hair(scale: float) -> Canvas:
    """Return a lit cap of hair with a side-swept fringe, over the area of the head."""
    canvas = Canvas(*HEAD_AREA, scale)
    outer = [(-73, 10), (-78, -18), (-79, -55), (-70, -94), (-50, -121), (-20, -136), (2, -134),
             (26, -138), (54, -119), (74, -88), (80, -50), (78, -16), (73, 10)]  # fmt: skip
    inner = [(69.5, -4), (68, -28), (64, -46), (55, -58), (38, -69), (18, -75), (2, -73),
             (-14, -64), (-34, -52), (-55, -40), (-65, -26), (-69.5, -4)]  # fmt: skip
    canvas.cover(canvas.mask(np.vstack([smooth(outer), smooth(inner)]), 0.8))
    x, y = canvas.grid()
    round_ = 1 - np.abs(x / 84) ** 2.4 - np.abs((y + 10) / 128) ** 2.6
    bright, _ = light((70 * np.clip(round_, 0, 1) ** 0.5).astype(np.float32), 1 / scale)
    canvas.colour[:] = np.array(_HAIR, np.float32) * (bright * _strands(x, y))[..., None]
    return canvas


def _strands(x: Floats, y: Floats) -> Floats:
    """Return how bright each strand is; they fan out from a parting on the crown."""
    across, down = x + 20, y + 158
    reach = np.hypot(across, down)
    angle = np.arctan2(across, down) + 0.0022 * reach
    rng = np.random.default_rng(3)
    wave = np.zeros_like(reach)
    for turns in (5, 9, 14, 23, 37, 61):
        phase = rng.uniform(0, 2 * np.pi)
        wave += np.sin(turns * 2 * angle + phase + 0.02 * reach * rng.uniform(-1, 1))
    ring = np.exp(-0.5 * ((np.hypot(x + 10, y + 10) - 98) / 13) ** 2)  # where smooth hair shines
    return np.asarray(1 + 0.06 * wave + ring * (0.42 + 0.08 * wave), np.float32)


@lru_cache(maxsize=1)
def body(scale: float) -> NDArray[np.uint8]:
    """Return neck, shoulders and shirt from BODY_CORNER on, BGRA with premultiplied colour."""
    left, top = BODY_CORNER
    canvas = Canvas(left, top, -left, 330, scale)
    x, y = canvas.grid()
    neck = [
        (-40, 60),
        (-40, 130),
        (-46, 150),
        (-60, 185),
        (60, 185),
        (46, 150),
        (40, 130),
        (40, 60),
    ]
    canvas.cover(canvas.mask(neck, 0.5))
    tube = 40 * np.clip(1 - np.abs(x / 46) ** 2.6, 0, 1) ** 0.5 + 0 * y
    bright, _ = light(tube.astype(np.float32), 1 / scale)
    shade = (0.92 * bright[..., None]) ** np.array([1.12, 1.05, 0.92], np.float32)
    canvas.colour[:] = np.array(SKIN, np.float32) * shade
    canvas.tint(canvas.mask(ellipse(0, 100, 60, 42), 9), (0.60, 0.63, 0.73), 0.95)  # under the chin
    half = [(52, 148), (80, 160), (118, 172), (146, 190), (160, 220), (166, 330)]
    collar = smooth([(52, 148), (38, 163), (18, 172), (0, 175), (-18, 172), (-38, 163), (-52, 148)])
    arm = smooth(half)
    shirt = canvas.mask(np.vstack([arm * (-1, 1), arm[::-1], collar]), 0.6)
    chest = 60 * np.clip(1 - np.abs(x / 172) ** 2.6, 0, 1) ** 0.5
    chest = chest * np.clip((y - 130) / 80, 0, 1) ** 0.6
    bright, _ = light(np.asarray(cv2.GaussianBlur(chest, (0, 0), 4 * scale)), 1 / scale)
    cloth = (np.array(_SHIRT, np.float32) * bright[..., None])[shirt.rows, shirt.columns]
    below = canvas.colour[shirt.rows, shirt.columns]
    # Where nothing lies below, opacity alone makes the edge.
    below += (cloth - below) * np.minimum(4 * shirt.alpha, 1)[..., None]
    canvas.cover(shirt)
    canvas.tint(canvas.mask(ribbon(collar, (4, 5.5, 5.5, 4)), 0.5), (0.78, 0.78, 0.78), 0.8)
    return canvas.bgra()


@lru_cache(maxsize=2)
def background(width: int, height: int) -> NDArray[np.uint8]:
    """Return a calm gray-blue wall with a soft light on it, (H, W, 3) uint8, BGR."""
    x = np.arange(width, dtype=np.float32)[None, :] / width - 0.42
    y = np.arange(height, dtype=np.float32)[:, None] / height - 0.36
    glow = np.exp(-2.2 * (x**2 + 0.8 * y**2))[..., None]
    near, far = np.array([[196, 186, 172], [150, 134, 116]], np.float32)
    return np.asarray(np.round(far + (near - far) * glow), np.uint8)
