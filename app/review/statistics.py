"""What an interval says of a face, with intervals that know that frames resemble each other.

Thirty frames a second are not thirty observations: an expression lasts, and so a label stays. The
share of a label is therefore given with a confidence interval (Wilson 1927, JASA 22, 209-212) for
the number of independent frames that carry as much (Geyer 1992, Statistical Science 7, 473-483,
section 3.3: the integrated autocorrelation time by the initial positive sequence). It is the range
in which the share would lie in the long run, if all went on in the same way; another stretch as
long as this one may well lie outside. It assumes that the interval is of one piece, without a
trend, and it knows nothing of the model's own errors.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.review.edited import Edited
from app.review.series import UNDECIDED, Series, series

__all__ = [
    "LabelShare",
    "Summary",
    "correlation_frames",
    "summarise",
    "wilson",
]

Z_95 = 1.959964
_POOR_QUALITY = 0.5
_MOST_PLACES = 16_384


@dataclass(frozen=True, slots=True)
class LabelShare:
    """Hold how much of an interval a label takes.

    share: of the face's rows, 0 to 1; low, high: its 95 % interval, None where none can be given.
    episodes: stretches with this label. longest: s, until its last frame is shown no more. mean,
    deviation: of its probability over all rows, whatever was decided.
    """

    label: str
    share: float
    low: float | None
    high: float | None
    episodes: int
    longest: float
    mean: float
    deviation: float


@dataclass(frozen=True, slots=True)
class Summary:
    """Hold what an interval says of one face.

    start, end: s. frames: of the session in the interval; rows: those with this face that count;
    missing: frames without, 0 to 1. dropped: frames that were passed over while recording.
    unsure: share of the rows, as any label has one. independent: frames that are worth as much,
    None where the label never changed. quality: mean, None where not measured; poor: share of the
    rows below 0.5. relative: share of the rows that are corrected by a neutral face.
    """

    face: int
    start: float
    end: float
    frames: int
    rows: int
    missing: float
    dropped: int
    labels: tuple[LabelShare, ...]
    unsure: LabelShare | None
    independent: float | None
    quality: float | None
    poor: float
    relative: float


def summarise(
    state: Edited, face: int, start: float, end: float, *, of: Series | None = None
) -> Summary:
    """Return the statistics of a face from `start` to `end` (s), both included.

    of: the face's series where it is at hand.
    """
    part = (of or series(state, face)).between(start, end)
    recording = state.recording
    first = int(np.searchsorted(recording.frame_times, start, "left"))
    last = int(np.searchsorted(recording.frame_times, end, "right"))
    frames = last - first
    codes = range(UNDECIDED, len(part.labels))
    present = [code for code in codes if np.any(part.decided == code)]
    places = part.frames - first
    times = {
        code: correlation_frames((part.decided == code).astype(np.float64), places, frames)
        for code in present
    }
    # What never occurs is taken to change as slowly as the slowest that does.
    slowest = max((time for time in times.values() if time is not None), default=None)
    until = recording.shown_until(part.frames)
    shares = {
        code: _share(part, until, code, times.get(code, slowest), recording.gap) for code in codes
    }
    quality = part.quality[np.isfinite(part.quality)]
    dropped = np.searchsorted(recording.dropped, (start, end), "left")
    return Summary(
        face=face,
        start=start,
        end=end,
        frames=frames,
        rows=len(part.rows),
        missing=1 - _different(part.frames) / frames if frames else 0.0,
        dropped=int(dropped[1] - dropped[0]),
        labels=tuple(shares[code] for code in range(len(part.labels))),
        unsure=shares[UNDECIDED] if UNDECIDED in present else None,
        independent=len(part.rows) / slowest if slowest else None,
        quality=float(quality.mean()) if len(quality) else None,
        poor=float((quality < _POOR_QUALITY).mean()) if len(quality) else 0.0,
        relative=float(recording.relative[part.rows].mean()) if len(part.rows) else 0.0,
    )


def wilson(share: float, count: float, z: float = Z_95) -> tuple[float, float]:
    """Return the interval of a share that was found among so many independent observations.

    Wilson 1927, JASA 22, 209-212. count: need not be whole.
    """
    spread = z * z / count
    middle = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * math.sqrt(share * (1 - share) / count + spread / count / 4)
    return max(0.0, min(middle - half, share)), min(1.0, max(middle + half, share))


def correlation_frames(
    values: NDArray[np.float64], places: NDArray[np.int64], length: int
) -> float | None:
    """Return how many frames lie between two that are as good as independent, at least 1.

    The integrated autocorrelation time by the initial positive sequence of Geyer 1992
    (Statistical Science 7, section 3.3). values: (n,) at the frames `places`, 0 to length - 1;
    frames without a value count as no deviation. None where the values never change.
    """
    mean = values.mean() if len(values) else 0.0
    deviations = values - mean
    squares = float(deviations @ deviations)
    if squares < 1e-9:
        return None
    # Sums of neighbours have the same sum of covariances, and a long session far fewer of them.
    together = -(-length // _MOST_PLACES)
    sums = np.bincount(places // together, deviations, minlength=-(-length // together))
    size = 1 << (2 * len(sums) - 1).bit_length()
    spectrum = np.fft.rfft(sums, size)
    covariance = np.fft.irfft(np.abs(spectrum) ** 2, size)[: len(sums)]
    if len(sums) % 2:
        covariance = np.append(covariance, 0.0)
    pairs = covariance[0::2] + covariance[1::2]
    negative = np.flatnonzero(pairs <= 0)
    total = pairs[: negative[0] if len(negative) else len(pairs)].sum()
    return max(1.0, float(2 * total - covariance[0]) / squares)


def _different(rising: NDArray[np.int64]) -> int:
    """Return how many different numbers there are among some that never fall."""
    return int(np.count_nonzero(np.diff(rising))) + 1 if len(rising) else 0


def _share(
    part: Series, until: NDArray[np.float64], code: int, apart: float | None, gap: float
) -> LabelShare:
    has_it = part.decided == code
    count = len(has_it)
    share = float(has_it.mean()) if count else 0.0
    low = high = None
    if apart is not None and count:
        low, high = wilson(share, max(1.0, count / apart))
    episodes, longest = _episodes(has_it, part.times, until, gap)
    known = code != UNDECIDED and count
    return LabelShare(
        label=part.labels[code] if code != UNDECIDED else "unsure",
        share=share,
        low=low,
        high=high,
        episodes=episodes,
        longest=longest,
        mean=float(part.values[code].mean()) if known else 0.0,
        deviation=float(part.values[code].std()) if known else 0.0,
    )


def _episodes(
    has_it: NDArray[np.bool_], times: NDArray[np.float64], until: NDArray[np.float64], gap: float
) -> tuple[int, float]:
    """Return the number of stretches, parted also where the face was away, and the longest (s).

    until: (n,) s, how long each row is shown.
    """
    places = np.flatnonzero(has_it)
    if not len(places):
        return 0, 0.0
    parted = (np.diff(places) > 1) | (np.diff(times[places]) > gap)
    firsts = np.concatenate([[0], np.flatnonzero(parted) + 1])
    lasts = np.append(firsts[1:] - 1, len(places) - 1)
    return len(firsts), float((until[places[lasts]] - times[places[firsts]]).max())
