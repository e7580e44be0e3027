"""Anti-aliased text. Pillow sets it once; later frames only blend the stored mask."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw

from app.overlays.base import Canvas, Colour
from app.overlays.paint import Mask, Patch, blend, tinted
from models.runtime.font import font

_ELLIPSIS = "…"
# Glyphs may reach a little beyond their advance width.
_MARGIN = 1


@lru_cache(maxsize=1024)
def text_width(text: str, size: int) -> int:
    """Return the width of the text in pixels."""
    return math.ceil(font(size).getlength(text))


@lru_cache(maxsize=256)
def fitted(text: str, size: int, width: int) -> str:
    """Return the text, shortened with an ellipsis where it is wider than `width` pixels."""
    if text_width(text, size) <= width:
        return text
    for end in range(len(text) - 1, 0, -1):
        shorter = text[:end].rstrip() + _ELLIPSIS
        if text_width(shorter, size) <= width:
            return shorter
    return _ELLIPSIS


def text_mask(text: str, size: int) -> Mask:
    """Return the text as opacity (h, w), as high as the font's line, in every text the same."""
    letters = font(size)
    ascent, descent = letters.getmetrics()
    image = Image.new("L", (text_width(text, size) + 2 * _MARGIN, ascent + descent), 0)
    ImageDraw.Draw(image).text((_MARGIN, ascent), text, fill=255, font=letters, anchor="ls")
    return np.array(image, dtype=np.uint8)


@lru_cache(maxsize=1024)
def text_patch(text: str, size: int, colour: Colour) -> Patch:
    """Return the text in a colour."""
    return tinted(text_mask(text, size), colour)


@lru_cache(maxsize=32)
def _middle(size: int) -> float:
    """Return how far below the top of a mask the middle of the capitals lies."""
    letters = font(size)
    return letters.getmetrics()[0] + letters.getbbox("H", anchor="ls")[1] / 2


def draw_text(canvas: Canvas, text: str, size: int, x: int, middle: float, colour: Colour) -> None:
    """Write text that begins at x and whose capitals are centred on the height `middle`."""
    top = round(middle - _middle(size))
    blend(canvas, text_patch(text, size, colour), x - _MARGIN, top)


def draw_text_right(
    canvas: Canvas, text: str, size: int, right: int, middle: float, colour: Colour
) -> None:
    """Write text that ends at `right`: numbers stay in place while they change."""
    draw_text(canvas, text, size, right - text_width(text, size), middle, colour)
