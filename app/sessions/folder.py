"""A session's folder: what lies in it, and how it is opened, finished or not."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import platform
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from app.errors import SessionError
from app.sessions.layout import (
    CODEBOOK,
    DROPPED,
    INFO,
    LOCK,
    MARKERS,
    REST,
    STREAM,
    TABLE,
)
from app.sessions.ledger import iso_time, read_dropped, read_markers
from app.sessions.mkv import finish_video
from app.sessions.schema import frames_schema, labels_of
from app.sessions.stream import StreamBatches, stream_schema, write_parquet
from models.runtime.files import written_whole

__all__ = [
    "CODEBOOK",
    "DAMAGED",
    "DROPPED",
    "FORMAT",
    "INFO",
    "LOCK",
    "MARKERS",
    "REST",
    "STREAM",
    "TABLE",
    "Session",
    "open_session",
    "read_info",
    "write_info",
]

log = logging.getLogger(__name__)

FORMAT = 1
DAMAGED = (
    f"A part of what was recorded cannot be read back from the disk and is not in {TABLE}; all "
    f"that was written is kept as {REST}: check the disk, and keep that file."
)
"""What is said of a session whose stream was kept."""

# A recording on another machine that writes no more for so long has ended.
_SILENT_SECONDS = 30.0


@dataclass(frozen=True, slots=True, eq=False)
class Session:
    """Hold an opened session.

    info: the content of session.json. labels: in the order of the columns. frames: one row a
    frame and face in the columns of `app.sessions.schema`, in order of time. marker_lines, dropped:
    in the columns of `app.sessions.ledger`, in order of their lines. finished: False while it is
    still being recorded.
    """

    path: Path
    info: dict[str, Any]
    labels: tuple[str, ...]
    frames: Any
    marker_lines: Any
    dropped: Any
    finished: bool = True
    videos: tuple[Path, ...] = field(default=())

    @property
    def markers(self) -> Any:
        """Return the markers in order of time."""
        return self.marker_lines.sort_by("session_time")

    @property
    def duration(self) -> float:
        """Return the seconds from the start to the last frame, 0 for an empty session."""
        last: float | None = pc.max(self.frames["session_time"]).as_py()
        return last or 0.0


def open_session(path: Path | str, *, columns: Iterable[str] | None = None) -> Session:
    """Open the session in a folder.

    columns: read only these of the table, which is quicker; None for all. A recording that was
    cut short is brought into its final form first, and what cannot be read of it is kept beside
    the table; where the folder cannot be written, or the recording still goes on, it is read as it
    stands. Raises `SessionError` for a folder that is no session or whose table is damaged.
    """
    folder = Path(path)
    info = read_info(folder)
    finished = not in_use(folder)
    if finished and (folder / STREAM).is_file():
        info = _recover(folder, info)
    frames = _read_frames(folder, info, None if columns is None else list(columns))
    return Session(
        path=folder,
        info=info,
        labels=labels_of(frames.schema) or tuple(info.get("labels", ())),
        frames=frames,
        marker_lines=read_markers(folder / MARKERS),
        dropped=read_dropped(folder / DROPPED),
        finished=finished,
        videos=tuple(sorted(folder.glob("video*.mkv"))),
    )


def read_info(folder: Path) -> dict[str, Any]:
    """Return the content of session.json; raises `SessionError` when there is none to read."""
    try:
        info = json.loads((folder / INFO).read_text(encoding="utf-8"))
    except FileNotFoundError:
        if not folder.exists():
            raise SessionError(
                f'There is no "{folder}"; give the folder of a recorded session, or a video.'
            ) from None
        raise SessionError(
            f'"{folder}" was expected to be a recorded session, but there is no {INFO} in it; '
            f"choose the folder that a recording made."
        ) from None
    except (OSError, ValueError) as error:
        raise SessionError(
            f'The session "{folder.name}" cannot be read ({INFO}: {error}); copy the folder again.'
        ) from error
    if not isinstance(info, dict) or info.get("format") != FORMAT:
        found = info.get("format") if isinstance(info, dict) else None
        raise SessionError(
            f'The session "{folder.name}" was expected in format {FORMAT}, found {found}; open it '
            f"with the version of Mien that recorded it or a newer one."
        )
    return info


def write_info(folder: Path, info: Mapping[str, Any], *, durable: bool = False) -> None:
    """Write session.json, whole or not at all. Raises `OSError`.

    durable: even after a loss of power.
    """
    with written_whole(folder / INFO, durable=durable) as partial:
        partial.write_text(
            json.dumps(info, indent=2, ensure_ascii=False, default=str) + "\n",
            encoding="utf-8",
            errors="backslashreplace",  # JSON's own words for names that are not text
        )


def lock(folder: Path) -> None:
    """Say in the folder that this program writes into it. Raises `OSError`."""
    me = psutil.Process()
    owner = {"host": platform.node(), "pid": me.pid, "started": me.create_time()}
    (folder / LOCK).write_text(json.dumps(owner), encoding="utf-8")


def stay_locked(folder: Path) -> None:
    """Let other computers see that this program goes on, although it writes nothing for a while."""
    with contextlib.suppress(OSError):
        os.utime(folder / LOCK)


def unlock(folder: Path) -> None:
    (folder / LOCK).unlink(missing_ok=True)


def in_use(folder: Path) -> bool:
    """Say whether the program that locked the folder still runs; elsewhere, whether it writes."""
    try:
        owner = json.loads((folder / LOCK).read_text(encoding="utf-8"))
        if owner["host"] == platform.node():
            return _runs(int(owner["pid"]), float(owner["started"]))
        written = max(file.stat().st_mtime for file in folder.iterdir())
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return time.time() - written < _SILENT_SECONDS


def _runs(pid: int, started: float) -> bool:
    try:
        process = psutil.Process(pid)
        # A number may have been given to another program since.
        zombie: bool = process.status() == psutil.STATUS_ZOMBIE
        same: bool = abs(process.create_time() - started) < 1.0
    except psutil.Error:
        return False
    return same and not zombie


def end_stream(folder: Path, *, whole: bool) -> None:
    """Delete the stream that became the table; put it aside if that is not whole."""
    stream = folder / STREAM
    if whole:
        stream.unlink()
    else:
        stream.replace(folder / REST)


def _recover(folder: Path, info: dict[str, Any]) -> dict[str, Any]:
    """Give an unfinished folder its final form if that can be done; return its information."""
    stream, table = folder / STREAM, folder / TABLE
    try:
        batches = StreamBatches(stream)
        if table.is_file():  # it was cut short between the last two steps
            rows = sum(batch.num_rows for batch in batches)
            whole = rows <= pq.read_metadata(table).num_rows and not batches.damaged
        else:
            write_parquet(batches, table, _schema(folder, info), durable=True)
            whole = not batches.damaged
        if info.get("state") == "recording":
            info = info | {"state": "recovered", "ended": _end_of(stream)}
        if not whole:
            info = info | {"why": DAMAGED}
        elif info.get("why") == DAMAGED:  # the disk can be read again
            info = info | {"why": ""}
        write_info(folder, info, durable=True)
        for video in folder.glob("video*.mkv"):
            finish_video(video)
        end_stream(folder, whole=whole)
        unlock(folder)
    except (OSError, pa.ArrowException) as error:
        log.info("%s stays unfinished: %s", folder, error)
    return info


def _end_of(stream: Path) -> dict[str, Any]:
    return {"wall": iso_time(stream.stat().st_mtime)}


def _schema(folder: Path, info: Mapping[str, Any]) -> Any:
    return stream_schema(folder / STREAM) or frames_schema(tuple(info.get("labels", ())))


def _read_frames(folder: Path, info: Mapping[str, Any], columns: list[str] | None) -> Any:
    table, stream = folder / TABLE, folder / STREAM
    try:
        if table.is_file():
            with pq.ParquetFile(table) as file:
                return file.read(columns=columns)
        if stream.is_file():
            frames = pa.Table.from_batches(StreamBatches(stream), _schema(folder, info))
            return frames if columns is None else frames.select(columns)
    except (OSError, pa.ArrowException, KeyError) as error:
        raise SessionError(
            f'The table of the session "{folder.name}" cannot be read ({error}); copy the folder '
            f"again."
        ) from error
    raise SessionError(
        f'The session "{folder.name}" was expected to hold {TABLE}, but it is not there; copy the '
        f"folder again."
    )
