"""The table of a study: how each participant's face was read during each stimulus."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from app.errors import SessionError
from app.review.statistics import Summary, summarise
from app.stimuli import Stimulus
from app.study.session import StudySession
from models.runtime.files import written_whole

__all__ = ["COLUMNS", "Row", "all_rows", "rows_of", "write_table"]

Row = dict[str, Any]

COLUMNS = (
    "study", "participant", "session", "complete", "model", "face", "stimulus", "kind", "condition",
    "position", "start", "seconds", "answer", "answer_seconds", "frames", "rows", "missing",
    "dropped", "quality", "relative", "label", "share", "mean", "peak", "before",
)  # fmt: skip
"""Columns of the table, but for those of the variables, which follow `participant`."""

_JUST_BEFORE = 1e-6


def rows_of(session: StudySession) -> list[Row]:
    """Return the rows of one session: one for each stimulus and label, and for unsure faces."""
    shared: Row = {
        "study": session.title,
        "participant": session.participant,
        **{_column_of(name): value for name, value in session.variables.items()},
        "session": session.folder.name,
        "complete": session.complete,
        "model": session.model,
        "face": session.face or None,
    }
    return [
        shared | _of_stimulus(session, one) | of_label
        for one in session.shown
        for of_label in _of_labels(session, one)
    ]


def all_rows(sessions: Sequence[StudySession]) -> list[Row]:
    """Return the rows of all sessions; raise `SessionError` where there are none."""
    rows = [row for session in sessions for row in rows_of(session)]
    if not rows:
        raise SessionError(
            "expected stimuli that were shown to their end, found none in these sessions; let a "
            "participant see the study to its end."
        )
    return rows


def write_table(sessions: Sequence[StudySession], path: Path) -> int:
    """Write the table of all these sessions as CSV and return how many rows it has.

    Raises `SessionError` where there are none, or nothing can be written.
    """
    rows = all_rows(sessions)
    variables = dict.fromkeys(_column_of(name) for one in sessions for name in one.variables)
    place = COLUMNS.index("participant") + 1
    columns = [*COLUMNS[:place], *variables, *COLUMNS[place:]]
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
    return len(rows)


def _column_of(variable: str) -> str:
    """Return the column of a variable; one that is called as another column is told apart."""
    return f"{variable}_" if variable in COLUMNS else variable


def _of_stimulus(session: StudySession, one: Stimulus) -> Row:
    """Return what a row says of a stimulus."""
    told = session.told(one.name)
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


def _of_labels(session: StudySession, one: Stimulus) -> Iterator[Row]:
    """Yield what each label has of a stimulus, that of unsure faces at last."""
    part = session.part
    summary = summarise(session.state, session.face, one.start, one.end, of=part)
    shared = _counts(summary)
    during = part.between(one.start, one.end)
    before = part.between(one.start - session.pause(one.name), one.start - _JUST_BEFORE)
    for place, label in enumerate(summary.labels):
        yield shared | {
            "label": label.label,
            "share": label.share if summary.rows else None,
            "mean": label.mean if summary.rows else None,
            "peak": float(during.values[place].max()) if summary.rows else None,
            "before": float(before.values[place].mean()) if len(before.rows) else None,
        }
    share = summary.unsure.share if summary.unsure is not None else 0.0
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
