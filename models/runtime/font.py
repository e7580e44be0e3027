"""The font of what is drawn without Qt."""

from __future__ import annotations

from functools import lru_cache

from PIL import ImageFont

__all__ = ["font"]


@lru_cache(maxsize=256)
def font(size: int) -> ImageFont.FreeTypeFont:
    """Return Pillow's own font, which is there on every machine; size: in pixels."""
    found = ImageFont.load_default(size)
    assert isinstance(found, ImageFont.FreeTypeFont), "Pillow was built without FreeType"
    return found
