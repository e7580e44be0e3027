"""Pictures with faces whose boxes and landmarks are known, and pictures without any.

A parquet file has a row for each picture and these columns: `image`, a struct of `bytes` (JPEG or
any other picture file) and `path`; `source`, a word, `scenes` for pictures without faces; `faces`,
a list of 15 numbers a face in pixels of the picture: left, top, width, height, then x and y of
right eye, left eye, nose tip, right and left corner of the mouth (the person's own right), then
the score of whoever found it; `points68`, 136 numbers x, y of the picture's main face, or null.
Split by person where the name tells the person, otherwise by picture.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.runtime.errors import UserError

__all__ = [
    "HELD_BACK",
    "SURE",
    "FacePicture",
    "held_back",
    "is_scene",
    "person_of",
    "read_face_pictures",
    "read_pixels",
    "training_part",
    "validation_part",
    "without_copies",
]

SURE = 0.8
"""A face counts from this score; what is below is neither face nor background."""
HELD_BACK = 10
"""One person or picture in so many is held back for validation."""
_SAME_BITS = 20
"""Of 256: pictures whose fingerprints differ by no more are one picture, saved twice."""
_COLUMNS = ("image", "source", "faces")
_FACE = 15
_POINTS = 136
# Names end in the number of the picture, or hold the number of the person between two others.
_TRAILING = re.compile(r"^(?P<who>.*[^\W\d_].*?)_\d+$")
_MASK_PERSON = re.compile(r"^\d+_\d+_(?P<who>[a-z]{3,})_\d+$")
_NUMBERED = re.compile(r"^(?:_-?\d+)?_?(?P<who>\d+)_\d+_?\d*$")


@dataclass(frozen=True, slots=True, eq=False)
class FacePicture:
    """Hold one picture as it was stored.

    encoded: the bytes of a picture file. faces: (n, 15) float32, see the module. points68:
    (68, 2) float32 of the main face, occluded points included, or None.
    """

    encoded: bytes
    path: str
    source: str
    faces: NDArray[np.float32]
    points68: NDArray[np.float32] | None

    @property
    def person(self) -> str:
        """Return the word that all pictures of this person share."""
        return person_of(self.path)


def read_face_pictures(path: Path) -> list[FacePicture]:
    """Read one parquet file, or every `faces_*.parquet` of a folder, in the order of the rows.

    Raises `UserError` for a file that is none or lacks a column.
    """
    files = sorted(path.glob("faces_*.parquet")) if path.is_dir() else [path]
    if not files:
        raise UserError(
            f"expected a parquet file of faces or a folder with faces_*.parquet, found neither in "
            f"{path}: give another --data"
        )
    return [picture for file in files for picture in _read_file(file)]


def read_pixels(picture: FacePicture) -> NDArray[np.uint8]:
    """Return the picture as (H, W, 3) uint8 BGR; raise `UserError` when it does not decode."""
    pixels = cv2.imdecode(np.frombuffer(picture.encoded, np.uint8), cv2.IMREAD_COLOR)
    if pixels is None:
        raise UserError(
            f"{picture.path}: expected a picture, found bytes that do not decode as one: "
            "write the parquet file again"
        )
    return pixels.astype(np.uint8, copy=False)


def person_of(path: str) -> str:
    """Return who a picture shows by its name, or the picture's own name where it does not tell.

    `lfw/Ada_Byron_12.jpg` is of `ada_byron`, whatever the folder, so that a person of two
    collections stays on one side of the split.
    """
    folder, _, name = path.rpartition("/")
    stem = name.rpartition(".")[0] or name
    for pattern in (_MASK_PERSON, _TRAILING):
        found = pattern.match(stem)
        if found and not stem.startswith("augmented"):
            return found["who"].casefold()
    found = _NUMBERED.match(stem)
    return f"{folder}/{found['who'] if found else stem}".casefold()


def held_back(picture: FacePicture) -> bool:
    """Tell whether a picture is of the validation part, the same on every machine."""
    return zlib.crc32(picture.person.encode()) % HELD_BACK == 0


def is_scene(picture: FacePicture) -> bool:
    """Tell whether a picture is known to show no face: where none was found, there may be one."""
    return picture.source == "scenes" and not len(picture.faces)


def training_part(pictures: Iterable[FacePicture]) -> list[FacePicture]:
    """Return the pictures to train on."""
    return [picture for picture in pictures if not held_back(picture)]


def validation_part(pictures: Iterable[FacePicture]) -> list[FacePicture]:
    """Return the pictures that are held back: never trained on, used for every choice."""
    return [picture for picture in pictures if held_back(picture)]


def without_copies(
    training: Sequence[FacePicture], held: Sequence[FacePicture]
) -> list[FacePicture]:
    """Return the training pictures of which no copy under another name is held back."""
    if not held:
        return list(training)
    known = np.array([_fingerprint(picture) for picture in held])
    return [
        picture
        for picture in training
        if np.count_nonzero(known != _fingerprint(picture), axis=1).min() > _SAME_BITS
    ]


def _fingerprint(picture: FacePicture) -> NDArray[np.bool_]:
    """Return (256,) bool: where a 17x16 gray copy grows brighter to the right.

    Krawetz, "Kind of like that", 2013 (difference hash).
    """
    encoded = np.frombuffer(picture.encoded, np.uint8)
    gray = cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE)
    if gray is None:
        return np.zeros(256, bool)  # reading its pixels will say what is wrong
    small = cv2.resize(gray, (17, 16), interpolation=cv2.INTER_AREA).astype(np.int16)
    return (small[:, 1:] > small[:, :-1]).ravel()


def _read_file(file: Path) -> list[FacePicture]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not file.is_file():
        raise UserError(f"expected a parquet file of faces, found no file {file}: correct --data")
    try:
        table = pq.read_table(file)
    except (pa.ArrowException, OSError) as error:
        raise UserError(
            f"{file}: expected a parquet file of faces, found another ({type(error).__name__}): "
            "give another --data"
        ) from error
    missing = [name for name in _COLUMNS if name not in table.column_names]
    if missing:
        raise UserError(
            f"{file}: expected the columns {', '.join(_COLUMNS)}, found no {' or '.join(missing)}: "
            "give a parquet file of faces"
        )
    return [_picture(row, file) for row in table.to_pylist()]


def _picture(row: dict[str, Any], file: Path) -> FacePicture:
    try:
        faces = np.array(row["faces"] or [], np.float32).reshape(-1, _FACE)
        points = row.get("points68")
        if points is not None and len(points) != _POINTS:
            raise ValueError(f"{len(points)} numbers for 68 points")  # noqa: TRY301
        if not row["image"]["bytes"]:
            raise ValueError("no bytes")  # noqa: TRY301
        return FacePicture(
            encoded=row["image"]["bytes"],
            path=str(row["image"]["path"]),
            source=str(row["source"]),
            faces=faces,
            points68=None if points is None else np.array(points, np.float32).reshape(68, 2),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"{file}: expected a picture's bytes and path and {_FACE} numbers a face in every row, "
            f"found another kind of row ({error}): write the file again"
        ) from error
