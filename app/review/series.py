"""One face through time, ready to be drawn and counted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.review.edited import UNDECIDED, Edited

__all__ = ["UNDECIDED", "Series", "series"]


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Hold what is said of one face: n rows in order of time.

    rows: (n,) of the recording. times: (n,) s. frames: (n,) of the recording. values: (C, n)
    probabilities. decided: (n,) index of the label, `UNDECIDED` where the face is unsure.
    quality: (n,) 0 to 1, NaN where not measured.
    """

    labels: tuple[str, ...]
    rows: NDArray[np.int64]
    times: NDArray[np.float64]
    frames: NDArray[np.int64]
    values: NDArray[np.float32]
    decided: NDArray[np.int16]
    quality: NDArray[np.float32]

    def between(self, start: float, end: float) -> Series:
        """Return the part from `start` to `end` (s), both included; it shares the memory."""
        first = int(np.searchsorted(self.times, start, "left"))
        last = int(np.searchsorted(self.times, end, "right"))
        part = slice(first, last)
        return Series(
            self.labels,
            self.rows[part],
            self.times[part],
            self.frames[part],
            self.values[:, part],
            self.decided[part],
            self.quality[part],
        )


def series(state: Edited, face: int) -> Series:
    """Return what counts of a face."""
    recording, rows = state.recording, state.rows(face)
    return Series(
        labels=recording.labels,
        rows=rows,
        times=recording.times[rows],
        frames=recording.row_frames[rows],
        values=recording.shown[:, rows],
        decided=state.decided[rows],
        quality=recording.quality[rows],
    )
