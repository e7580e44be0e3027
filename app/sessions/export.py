"""Tables in other forms: CSV wide and long, JSON lines, and columns as OpenFace names them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pv

from app.errors import SessionError
from app.sessions.schema import FACE_NAME, LANDMARKS, PROBABILITIES, QUALITIES, TIMINGS
from app.sessions.stream import write_parquet
from models.runtime.files import written_whole

__all__ = ["FORMS", "Form", "export_table"]

# Columns that only some tables have: of images, and of faces that were named in review.
_OPTIONAL = ("file", FACE_NAME)
# Rows turned at a time.
_SLICE = 8_192


@dataclass(frozen=True, slots=True)
class Form:
    """Name a form a table can be written in. suffix: of its file. words: for the screen."""

    name: str
    suffix: str
    words: str


FORMS = {
    form.name: form
    for form in (
        Form("parquet", ".parquet", "Parquet: as it was recorded"),
        Form("csv", ".csv", "CSV, wide: a row a face, a column a value"),
        Form("csv-long", ".long.csv", "CSV, long: a row a face and label"),
        Form("jsonl", ".jsonl", "JSON lines: an object a frame"),
        Form("openface", ".openface.csv", "CSV with columns named as OpenFace names them"),
    )
}
"""The forms by name."""


def export_table(frames: Any, labels: Sequence[str], form: str, path: Path) -> None:
    """Write a table of a session in one of `FORMS`; the file is there whole or not at all.

    frames: with the columns of `app.sessions.schema`, all or some rows. Memory beside the table
    stays bounded. Raises `SessionError` for another form or when the file cannot be written.
    """
    if form not in FORMS:
        raise SessionError(
            f'A table was to be written as "{form}", expected one of {", ".join(FORMS)}; choose '
            f"one of them."
        )
    try:
        if form == "parquet":
            write_parquet(iter(frames.to_batches()), path, frames.schema)
            return
        with written_whole(path) as partial:
            if form == "jsonl":
                _write_json_lines(frames, labels, partial)
            else:
                _write_csv(frames, labels, _TURNS[form], partial)
    except OSError as error:
        raise SessionError(
            f'"{path}" cannot be written ({error.strerror or error}); choose another folder or '
            f"free some space."
        ) from error


def _write_csv(
    frames: Any, labels: Sequence[str], turn: Callable[[Any, Sequence[str]], Any], path: Path
) -> None:
    # An empty table still gets its header.
    header = turn(frames.schema.empty_table(), labels).schema
    options = pv.WriteOptions(quoting_style="needed", include_header=False)
    with path.open("wb") as file, pv.CSVWriter(file, header, write_options=options) as writer:
        names = io.StringIO()
        csv.writer(names, lineterminator="\n").writerow(header.names)
        file.write(names.getvalue().encode())
        for part in _slices(frames):
            writer.write_table(turn(part, labels).cast(header))


def _slices(frames: Any) -> Iterator[Any]:
    for start in range(0, frames.num_rows, _SLICE):
        yield frames.slice(start, _SLICE).combine_chunks()


def _wide(frames: Any, _labels: Sequence[str]) -> Any:
    columns: dict[str, Any] = {}
    for name in frames.column_names:
        if name == "landmarks":
            columns |= _points(frames)
        else:
            columns[name] = frames[name]
    return pa.table(columns)


def _long(frames: Any, labels: Sequence[str]) -> Any:
    """Return a row a face and label; a frame without a face keeps one row."""
    shared = ("frame", "face_id", "session_time", "wall_time", "media_time")
    faceless = frames.filter(pc.is_null(frames["face_id"]))
    faces = frames.filter(pc.is_valid(frames["face_id"]))
    parts = [_of_label(faces, shared, label) for label in labels]
    parts.append(_of_label(faceless, shared, None))
    # Put back what belongs together: the labels of one face follow each other.
    rows, count = faces.num_rows, len(labels)
    keys = np.concatenate(
        [np.flatnonzero(pc.is_valid(frames["face_id"]).to_numpy()) for _ in labels]
        + [np.flatnonzero(pc.is_null(frames["face_id"]).to_numpy())]
    )
    place = np.concatenate([np.repeat(np.arange(count), rows), np.zeros(faceless.num_rows, int)])
    return pa.concat_tables(parts).take(pa.array(np.lexsort((place, keys))))


def _of_label(frames: Any, shared: Sequence[str], label: str | None) -> Any:
    rows = frames.num_rows
    columns = {name: frames[name] for name in shared}
    columns["label"] = pa.array([label] * rows, pa.string())
    for kind in PROBABILITIES:
        columns[kind] = pa.nulls(rows, pa.float32()) if label is None else frames[f"{kind}_{label}"]
    decided = pa.nulls(rows, pa.bool_()) if label is None else pc.equal(frames["label"], label)
    columns |= {"decided": decided, "unsure": frames["unsure"]}
    return pa.table(columns | _optional(frames))


def _openface(frames: Any, labels: Sequence[str]) -> Any:
    found = pc.is_valid(frames["face_id"])
    columns = {
        "frame": pc.add(frames["frame"], 1),
        "face_id": pc.fill_null(frames["face_id"], 0),
        "timestamp": pc.coalesce(frames["media_time"], frames["session_time"]),
        "confidence": pc.if_else(found, frames["quality"], pa.scalar(0.0, pa.float32())),
        "success": pc.cast(found, pa.int8()),
    }
    columns |= _points(frames)
    for label in labels:
        columns[f"p_{label}"] = pc.coalesce(frames[f"corrected_{label}"], frames[f"smooth_{label}"])
    return pa.table(columns | _optional(frames))


_TURNS = {"csv": _wide, "csv-long": _long, "openface": _openface}


def _optional(frames: Any) -> dict[str, Any]:
    return {name: frames[name] for name in _OPTIONAL if name in frames.column_names}


def _points(frames: Any) -> dict[str, Any]:
    """Return the landmarks as columns x_0 to x_67 and y_0 to y_67."""
    column = frames["landmarks"].combine_chunks()
    rows = len(column)
    valid = column.is_valid().to_numpy(zero_copy_only=False)
    points = np.full((rows, 2 * LANDMARKS), np.nan, np.float32)
    if valid.any():
        points[valid] = column.flatten().to_numpy().reshape(-1, 2 * LANDMARKS)
    return {
        f"{axis}_{point}": pa.array(points[:, 2 * point + offset], mask=~valid)
        for offset, axis in enumerate("xy")
        for point in range(LANDMARKS)
    }


def _write_json_lines(frames: Any, labels: Sequence[str], path: Path) -> None:
    with path.open("w", encoding="utf-8") as file:
        rows = (row for part in _slices(frames) for row in part.to_pylist())
        for _, of_frame in groupby(rows, key=lambda row: row["frame"]):
            line = _frame_as_json(list(of_frame), labels)
            file.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")


def _frame_as_json(rows: list[dict[str, Any]], labels: Sequence[str]) -> dict[str, Any]:
    first = rows[0]
    wall = first["wall_time"]  # files have none
    return {
        "frame": first["frame"],
        **({"file": first["file"]} if "file" in first else {}),
        "session_time": round(first["session_time"], 6),
        "wall_time": wall.isoformat(timespec="microseconds") if wall is not None else None,
        "media_time": first["media_time"],
        "faces": [_face_as_json(row, labels) for row in rows if row["face_id"] is not None],
        "ms": {name: _rounded(first[f"ms_{name}"], 3) for name in TIMINGS},
    }


def _face_as_json(row: dict[str, Any], labels: Sequence[str]) -> dict[str, Any]:
    face: dict[str, Any] = {
        "id": row["face_id"],
        **({"name": row[FACE_NAME]} if FACE_NAME in row else {}),
        "box": [_rounded(row[f"box_{name}"], 2) for name in ("x", "y", "width", "height")],
        "score": _rounded(row["finder_score"], 4),
        "label": row["label"],
        "confidence": _rounded(row["confidence"], 4),
        "unsure": row["unsure"],
    }
    for kind in PROBABILITIES:
        if labels and row[f"{kind}_{labels[0]}"] is not None:
            face[kind] = {label: _rounded(row[f"{kind}_{label}"], 4) for label in labels}
    if row["quality"] is not None:
        names = {"overall": "quality"} | {name: f"quality_{name}" for name in QUALITIES}
        face["quality"] = {name: _rounded(row[column], 3) for name, column in names.items()}
    if row["landmarks"] is not None:
        values = [round(value, 2) for value in row["landmarks"]]
        face["landmarks"] = list(zip(values[::2], values[1::2], strict=True))
    return face


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
