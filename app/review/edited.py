"""A session as its edits leave it: who is who, who counts, markers and intervals."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from app.review.edits import (
    Edit,
    EditList,
    Exclude,
    Include,
    Merge,
    Name,
    PutInterval,
    PutMarker,
    RemoveInterval,
    RemoveMarker,
    Split,
)
from app.review.recording import Recording, ReviewError
from app.stimuli import ANSWER, OVER, SHOWN, Stimulus, stimuli
from app.words import amount, clock

__all__ = [
    "UNDECIDED",
    "Edited",
    "FaceEntry",
    "Interval",
    "Marker",
    "check",
    "edited",
    "recorded_intervals",
    "recorded_markers",
]

UNDECIDED = -1
"""Stands for the label of a face that is unsure."""
# Of keys that are words.
_SIGNS = {"note": "¶", "neutral": "○", "lsl": "→", SHOWN: "»", OVER: "«", ANSWER: "="}


@dataclass(frozen=True, slots=True)
class Marker:
    """Hold a marker: id, time (s), key and text.

    The key is 1 to 9, "note", "neutral", "lsl", or one of those that a study sets.
    """

    id: str
    time: float
    key: str
    text: str = ""

    @property
    def sign(self) -> str:
        """Return one letter that stands for its key."""
        return _SIGNS.get(self.key, self.key[:1])

    @property
    def title(self) -> str:
        if self.key == "neutral":
            return f"neutral face of {self.text or 'a face'}"
        return self.text or (f"marker {self.key}" if self.key != "note" else "note")


@dataclass(frozen=True, slots=True)
class Interval:
    """Hold an interval that is kept: id, start and end (s), name."""

    id: str
    start: float
    end: float
    name: str = ""


@dataclass(frozen=True, slots=True)
class FaceEntry:
    """Hold one face after all edits.

    rows: all of its rows; kept: those that count. first, last: s.
    """

    number: int
    name: str
    rows: int
    kept: int
    first: float
    last: float

    @property
    def title(self) -> str:
        return self.name or f"Face {self.number}"

    @property
    def excluded(self) -> bool:
        """Say whether nothing of it counts."""
        return not self.kept


class Edited:
    """Hold what a recording looks like after its edits.

    owners: (N,) the face of each row. kept: (N,) whether the row counts.
    """

    def __init__(
        self,
        recording: Recording,
        owners: NDArray[np.int32],
        kept: NDArray[np.bool_],
        names: dict[int, str],
        markers: Iterable[Marker],
        intervals: Iterable[Interval],
    ) -> None:
        self.recording = recording
        self.owners = owners
        self.kept = kept
        self.names = names
        self.markers = tuple(sorted(markers, key=lambda marker: (marker.time, marker.id)))
        self.intervals = tuple(sorted(intervals, key=lambda one: (one.start, one.end, one.id)))
        self._kept_rows: dict[int, NDArray[np.int64]] = {}

    @cached_property
    def decided(self) -> NDArray[np.int16]:
        """Return the label of each row as an index, `UNDECIDED` where the face is unsure: (N,)."""
        unsure = self.recording.unsure
        return np.where(unsure, np.int16(UNDECIDED), self.recording.decided)

    @cached_property
    def _all_rows(self) -> dict[int, NDArray[np.int64]]:
        """Return the rows of each face, by number."""
        if not len(self.owners):
            return {}
        order = np.argsort(self.owners, kind="stable")
        starts = np.flatnonzero(np.diff(self.owners[order])) + 1
        return {int(self.owners[rows[0]]): rows for rows in np.split(order, starts)}

    @cached_property
    def faces(self) -> tuple[FaceEntry, ...]:
        """Return the faces, by number."""
        times = self.recording.times
        return tuple(
            FaceEntry(
                number=number,
                name=self.names.get(number, ""),
                rows=len(rows),
                kept=int(self.kept[rows].sum()),
                first=float(times[rows[0]]),
                last=float(times[rows[-1]]),
            )
            for number, rows in self._all_rows.items()
        )

    def face(self, number: int) -> FaceEntry | None:
        return next((face for face in self.faces if face.number == number), None)

    def title(self, number: int) -> str:
        """Return what a face is called."""
        return self.names.get(number) or f"Face {number}"

    def rows(self, face: int) -> NDArray[np.int64]:
        """Return the rows of a face that count, in order of time."""
        if face not in self._kept_rows:
            rows = self._all_rows.get(face, np.empty(0, np.int64))
            self._kept_rows[face] = rows[self.kept[rows]]
        return self._kept_rows[face]

    def left_out(self, face: int, start: float | None, end: float | None) -> bool:
        """Say whether any row of a face can be taken back, from `start` to `end` (s), None for all.

        One on a frame where the face counts already cannot: it came with a merge.
        """
        recording = self.recording
        rows = self._all_rows.get(face, np.empty(0, np.int64))
        inside = _within(recording.times[rows], start, end)
        out = recording.row_frames[rows[inside & ~self.kept[rows]]]
        return not np.isin(out, recording.row_frames[self.rows(face)]).all()

    @property
    def next_number(self) -> int:
        """Return a number that no face has or was recorded with."""
        used = (self.owners.max(initial=0), self.recording.tracks.max(initial=0), *self.names)
        return int(max(used)) + 1


def recorded_markers(recording: Recording) -> list[Marker]:
    """Return the markers as they were recorded, numbered by their lines.

    Lines are only ever added, so a marker keeps its number while a recording still goes on.
    """
    return [
        Marker(f"r{place}", time, key, text)
        for place, (time, key, text) in enumerate(recording.markers)
    ]


def recorded_intervals(recording: Recording) -> dict[str, Stimulus]:
    """Return the stimuli that a study showed, by the ids of the intervals that are kept of them."""
    return {f"s{place}": one for place, one in enumerate(stimuli(recording.markers))}


def edited(recording: Recording, edits: EditList) -> Edited:
    """Return the recording after its edits.

    Edits that say nothing any more, as about a face that is not there, do nothing.
    """
    owners = recording.tracks.copy()
    kept = np.ones(len(owners), bool)
    times = recording.times
    names: dict[int, str] = {}
    markers = {marker.id: marker for marker in recorded_markers(recording)}
    intervals = {
        name: Interval(name, one.start, one.end, one.name)
        for name, one in recorded_intervals(recording).items()
    }
    for edit in edits.done:
        if isinstance(edit, PutMarker | RemoveMarker | PutInterval | RemoveInterval):
            _place(edit, markers, intervals)
        elif isinstance(edit, Name):
            names.pop(edit.face, None)
            if edit.name:
                names[edit.face] = edit.name
        elif isinstance(edit, Merge):
            owners[owners == edit.face] = edit.into
            name = names.pop(edit.face, "")
            if name:
                names.setdefault(edit.into, name)
        elif isinstance(edit, Split):
            owners[(owners == edit.face) & (times >= edit.time)] = edit.new
        elif isinstance(edit, Exclude | Include):
            rows = (owners == edit.face) & _within(times, edit.start, edit.end)
            kept[rows] = isinstance(edit, Include)
    return Edited(recording, owners, kept, names, markers.values(), intervals.values())


def check(state: Edited, edit: Edit) -> None:
    """Raise `ReviewError` for an edit that makes no sense now."""
    for number in (getattr(edit, "face", None), getattr(edit, "into", None)):
        if number is not None and state.face(number) is None:
            raise ReviewError(f"There is no face {number} in this session; choose one of the list.")
    if isinstance(edit, Merge):
        _check_merge(state, edit)
    elif isinstance(edit, Include):
        _check_include(state, edit)
    elif isinstance(edit, Split):
        face = state.face(edit.face)
        assert face is not None
        if not face.first < edit.time <= face.last:
            raise ReviewError(
                f"{face.title} is seen from {clock(face.first)} to {clock(face.last)}; go to a "
                f"moment in between to split it there."
            )


def _check_merge(state: Edited, edit: Merge) -> None:
    if edit.face == edit.into:
        raise ReviewError("A face cannot be merged with itself; choose another one.")
    frames = state.recording.row_frames
    both = np.intersect1d(frames[state.rows(edit.face)], frames[state.rows(edit.into)])
    if len(both):
        when = clock(float(state.recording.frame_times[both[0]]))
        raise ReviewError(
            f"{state.title(edit.face)} and {state.title(edit.into)} are both in the picture at "
            f"{when} ({len(both)} frames), so they are two people; split or exclude one there "
            f"first."
        )


def _check_include(state: Edited, edit: Include) -> None:
    recording = state.recording
    counting = state.kept | _within(recording.times, edit.start, edit.end)
    frames = recording.row_frames[(state.owners == edit.face) & counting]
    twice = frames[1:][np.diff(frames) == 0]
    if len(twice):
        when = clock(float(recording.frame_times[twice[0]]))
        raise ReviewError(
            f"{state.title(edit.face)} would be in the picture twice at {when} "
            f"({amount(len(twice), 'frame')}), as a face that was left out there was merged into "
            f"it; select an interval without these frames, or undo the merge first."
        )


def _place(edit: Edit, markers: dict[str, Marker], intervals: dict[str, Interval]) -> None:
    if isinstance(edit, PutMarker):
        markers[edit.id] = Marker(edit.id, edit.time, edit.key, edit.text)
    elif isinstance(edit, RemoveMarker):
        markers.pop(edit.id, None)
    elif isinstance(edit, PutInterval):
        intervals[edit.id] = Interval(edit.id, edit.start, edit.end, edit.name)
    elif isinstance(edit, RemoveInterval):
        intervals.pop(edit.id, None)


def _within(
    times: NDArray[np.float64], start: float | None, end: float | None
) -> NDArray[np.bool_]:
    inside = np.ones(len(times), bool)
    if start is not None:
        inside &= times >= start
    if end is not None:
        inside &= times <= end
    return inside
