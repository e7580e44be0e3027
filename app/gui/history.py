"""What the classifier said of each face during the last minute, for the chart."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from app.messages import FrameResult

SPAN_SECONDS = 60.0
# A line is broken where a face was away for longer than this.
_GAP_SECONDS = 0.5


class _Track:
    """Hold the points of one face; the arrays grow to twice the span and are then cut."""

    def __init__(self, count: int) -> None:
        self.times = np.empty(1024)
        self.values = np.empty((1024, count), np.float32)
        self.length = 0

    def add(self, time: float, values: NDArray[np.float32]) -> None:
        if self.length and time <= self.times[self.length - 1]:
            return
        if self.length == len(self.times):
            self._make_room(time)
        self.times[self.length] = time
        self.values[self.length] = values
        self.length += 1

    def _make_room(self, now: float) -> None:
        first = int(np.searchsorted(self.times[: self.length], now - SPAN_SECONDS))
        kept = self.length - first
        size = len(self.times) if kept <= len(self.times) // 2 else 2 * len(self.times)
        times = np.empty(size)
        values = np.empty((size, self.values.shape[1]), np.float32)
        times[:kept] = self.times[first : self.length]
        values[:kept] = self.values[first : self.length]
        self.times, self.values, self.length = times, values, kept


class History:
    """Remember the smoothed probabilities of every track for one minute.

    now: seconds, the time of the newest result.
    """

    def __init__(self) -> None:
        self._tracks: dict[int, _Track] = {}
        self.labels: tuple[str, ...] = ()
        self.now = 0.0

    def clear(self) -> None:
        self._tracks.clear()

    def add(self, result: FrameResult) -> None:
        """Take in a result; a model with other labels, or a jump back in time, starts anew."""
        time = result.frame.captured_at
        if time < self.now:
            self.clear()
        self.now = time
        for face in result.faces:
            track = face.face.track_id
            if track is None:
                continue
            if face.prediction.labels != self.labels:
                self.clear()
                self.labels = face.prediction.labels
            if track not in self._tracks:
                self._tracks[track] = _Track(len(self.labels))
            self._tracks[track].add(time, face.shown)
        self._forget()

    def lines(
        self, track: int | None, most: int
    ) -> tuple[NDArray[np.float64], Mapping[str, NDArray[np.float32]]]:
        """Return seconds before now (N,), -60 to 0, and for each label (N,) values 0 to 1.

        most: N at the most; more points than that are averaged in bins of equal time, so that a
        line keeps its shape while it moves on. NaN parts the line where the face was away.
        """
        points = self._tracks.get(track) if track is not None else None
        if points is None or not points.length:
            return np.empty(0), {}
        times = points.times[: points.length]
        first = int(np.searchsorted(times, self.now - SPAN_SECONDS))
        times, values = times[first:], points.values[first : points.length]
        gap = _GAP_SECONDS
        if len(times) > most:
            width = SPAN_SECONDS / most
            times, values = _binned(times, values, width)
            gap = max(gap, 1.8 * width)  # neighbours are a bin apart, or a little more
        times, values = _broken(times, values, gap)
        return times - self.now, {label: values[:, i] for i, label in enumerate(self.labels)}

    def _forget(self) -> None:
        """Drop faces of which nothing is left within the span."""
        oldest = self.now - SPAN_SECONDS
        for track, points in list(self._tracks.items()):
            if points.times[points.length - 1] < oldest:
                del self._tracks[track]


def _binned(
    times: NDArray[np.float64], values: NDArray[np.float32], width: float
) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Average points within bins that stand still in time."""
    starts = np.flatnonzero(np.diff(np.floor(times / width), prepend=-np.inf))
    counts = np.diff(starts, append=len(times))
    mean_times = np.add.reduceat(times, starts) / counts
    sums = np.add.reduceat(values, starts, axis=0)
    return mean_times, np.asarray(sums / counts[:, None], np.float32)


def _broken(
    times: NDArray[np.float64], values: NDArray[np.float32], gap: float
) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    gaps = np.flatnonzero(np.diff(times) > gap) + 1
    if not len(gaps):
        return times, values
    return np.insert(times, gaps, times[gaps]), np.insert(values, gaps, np.nan, axis=0)
