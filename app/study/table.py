"""The table of a study: how each participant's face was read during each stimulus."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from app.errors import SessionError
from app.review.edited import Edited, edited
from app.review.edits import read_edits
from app.review.recording import open_recording
from app.review.series import Series, series
from app.review.statistics import LabelShare, Summary, summarise
from app.sessions.folder import is_session, read_info
from app.sessions.stimuli import Stimulus, stimuli
from models.runtime.files import written_whole

__all__ = ["COLUMNS", "Row", "study_folders", "study_rows", "write_study"]

Row = dict[str, Any]

COLUMNS = (
    "study", "participant", "session", "model", "stimulus", "kind", "condition", "position",
    "start", "seconds", "answer", "frames", "rows", "missing", "dropped", "quality", "relative",
    "label", "share", "mean", "peak", "before",
)  # fmt: skip
"""Columns of the table, but for those of the variables, which follow `participant`."""

_LEAST_SURE = 1e-6


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


def study_rows(folder: Path) -> list[Row]:
    """Return the rows of one session, a stimulus and label each. Raises `UserError`.

    Counted is the face that is seen on the most frames, after what was changed in Review.
    """
    recording = open_recording(folder)
    state = edited(recording, read_edits(folder))
    study: Mapping[str, Any] = recording.info["study"]
    shared = _shared(study, recording.info, folder)
    known = {str(one.get("name")): one for one in study.get("order", []) if one.get("name")}
    part = series(state, _participant(state))
    rows: list[Row] = []
    for one in stimuli(recording.markers):
        told = known.get(one.name, {})
        row = shared | {
            "stimulus": one.name,
            "kind": told.get("kind", ""),
            "condition": told.get("condition", ""),
            "position": told.get("position"),
            "start": one.start,
            "seconds": one.end - one.start,
            "answer": one.answer,
        }
        rows += [row | of_label for of_label in _of_labels(state, part, one, study)]
    return rows


def write_study(folders: Sequence[Path], path: Path) -> tuple[int, list[str]]:
    """Write the table of all these sessions as CSV; return its rows and what could not be read.

    Raises `SessionError` where nothing can be read or written.
    """
    rows: list[Row] = []
    failed: list[str] = []
    variables: dict[str, None] = {}
    for folder in folders:
        try:
            found = study_rows(folder)
        except SessionError as error:
            failed.append(str(error))
            continue
        variables |= dict.fromkeys(read_info(folder)["study"].get("variables", {}))
        rows += found
    if not rows:
        why = f" ({failed[0]})" if failed else ""
        raise SessionError(
            f"expected stimuli that were shown to their end, found none in these sessions{why}."
        )
    place = COLUMNS.index("participant") + 1
    columns = [*COLUMNS[:place], *map(_column_of, variables), *COLUMNS[place:]]
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
    return len(rows), failed


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


def _of_labels(
    state: Edited, part: Series, one: Stimulus, study: Mapping[str, Any]
) -> Iterator[Row]:
    """Yield what each label has of a stimulus, that of unsure faces at last."""
    summary = summarise(state, _participant(state), one.start, one.end, of=part)
    shared = _counts(summary)
    during = part.between(one.start, one.end)
    before = part.between(one.start - float(study.get("pause", 0.0)), one.start - _LEAST_SURE)
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
    if isinstance(value, float | np.floating):
        return "" if math.isnan(value) else f"{value:.6g}"
    return "" if value is None else value
