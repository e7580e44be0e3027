"""Read FER2013, with FER+ votes where they are there.

Goodfellow et al., "Challenges in Representation Learning", arXiv 1307.0414, section 3.1.
Three forms: a parquet file (`image`, `emotion`, `usage`, `votes`), the official `fer2013.csv`
(`emotion,pixels,Usage`), and `icml_face_data.csv` (`emotion, Usage, pixels`), the last two with
`fer2013new.csv` beside them for the votes.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.data.face_set import SPLITS, FaceSet
from models.data.pictures import decoded
from models.runtime.card import FER2013_SIDE
from models.runtime.errors import UserError
from models.runtime.labels import FER2013

VOTE_COLUMNS = (
    "neutral",
    "happiness",
    "surprise",
    "sadness",
    "anger",
    "disgust",
    "fear",
    "contempt",
    "unknown",
    "NF",
)


def read_fer2013(path: Path, votes: Path | None = None) -> FaceSet:
    """Read every row of a FER2013 file.

    votes: the FER+ csv; by default those of the parquet file, or `fer2013new.csv` in the same
    folder as the csv, if there is one.
    Raises `UserError` that names the file, and the row (from 0, without the header) and column.
    """
    if not path.is_file():
        raise UserError(
            f"expected FER2013 as a .parquet or .csv file, found no file {path}: "
            "give the path of fer2013.csv, icml_face_data.csv or a parquet of it"
        )
    if path.suffix.lower() == ".parquet":
        return _read_parquet(path, votes)
    if path.suffix.lower() == ".csv":
        beside = path.with_name("fer2013new.csv")
        return _read_csv(path, votes or (beside if beside.is_file() else None))
    raise UserError(f"expected a .parquet or .csv file, found {path.name}: choose the data file")


def _read_parquet(path: Path, votes: Path | None) -> FaceSet:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise UserError(
            f"{path}: expected a parquet file, found none that opens ({error})"
        ) from error
    for column in ("image", "emotion", "usage"):
        if column not in table.column_names:
            found = ", ".join(table.column_names)
            raise UserError(f"{path}: expected a column {column!r}, found only {found}")
    labels, splits = table.column("emotion").to_pylist(), table.column("usage").to_pylist()
    for row, (label, split) in enumerate(zip(labels, splits, strict=True)):
        _check_row(path, row, str(label), str(split))
    records = table.column("image").to_pylist()
    faces = [_decode(path, row, record) for row, record in enumerate(records)]
    names = [str(record.get("path") or row) for row, record in enumerate(records)]
    counted = None
    if votes is not None:
        counted, names = _read_votes(votes, splits)
    elif "votes" in table.column_names:
        rows = table.column("votes").to_pylist()
        counted = np.array([_check_votes(path, *pair) for pair in enumerate(rows)], np.uint8)
        counted = counted.reshape(-1, len(VOTE_COLUMNS))
    return _gather(faces, labels, counted, splits, names)


def _check_votes(path: Path, row: int, votes: Any) -> list[int]:
    count = len(VOTE_COLUMNS)
    good = isinstance(votes, list) and len(votes) == count
    if not (good and all(isinstance(part, int) and 0 <= part <= 255 for part in votes)):
        raise UserError(f"{path}, row {row}, column votes: expected {count} counts, found {votes}")
    return list(votes)


def _gather(
    faces: list[NDArray[np.uint8]],
    labels: list[int],
    votes: NDArray[np.uint8] | None,
    splits: list[str],
    names: list[str],
) -> FaceSet:
    return FaceSet(
        pixels=np.stack(faces) if faces else np.empty((0, FER2013_SIDE, FER2013_SIDE), np.uint8),
        labels=np.array(labels, dtype=np.int64),
        votes=votes,
        splits=np.array(splits, dtype=np.str_),
        names=np.array(names, dtype=np.str_),
    )


def _decode(path: Path, row: int, record: Any) -> NDArray[np.uint8]:
    stored = record.get("bytes") if isinstance(record, dict) else None
    if not isinstance(stored, bytes):
        raise UserError(
            f"{path}, row {row}, column image: expected a struct with bytes, found none"
        )
    # A blank picture is a WebP of 30 bytes, and OpenCV refuses to look at fewer than 32.
    data = np.frombuffer(stored.ljust(32, b"\0"), np.uint8)
    image = decoded(data)
    if image is None or image.shape != (FER2013_SIDE, FER2013_SIDE):
        found = (
            "one that does not decode" if image is None else f"{image.shape[1]}x{image.shape[0]}"
        )
        raise UserError(f"{path}, row {row}, column image: expected a 48x48 picture, found {found}")
    return image


def _check_row(path: Path, row: int, emotion: str, usage: str) -> None:
    if not (emotion.isdecimal() and int(emotion) < len(FER2013)):
        raise UserError(f"{path}, row {row}, column emotion: expected 0 to 6, found {emotion!r}")
    if usage not in SPLITS:
        expected = ", ".join(SPLITS)
        raise UserError(f"{path}, row {row}, column Usage: expected {expected}, found {usage!r}")


def _read_csv(path: Path, votes: Path | None) -> FaceSet:
    rows = _rows(path, ("emotion", "pixels", "Usage"))
    labels, pixels, splits = [], [], []
    for number, row in enumerate(rows):
        _check_row(path, number, row["emotion"], row["Usage"])
        try:
            face = np.array(row["pixels"].split(), dtype=np.uint8)
        except (ValueError, OverflowError):
            face = np.empty(0, np.uint8)
        if face.size != FER2013_SIDE * FER2013_SIDE:
            raise UserError(
                f"{path}, row {number}, column pixels: expected 2304 values of 0 to 255, "
                f"found {len(row['pixels'].split())} or one that is no such value"
            )
        labels.append(int(row["emotion"]))
        pixels.append(face.reshape(FER2013_SIDE, FER2013_SIDE))
        splits.append(row["Usage"])
    names = [str(number) for number in range(len(labels))]
    counted = None
    if votes is not None:
        counted, names = _read_votes(votes, splits)
    return _gather(pixels, labels, counted, splits, names)


def _read_votes(path: Path, splits: list[str]) -> tuple[NDArray[np.uint8], list[str]]:
    """Return votes (N, 10) and picture names of a FER+ file with these splits, in this order."""
    rows = _rows(path, ("Usage", "Image name", *VOTE_COLUMNS))
    if len(rows) != len(splits):
        raise UserError(
            f"{path}: expected a row for each of the {len(splits)} FER2013 rows, found "
            f"{len(rows)}: use the fer2013new.csv that belongs to this file"
        )
    votes = np.zeros((len(rows), len(VOTE_COLUMNS)), np.uint8)
    for number, (row, split) in enumerate(zip(rows, splits, strict=True)):
        if row["Usage"] != split:
            raise UserError(
                f"{path}, row {number}, column Usage: expected {split} as in the FER2013 file, "
                f"found {row['Usage']!r}: use the fer2013new.csv that belongs to this file"
            )
        for column, name in enumerate(VOTE_COLUMNS):
            if not row[name].isdecimal() or int(row[name]) > 255:
                raise UserError(
                    f"{path}, row {number}, column {name}: expected a count, found {row[name]!r}"
                )
            votes[number, column] = int(row[name])
    return votes, [row["Image name"] or str(number) for number, row in enumerate(rows)]


def _rows(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    """Return the rows as dictionaries; headers and values lose the spaces around them."""
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            header = [name.strip() for name in next(reader, [])]
            missing = [name for name in columns if name not in header]
            if missing:
                raise UserError(
                    f"{path}, first row: expected the columns {', '.join(columns)}, "
                    f"found {', '.join(header) or 'nothing'}"
                )
            rows = []
            for number, row in enumerate(row for row in reader if row):
                if len(row) != len(header):
                    raise UserError(
                        f"{path}, row {number}: expected {len(header)} columns, found {len(row)}"
                    )
                rows.append(dict(zip(header, (value.strip() for value in row), strict=True)))
            return rows
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path}: expected a readable csv file, found: {error}") from error
