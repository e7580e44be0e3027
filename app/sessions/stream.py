"""The table while it grows: an Arrow stream that is whole after every write."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from app.sessions.appending import AppendedFile
from models.runtime.files import written_whole

__all__ = ["TableStream", "read_batches", "stream_schema", "to_parquet", "write_parquet"]

# Rows held in memory while a table is turned into Parquet: some 15 MB.
_GROUP_ROWS = 16_384
_MOST_BATCHES = 1_000


class TableStream:
    """Append record batches to a file so that all written before can be read at any moment.

    Each batch is one write. One that fails, as on a full disk, is cut away again: the file then
    ends with the batch before.
    """

    def __init__(self, path: Path, schema: Any) -> None:
        """Begin the file; an older one of that name is replaced. Raises `OSError`."""
        self._file = AppendedFile(path, schema.serialize())

    @property
    def size(self) -> int:
        """Return the bytes written so far."""
        return self._file.size

    def write(self, batch: Any) -> None:
        """Append a batch. Raises `OSError`; what was there before then stays."""
        self._file.append(batch.serialize())

    def sync(self) -> None:
        """Have the system put what was written on the disk, against a loss of power."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file; a stream needs no end mark."""
        self._file.close()


def stream_schema(path: Path) -> Any | None:
    """Return the schema a stream begins with; None when not even that was written whole."""
    try:
        with pa.OSFile(str(path)) as file:
            return pa.ipc.open_stream(file).schema
    except (pa.ArrowInvalid, OSError):
        return None


def read_batches(path: Path) -> Iterator[Any]:
    """Yield the batches of a stream up to the first that was not written whole."""
    with pa.OSFile(str(path)) as file:
        try:
            reader = pa.ipc.open_stream(file)
            while True:
                yield reader.read_next_batch()
        except (StopIteration, pa.ArrowInvalid, OSError):
            return


def to_parquet(stream: Path, table: Path, schema: Any) -> int:
    """Turn a stream into Parquet in bounded memory and return the number of rows.

    Raises `OSError` when it cannot be written; the stream is not touched.
    """
    return write_parquet(read_batches(stream), table, schema)


def write_parquet(batches: Iterator[Any], table: Path, schema: Any) -> int:
    """Write batches as one Parquet file, there whole or not at all; return its rows."""
    rows = 0
    with written_whole(table) as partial, pq.ParquetWriter(
        partial, schema, compression="zstd", use_dictionary=["label"],
        use_byte_stream_split=_floats(schema),
    ) as writer:  # fmt: skip
        for group in _groups(batches, schema):
            writer.write_table(group, row_group_size=_GROUP_ROWS)
            rows += group.num_rows
    return rows


def _groups(batches: Iterator[Any], schema: Any) -> Iterator[Any]:
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
