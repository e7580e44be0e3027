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

__all__ = ["BIN_COLUMNS", "COLUMNS", "Row", "all_rows", "check_bin", "rows_of", "write_table"]

Row = dict[str, Any]

COLUMNS = (
    "study", "participant", "session", "complete", "model", "face", "stimulus", "kind", "condition",
    "position", "start", "seconds", "answer", "answer_seconds", "frames", "rows", "missing",
    "dropped", "quality", "relative", "label", "share", "mean", "peak", "before",
)  # fmt: skip
"""Columns of the table, but for those of the variables, which follow `participant`, and of bins."""
BIN_COLUMNS = ("bin", "bin_start", "bin_seconds")
"""Columns of a table by bins, which follow `seconds`."""

_JUST_BEFORE = 1e-6
_SHORTEST_BIN = 0.05


def check_bin(seconds: float | None) -> float | None:
    """Return the length of a bin, None for none; raise `SessionError` for one that cannot be."""
    if seconds is not None and not _SHORTEST_BIN <= seconds < math.inf:
        raise SessionError(
            f"expected --bin of at least {_SHORTEST_BIN:g} seconds, since a camera takes some 30 "
            f"pictures in one, found {seconds:g}."
        )
    return seconds


def rows_of(session: StudySession, bin_seconds: float | None = None) -> list[Row]:
    """Return the rows of one session: one for each stimulus and label, and for unsure faces.

    bin_seconds: each stimulus is cut into bins of so many seconds, the last as long as what is
    left, and each bin has these rows.
    """
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
        shared | _of_stimulus(session, one) | span | of_label
        for one in session.shown
        for start, end, span in _spans(one, bin_seconds)
        for of_label in _of_labels(session, one, start, end)
    ]


def _spans(one: Stimulus, bin_seconds: float | None) -> Iterator[tuple[float, float, Row]]:
    """Yield from when to when in the session a row tells, and what it says of that."""
    if bin_seconds is None:
        yield one.start, one.end, {}
        return
    length = one.end - one.start
    # What is left over by rounding alone is no bin.
    count = max(1, math.ceil(length / bin_seconds - _JUST_BEFORE))
    starts = [number * bin_seconds for number in range(count)]
    # A frame on the edge of two belongs to the later one, though its time is rounded.
    edges = [one.start, *(one.start + start - _JUST_BEFORE for start in starts[1:])]
    ends = [*(math.nextafter(edge, -math.inf) for edge in edges[1:]), one.end]
    for number, (start, edge, end) in enumerate(zip(starts, edges, ends, strict=True), 1):
        span = {
            "bin": number,
            "bin_start": start,
            "bin_seconds": min(bin_seconds, length - start),
        }
        yield edge, end, span


def all_rows(sessions: Sequence[StudySession], bin_seconds: float | None = None) -> list[Row]:
    """Return the rows of all sessions; raise `SessionError` where there are none."""
    rows = [row for session in sessions for row in rows_of(session, bin_seconds)]
    if not rows:
        raise SessionError(
            "expected stimuli that were shown to their end, found none in these sessions; let a "
            "participant see the study to its end."
        )
    return rows


def write_table(
    sessions: Sequence[StudySession], path: Path, bin_seconds: float | None = None
) -> int:
    """Write the table of all these sessions as CSV and return how many rows it has.

    bin_seconds: as in `rows_of`. Raises `SessionError` where there are none, or nothing can be
    written.
    """
    rows = all_rows(sessions, bin_seconds)
    variables = dict.fromkeys(_column_of(name) for one in sessions for name in one.variables)
    who, when = COLUMNS.index("participant") + 1, COLUMNS.index("seconds") + 1
    bins = BIN_COLUMNS if bin_seconds is not None else ()
    columns = [*COLUMNS[:who], *variables, *COLUMNS[who:when], *bins, *COLUMNS[when:]]
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
    return f"{variable}_" if variable in (*COLUMNS, *BIN_COLUMNS) else variable


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


def _of_labels(session: StudySession, one: Stimulus, start: float, end: float) -> Iterator[Row]:
    """Yield what each label has of a part of a stimulus, that of unsure faces at last."""
    part = session.part
    summary = summarise(session.state, session.face, start, end, of=part)
    shared = _counts(summary)
    during = part.between(start, end)
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
