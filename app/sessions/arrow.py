"""Columns from plain values.

`pyarrow.array` does this too, but loads pandas first where that is installed, which can take
seconds: too long between a frame and the disk.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

__all__ = ["column", "fixed_lists", "table"]

_KINDS = {
    pa.int32(): np.int32,
    pa.int64(): np.int64,
    pa.float32(): np.float32,
    pa.float64(): np.float64,
}


def column(values: Sequence[Any], kind: Any) -> Any:
    """Return an Arrow array of plain values, None where one is missing.

    kind: int32, int64, float32, float64, string, bool, or a timestamp in microseconds whose values
    are such numbers or `datetime`.
    """
    valid = np.array([value is not None for value in values], bool)
    if kind == pa.string():
        buffers = _text([value or "" for value in values])
    elif kind == pa.bool_():
        buffers = [_bits(np.array([bool(value) for value in values], bool))]
    else:
        if pa.types.is_timestamp(kind):
            numbers = np.array([_microseconds(value) for value in values], np.int64)
        else:
            known = [0 if value is None else value for value in values]
            numbers = np.array(known, _KINDS[kind])
        buffers = [pa.py_buffer(numbers)]
    return pa.Array.from_buffers(kind, len(values), [_validity(valid), *buffers])


def fixed_lists(values: NDArray[np.float32], valid: NDArray[np.bool_]) -> Any:
    """Return an array of float32 lists from rows (N, K); rows that are not valid are missing."""
    count, length = values.shape
    numbers = np.ascontiguousarray(values, np.float32)
    inner = pa.Array.from_buffers(pa.float32(), count * length, [None, pa.py_buffer(numbers)])
    kind = pa.list_(pa.float32(), length)
    return pa.Array.from_buffers(kind, count, [_validity(valid)], children=[inner])


def table(rows: Iterable[Mapping[str, Any]], schema: Any) -> Any:
    """Return a table of plain columns from rows."""
    listed = list(rows)
    columns = [column([row[field.name] for row in listed], field.type) for field in schema]
    return pa.Table.from_arrays(columns, schema=schema)


def _validity(valid: NDArray[np.bool_]) -> Any:
    return None if valid.all() else _bits(valid)


def _bits(flags: NDArray[np.bool_]) -> Any:
    return pa.py_buffer(np.packbits(flags, bitorder="little"))


def _text(values: Sequence[str]) -> list[Any]:
    encoded = [value.encode(errors="replace") for value in values]
    ends = np.cumsum([0, *(len(value) for value in encoded)]).astype(np.int32)
    return [pa.py_buffer(ends), pa.py_buffer(b"".join(encoded))]


def _microseconds(value: datetime | int | None) -> int:
    if isinstance(value, datetime):
        return round(value.timestamp() * 1e6)
    return value or 0
