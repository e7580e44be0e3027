"""The label sets: which expressions a model names, and in what order.

The order is part of a model's contract. FER2013 and FER+ name the same pictures but order the
expressions differently, and they agree on only 62 % of them: they are two tasks.
"""

from __future__ import annotations

FER2013: tuple[str, ...] = (
    "anger",
    "disgust",
    "fear",
    "happiness",
    "sadness",
    "surprise",
    "neutral",
)
"""Goodfellow et al., arXiv 1307.0414: the order of `emotion` 0 to 6 in fer2013.csv."""

FERPLUS: tuple[str, ...] = (
    "neutral",
    "happiness",
    "surprise",
    "sadness",
    "anger",
    "disgust",
    "fear",
    "contempt",
)
"""Barsoum et al., arXiv 1608.01041: the order of the vote columns in fer2013new.csv."""

FER2013_4: tuple[str, ...] = ("anger", "happiness", "sadness", "neutral")
"""FER2013 without disgust, fear and surprise, as in the attentional network (`acn`) of the
University of Michigan; its paper gives no order, so the four keep that of FER2013."""

LABEL_SETS: dict[str, tuple[str, ...]] = {
    "fer2013": FER2013,
    "ferplus": FERPLUS,
    "fer2013-4": FER2013_4,
}
EVERY_LABEL = tuple(dict.fromkeys(label for labels in LABEL_SETS.values() for label in labels))
"""The labels of all sets, each once."""
LABEL_SET_NAMES = {"fer2013": "FER2013", "ferplus": "FER+", "fer2013-4": "four labels"}
"""What a label set is called on the screen."""
