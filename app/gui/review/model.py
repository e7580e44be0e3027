"""What the review workspace shows now: session, edits, place, part in view, choice."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from app.review.edited import Edited, Interval, Marker, check, edited
from app.review.edits import (
    Edit,
    EditList,
    PutInterval,
    PutMarker,
    RemoveInterval,
    RemoveMarker,
    write_edits,
)
from app.review.recording import Recording, ReviewError
from app.review.second import Second
from app.review.series import Series, series

__all__ = ["ReviewModel"]

_LEAST_VIEW_SECONDS = 0.5


class ReviewModel(QObject):
    """Hold the state of a review; whoever changes it calls a method, whoever shows it listens.

    opened: another session, or none. changed: after each edit, undo and redo. moved: another
    moment. viewed: another part is in view. selected: another interval. chosen: another face.
    compared: another second reading, or none. failed: one sentence for the user. unsaved: whether
    the edits could not be saved the last time.
    """

    opened = Signal()
    changed = Signal()
    moved = Signal()
    viewed = Signal()
    selected = Signal()
    chosen = Signal()
    compared = Signal()
    failed = Signal(str)

    def __init__(self, names: Mapping[str, str] | None = None) -> None:
        """Show nothing yet. names: what models are called on the screen, by their names."""
        super().__init__()
        self._names = names or {}
        self.edits = EditList()
        self.position = 0.0
        self.frame = 0
        self.view = (0.0, 1.0)
        self.selection: tuple[float, float] | None = None
        self.face = 0
        self.second: Second | None = None
        self.unsaved = False
        self._state: Edited | None = None
        self._series: dict[int, Series] = {}
        self._second_values: NDArray[np.float32] | None = None
        for signal in (self.opened, self.changed, self.chosen, self.compared):
            signal.connect(self._forget_values)

    @property
    def is_open(self) -> bool:
        return self._state is not None

    @property
    def state(self) -> Edited:
        """Return the session after its edits; only while one is open."""
        assert self._state is not None
        return self._state

    @property
    def recording(self) -> Recording:
        """Return the session as recorded; only while one is open."""
        return self.state.recording

    @property
    def duration(self) -> float:
        """Return the seconds that the timeline spans."""
        return max(_LEAST_VIEW_SECONDS, self.recording.duration) if self.is_open else 1.0

    @property
    def recorded_title(self) -> str:
        """Return what the model is called that read the session first."""
        name = self.recording.model_name
        return self._names.get(name, name) or "recorded"

    @property
    def second_title(self) -> str:
        """Return what the second reading is called; only while there is one."""
        assert self.second is not None
        name, _, rates = self.second.model.partition(", ")
        if rates:  # by the same model
            return rates[0].upper() + rates[1:]
        return self._names.get(name, name)

    @property
    def face_edits(self) -> tuple[Edit, ...]:
        """Return the edits that concern faces: neither markers nor intervals."""
        others = PutMarker | RemoveMarker | PutInterval | RemoveInterval
        return tuple(edit for edit in self.edits.done if not isinstance(edit, others))

    @property
    def interval(self) -> tuple[float, float]:
        """Return the selected interval (s), or the whole session."""
        return self.selection or (0.0, self.duration)

    def open(self, recording: Recording, edits: EditList) -> None:
        """Show a session from its beginning."""
        self.edits, self.unsaved = edits, False
        self._begin(recording)

    def open_again(self, recording: Recording) -> None:
        """Show the same session, read once more, from its beginning; its edits go on."""
        self.save()
        self._begin(recording)

    def close(self) -> None:
        """Show no session."""
        self._state = None
        self._series = {}
        self.edits, self.unsaved = EditList(), False
        self.selection = self.second = None
        self.face = 0
        self.opened.emit()

    def series(self, face: int) -> Series:
        """Return what counts of a face."""
        if face not in self._series:
            self._series[face] = series(self.state, face)
        return self._series[face]

    def values(self, *, second: bool) -> tuple[tuple[str, ...], NDArray[np.float32]]:
        """Return labels and probabilities (C, n) of the chosen face, of either reading."""
        part = self.series(self.face)
        if not second:
            return part.labels, part.values
        assert self.second is not None
        if self._second_values is None:
            self._second_values = self.second.shown[:, part.rows]
        return self.second.labels, self._second_values

    def do(self, edit: Edit) -> bool:
        """Make an edit and save the list; return whether it could be made."""
        try:
            check(self.state, edit)
        except ReviewError as error:
            self.failed.emit(str(error))
            return False
        self._use(self.edits.add(edit))
        return True

    def undo(self) -> None:
        self._use(self.edits.undo())

    def redo(self) -> None:
        self._use(self.edits.redo())

    def save(self) -> bool:
        """Save the edits again if that failed; return whether they are saved."""
        if self.unsaved:
            self._save()
        return not self.unsaved

    def move_to(self, time: float) -> None:
        """Go to a moment of the session (s)."""
        if not self.is_open:
            return
        time = min(max(0.0, time), self.duration)
        frame = self.recording.frame_at(time)
        if (time, frame) != (self.position, self.frame):
            self.position, self.frame = time, frame
            self.moved.emit()
            self._choose_on_image()

    @property
    def frame_time(self) -> float:
        """Return when the frame was taken that is shown, s; a little before the moment."""
        times = self.recording.frame_times
        return float(times[self.frame]) if len(times) else 0.0

    def step(self, frames: int) -> None:
        """Go so many frames on, or back where negative."""
        if self.is_open and len(self.recording.frame_times):
            last = len(self.recording.frame_times) - 1
            place = min(max(0, self.frame + frames), last)
            self.move_to(float(self.recording.frame_times[place]))

    def choose(self, face: int) -> None:
        """Choose the face whose lines and numbers are shown; of images, go to its first one."""
        if face != self.face and self.is_open and self.state.face(face) is not None:
            self.face = face
            self.chosen.emit()
            frames = self.recording.row_frames[self.state.rows(face)]
            if self.recording.of_images and len(frames) and self.frame not in frames:
                self.move_to(float(self.recording.frame_times[frames[0]]))
                self.follow()

    def select(self, start: float, end: float) -> None:
        """Select an interval (s), in either order."""
        start, end = sorted((start, end))
        start, end = max(0.0, start), min(self.duration, end)
        if end > start and (start, end) != self.selection:
            self.selection = (start, end)
            self.selected.emit()

    def select_nothing(self) -> None:
        if self.selection is not None:
            self.selection = None
            self.selected.emit()

    def show(self, start: float, end: float) -> None:
        """Bring a part of the session into view (s)."""
        length = min(max(_LEAST_VIEW_SECONDS, end - start), self.duration)
        start = min(max(0.0, start), self.duration - length)
        if (start, start + length) != self.view:
            self.view = (start, start + length)
            self.viewed.emit()

    def zoom(self, factor: float, at: float) -> None:
        """Show `factor` times as much around a moment (s), which stays where it is."""
        start, end = self.view
        length = min(max(_LEAST_VIEW_SECONDS, (end - start) * factor), self.duration)
        share = (at - start) / (end - start)
        self.show(at - share * length, at - share * length + length)

    def follow(self) -> None:
        """Turn the page when the moment has left the part in view."""
        start, end = self.view
        if not start <= self.position <= end:
            length = end - start
            begin = self.position - (0.05 if self.position > end else 0.95) * length
            self.show(begin, begin + length)

    def compare(self, second: Second | None) -> None:
        """Show a second reading beside the recorded one, or none."""
        if second is not self.second:
            self.second = second
            self.compared.emit()

    def new_id(self, letter: str) -> str:
        """Return an id that no marker or interval has or had."""
        used = {marker.id for marker in self.state.markers}
        used |= {one.id for one in self.state.intervals}
        used |= {str(getattr(edit, "id", "")) for edit in (*self.edits.done, *self.edits.undone)}
        number = len(self.edits.done) + 1
        while f"{letter}{number}" in used:
            number += 1
        return f"{letter}{number}"

    def put_marker(self, key: str) -> None:
        """Set a marker at the moment shown."""
        self.do(PutMarker(self.new_id("m"), self.position, key))

    def change_marker(self, marker: Marker, *, time: float | None = None, text: str = "") -> None:
        """Move a marker or change its text."""
        when = marker.time if time is None else min(max(0.0, time), self.duration)
        if (when, text) != (marker.time, marker.text):
            self.do(PutMarker(marker.id, when, marker.key, text))

    def remove_marker(self, marker: Marker) -> None:
        self.do(RemoveMarker(marker.id))

    def keep_interval(self) -> str:
        """Keep the selected interval, if it is not kept already, and return its id."""
        start, end = self.interval
        for one in self.state.intervals:
            if (one.start, one.end) == (start, end):
                return one.id
        name = self.new_id("i")
        self.do(PutInterval(name, start, end))
        return name

    def name_interval(self, one: Interval, name: str) -> None:
        if name != one.name:
            self.do(PutInterval(one.id, one.start, one.end, name))

    def remove_interval(self, one: Interval) -> None:
        self.do(RemoveInterval(one.id))

    def _begin(self, recording: Recording) -> None:
        self._state = edited(recording, self.edits)
        self._series = {}
        self.position, self.frame = 0.0, 0
        self.selection = None
        self.second = None
        self.view = (0.0, self.duration)
        counted = [face for face in self.state.faces if not face.excluded]
        most = max(counted, key=lambda face: face.kept, default=None)
        self.face = most.number if most else 0
        self.opened.emit()

    def _choose_on_image(self) -> None:
        """Choose a face of the image shown: on images nobody is followed from one to the next."""
        if not self.recording.of_images:
            return
        rows = self.recording.rows_of_frame(self.frame)
        found = self.state.owners[rows[self.state.kept[rows]]]
        if len(found) and self.face not in found:
            self.choose(int(found.min()))

    def _forget_values(self) -> None:
        self._second_values = None

    def _use(self, edits: EditList) -> None:
        if edits == self.edits:
            return
        before = self.face_edits
        self.edits = edits
        self._state = edited(self.recording, edits)
        if self.face_edits != before:
            self._series = {}
        if self.state.face(self.face) is None:
            first = next(iter(self.state.faces), None)
            self.face = first.number if first else 0
        self.changed.emit()
        self._save()

    def _save(self) -> None:
        try:
            write_edits(self.recording.path, self.edits)
        except ReviewError as error:
            self.unsaved = True
            self.failed.emit(str(error))
        else:
            self.unsaved = False
