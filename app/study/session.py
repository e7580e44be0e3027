"""The session of a study, opened for counting: whose face, which stimuli, what Review changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.errors import SessionError
from app.review.edited import Edited, edited, recorded_intervals
from app.review.edits import read_edits
from app.review.recording import Recording, open_recording
from app.review.series import Series, series
from app.sessions.folder import read_info
from app.sessions.layout import is_session
from app.stimuli import Stimulus
from app.study.protocol import TEXT
from models.runtime.base_rates import in_brief

__all__ = ["StudySession", "open_study", "study_folders"]

# Of the frames of stimuli with any face, how many the face that counts has at least.
_LEAST_COVERED = 0.9


@dataclass(frozen=True, slots=True, eq=False)
class StudySession:
    """Hold what a study recorded of one participant.

    study: that part of session.json. model: by which faces were read, in words. face: the one that
    counts, 0 where there is none; part: what is said of it. shown: the stimuli that were shown to
    their end and not removed in Review. complete: whether every one of the protocol's was shown to
    its end.
    """

    folder: Path
    study: Mapping[str, Any]
    model: str
    state: Edited
    face: int
    part: Series
    shown: tuple[Stimulus, ...]
    complete: bool

    @property
    def title(self) -> str:
        return str(self.study.get("title", ""))

    @property
    def participant(self) -> str:
        return str(self.study.get("participant", ""))

    @property
    def variables(self) -> dict[str, str]:
        """Return what was noted of the participant."""
        return dict(self.study.get("variables", {}))

    def told(self, name: str) -> Mapping[str, Any]:
        """Return what the protocol says of a stimulus."""
        return _known(self.study).get(name, {})

    def pause(self, name: str) -> float:
        """Return the seconds of the cross before a stimulus; there is none before a text."""
        of_text = self.told(name).get("kind") == TEXT
        return 0.0 if of_text else float(self.study.get("pause", 0.0))

    @property
    def warning(self) -> str:
        """Say so where the face that counts is missing although there are others; else ""."""
        times, state = self.state.recording.times, self.state
        any_face = sum(_frames(times[state.kept], one) for one in self.shown)
        counted = sum(_frames(times[state.rows(self.face)], one) for one in self.shown)
        if not any_face or counted / any_face >= _LEAST_COVERED:
            return ""
        return (
            f"{self.folder.name}: face {self.face}, which counts, is on {counted:,} of "
            f"{any_face:,} frames of stimuli that have a face; if the others are the same person, "
            "merge them in Review"
        )


def study_folders(places: Iterable[Path]) -> list[Path]:
    """Return the sessions of studies among these folders and below them, by name.

    Raises `SessionError` where there is none.
    """
    places = list(places)
    for place in places:
        if not place.is_dir():
            raise SessionError(
                f'expected a folder of recordings, found none at "{place}"; name the folder in '
                f"which the studies' sessions lie."
            )
    below = (path for place in places for path in (place, *sorted(place.rglob("*"))))
    found = [path for path in dict.fromkeys(below) if path.is_dir() and _is_of_study(path)]
    if not found:
        named = ", ".join(f'"{place}"' for place in places)
        raise SessionError(
            f"expected sessions that were recorded by a study, found none in {named}; File > Run a "
            f"study… records them."
        )
    return found


def open_study(folder: Path) -> StudySession:
    """Open a session of a study. Raises `UserError`.

    The face that counts is the one on the most frames. What was changed in Review holds: faces
    merged, split and left out, and stimuli whose intervals were removed.
    """
    recording = open_recording(folder)
    state = edited(recording, read_edits(folder))
    study: Mapping[str, Any] = recording.info["study"]
    recorded = recorded_intervals(recording)
    most = max(state.faces, key=lambda face: face.kept, default=None)
    face = most.number if most is not None else 0
    return StudySession(
        folder=folder,
        study=study,
        model=_model(recording),
        state=state,
        face=face,
        part=series(state, face),
        shown=tuple(recorded[one.id] for one in state.intervals if one.id in recorded),
        complete=set(_known(study)) <= {one.name for one in recorded.values()},
    )


def _model(recording: Recording) -> str:
    """Return what read a session: the model's name, and base rates where they were chosen."""
    return ", ".join(filter(None, (recording.model_name, in_brief(recording.base_rates))))


def _known(study: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return what the protocol says of each stimulus, by its name."""
    order: Sequence[Mapping[str, Any]] = study.get("order", [])
    return {str(one["name"]): one for one in order if one.get("name")}


def _is_of_study(path: Path) -> bool:
    if not is_session(path):
        return False
    try:
        return isinstance(read_info(path).get("study"), dict)
    except SessionError:  # of no study that anybody could tell
        return False


def _frames(times: NDArray[np.float64], one: Stimulus) -> int:
    """Return how many different times lie within a stimulus."""
    return len(np.unique(times[(times >= one.start) & (times <= one.end)]))
