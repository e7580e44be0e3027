"""Right finds, false alarms and misses of a face finder on pictures whose faces are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Found", "Matched", "Truth", "average_precision", "match", "overlaps"]

OVERLAP = 0.5
"""Intersection over union from which a find is of a face."""


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Hold what a finder says of one picture.

    boxes: (n, 4) float32 left, top, right, bottom in pixels. scores: (n,) float32.
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """Hold the faces of one picture: boxes (m, 4); counts (m,) bool.

    A face that does not count is neither missed when it is not found nor a false alarm when it is.
    """

    boxes: NDArray[np.float32]
    counts: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Matched:
    """Hold the outcome of one picture.

    scores, right: (k,) of the finds that count, right or false. found_at: (m,) the score with
    which each face was found, -1 where it was not. finds: (m,) which find it was, -1 for none.
    alarms: which finds are of no face.
    """

    scores: NDArray[np.float32]
    right: NDArray[np.bool_]
    found_at: NDArray[np.float32]
    finds: NDArray[np.int64]
    alarms: NDArray[np.int64]


def overlaps(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the intersection over union of boxes (n, 4) and (m, 4) as (n, m)."""
    common = _common(first, second)
    both = _areas(first)[:, None] + _areas(second)[None] - common
    shared: NDArray[np.float32] = (common / np.maximum(both, 1e-6)).astype(np.float32)
    return shared


def match(found: Found, truth: Truth) -> Matched:
    """Pair finds with faces, the surest find first, each with the free face it overlaps most.

    The VOC development kit (Everingham et al. 2010, IJCV 88, section 4.2) takes the face it
    overlaps most even if that is taken, and calls the find false then; of two faces that overlap
    each other, one is found wrongly by that. What lies half in a face that does not count is no
    false alarm.
    """
    order = np.argsort(-found.scores, kind="stable")
    pairs = overlaps(found.boxes, truth.boxes)
    hidden = _hidden(found.boxes, truth.boxes[~truth.counts])
    right = np.zeros(len(order), bool)
    used = np.ones(len(order), bool)
    found_at = np.full(len(truth.boxes), -1.0, np.float32)
    finds = np.full(len(truth.boxes), -1, np.int64)
    for find in order:
        free = np.where((finds < 0) & truth.counts, pairs[find], 0)
        if free.size and free.max() >= OVERLAP:
            face = int(free.argmax())
            finds[face], found_at[face], right[find] = find, found.scores[find], True
        elif hidden[find]:
            used[find] = False
    alarms = np.flatnonzero(used & ~right)
    return Matched(found.scores[used], right[used], found_at, finds, alarms)


def average_precision(matched: Sequence[Matched], faces: int) -> float:
    """Return the area under precision over recall, 0 to 1; faces: how many there were to find.

    Precision at a recall is the highest at this or any higher recall.
    """
    if not faces:
        return float("nan")
    scores = np.concatenate([np.zeros(0, np.float32), *(one.scores for one in matched)])
    right = np.concatenate([np.zeros(0, bool), *(one.right for one in matched)])
    right = right[np.argsort(-scores, kind="stable")]
    hits = np.cumsum(right)
    precision = hits / np.arange(1, len(right) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float(envelope[right].sum() / faces)


def _hidden(boxes: NDArray[np.float32], doubtful: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return which boxes lie by half or more in a face that does not count, or are of it."""
    if not len(doubtful):
        return np.zeros(len(boxes), bool)
    inside = _common(boxes, doubtful) / np.maximum(_areas(boxes), 1e-6)[:, None]
    return np.asarray(((inside >= 0.5) | (overlaps(boxes, doubtful) >= OVERLAP)).any(axis=1))


def _common(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float32]:
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    common: NDArray[np.float32] = np.maximum(high - low, 0).prod(2).astype(np.float32)
    return common


def _areas(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    areas: NDArray[np.float32] = np.maximum(boxes[:, 2:] - boxes[:, :2], 0).prod(1)
    return areas
