"""The table of a study: how each participant's face was read during each stimulus."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.errors import SessionError
from app.review.edited import Edited, edited, recorded_intervals
from app.review.edits import read_edits
from app.review.recording import open_recording
from app.review.series import Series, series
from app.review.statistics import LabelShare, Summary, summarise
from app.sessions.folder import is_session, read_info
from app.stimuli import Stimulus
from app.study.protocol import TEXT
from models.runtime.errors import UserError
from models.runtime.files import written_whole

__all__ = ["COLUMNS", "Row", "StudySession", "read_study", "study_folders", "write_study"]

Row = dict[str, Any]

COLUMNS = (
    "study", "participant", "session", "complete", "model", "face", "stimulus", "kind", "condition",
    "position", "start", "seconds", "answer", "answer_seconds", "frames", "rows", "missing",
    "dropped", "quality", "relative", "label", "share", "mean", "peak", "before",
)  # fmt: skip
"""Columns of the table, but for those of the variables, which follow `participant`."""

_JUST_BEFORE = 1e-6
# Of the frames of stimuli with any face, how many the face that is counted has at least.
_LEAST_COVERED = 0.9


@dataclass(frozen=True, slots=True)
class StudySession:
    """Hold what a session adds to the table, and a sentence on what to mind, "" for nothing."""

    rows: list[Row]
    variables: tuple[str, ...]
    warning: str = ""


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


def read_study(folder: Path) -> StudySession:
    """Return the rows of one session, a stimulus and label each. Raises `UserError`.

    Counted is the face that is seen on the most frames. What was changed in Review holds: faces
    merged, split and left out, and the stimuli whose intervals were removed there.
    """
    recording = open_recording(folder)
    state = edited(recording, read_edits(folder))
    study: Mapping[str, Any] = recording.info["study"]
    known = {str(one["name"]): one for one in study.get("order", []) if one.get("name")}
    recorded = recorded_intervals(recording)
    shown = [recorded[one.id] for one in state.intervals if one.id in recorded]
    face = _participant(state)
    shared = _shared(study, recording.info, folder) | {"face": face or None}
    shared["complete"] = set(known) <= {one.name for one in recorded.values()}
    part = series(state, face)
    rows: list[Row] = []
    for one in shown:
        told = known.get(one.name, {})
        row = shared | _of_stimulus(one, told)
        rows += [row | of_label for of_label in _of_labels(state, part, one, _pause(study, told))]
    variables = tuple(_column_of(name) for name in study.get("variables", {}))
    return StudySession(rows, variables, _warning(state, face, shown, folder))


def write_study(folders: Sequence[Path], path: Path) -> tuple[int, list[str], list[str]]:
    """Write the table of all these sessions as CSV.

    Returns its rows, a sentence for each session that could not be read, and one for each to mind.
    Raises `SessionError` where nothing can be read or written.
    """
    rows: list[Row] = []
    failed: list[str] = []
    warnings: list[str] = []
    variables: dict[str, None] = {}
    for folder in folders:
        try:
            found = read_study(folder)
        except UserError as error:
            failed.append(str(error))
            continue
        warnings += [found.warning] if found.warning else []
        variables |= dict.fromkeys(found.variables)
        rows += found.rows
    if not rows:
        why = f" ({failed[0]})" if failed else ""
        raise SessionError(
            f"expected stimuli that were shown to their end, found none in these sessions{why}."
        )
    place = COLUMNS.index("participant") + 1
    _write_csv([*COLUMNS[:place], *variables, *COLUMNS[place:]], rows, path)
    return len(rows), failed, [*warnings, *_twice(rows)]


def _write_csv(columns: list[str], rows: list[Row], path: Path) -> None:
    try:
        with (
            written_whole(path) as partial,
            partial.open("w", encoding="utf-8", newline="") as file,
        ):
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows([_told(row.get(name)) for name in columns] for row in rows)
    except OSError as error:
        raise SessionError(
            f'"{path}" cannot be written ({error.strerror or error}); make room or name another '
            f"file."
        ) from error


def _twice(rows: Sequence[Row]) -> list[str]:
    """Return a sentence for each participant of whom a study has several sessions."""
    found: dict[tuple[str, str], dict[str, None]] = {}
    for row in rows:
        found.setdefault((row["study"], row["participant"]), {})[row["session"]] = None
    return [
        f"{participant} has {len(sessions)} sessions of {study}: {', '.join(sessions)}"
        for (study, participant), sessions in found.items()
        if len(sessions) > 1
    ]


def _warning(state: Edited, face: int, shown: Sequence[Stimulus], folder: Path) -> str:
    """Say so where the face that is counted is missing although there are others."""
    recording = state.recording
    there = recording.times[state.kept]
    mine = recording.times[state.rows(face)]
    any_face = sum(len(np.unique(_within(there, one))) for one in shown)
    counted = sum(len(np.unique(_within(mine, one))) for one in shown)
    if not any_face or counted / any_face >= _LEAST_COVERED:
        return ""
    return (
        f"{folder.name}: face {face}, which counts, is on {counted:,} of {any_face:,} frames of "
        "stimuli that have a face; if the others are the same person, merge them in Review"
    )


def _within(times: NDArray[np.float64], one: Stimulus) -> NDArray[np.float64]:
    return times[(times >= one.start) & (times <= one.end)]


def _is_of_study(path: Path) -> bool:
    if not is_session(path):
        return False
    try:
        return isinstance(read_info(path).get("study"), dict)
    except SessionError:  # of no study that anybody could tell
        return False


def _shared(study: Mapping[str, Any], info: Mapping[str, Any], folder: Path) -> Row:
    variables = study.get("variables", {})
    return {
        "study": study.get("title", ""),
        "participant": study.get("participant", ""),
        **{_column_of(name): value for name, value in variables.items()},
        "session": folder.name,
        "model": info.get("model", {}).get("name", ""),
    }


def _column_of(variable: str) -> str:
    """Return the column of a variable; one that is called as another column is told apart."""
    return f"{variable}_" if variable in COLUMNS else variable


def _participant(state: Edited) -> int:
    """Return the face that is seen on the most frames, 0 where there is none."""
    most = max(state.faces, key=lambda face: face.kept, default=None)
    return most.number if most is not None else 0


def _of_stimulus(one: Stimulus, told: Mapping[str, Any]) -> Row:
    """Return what a row says of a stimulus. told: what the session's order has of it."""
    return {
        "stimulus": one.name,
        "kind": told.get("kind", ""),
        "condition": told.get("condition", ""),
        "position": told.get("position"),
        "start": one.start,
        "seconds": one.end - one.start,
        "answer": one.answer,
        "answer_seconds": None if one.answered is None else one.answered - one.end,
    }


def _pause(study: Mapping[str, Any], told: Mapping[str, Any]) -> float:
    """Return the seconds of the cross before a stimulus; there is none before a text."""
    return 0.0 if told.get("kind") == TEXT else float(study.get("pause", 0.0))


def _of_labels(state: Edited, part: Series, one: Stimulus, pause: float) -> Iterator[Row]:
    """Yield what each label has of a stimulus, that of unsure faces at last."""
    summary = summarise(state, _participant(state), one.start, one.end, of=part)
    shared = _counts(summary)
    during = part.between(one.start, one.end)
    before = part.between(one.start - pause, one.start - _JUST_BEFORE)
    for place, label in enumerate(summary.labels):
        yield shared | {
            "label": label.label,
            "share": label.share if summary.rows else None,
            "mean": label.mean if summary.rows else None,
            "peak": float(during.values[place].max()) if summary.rows else None,
            "before": float(before.values[place].mean()) if len(before.rows) else None,
        }
    unsure: LabelShare | None = summary.unsure
    share = unsure.share if unsure is not None else 0.0
    yield shared | {"label": "unsure", "share": share if summary.rows else None}


def _counts(summary: Summary) -> Row:
    return {
        "frames": summary.frames,
        "rows": summary.rows,
        "missing": summary.missing,
        "dropped": summary.dropped,
        "quality": summary.quality,
        "relative": summary.relative,
    }


def _told(value: object) -> object:
    """Return a value as it stands in the file: numbers in six digits, nothing for None."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float | np.floating):
        return "" if math.isnan(value) else f"{value:.6g}"
    return "" if value is None else value
