"""Picture files cut to the square gray crops that a network is trained on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.data.face_set import FaceSet, Split
from models.runtime.card import FER2013_SIDE
from models.runtime.errors import UserError
from models.runtime.labels import LABEL_SETS

SUFFIXES = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp"}
_CAMERA_BITS = 14

Square = tuple[int, int, int]
"""Left, top and side in pixels; what lies outside the picture repeats its edge."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Hold what a data set says of one picture file.

    expression: the word of this project. square: the part to cut, given the data set says so;
    None takes the largest central square, which of a square picture is all of it. size: width and
    height that the picture must have for the square to fit, or None.
    """

    file: Path
    expression: str
    name: str
    split: Split = "all"
    subject: str = ""
    sequence: str = ""
    square: Square | None = None
    size: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """Hold the faces of a data set and one sentence on what was found."""

    faces: FaceSet
    found: str


def list_pictures(folder: Path) -> list[Path]:
    """Return the picture files directly in a folder, sorted by name, hidden ones left out."""
    files = (path for path in _inside(folder) if path.suffix.lower() in SUFFIXES)
    return sorted(path for path in files if path.is_file() and not path.name.startswith("."))


def list_folders(folder: Path) -> list[Path]:
    """Return the folders directly in a folder, sorted by name, hidden ones left out."""
    found = (path for path in _inside(folder) if path.is_dir())
    return sorted(path for path in found if not path.name.startswith((".", "__")))


def _inside(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError as error:
        raise UserError(f"expected a folder {folder}, found: {error.strerror}") from error


def read_gray(path: Path) -> NDArray[np.uint8]:
    """Read a picture file as gray (H, W) uint8, whatever its colours and bit depth.

    Of 16 bits of which only 8 to 14 are used, the highest used one becomes the highest.
    """
    try:
        data = np.fromfile(path, np.uint8)
    except OSError as error:
        raise UserError(f"expected a picture {path}, found: {error.strerror}") from error
    # OpenCV refuses to look at fewer than 32 bytes, and raises where there is none.
    padded = np.concatenate([data, np.zeros(max(0, 32 - len(data)), np.uint8)])
    gray = decoded(padded)
    if gray is None:
        raise UserError(f"{path}: expected a picture, found a file that does not decode as one")
    return gray


def decoded(data: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """Return the gray picture (H, W) uint8 that these bytes hold, None where they hold none."""
    try:
        gray = cv2.imdecode(data, cv2.IMREAD_ANYDEPTH)  # gray, turned as the file says
    except cv2.error:  # as for one that says it has a thousand million pixels
        return None
    if gray is None or gray.dtype not in (np.uint8, np.uint16):
        return None
    if gray.dtype == np.uint16:
        # Cameras of 10 to 14 bits write files of 16, which would come out black.
        used = int(gray.max()).bit_length()
        spare = max(used - 8, 0) if used <= _CAMERA_BITS else 8
        return np.right_shift(gray.astype(np.uint16, copy=False), spare).astype(np.uint8)
    return gray.astype(np.uint8, copy=False)


def cut(gray: NDArray[np.uint8], square: Square | None) -> NDArray[np.uint8]:
    """Return a square of a gray picture (H, W) at 48x48, averaged over areas where it shrinks."""
    height, width = gray.shape
    if square is None:
        side = min(height, width)
        square = ((width - side) // 2, (height - side) // 2, side)
    left, top, side = square
    across = np.clip(np.arange(left, left + side), 0, width - 1)
    down = np.clip(np.arange(top, top + side), 0, height - 1)
    part = np.ascontiguousarray(gray[down][:, across])
    if side == FER2013_SIDE:
        return part
    how = cv2.INTER_AREA if side > FER2013_SIDE else cv2.INTER_LINEAR
    return cv2.resize(part, (FER2013_SIDE, FER2013_SIDE), interpolation=how).astype(
        np.uint8, copy=False
    )


def find_square(gray: NDArray[np.uint8]) -> Square | None:
    """Return the square of the largest face, framed as FER2013 frames its faces, or None.

    FER2013 was itself cut by OpenCV's frontal face finder, so its box is taken as it is.
    """
    shortest = max(24, min(gray.shape) // 5)
    boxes = _finder().detectMultiScale(gray, 1.1, 5, minSize=(shortest, shortest))
    if len(boxes) == 0:
        return None
    left, top, side, _ = max(boxes, key=lambda box: int(box[2]))
    return int(left), int(top), int(side)


@cache
def _finder() -> cv2.CascadeClassifier:
    file = Path(cv2.__file__).parent / "data" / "haarcascade_frontalface_default.xml"
    return cv2.CascadeClassifier(str(file))


def read_entries(
    entries: Sequence[Entry],
    where: Path,
    label_set: str | None,
    *,
    source: str,
    find_faces: bool = False,
) -> tuple[FaceSet, str]:
    """Read the pictures of a data set; return them and a clause for each thing to know.

    source: the kind of data set. label_set: which to label by; by default FER2013's, or FER+'s
    where contempt occurs. Faces whose expression it lacks are left out. find_faces: cut each
    picture round its largest face, and leave out pictures without one. Raises `UserError` where
    nothing is left.
    """
    words = LABEL_SETS[label_set or default_label_set(entry.expression for entry in entries)]
    used = [entry for entry in entries if entry.expression in words]
    pixels, missed = _read_pixels(used, find_faces=find_faces)
    kept = [entry for entry, miss in zip(used, missed, strict=True) if not miss]
    if not kept:
        raise UserError(
            f"{where}: expected pictures with one of the labels {', '.join(words)}, found "
            f"{len(entries)} pictures and none to use: check the folder and the label set"
        )
    faces = FaceSet(
        pixels=pixels[~missed],
        labels=np.array([words.index(entry.expression) for entry in kept], np.int64),
        votes=None,
        splits=np.array([entry.split for entry in kept], np.str_),
        names=np.array([entry.name for entry in kept], np.str_),
        label_set=next(name for name, known in LABEL_SETS.items() if known is words),
        subjects=_if_known([entry.subject for entry in kept]),
        sequences=_if_known([entry.sequence for entry in kept]),
        source=source,
    )
    return faces, _told(faces, without_label=len(entries) - len(used), missed=int(missed.sum()))


def _if_known(names: list[str]) -> NDArray[np.str_] | None:
    return np.array(names, np.str_) if all(names) else None


def default_label_set(expressions: Iterable[str]) -> str:
    """Return the label set that has all of these expressions: FER+ only where contempt occurs."""
    return "ferplus" if "contempt" in set(expressions) else "fer2013"


def _read_pixels(
    entries: list[Entry], *, find_faces: bool
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Return pictures (N, 48, 48) and which of them (N,) show no face that was looked for."""
    pixels = np.zeros((len(entries), FER2013_SIDE, FER2013_SIDE), np.uint8)
    missed = np.zeros(len(entries), bool)
    if find_faces:  # the finder holds one picture at a time
        for row, entry in enumerate(entries):
            gray = read_gray(entry.file)
            square = find_square(gray)
            missed[row] = square is None
            if square is not None:
                pixels[row] = cut(gray, square)
        return pixels, missed
    with ThreadPoolExecutor(4) as pool:  # decoding releases the interpreter
        read = pool.map(_read_cut, entries)
        for row, face in enumerate(read):
            pixels[row] = face
    return pixels, missed


def _read_cut(entry: Entry) -> NDArray[np.uint8]:
    gray = read_gray(entry.file)
    height, width = gray.shape
    if entry.size is not None and entry.size != (width, height):
        raise UserError(
            f"{entry.file}: expected a picture of {entry.size[0]}x{entry.size[1]} as published, "
            f"found {width}x{height}: use the original files"
        )
    return cut(gray, entry.square)


def _told(faces: FaceSet, *, without_label: int, missed: int) -> str:
    clauses = [f"{len(faces):,} pictures"]
    if faces.subjects is not None:
        clauses[0] += f" of {len(np.unique(faces.subjects))} subjects"
    names, numbers = np.unique(faces.splits, return_counts=True)
    if list(names) != ["all"]:
        parts = (f"{number:,} {name}" for name, number in zip(names, numbers, strict=True))
        clauses.append(", ".join(parts))
    clauses.append(", ".join(f"{name} {count:,}" for name, count in faces.counts().items()))
    if without_label:
        clauses.append(f"{without_label:,} left out whose expression {faces.label_set} lacks")
    if missed:
        clauses.append(f"{missed:,} left out in which no face was found")
    return "; ".join(clauses)
