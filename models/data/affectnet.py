"""Read AffectNet: pictures from the web, eight expressions.

Mollahosseini, Hasani and Mahoor, "AffectNet", arXiv 1708.03985. Two layouts. The newer:
`train_set` and `val_set`, each with `images/123.jpg` and `annotations/123_exp.npy`. The older:
`training.csv` and `validation.csv` beside `Manually_Annotated_Images/`, with the face's box.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from models.data.face_set import Split
from models.data.labels_map import AFFECTNET, AFFECTNET_WITHOUT_EXPRESSION
from models.data.pictures import SUFFIXES, Entry, Reading, Square, read_entries
from models.runtime.errors import UserError

_SETS: dict[str, Split] = {"train_set": "Training", "val_set": "PublicTest"}
_TABLES: dict[str, Split] = {"training.csv": "Training", "validation.csv": "PublicTest"}
_TABLE_FOLDERS = ("", "Manually_Annotated_file_lists", "Manually_Annotated")
_IMAGE_FOLDERS = ("Manually_Annotated_Images", "Manually_Annotated/Manually_Annotated_Images")
_COLUMNS = (
    "subDirectory_filePath",
    "face_x",
    "face_y",
    "face_width",
    "face_height",
    "facial_landmarks",
    "expression",
    "valence",
    "arousal",
)


def is_affectnet(path: Path) -> bool:
    """Say whether a folder is AffectNet in either layout."""
    newer = any((path / name / "annotations").is_dir() for name in _SETS)
    return newer or bool(_tables(path))


def read_affectnet(path: Path, label_set: str | None = None) -> Reading:
    """Read AffectNet from its folder, by default with FER+ labels, which know contempt.

    The pictures of the newer layout are cut to the face and used as they are; those of the older
    are cut to the square round the box that its table gives. Pictures marked as none, uncertain
    or no face are left out. The published validation part is PublicTest; there is no test part.
    Raises `UserError` that names the file, and the row and column.
    """
    newer = any((path / name / "annotations").is_dir() for name in _SETS)
    listed = _read_sets(path) if newer else _read_tables(path)
    entries = [entry for entry in listed if entry is not None]
    without = len(listed) - len(entries)
    faces, told = read_entries(entries, path, label_set or "ferplus", source="affectnet")
    framing = "used as they are" if newer else "each cut to the box of its table"
    return Reading(faces, f"AffectNet: {told}; {framing}; {without:,} without expression left out")


def _expression(number: int) -> str | None:
    """Return the word for a number, None for one without expression; raise for another."""
    return None if number in AFFECTNET_WITHOUT_EXPRESSION else AFFECTNET[number]


def _read_sets(path: Path) -> list[Entry | None]:
    entries: list[Entry | None] = []
    for name, split in _SETS.items():
        files = (path / name / "annotations").glob("*_exp.npy")
        ordered = sorted(files, key=lambda file: (len(file.name), file.name))
        entries += [_annotated(path / name / "images", file, split) for file in ordered]
    return entries


def _annotated(images: Path, file: Path, split: Split) -> Entry | None:
    try:
        # A single value, mostly text: array('1', dtype='<U1').
        expression = _expression(int(np.load(file, allow_pickle=False).item()))
    except (OSError, EOFError, ValueError, TypeError, KeyError):
        raise UserError(f"{file}: expected one number of 0 to 10, found another content") from None
    stem = file.name.removesuffix("_exp.npy")
    if expression is None:
        return None
    candidates = (images / f"{stem}{suffix}" for suffix in (".jpg", *sorted(SUFFIXES)))
    picture = next((picture for picture in candidates if picture.is_file()), None)
    if picture is None:
        raise UserError(f"{file}: expected its picture {images / stem}.jpg, found none")
    name = f"{images.parent.name}/{picture.name}"
    return Entry(file=picture, expression=expression, name=name, split=split)


def _tables(path: Path) -> list[Path]:
    """Return the tables that are there, told from other files of such names by their column."""
    for folder in _TABLE_FOLDERS:
        found = [path / folder / name for name in _TABLES if (path / folder / name).is_file()]
        if found and any((path / name).is_dir() for name in _IMAGE_FOLDERS):
            return found
    return []


def _read_tables(path: Path) -> list[Entry | None]:
    tables = _tables(path)
    if not tables:
        raise UserError(
            f"{path}: expected train_set/annotations, or {' or '.join(_TABLES)} with "
            f"{_IMAGE_FOLDERS[0]}, found neither: choose AffectNet's own folder"
        )
    images = next(path / name for name in _IMAGE_FOLDERS if (path / name).is_dir())
    entries: list[Entry | None] = []
    for table in tables:
        try:
            with table.open(newline="", encoding="utf-8-sig") as file:
                rows = list(csv.reader(file))
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise UserError(f"{table}: expected a readable csv file, found: {error}") from error
        # validation.csv was published without a header.
        if rows and rows[0][:1] == [_COLUMNS[0]]:
            rows = rows[1:]
        split = _TABLES[table.name]
        entries += [_row(images, table, *pair, split) for pair in enumerate(rows) if pair[1]]
    return entries


def _row(images: Path, table: Path, row: int, values: list[str], split: Split) -> Entry | None:
    if len(values) != len(_COLUMNS):
        raise UserError(f"{table}, row {row}: expected 9 columns, found {len(values)}")
    cells = dict(zip(_COLUMNS, values, strict=True))
    try:
        expression = _expression(int(cells["expression"]))
    except (ValueError, KeyError):
        raise UserError(
            f"{table}, row {row}, column expression: expected 0 to 10, "
            f"found {cells['expression']!r}"
        ) from None
    if expression is None:
        return None
    picture = images / cells[_COLUMNS[0]]
    if not picture.is_file():
        raise UserError(
            f"{table}, row {row}, column {_COLUMNS[0]}: expected the picture {picture}, found none"
        )
    return Entry(
        file=picture,
        expression=expression,
        name=cells[_COLUMNS[0]],
        split=split,
        square=_square(table, row, cells),
    )


def _square(table: Path, row: int, cells: dict[str, str]) -> Square:
    """Return the square with the centre and the longer side of the face's box."""
    numbers = []
    for column in _COLUMNS[1:5]:
        if not cells[column].removeprefix("-").isdecimal():
            raise UserError(
                f"{table}, row {row}, column {column}: expected a number, found {cells[column]!r}"
            )
        numbers.append(int(cells[column]))
    left, top, width, height = numbers
    side = max(width, height)
    if side < 1:
        raise UserError(
            f"{table}, row {row}, column face_width: expected at least 1, found {width}"
        )
    return left + (width - side) // 2, top + (height - side) // 2, side
