"""Two small tables that grow line by line: markers, and the frames that were passed over."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from app.errors import SessionError
from app.sessions.appending import AppendedFile
from app.sessions.arrow import table

__all__ = [
    "DROPPED",
    "MARKERS",
    "Ledger",
    "iso_time",
    "read_dropped",
    "read_markers",
    "write_markers",
]

MARKERS = pa.schema(
    [
        ("session_time", pa.float64()),
        ("wall_time", pa.timestamp("us", tz="UTC")),
        ("key", pa.string()),
        ("text", pa.string()),
    ]
)
DROPPED = pa.schema(
    [("session_time", pa.float64()), ("frame", pa.int64()), ("reason", pa.string())]
)


class Ledger:
    """Append lines to a CSV file; each write is on its way to the disk when it returns."""

    def __init__(self, path: Path, header: Sequence[str]) -> None:
        """Begin the file with its header. Raises `OSError`."""
        self._file = AppendedFile(path, _as_csv([header]))

    def append(self, lines: Iterable[Sequence[object]]) -> None:
        """Append lines in one write. Raises `OSError`; what was there before then stays."""
        self._file.append(_as_csv(lines))

    def sync(self) -> None:
        """Have the system put what was written on the disk, against a loss of power."""
        self._file.sync()

    def close(self) -> None:
        self._file.close()


def _as_csv(lines: Iterable[Sequence[object]]) -> bytes:
    text = io.StringIO()
    # Line ends of other systems, which a writer for this one leaves unquoted, as our own.
    tidied = (
        [re.sub("\r\n?", "\n", value) if isinstance(value, str) else value for value in line]
        for line in lines
    )
    csv.writer(text, lineterminator="\n").writerows(tidied)
    return text.getvalue().encode(errors="replace")  # half of a character that was cut in two


def iso_time(wall: float) -> str:
    """Return seconds since 1970 as ISO 8601 in UTC with microseconds."""
    return datetime.fromtimestamp(wall, UTC).isoformat(timespec="microseconds")


def read_markers(path: Path) -> Any:
    """Return the markers of a session as a table in the schema `MARKERS`, in order of the lines.

    One that came late, as from another program, lies behind later ones. A line that was cut off is
    left out; a file that is missing holds none. Raises `SessionError`.
    """
    rows: list[dict[str, Any]] = []
    for values in _lines(path, MARKERS.names):
        try:
            wall = values["wall_time"]  # of an analysed file there is none
            row: dict[str, Any] = {
                "session_time": float(values["session_time"]),
                "wall_time": datetime.fromisoformat(wall) if wall else None,
            }
        except ValueError:
            continue
        rows.append(row | {"key": values["key"], "text": values["text"]})
    return table(rows, MARKERS)


def write_markers(path: Path, markers: Iterable[dict[str, Any]]) -> None:
    """Write markers, with the keys of `MARKERS`, to a new file. Raises `OSError`."""
    ledger = Ledger(path, MARKERS.names)
    ledger.append(
        (
            f"{marker['session_time']:.6f}",
            "" if marker["wall_time"] is None
            else marker["wall_time"].isoformat(timespec="microseconds"),
            marker["key"],
            marker["text"],
        )
        for marker in markers
    )  # fmt: skip
    ledger.close()


def read_dropped(path: Path) -> Any:
    """Return the frames that were passed over as a table in the schema `DROPPED`."""
    rows: list[dict[str, Any]] = []
    for values in _lines(path, DROPPED.names):
        try:
            time = float(values["session_time"])
            frame = int(values["frame"]) if values["frame"] else None
        except ValueError:
            continue
        rows.append({"session_time": time, "frame": frame, "reason": values["reason"]})
    return table(rows, DROPPED)


def _lines(path: Path, names: Sequence[str]) -> Iterator[dict[str, str]]:
    """Yield the whole lines of a CSV file that has a header, by column.

    Raises `SessionError` for a file that cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
        whole = text[: text.rfind("\n") + 1]
        for values in csv.DictReader(io.StringIO(whole)):
            if all(values.get(name) is not None for name in names):
                yield {name: values[name] for name in names}
    except FileNotFoundError:
        return
    except (OSError, csv.Error) as error:
        raise SessionError(
            f'"{path}" cannot be read ({error}); copy the session again, or take the file out.'
        ) from error
