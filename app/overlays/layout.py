"""Finding room for plates beside faces."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from app.messages import Box

# Covering the face that is meant is bad, another face is worse, a text is worst.
_OWN_WEIGHT = 0.5
_TEXT_WEIGHT = 4.0


def shared(first: Box, second: Box) -> float:
    """Return the area that two boxes share."""
    width = min(first.x2, second.x2) - max(first.x1, second.x1)
    height = min(first.y2, second.y2) - max(first.y1, second.y1)
    return max(0.0, width) * max(0.0, height)


def grown(box: Box, margin: float) -> Box:
    """Return the box with a margin on every side."""
    return Box(box.x1 - margin, box.y1 - margin, box.x2 + margin, box.y2 + margin)


def around(first: Box, second: Box) -> Box:
    """Return the smallest box that holds both."""
    return Box(
        min(first.x1, second.x1),
        min(first.y1, second.y1),
        max(first.x2, second.x2),
        max(first.y2, second.y2),
    )


def kept_inside(box: Box, width: int, height: int, margin: float) -> Box:
    """Return the box moved so that it lies on the canvas; what is too large begins at 0."""
    x = max(0.0, min(max(box.x1, margin), width - margin - box.width))
    y = max(0.0, min(max(box.y1, margin), height - margin - box.height))
    return Box(x, y, x + box.width, y + box.height)


@dataclass(frozen=True, slots=True)
class Room:
    """Hold what a plate should not cover: its own face, other faces, texts and plates."""

    own: Box
    faces: Sequence[Box]
    texts: Sequence[Box]

    def cost(self, place: Box) -> float:
        """Return how much of the place covers something, weighted; 0 where it is free."""
        covered = _OWN_WEIGHT * shared(place, self.own)
        covered += sum(shared(place, face) for face in self.faces)
        covered += _TEXT_WEIGHT * sum(shared(place, text) for text in self.texts)
        return covered / max(1.0, place.area)

    def best(self, places: Sequence[Box]) -> Box:
        """Return the place that covers least, of about equal ones the first."""
        best, least = places[0], math.inf
        for place in places:
            # Rounded: a sliver of a pixel must not make a plate jump to the other side.
            cost = round(self.cost(place), 1)
            if cost < least:
                best, least = place, cost
            if least == 0:
                break
        return best
