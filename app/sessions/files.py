"""The files of a session while it is recorded: opened, grown and brought into their final form."""

from __future__ import annotations

import contextlib
import itertools
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from app.errors import SessionError
from app.sessions import folder as places
from app.sessions import ledger
from app.sessions.codebook import codebook
from app.sessions.status import Clock
from app.sessions.stream import StreamBatches, TableStream, write_parquet
from models.runtime.files import is_folder, sync_folder, written_whole

__all__ = ["SessionFiles", "disk_sentence"]

log = logging.getLogger(__name__)


class SessionFiles:
    """Hold what is open of a folder that is recorded into; for one thread, which may wait.

    path: of the folder. stream: the table as far as it is written.
    """

    def __init__(
        self,
        folder: Path,
        info: Mapping[str, Any],
        labels: Sequence[str],
        schema: Any,
        clock: Clock,
        *,
        numbered: bool = False,
    ) -> None:
        """Make the folder and begin its files. schema: of the table. clock: the start.

        numbered: where there is such a folder already, the next free number is added to its name;
        otherwise one that is empty is taken. Raises `SessionError`.
        """
        self._schema = schema
        self._clock = clock
        try:
            self.path = _next_folder(folder) if numbered else _empty_folder(folder)
            places.lock(self.path)
            self._lock = (self.path / places.LOCK).open("r+b", buffering=0)
            with written_whole(self.path / places.CODEBOOK) as partial:
                partial.write_text(codebook(labels), encoding="utf-8")
            self._markers = ledger.Ledger(self.path / places.MARKERS, ledger.MARKERS.names)
            self._drops = ledger.Ledger(self.path / places.DROPPED, ledger.DROPPED.names)
            self.stream = TableStream(self.path / places.STREAM, schema)
            # Last, with the names of all others: what grows is worth nothing without them.
            places.write_info(self.path, info, durable=True)
            sync_folder(self.path.parent)
        except OSError as error:
            raise SessionError(
                f'A recording cannot begin in "{folder}" ({error.strerror or error}); choose '
                f"another folder or free some space."
            ) from error

    def add_markers(self, marks: Sequence[tuple[float, str, str]]) -> None:
        """Append markers: monotonic seconds, key and text. Raises `OSError`."""
        start, wall = self._clock.monotonic, self._clock.wall
        self._markers.append(
            (f"{when - start:.6f}", ledger.iso_time(wall + when - start), key, text)
            for when, key, text in marks
        )

    def add_drops(self, drops: Sequence[tuple[int | None, float, str]]) -> None:
        """Append frames that were passed over: number, monotonic seconds, why. Raises `OSError`."""
        start = self._clock.monotonic
        self._drops.append(
            (f"{when - start:.6f}", "" if index is None else index, reason)
            for index, when, reason in drops
        )

    def sync(self) -> None:
        """Have the system put all that was written on the disk, against a loss of power."""
        self.stream.sync()
        self._sync_ledgers()

    def close(self) -> None:
        """Put markers and drops on the disk and close what grows. Raises `OSError`."""
        with contextlib.ExitStack() as closing:
            for file in (self.stream, self._markers, self._drops):
                closing.callback(file.close)
            self._sync_ledgers()

    def make_table(self) -> bool:
        """Turn the closed stream into the table; return whether it holds all that was written.

        The stream stays. Raises `OSError` or `pyarrow.ArrowException`.
        """
        batches = StreamBatches(self.path / places.STREAM)
        table = self.path / places.TABLE
        return write_parquet(batches, table, self._schema, durable=True) == self.stream.rows

    def end(self, info: Mapping[str, Any], *, whole: bool) -> None:
        """Write session.json anew; the stream goes if the table is whole. Raises `OSError`."""
        places.write_info(self.path, info, durable=True)
        places.end_stream(self.path, whole=whole)

    def unlock(self) -> None:
        """Say in the folder that nobody writes into it any more."""
        try:
            with self._lock:
                self._lock.truncate(0)  # nobody's from now on, wherever the folder was moved
            places.unlock(self.path)
        except OSError as error:
            log.warning("%s", error)

    def _sync_ledgers(self) -> None:
        self._markers.sync()
        self._drops.sync()


def disk_sentence(folder: Path, error: Exception) -> str:
    """Return what is said of a recording that a failing disk ended."""
    if not is_folder(folder):
        return (
            f'The recording stopped, because its folder "{folder}" was moved or its disk '
            f"taken out; what was recorded until then is kept in it: open the folder where it "
            f"is now, and record again."
        )
    found = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return (
        f"The recording stopped, because the disk takes no more ({found}); what was recorded "
        f"until then is kept: free some space and record again."
    )


def _empty_folder(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise SessionError(
            f'A recording was to begin in "{folder}", but there is something in that folder '
            f"already; choose a new or an empty one."
        )
    return folder


def _next_folder(wanted: Path) -> Path:
    """Make the first folder of that name, or with _2, _3 and so on, that is not there."""
    wanted.parent.mkdir(parents=True, exist_ok=True)
    for count in itertools.count(1):
        folder = wanted if count == 1 else wanted.with_name(f"{wanted.name}_{count}")
        with contextlib.suppress(FileExistsError):
            folder.mkdir()
            return folder
    raise AssertionError("numbers do not end")
