"""Read FERG-DB: 55,767 pictures of six drawn characters.

Aneja et al., "Modeling Stylized Character Expressions via Deep Learning", ACCV 2016. Layout:
`FERG_DB_256/<character>/<character>_<expression>/*.png`.
"""

from __future__ import annotations

from pathlib import Path

from models.data.labels_map import FERG
from models.data.pictures import Entry, Reading, list_folders, list_pictures, read_entries
from models.runtime.errors import UserError


def is_ferg(path: Path) -> bool:
    """Say whether a folder, or the FERG_DB_256 in it, holds one folder for each character."""
    return any(
        folder.name.lower() == f"{character.name.lower()}_{word}"
        for character in list_folders(_root(path))
        for folder in list_folders(character)
        for word in FERG
    )


def read_ferg(path: Path, label_set: str | None = None) -> Reading:
    """Read FERG-DB from its folder; pictures, which are square, are used whole.

    The subject is the character. Raises `UserError` that names the folder at fault.
    """
    entries = [
        Entry(
            file=file,
            expression=_expression(character, folder),
            name=f"{folder.name}/{file.name}",
            subject=character.name,
        )
        for character in list_folders(_root(path))
        for folder in list_folders(character)
        for file in list_pictures(folder)
    ]
    faces, told = read_entries(entries, path, label_set, source="ferg")
    return Reading(faces, f"FERG-DB: {told}; pictures used whole")


def _root(path: Path) -> Path:
    inner = path / "FERG_DB_256"
    return inner if inner.is_dir() else path


def _expression(character: Path, folder: Path) -> str:
    name, _, word = folder.name.lower().rpartition("_")
    if name != character.name.lower() or word not in FERG:
        raise UserError(
            f"{folder}: expected a folder {character.name}_ and one of {', '.join(FERG)}, found "
            f"{folder.name}: keep other folders out of FERG_DB_256"
        )
    return FERG[word]
