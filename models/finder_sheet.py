"""A sheet of pictures that shows what a face finder did right and wrong, to look at."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from models.finder_compare import Contender
from models.finder_scores import Found, Matched, match
from models.finder_sets import Example

__all__ = ["draw_sheet"]

_ROWS, _COLUMNS = 4, 6
_TILE = (240, 320)
# Blue, green, red of each kind of box.
_HIT, _MISS, _FALSE, _DOUBTFUL = (80, 220, 80), (40, 40, 240), (240, 200, 40), (150, 150, 150)


def draw_sheet(contender: Contender, examples: Iterable[Example]) -> NDArray[np.uint8]:
    """Return a (960, 1920, 3) BGR sheet of the 24 examples with the most mistakes.

    Green: found. Red: missed. Light blue: a false alarm. Grey: a face that does not count.
    """
    judged = []
    for number, example in enumerate(examples):
        found = contender.find(example.pixels)
        kept = found.scores >= contender.score
        found = Found(found.boxes[kept], found.scores[kept])
        done = match(found, example.truth)
        mistakes = len(done.alarms) + int((done.finds[example.truth.counts] < 0).sum())
        judged.append((-mistakes, number, _tile(example, found, done)))
    judged.sort(key=lambda one: one[:2])
    tiles = [tile for _, _, tile in judged[: _ROWS * _COLUMNS]]
    blank = np.zeros((*_TILE, 3), np.uint8)
    tiles += [blank] * (_ROWS * _COLUMNS - len(tiles))
    rows = [np.hstack(tiles[row * _COLUMNS : (row + 1) * _COLUMNS]) for row in range(_ROWS)]
    return np.vstack(rows)


def _tile(example: Example, found: Found, done: Matched) -> NDArray[np.uint8]:
    """Return one example in its place of the sheet, with its boxes."""
    height, width = example.pixels.shape[:2]
    scale = min(_TILE[0] / height, _TILE[1] / width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    tile = np.zeros((*_TILE, 3), np.uint8)
    tile[: size[1], : size[0]] = cv2.resize(example.pixels, size, interpolation=cv2.INTER_AREA)
    for number in done.alarms:
        _draw(tile, found.boxes[number] * scale, _FALSE)
    for face, box in enumerate(example.truth.boxes):
        colour = _HIT if done.finds[face] >= 0 else _MISS
        _draw(tile, box * scale, colour if example.truth.counts[face] else _DOUBTFUL)
    return tile


def _draw(tile: NDArray[np.uint8], box: NDArray[np.float32], colour: tuple[int, int, int]) -> None:
    left, top, right, bottom = (round(float(value)) for value in box)
    cv2.rectangle(tile, (left, top), (right, bottom), colour, 2)
