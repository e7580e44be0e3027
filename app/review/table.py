"""The table of a session as its edits leave it, in the columns it was recorded in."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from app.review.edited import Edited
from app.review.recording import ReviewError
from app.sessions.folder import open_session
from app.sessions.ledger import write_markers
from app.sessions.schema import FACE_NAME, TIMINGS
from models.runtime.files import written_whole

__all__ = ["edited_table", "write_edited_markers"]

_OF_FRAME = {
    "frame", "session_time", "wall_time", "media_time", "file", *(f"ms_{name}" for name in TIMINGS)
}  # fmt: skip


def edited_table(state: Edited) -> tuple[Any, tuple[str, ...]]:
    """Return the table and its labels: faces renumbered, rows that were left out removed.

    A column `FACE_NAME` is added where a face has a name. A frame all of whose faces were left
    out keeps one row without a face. Of a recording that still goes on it ends where the recording
    did when it was opened. Raises `UserError`.
    """
    recording = state.recording
    session = open_session(recording.path)
    frames = session.frames.slice(0, recording.table_length)
    owners = np.zeros(frames.num_rows, np.int32)
    owners[recording.table_rows] = state.owners
    place = frames.column_names.index("face_id")
    frames = frames.set_column(
        place, frames.schema.field(place), pa.array(owners, pa.int32(), mask=owners == 0)
    )
    if state.names:
        numbers, codes = np.unique(owners, return_inverse=True)
        names = pa.array([state.names.get(int(number)) for number in numbers], pa.string())
        frames = frames.append_column(FACE_NAME, names.take(pa.array(codes)))
    kept = np.ones(frames.num_rows, bool)
    kept[recording.table_rows] = state.kept
    bare = _first_rows_of_emptied_frames(state)
    table = pa.concat_tables([frames.filter(pa.array(kept)), _without_face(frames.take(bare))])
    order = np.argsort(np.concatenate([np.flatnonzero(kept), bare]), kind="stable")
    return table.take(pa.array(order)), session.labels


def write_edited_markers(state: Edited, path: Path) -> None:
    """Write the markers as they are now, in the columns of markers.csv. Raises `ReviewError`."""
    info = state.recording.info
    # Of a file that was analysed nobody knows when it was taken.
    started = None if "analysis" in info else info.get("started")
    wall = started.get("wall") if isinstance(started, dict) else None
    begun = datetime.fromisoformat(wall) if isinstance(wall, str) else None
    rows: list[dict[str, Any]] = [
        {
            "session_time": marker.time,
            "wall_time": None if begun is None else begun + timedelta(seconds=marker.time),
            "key": marker.key,
            "text": marker.text,
        }
        for marker in state.markers
    ]
    try:
        with written_whole(path) as partial:
            write_markers(partial, rows)
    except OSError as error:
        raise ReviewError(
            f'"{path}" cannot be written ({error.strerror or error}); choose another folder or '
            f"free some space."
        ) from error


def _first_rows_of_emptied_frames(state: Edited) -> NDArray[np.int64]:
    """Return one row of the table for each frame of which no row is left."""
    recording = state.recording
    count = len(recording.frame_times)
    had = np.bincount(recording.row_frames, minlength=count)
    left = np.bincount(recording.row_frames[state.kept], minlength=count)
    emptied = (had > 0) & (left == 0)
    rows = np.flatnonzero(emptied[recording.row_frames])
    _, firsts = np.unique(recording.row_frames[rows], return_index=True)
    return recording.table_rows[rows[firsts]]


def _without_face(frames: Any) -> Any:
    columns = [
        frames[field.name] if field.name in _OF_FRAME else pa.nulls(frames.num_rows, field.type)
        for field in frames.schema
    ]
    return pa.table(columns, schema=frames.schema)
