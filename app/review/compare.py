"""How far two models agree on the same rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.palette import display_order
from app.review.edited import UNDECIDED, Edited
from app.review.recording import Recording
from app.review.second import Second

__all__ = ["Agreement", "LabelChange", "agreement", "neutral_words"]


@dataclass(frozen=True, slots=True)
class LabelChange:
    """Hold how the share of a label moves: 0 to 1, None where a model does not know the label.

    both: share of all rows that both models call so. moved: mean absolute difference of its
    probability, None unless both know it.
    """

    label: str
    first: float | None
    second: float | None
    both: float
    moved: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Agreement:
    """Hold how two readings of the same rows agree.

    rows: read by both. sure: rows of which both are sure. same: share of those with one label,
    None where there are none. kappa: Cohen 1960 (Educational and Psychological Measurement 20,
    37-46), the agreement beyond chance, None where it is not defined. labels: the union of both
    label sets; table: (L + 1, L + 1) rows by label of the first (down) and second (across), the
    last one being unsure.
    """

    rows: int
    sure: int
    same: float | None
    kappa: float | None
    labels: tuple[str, ...]
    changes: tuple[LabelChange, ...]
    table: NDArray[np.int64]


def agreement(state: Edited, second: Second, face: int, start: float, end: float) -> Agreement:
    """Compare the recorded and the second reading of a face from `start` to `end` (s)."""
    recording = state.recording
    rows = state.rows(face)
    times = recording.times[rows]
    rows = rows[(times >= start) & (times <= end)]
    rows = rows[second.read[rows]]
    labels = display_order(dict.fromkeys((*recording.labels, *second.labels)))
    unsure = len(labels)
    one = _translated(state.decided[rows], recording.labels, labels)
    other = _translated(second.decided[rows], second.labels, labels)
    kinds = unsure + 1
    table = np.bincount(one * kinds + other, minlength=kinds * kinds).reshape(kinds, kinds)
    sure = table[:unsure, :unsure]
    total = int(sure.sum())
    same = float(np.trace(sure)) / total if total else None
    changes = tuple(
        LabelChange(
            label=label,
            first=_share(table[place].sum(), rows) if label in recording.labels else None,
            second=_share(table[:, place].sum(), rows) if label in second.labels else None,
            both=_share(table[place, place], rows),
            moved=_moved(state, second, rows, label),
        )
        for place, label in enumerate(labels)
    )
    return Agreement(len(rows), total, same, _kappa(sure), labels, changes, table)


def neutral_words(recording: Recording, second: Second) -> str:
    """Return what the neutral face has to do with a comparison, empty where there was none."""
    if not recording.corrected:
        return ""
    if second.relative:
        return (
            "Both are relative to the neutral face: the second model reads the quiet seconds in "
            "which it was measured, too."
        )
    return (
        "The recorded values are relative to a neutral face, those of the second model are not: "
        "part of the difference is the correction."
    )


def _translated(
    decided: NDArray[np.int16], own: tuple[str, ...], union: tuple[str, ...]
) -> NDArray[np.int64]:
    places = np.array([union.index(label) for label in own] + [len(union)])
    return places[np.where(decided == UNDECIDED, len(own), decided)]


def _share(count: np.int64, rows: NDArray[np.int64]) -> float:
    return float(count) / len(rows) if len(rows) else 0.0


def _moved(state: Edited, second: Second, rows: NDArray[np.int64], label: str) -> float | None:
    recording = state.recording
    if label not in recording.labels or label not in second.labels or not len(rows):
        return None
    one = recording.shown[recording.labels.index(label), rows]
    other = second.shown[second.labels.index(label), rows]
    return float(np.abs(one - other).mean())


def _kappa(table: NDArray[np.int64]) -> float | None:
    total = table.sum()
    if not total:
        return None
    by_chance = float((table.sum(axis=0) * table.sum(axis=1)).sum()) / float(total) ** 2
    if by_chance > 1 - 1e-12:
        return None
    return (float(np.trace(table)) / float(total) - by_chance) / (1 - by_chance)
