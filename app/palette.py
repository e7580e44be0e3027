"""The colour of every expression, the same wherever it is shown.

The eight lie apart for eyes without red, green or blue cones too, in lightness where not in hue.
Where there is room a word goes with the colour.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable

from app.messages import UNSURE

__all__ = [
    "DISPLAY_ORDER",
    "EXPRESSION_COLOURS",
    "EXPRESSION_COLOURS_LIGHT",
    "UNSURE",
    "bgr",
    "colour",
    "display_order",
]

DISPLAY_ORDER: tuple[str, ...] = (
    "happiness",
    "surprise",
    "neutral",
    "sadness",
    "fear",
    "anger",
    "disgust",
    "contempt",
)
"""Where bars and lines stand: never sorted by value, since a jumping list cannot be read."""

EXPRESSION_COLOURS: dict[str, str] = {
    "anger": "#D55E00",
    "disgust": "#009E73",
    "fear": "#B96FA5",
    "happiness": "#F0C000",
    "sadness": "#379CE9",
    "surprise": "#56C5E9",
    "neutral": "#9AA4B1",
    "contempt": "#C69442",
    UNSURE: "#E8EBEF",
}
"""Label to #RRGGBB on dark backgrounds and on pictures."""

EXPRESSION_COLOURS_LIGHT: dict[str, str] = {
    "anger": "#B24E00",
    "disgust": "#006148",
    "fear": "#9A4B78",
    "happiness": "#A68307",
    "sadness": "#19456E",
    "surprise": "#187CA8",
    "neutral": "#7D8692",
    "contempt": "#4F3405",
    UNSURE: "#1B1F24",
}
"""Label to #RRGGBB on light backgrounds: the same hues, darker, at least 3:1 on white."""

# Quiet hues for the labels of users' own models.
_OTHER = ("#B9B3A2", "#A9B8A4", "#A7A9C9", "#C4A9A9", "#9DB9B9", "#BBA7C0")
_OTHER_LIGHT = ("#6E6856", "#586B53", "#565A85", "#7E5858", "#4A6A6A", "#6D5674")


def colour(label: str, *, light: bool = False) -> str:
    """Return the label's colour as #RRGGBB.

    A label that is not among the eight always gets the same one of a few quiet colours, in this
    run and the next.
    """
    known = (EXPRESSION_COLOURS_LIGHT if light else EXPRESSION_COLOURS).get(label)
    if known is not None:
        return known
    others = _OTHER_LIGHT if light else _OTHER
    # Not hash(): Python salts it, so that colours would change from run to run.
    return others[zlib.crc32(label.encode()) % len(others)]


def bgr(label: str) -> tuple[int, int, int]:
    """Return the label's colour on a picture as (blue, green, red), each 0 to 255."""
    text = colour(label)
    return int(text[5:7], 16), int(text[3:5], 16), int(text[1:3], 16)


def display_order(labels: Iterable[str]) -> tuple[str, ...]:
    """Return the labels as they are shown: the known in DISPLAY_ORDER, then others as given."""
    given = tuple(labels)
    known = tuple(label for label in DISPLAY_ORDER if label in given)
    return known + tuple(label for label in given if label not in DISPLAY_ORDER)
