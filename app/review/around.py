"""What happens around markers: probabilities averaged over several events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.review.edited import Marker
from app.review.series import Series
from app.stimuli import ANSWER, OVER, SHOWN

__all__ = ["Around", "around_events", "events", "mean_of"]

# Around an event, s.
_BEFORE = 2.0
_AFTER = 5.0
_STEP = 0.25
_NO_EVENTS = ("neutral", OVER, ANSWER)


@dataclass(frozen=True, slots=True, eq=False)
class Around:
    """Hold mean probabilities around events.

    lags: (L,) s, middles of the bins, 0 at the event. mean: (C, L), NaN where no event has a row.
    error: (C, L), standard error over the events, NaN where fewer than two have rows. events:
    that have any row within reach. counts: (L,) events that count in this bin.
    """

    lags: NDArray[np.float64]
    mean: NDArray[np.float64]
    error: NDArray[np.float64]
    counts: NDArray[np.int64]
    events: int


def events(markers: Sequence[Marker]) -> dict[str, list[float]]:
    """Return the times (s) of markers that are averaged together, by the words for them.

    Those that another program or a study sent are told apart by their text; a neutral face, the
    end of a stimulus and an answer are no events.
    """
    found: dict[str, list[float]] = {}
    for marker in markers:
        if marker.key not in _NO_EVENTS:
            found.setdefault(_words(marker), []).append(marker.time)
    return dict(sorted(found.items()))


def _words(marker: Marker) -> str:
    if marker.key == "note":
        return "notes"
    if marker.key == SHOWN:
        return f"stimulus “{marker.text}”"
    sent = marker.key == "lsl" and marker.text
    return f"markers “{marker.text}”" if sent else f"markers {marker.key}"


def around_events(
    part: Series,
    events: Sequence[float],
    gap: float,
    *,
    before: float = _BEFORE,
    after: float = _AFTER,
) -> Around:
    """Average what is said of a face over events (s), each event weighing the same.

    From `before` to `after` them (s), in bins of a quarter of a second. A bin without a row lies on
    the line between its neighbours where these are not further apart than a face may be away, `gap`
    (s): events that drop out of the mean for a moment would make it leap.
    """
    edges = np.arange(-round(before / _STEP), round(after / _STEP) + 1) * _STEP
    cuts = np.searchsorted(part.times, np.asarray(events, float)[:, None] + edges)
    counts = np.diff(cuts, axis=1)
    sums = np.concatenate(
        [np.zeros((len(part.labels), 1)), np.cumsum(part.values, axis=1, dtype=np.float64)], axis=1
    )
    totals = np.diff(sums[:, cuts]).swapaxes(0, 1)
    means = np.full(totals.shape, np.nan)
    np.divide(totals, counts[:, None], out=means, where=counts[:, None] > 0)
    _bridge(means, counts > 0, most=round(gap / _STEP))
    return mean_of((edges[1:] + edges[:-1]) / 2, means)


def mean_of(lags: NDArray[np.float64], curves: NDArray[np.float64]) -> Around:
    """Average curves (N, C, L), NaN where nothing is known, at these lags (L,), s.

    Each of the N weighs the same: events of a face, or people.
    """
    known = curves.shape[1] > 0
    there = np.isfinite(curves[:, 0]) if known else np.zeros((len(curves), len(lags)), bool)
    counts = there.sum(axis=0)
    total = np.where(there[:, None], curves, 0.0).sum(axis=0)
    mean = np.full(total.shape, np.nan)
    np.divide(total, counts, out=mean, where=counts > 0)
    squares = np.where(there[:, None], (curves - mean) ** 2, 0.0).sum(axis=0)
    error = np.full(total.shape, np.nan)
    np.divide(squares, (counts - 1) * counts, out=error, where=counts > 1)
    return Around(
        lags=lags,
        mean=mean,
        error=np.sqrt(error),
        counts=counts,
        events=int(there.any(axis=1).sum()),
    )


def _bridge(values: NDArray[np.float64], filled: NDArray[np.bool_], most: int) -> None:
    """Fill gaps of at most `most` bins in (N, C, L) values, in place. filled: (N, L)."""
    bins = np.arange(filled.shape[1])
    before = np.maximum.accumulate(np.where(filled, bins, -1), axis=1)
    after = np.minimum.accumulate(np.where(filled, bins, len(bins))[:, ::-1], axis=1)[:, ::-1]
    between = ~filled & (before >= 0) & (after < len(bins)) & (after - before <= most + 1)
    place, at = np.nonzero(between)
    start, end = before[place, at], after[place, at]
    share = ((at - start) / (end - start))[:, None]
    first, last = values[place, :, start], values[place, :, end]
    values[place, :, at] = first + share * (last - first)
