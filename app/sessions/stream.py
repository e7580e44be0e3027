"""The table while it grows: an Arrow stream that is whole after every write."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from app.sessions.appending import AppendedFile
from models.runtime.files import written_whole

__all__ = ["StreamBatches", "TableStream", "stream_schema", "write_parquet"]

# Rows held in memory while a table is turned into Parquet: some 15 MB.
_GROUP_ROWS = 16_384
_MOST_BATCHES = 1_000
# What each message of an Arrow stream begins with.
_MARK = b"\xff\xff\xff\xff"
_PIECE = 1 << 20


class TableStream:
    """Append record batches to a file so that all written before can be read at any moment.

    rows: in the file. Each batch is one write. One that fails, as on a full disk, is cut away
    again: the file then ends with the batch before.
    """

    def __init__(self, path: Path, schema: Any) -> None:
        """Begin the file; an older one of that name is replaced. Raises `OSError`."""
        self._file = AppendedFile(path, schema.serialize())
        self.rows = 0

    @property
    def size(self) -> int:
        """Return the bytes written so far."""
        return self._file.size

    def write(self, batch: Any) -> None:
        """Append a batch. Raises `OSError`; what was there before then stays."""
        self._file.append(batch.serialize())
        self.rows += batch.num_rows

    def sync(self) -> None:
        """Have the system put what was written on the disk, against a loss of power."""
        self._file.sync()

    def close(self) -> None:
        """Close the file; a stream needs no end mark."""
        self._file.close()


def stream_schema(path: Path) -> Any | None:
    """Return the schema a stream begins with; None when not even that was written whole."""
    try:
        with pa.OSFile(str(path)) as file:
            return pa.ipc.open_stream(file).schema
    except (pa.ArrowException, OSError):
        return None


class StreamBatches:
    """Go once through the batches of a stream that can be read.

    damaged: known at the end: whether rows may have been left behind. One last batch that was not
    written whole, as a kill leaves it, is none.
    """

    def __init__(self, path: Path) -> None:
        self.damaged = False
        self._path = path

    def __iter__(self) -> Iterator[Any]:
        """Yield them; raises `OSError` when the file cannot be opened."""
        with pa.OSFile(str(self._path)) as file:
            messages = pa.ipc.MessageReader.open_stream(file)
            head, end = _MARK, 0
            try:
                schema = pa.ipc.read_schema(messages.read_next_message())
                head = _head_of(schema)
                while True:
                    end = file.tell()
                    batch = _batch_of(messages.read_next_message(), schema)
                    if batch is not None:
                        yield batch
                    else:
                        self.damaged = True
            except (StopIteration, OSError, pa.ArrowException):
                if file.tell() < file.size() or not _is_unfinished(file, end, head):
                    self.damaged = True


def _head_of(schema: Any) -> bytes:
    """Return what every batch of a schema begins with: a mark and the size of what describes it."""
    columns = [pa.nulls(1, field.type) for field in schema]
    message = pa.RecordBatch.from_arrays(columns, schema=schema).serialize()
    return bytes(message[: len(_MARK) + 4])


def _batch_of(message: Any, schema: Any) -> Any | None:
    try:
        batch = pa.ipc.read_record_batch(message, schema)
        batch.validate(full=True)
    except (OSError, pa.ArrowException):
        return None
    return batch


def _is_unfinished(file: Any, place: int, head: bytes) -> bool:
    """Say whether the rest of a file, if there is any, is the beginning of a single message."""
    file.seek(place)
    piece = file.read(_PIECE)
    if piece[: len(head)] != head[: len(piece)]:
        return False
    while piece:
        following = file.read(_PIECE)
        if head in piece[1:] + following:
            return False
        piece = following
    return True


def write_parquet(
    batches: Iterable[Any], table: Path, schema: Any, *, durable: bool = False
) -> int:
    """Write batches as one Parquet file in bounded memory; return its rows.

    It is there whole or not at all. durable: even after a loss of power. Raises `OSError`.
    """
    rows = 0
    with written_whole(table, durable=durable) as partial, pq.ParquetWriter(
        partial, schema, compression="zstd", use_dictionary=["label"],
        use_byte_stream_split=_floats(schema),
    ) as writer:  # fmt: skip
        for group in _groups(batches, schema):
            writer.write_table(group, row_group_size=_GROUP_ROWS)
            rows += group.num_rows
    return rows


def _groups(batches: Iterable[Any], schema: Any) -> Iterator[Any]:
    held: list[Any] = []
    rows = 0
    for batch in batches:
        held.append(batch)
        rows += batch.num_rows
        if rows >= _GROUP_ROWS or len(held) >= _MOST_BATCHES:
            # Small batches share their memory with what they were read from.
            yield pa.Table.from_batches(held, schema).combine_chunks()
            held, rows = [], 0
    if held:
        yield pa.Table.from_batches(held, schema).combine_chunks()


def _floats(schema: Any) -> list[str]:
    """Return the columns, as Parquet names them, whose bytes compress better when split."""
    names = []
    for field in schema:
        if field.type == pa.float32():
            names.append(field.name)
        elif pa.types.is_fixed_size_list(field.type):
            names.append(f"{field.name}.list.element")
    return names
