"""What was said of each face during the last minute, for the chart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.messages import FrameResult

SPAN_SECONDS = 60.0
# A line is parted where a face was away from results for longer than this.
_GAP_SECONDS = 0.5
# After the last point before a gap.
_MOMENT = 1e-3
# Nothing was watched where no result came for longer than this, and than some usually take.
_PAUSE_SECONDS, _PAUSE_RESULTS = 1.5, 5.0
# How fast it is learnt how long a result takes.
_LEARN = 0.1


@dataclass(frozen=True, slots=True)
class Agreement:
    """Hold how two models went together.

    stretches: (from, to) in seconds before now, and whether they gave one label there; where one
    was unsure or the face away there is none. share: of the time of the stretches that with one
    label, 0 to 1. seconds: this time.
    """

    share: float
    seconds: float
    stretches: tuple[tuple[float, float, bool], ...]


class _Track:
    """Hold the points of one face; the arrays grow to twice the span and are then cut.

    values: the last column is 1 where two models agree, 0 where not, NaN where nobody knows; a row
    of NaN parts the line. away: the newest result lacked the face.
    """

    def __init__(self, count: int) -> None:
        self.times = np.empty(1024)
        self.values = np.empty((1024, count + 1), np.float32)
        self.length = 0
        self.away = False

    def add(
        self, time: float, values: NDArray[np.float32], agreed: bool | None, *, paused: bool
    ) -> None:
        """Take in a point. paused: nothing was watched before it."""
        if self.length:
            last = float(self.times[self.length - 1])
            if time <= last:
                return
            if paused or (self.away and time - last > _GAP_SECONDS):
                self._append(last + _MOMENT, np.float32(np.nan), None)
        self._append(time, values, agreed)
        self.away = False

    def _append(
        self, time: float, values: NDArray[np.float32] | np.float32, agreed: bool | None
    ) -> None:
        if self.length == len(self.times):
            self._make_room(time)
        self.times[self.length] = time
        self.values[self.length, :-1] = values
        self.values[self.length, -1] = np.nan if agreed is None else agreed
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
        self._pauses: list[tuple[float, float]] = []
        self._result_seconds = 0.0
        self.labels: tuple[str, ...] = ()
        self.listed: tuple[str, ...] = ()
        """Those of the labels that have a line."""
        self.now = 0.0

    def clear(self) -> None:
        self._tracks.clear()
        self._pauses.clear()
        self._result_seconds = 0.0

    def add(self, result: FrameResult) -> None:
        """Take in a result; a model with other labels, or a jump back in time, starts anew."""
        time = result.frame.captured_at
        if time < self.now:
            self.clear()
        paused = self._note_pause(time)
        self.now = time
        for face in result.faces:
            track = face.face.track_id
            if track is None:
                continue
            if (face.prediction.labels, face.listed) != (self.labels, self.listed):
                self.clear()
                self.labels, self.listed = face.prediction.labels, face.listed
            if track not in self._tracks:
                self._tracks[track] = _Track(len(self.labels))
            self._tracks[track].add(time, face.shown, face.agreed, paused=paused)
        there = {face.face.track_id for face in result.faces}
        for track, points in self._tracks.items():
            points.away = points.away or track not in there
        self._forget()

    def pauses(self) -> tuple[tuple[float, float], ...]:
        """Return when nothing was watched, (from, to) in seconds before now."""
        return tuple((start - self.now, end - self.now) for start, end in self._pauses)

    def lines(
        self, track: int | None, most: int
    ) -> tuple[NDArray[np.float64], Mapping[str, NDArray[np.float32]]]:
        """Return seconds before now (N,), -60 to 0, and for each label (N,) values 0 to 1.

        most: N at the most; more points than that are averaged in bins of equal time, so that a
        line keeps its shape while it moves on. NaN parts the line where the face was away.
        """
        found = self._points(track)
        if found is None:
            return np.empty(0), {}
        times, values = found[0], found[1][:, :-1]
        if len(times) > most:
            times, values = _binned(times, values, SPAN_SECONDS / most)
        lines = dict(zip(self.labels, values.T, strict=True))
        return times - self.now, {label: lines[label] for label in self.listed}

    def agreement(self, track: int | None) -> Agreement | None:
        """Return how two models went together on a face; None where both were never sure."""
        found = self._points(track)
        if found is None:
            return None
        times, agreed = found[0], found[1][:, -1]
        sure = np.isfinite(agreed)
        if not sure.any():
            return None
        kind = np.where(sure, agreed, -1)
        breaks = np.diff(kind) != 0
        starts = np.concatenate([[0], np.flatnonzero(breaks) + 1])
        lasts = np.concatenate([starts[1:] - 1, [len(times) - 1]])
        ends = np.append(times[1:], times[-1])  # a stretch reaches to the next point
        stretches = tuple(
            (float(times[start] - self.now), float(ends[last] - self.now), bool(kind[start]))
            for start, last in zip(starts, lasts, strict=True)
            if kind[start] >= 0
        )
        spans = np.array([end - start for start, end, _ in stretches])
        same = np.array([one for _, _, one in stretches])
        seconds = float(spans.sum())
        share = float(spans[same].sum()) / seconds if seconds else float(same.mean())
        return Agreement(share, seconds, stretches)

    def forget_agreement(self) -> None:
        """Forget how two models went together, as one of them is another now."""
        for points in self._tracks.values():
            points.values[:, -1] = np.nan

    def _points(self, track: int | None) -> tuple[NDArray[np.float64], NDArray[np.float32]] | None:
        """Return the times (N,) and points (N, C + 1) of a face within the span, None for none."""
        points = self._tracks.get(track) if track is not None else None
        if points is None or not points.length:
            return None
        times = points.times[: points.length]
        first = int(np.searchsorted(times, self.now - SPAN_SECONDS))
        return times[first:], points.values[first : points.length]

    def _note_pause(self, time: float) -> bool:
        """Learn how long a result takes; note and say whether none came for much longer."""
        took = time - self.now
        usual = self._result_seconds
        paused = bool(usual) and took > max(_PAUSE_SECONDS, _PAUSE_RESULTS * usual)
        if paused:
            self._pauses.append((self.now, time))
        elif self.now:
            self._result_seconds = usual + _LEARN * (took - usual) if usual else took
        return paused

    def _forget(self) -> None:
        """Drop faces and pauses of which nothing is left within the span."""
        oldest = self.now - SPAN_SECONDS
        self._pauses = [pause for pause in self._pauses if pause[1] > oldest]
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
