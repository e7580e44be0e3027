"""Read CK+: posed expressions from neutral to their peak.

Lucey et al., "The Extended Cohn-Kanade Dataset (CK+)", CVPRW 2010. Two layouts: the original,
`cohn-kanade-images/S005/001/S005_001_00000011.png` with
`Emotion/S005/001/S005_001_00000011_emotion.txt` for the 327 sequences that have a label, and the
common `CK+48` with the last three frames of those sequences in class folders, cut to 48x48.
"""

from __future__ import annotations

import re
from pathlib import Path

from models.data.image_folder import class_folders
from models.data.labels_map import CK_PLUS, FOLDERS
from models.data.pictures import Entry, Reading, list_pictures, read_entries
from models.runtime.errors import UserError

_FRAME = re.compile(r"(S\d{3})_(\d{3})_(\d+)")
_IMAGES = "cohn-kanade-images"
_LABELS = ("Emotion", "Emotion_labels/Emotion", "Emotion_labels")


def is_ck_plus(path: Path) -> bool:
    """Say whether a folder is CK+ in either layout."""
    if (path / _IMAGES).is_dir():
        return True
    classes = class_folders(path)
    return any(_FRAME.match(file.name) for folder in classes for file in list_pictures(folder)[:1])


def read_ck_plus(
    path: Path,
    label_set: str | None = None,
    *,
    frames: int = 3,
    neutral: bool = False,
    find_faces: bool = True,
) -> Reading:
    """Read CK+ from its folder, by default with FER+ labels, which know contempt.

    frames: how many from the end of each labelled sequence, where the expression is at its peak.
    neutral: take the first frame of each labelled sequence as neutral. find_faces: cut each frame
    round its face, since the faces fill less than half of the original frames; without it the
    central square is used. CK+48 is cut already, and none of the three applies to it.
    Raises `UserError` that names the file at fault.
    """
    if frames < 1:
        raise UserError(f"expected at least 1 frame of each CK+ sequence, found {frames}")
    if not (path / _IMAGES).is_dir():
        cut_already = [
            _cut_frame(file, FOLDERS[folder.name.lower()])
            for folder in class_folders(path)
            for file in list_pictures(folder)
        ]
        faces, told = read_entries(cut_already, path, label_set, source="ck_plus")
        return Reading(faces, f"CK+48: {told}; pictures used as they are")
    entries = _sequences(path, frames=frames, neutral=neutral)
    faces, told = read_entries(entries, path, label_set, source="ck_plus", find_faces=find_faces)
    framing = "its face" if find_faces else "the central square"
    return Reading(faces, f"CK+: {told}; each cut to {framing}")


def _cut_frame(file: Path, expression: str) -> Entry:
    match = _FRAME.match(file.name)
    if match is None:
        raise UserError(
            f"{file}: expected a name such as S010_004_00000017.png, found another: "
            "keep other pictures out of the CK+ folder"
        )
    name = f"{file.parent.name}/{file.name}"
    return Entry(
        file=file, expression=expression, name=name, subject=match[1],
        sequence=f"{match[1]}_{match[2]}",
    )  # fmt: skip


def _sequences(path: Path, *, frames: int, neutral: bool) -> list[Entry]:
    found = (path / name for name in _LABELS)
    labels = next((folder for folder in found if folder.is_dir()), None)
    if labels is None:
        raise UserError(
            f"{path}: expected the folder Emotion beside {_IMAGES}, found none: "
            "unpack Emotion_labels.zip of CK+ there"
        )
    entries = []
    for file in sorted(labels.rglob("*_emotion.txt")):
        match = _FRAME.match(file.name)
        if match is None:
            raise UserError(f"{file}: expected a name such as S005_001_00000011_emotion.txt")
        folder = path / _IMAGES / match[1] / match[2]
        pictures = list_pictures(folder) if folder.is_dir() else []
        if not pictures:
            raise UserError(f"{file}: expected its frames in {folder}, found none")
        peak = [(picture, _expression(file)) for picture in pictures[-frames:]]
        first = [(pictures[0], "neutral")] if neutral and len(pictures) > frames else []
        entries += [
            Entry(
                file=picture,
                expression=expression,
                name=picture.name,
                subject=match[1],
                sequence=f"{match[1]}_{match[2]}",
            )
            for picture, expression in first + peak
        ]
    return entries


def _expression(file: Path) -> str:
    text = file.read_text(encoding="ascii", errors="replace").strip()
    try:
        return CK_PLUS[int(float(text))]
    except (ValueError, OverflowError, KeyError):
        raise UserError(
            f"{file}, row 0, column 0: expected a number of 0 to 7, found {text[:40]!r}"
        ) from None
