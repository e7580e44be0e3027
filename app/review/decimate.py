"""From rows to pixels: what of a long session fits on a screen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.review.series import UNDECIDED

__all__ = ["Lines", "decimate", "ribbon"]

# Rows a pixel from which on a line is drawn as its columns' means instead of its own points.
_DENSE = 2
AWAY = -2
"""Stands in a ribbon where the face is not in the picture."""


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """Hold lines to draw, P points each.

    times: (P,) s. mean, low, high: (C, P); low and high are the least and greatest of what a
    point stands for. breaks: (B,) places of the points before which the lines are interrupted.
    """

    times: NDArray[np.float64]
    mean: NDArray[np.float32]
    low: NDArray[np.float32]
    high: NDArray[np.float32]
    breaks: NDArray[np.int64]


def decimate(
    times: NDArray[np.float64],
    values: NDArray[np.float32],
    start: float,
    end: float,
    columns: int,
    gap: float,
) -> Lines:
    """Return lines from `start` to `end` (s) with a point a pixel column at the most.

    times: (n,) s, rising. values: (C, n). columns: pixels. gap: s without a row at which a line
    breaks. Rows that are fewer than the pixels stay as they are, with one more at either side.
    """
    first, last = np.searchsorted(times, (start, end))
    first, last = max(0, int(first) - 1), min(len(times), int(last) + 1)
    chosen, part = times[first:last], values[:, first:last]
    if len(chosen) <= _DENSE * columns:
        breaks = np.flatnonzero(np.diff(chosen) > gap) + 1
        return Lines(chosen, part, part, part, breaks)
    edges = np.linspace(start, end, columns + 1)[1:-1]
    # The first and the last column take in the row beyond the edge.
    cuts = np.concatenate([[0], np.searchsorted(chosen, edges)])
    starts = cuts[np.diff(cuts, append=len(chosen)) > 0]
    counts = np.diff(starts, append=len(chosen))
    breaks = np.flatnonzero(chosen[starts[1:]] - chosen[starts[1:] - 1] > gap) + 1
    return Lines(
        times=np.add.reduceat(chosen, starts) / counts,
        mean=(np.add.reduceat(part, starts, axis=1) / counts).astype(np.float32),
        low=np.minimum.reduceat(part, starts, axis=1),
        high=np.maximum.reduceat(part, starts, axis=1),
        breaks=breaks,
    )


def ribbon(
    times: NDArray[np.float64],
    until: NDArray[np.float64],
    decided: NDArray[np.int16],
    labels: int,
    start: float,
    end: float,
    columns: int,
) -> NDArray[np.int16]:
    """Return for each pixel column the label that is decided most often in it.

    times: (n,) s, rising. until: (n,) s, how long each holds where rows are fewer than pixels,
    as `Recording.shown_until` says. decided: (n,) index of a label, or `UNDECIDED`. labels: their
    number. Returns (columns,): the label, `UNDECIDED`, or `AWAY`.
    """
    edges = np.linspace(start, end, columns + 1)
    cuts = np.searchsorted(times, edges)
    shown = np.full(columns, AWAY, np.int16)
    if not len(times) or columns < 1:
        return shown
    first, last = int(cuts[0]), int(cuts[-1])
    filled = np.diff(cuts) > 0
    if last > first:
        column = np.repeat(np.arange(columns), np.diff(cuts))
        code = decided[first:last].astype(np.int64) - UNDECIDED
        kinds = labels + 1
        votes = np.bincount(column * kinds + code, minlength=columns * kinds)
        best = votes.reshape(columns, kinds).argmax(axis=1) + UNDECIDED
        shown[filled] = best[filled]
    empty = np.flatnonzero(~filled)
    before = cuts[empty] - 1
    middles = (edges[empty] + edges[empty + 1]) / 2
    held = (before >= 0) & (middles <= until[np.maximum(before, 0)])
    shown[empty[held]] = decided[before[held]]
    return shown
