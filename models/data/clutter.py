"""Drawn things without a face that small finders take for one: lettering, limbs, wheels.

Scenes hold few of them, and what a network was never shown it cannot tell from a face.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from models.data.finder_spoiling import SKINS
from models.runtime.font import font

__all__ = ["draw_clutter"]

_LETTERS = "ABCDEFGHIJKLMNOPRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789&?!"
_LEAST, _MOST = 0.08, 0.7
"""Of the picture's side: how large a thing is drawn."""
_SEEN = 63
"""Of 255: how much of a pixel a thing must fill to cover it."""

Mask = NDArray[np.uint8]
Colour = NDArray[np.float32]


def draw_clutter(
    canvas: NDArray[np.uint8], owner: NDArray[np.uint8], rng: np.random.Generator, part: int
) -> None:
    """Draw one thing somewhere on a (S, S, 3) uint8 BGR canvas.

    owner: (S, S) uint8, gets `part` wherever the thing covers what was there.
    """
    side = canvas.shape[0]
    size = side * float(np.exp(rng.uniform(np.log(_LEAST), np.log(_MOST))))
    middle = rng.uniform(0.1 * side, 0.9 * side, 2)
    drawn = rng.random()
    if drawn < 0.45:
        layers = _lettering((side, side), middle, size, rng)
    elif drawn < 0.8:
        layers = [(_limb((side, side), middle, size, rng), _skin(rng))]
    else:
        layers = [(_wheel((side, side), middle, size, rng), _any_colour(rng))]
    shade = cv2.resize(rng.uniform(0.5, 1.2, (3, 3)).astype(np.float32), (side, side))
    soft = bool(rng.random() < 0.5)
    for mask, colour in layers:
        owner[mask > _SEEN] = part
        painted = np.clip(shade[..., None] * colour, 0, 255).astype(np.uint8)
        share = (cv2.blur(mask, (3, 3)) if soft else mask).astype(np.float32) / 255
        canvas[:] = cv2.blendLinear(painted, canvas, share, 1 - share)


def _lettering(
    shape: tuple[int, int], middle: NDArray[np.float64], size: float, rng: np.random.Generator
) -> list[tuple[Mask, Colour]]:
    """Return one to three lines of letters, about `size` wide, with their outline below them."""
    longest = int(rng.integers(1, 10))
    text = "\n".join(
        "".join(rng.choice(list(_LETTERS), int(rng.integers(1, longest + 1))))
        for _ in range(int(rng.integers(1, 4)))
    )
    height = int(np.clip(1.6 * size / max(len(line) for line in text.split("\n")), 6, 0.8 * size))
    letters = font(max(6, height))
    bold = round(height * float(rng.uniform(0, 0.06)))
    outline = bold + (round(height * float(rng.uniform(0.03, 0.14))) if rng.random() < 0.5 else 0)
    place = (float(middle[0] - size / 2), float(middle[1] - size / 2))
    layers = []
    for stroke in sorted({bold, outline}, reverse=True):
        image = Image.new("L", shape, 0)
        ImageDraw.Draw(image).multiline_text(
            place, text, fill=255, font=letters, stroke_width=stroke, spacing=0.1 * height
        )
        layers.append((np.array(image), _any_colour(rng)))
    return layers


def _limb(
    shape: tuple[int, int], middle: NDArray[np.float64], size: float, rng: np.random.Generator
) -> Mask:
    """Return where a bent arm or leg is, with or without fingers at its end."""
    mask = np.zeros(shape, np.uint8)
    thick = max(2, int(size * float(rng.uniform(0.25, 0.6))))
    angle = float(rng.uniform(0, 2 * np.pi))
    bend = angle + float(rng.uniform(-2.2, 2.2))
    joint = (int(middle[0]), int(middle[1]))
    ends = [
        (int(middle[0] + size * np.cos(turn)), int(middle[1] + size * np.sin(turn)))
        for turn in (angle, bend)
    ]
    for end in ends:
        cv2.line(mask, joint, end, 255, thick, cv2.LINE_AA)
    if rng.random() < 0.4:
        for turn in angle + np.linspace(-0.5, 0.5, int(rng.integers(3, 6))):
            tip = (
                int(ends[0][0] + 0.7 * size * np.cos(turn)),
                int(ends[0][1] + 0.7 * size * np.sin(turn)),
            )
            cv2.line(mask, ends[0], tip, 255, max(1, thick // 4), cv2.LINE_AA)
    return mask


def _wheel(
    shape: tuple[int, int], middle: NDArray[np.float64], size: float, rng: np.random.Generator
) -> Mask:
    """Return where a ring with spokes is, or a disc, alone or as one of a pair of lamps."""
    mask = np.zeros(shape, np.uint8)
    radius = max(2, int(size / 2))
    count = 2 if rng.random() < 0.3 else 1
    for number in range(count):
        x, y = int(middle[0] + number * size * 1.6), int(middle[1])
        if rng.random() < 0.5:
            cv2.circle(mask, (x, y), radius, 255, -1, cv2.LINE_AA)
            continue
        thick = max(1, int(radius * float(rng.uniform(0.1, 0.4))))
        cv2.circle(mask, (x, y), radius, 255, thick, cv2.LINE_AA)
        for turn in np.linspace(0, np.pi, int(rng.integers(1, 6)), endpoint=False):
            across = (int(radius * np.cos(turn)), int(radius * np.sin(turn)))
            start, end = (x - across[0], y - across[1]), (x + across[0], y + across[1])
            cv2.line(mask, start, end, 255, max(1, thick // 2), cv2.LINE_AA)
    return mask


def _skin(rng: np.random.Generator) -> Colour:
    base = np.array(SKINS[int(rng.integers(len(SKINS)))], np.float32)
    return base * np.float32(rng.uniform(0.6, 1.1))


def _any_colour(rng: np.random.Generator) -> Colour:
    drawn = rng.random()
    if drawn < 0.3:
        return np.full(3, 255 if rng.random() < 0.6 else 20, np.float32)
    return _skin(rng) if drawn < 0.5 else rng.uniform(0, 255, 3).astype(np.float32)
