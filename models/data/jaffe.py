"""Read JAFFE: ten Japanese women, seven posed expressions, 213 pictures of 256x256.

Lyons, Akamatsu, Kamachi and Gyoba, "Coding Facial Expressions with Gabor Wavelets", FG 1998.
One folder of files such as KA.AN1.39.tiff: subject KA, expression AN, her first picture of it,
picture 39 of the whole.
"""

from __future__ import annotations

import re
from pathlib import Path

from models.data.labels_map import JAFFE
from models.data.pictures import Entry, Reading, Square, list_folders, list_pictures, read_entries
from models.runtime.errors import UserError

_NAME = re.compile(r"([A-Z]{2})\.([A-Z]{2})(\d)\.(\d+)")
SQUARE: Square = (48, 60, 160)
"""FER2013's framing, approximately, in pixels of 256: the photographs have the eyes in about the
same place, 59 pixels apart around (128, 124), and FER2013's side is 2.7 such distances."""


def is_jaffe(path: Path) -> bool:
    """Say whether a folder, or its only subfolder, holds files named as JAFFE names them."""
    return any(_NAME.match(file.name) for file in list_pictures(_folder(path)))


def read_jaffe(path: Path, label_set: str | None = None, *, find_faces: bool = False) -> Reading:
    """Read JAFFE from its folder.

    Each picture is cut to the same central square; find_faces cuts it round its face instead.
    Raises `UserError` that names the file at fault.
    """
    entries = [_entry(file) for file in list_pictures(_folder(path))]
    faces, told = read_entries(entries, path, label_set, source="jaffe", find_faces=find_faces)
    left, top, side = SQUARE
    framing = "its face" if find_faces else f"the square of {side} at ({left}, {top}) of 256 pixels"
    return Reading(faces, f"JAFFE: {told}; each cut to {framing}")


def _folder(path: Path) -> Path:
    """Return the folder with the pictures: the published archive holds it inside another."""
    folders = list_folders(path)
    return folders[0] if not list_pictures(path) and len(folders) == 1 else path


def _entry(file: Path) -> Entry:
    match = _NAME.match(file.name)
    if match is None or match[2] not in JAFFE:
        raise UserError(
            f"{file}: expected a name such as KA.AN1.39.tiff with one of {', '.join(JAFFE)}, "
            "found another: keep other pictures out of the JAFFE folder"
        )
    return Entry(
        file=file,
        expression=JAFFE[match[2]],
        name=file.name,
        subject=match[1],
        square=SQUARE,
        size=(256, 256),
    )
