"""What a study says of its participants together.

A participant is one observation, however many frames and stimuli they have: values are averaged
within each participant first, and intervals are those of a mean over participants (Student 1908,
Biometrika 6).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean, stdev

import numpy as np
from numpy.typing import NDArray

from app.palette import UNSURE
from app.review.around import Around, around_events, mean_of
from app.study.session import StudySession
from app.study.table import Row

__all__ = [
    "Contrast",
    "Estimate",
    "Value",
    "change",
    "contrasts",
    "curve",
    "estimate",
    "over",
]

Value = Callable[[Row], float | None]

_BEFORE, _AFTER = 1.0, 1.0
"""Seconds of a curve before a stimulus, at most its pause, and after its end."""
# Of 1 to 10 degrees of freedom.
_FIRST_QUANTILES = (
    12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Estimate:
    """Hold a mean over n participants and its 95 % interval, None where one is too few."""

    n: int
    mean: float
    low: float | None = None
    high: float | None = None

    @property
    def is_apart(self) -> bool:
        """Say whether the interval leaves 0 out."""
        return self.low is not None and self.high is not None and not self.low <= 0 <= self.high


@dataclass(frozen=True, slots=True)
class Contrast:
    """Hold by how much one condition has more of each label than another, within participants."""

    more: str
    less: str
    of: dict[str, Estimate]


def estimate(values: Sequence[float]) -> Estimate:
    """Return the mean of at least one value, one of each participant, and its interval."""
    count = len(values)
    mean = fmean(values)
    if count < 2:
        return Estimate(count, mean)
    half = t_quantile(count - 1) * stdev(values) / math.sqrt(count)
    return Estimate(count, mean, mean - half, mean + half)


def change(row: Row) -> float | None:
    """Return by how much a label's mean probability is above that of the cross before."""
    mean, before = row.get("mean"), row.get("before")
    return None if mean is None or before is None else float(mean - before)


def over(rows: Iterable[Row], key: str, value: Value) -> dict[str, dict[str, Estimate]]:
    """Return the mean over participants of a value, by what `key` says of a row and by label."""
    return {
        group: {label: estimate(list(of.values())) for label, of in labels.items()}
        for group, labels in _within(rows, key, value).items()
    }


def contrasts(rows: Iterable[Row], value: Value) -> list[Contrast]:
    """Return each pair of conditions that two participants or more have seen both of."""
    found = _within(rows, "condition", value)
    made = []
    for more, less in combinations(found, 2):
        of = {}
        for label in found[more]:
            one, other = found[more][label], found[less].get(label, {})
            differences = [one[who] - other[who] for who in one if who in other]
            if len(differences) > 1:
                of[label] = estimate(differences)
        if of:
            made.append(Contrast(more, less, of))
    return made


def curve(sessions: Sequence[StudySession], stimulus: str) -> Around | None:
    """Return the mean over participants of the probabilities around a stimulus's beginning.

    From at most a second of its pause until a second after its end; None where nobody saw it.
    """
    shown = [(session, one) for session in sessions for one in session.shown]
    seen = [(session, one) for session, one in shown if one.name == stimulus]
    if not seen:
        return None
    lasts = float(np.median([one.end - one.start for _, one in seen]))
    pause = min(session.pause(stimulus) for session, _ in seen)
    of_each: dict[str, list[Around]] = {}
    for session, one in seen:
        gap = session.state.recording.gap
        found = around_events(
            session.part, [one.start], gap, before=min(pause, _BEFORE), after=lasts + _AFTER
        )
        of_each.setdefault(session.participant, []).append(found)
    lags = next(iter(of_each.values()))[0].lags
    return mean_of(lags, np.stack([_mean(several) for several in of_each.values()]))


def t_quantile(degrees: int) -> float:
    """Return the 97.5 % quantile of Student's t, within 0.0002 of the true one.

    From 11 degrees of freedom on by the expansion of Abramowitz and Stegun 1964, 26.7.5.
    """
    if degrees <= len(_FIRST_QUANTILES):
        return _FIRST_QUANTILES[degrees - 1]
    z = 1.959963985
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
    )
    return z + math.fsum(term / float(degrees) ** power for power, term in enumerate(terms, 1))


def _within(rows: Iterable[Row], key: str, value: Value) -> dict[str, dict[str, dict[str, float]]]:
    """Return each participant's mean of a value, by group and label."""
    found: dict[str, dict[str, dict[str, list[float]]]] = {}
    for row in rows:
        known = value(row)
        if known is not None and row[key] and row["label"] != UNSURE:
            labels = found.setdefault(row[key], {})
            labels.setdefault(row["label"], {}).setdefault(row["participant"], []).append(known)
    return {
        group: {
            label: {who: fmean(several) for who, several in of.items()}
            for label, of in labels.items()
        }
        for group, labels in found.items()
    }


def _mean(several: Sequence[Around]) -> NDArray[np.float64]:
    """Return the mean curve of one participant's sessions, (C, L)."""
    return mean_of(several[0].lags, np.stack([one.mean for one in several])).mean
