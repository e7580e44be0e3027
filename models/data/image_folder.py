"""Read any folder of pictures sorted into class folders.

`<class>/...` or `<split>/<class>/...`, with class names as in `labels_map.FOLDERS`; FER2013 as
class folders is one of them, and tells its split in the file names too (`PrivateTest_88305.jpg`).
"""

from __future__ import annotations

from pathlib import Path

from models.data.face_set import SPLITS, Split
from models.data.labels_map import FOLDERS
from models.data.pictures import Entry, Reading, list_folders, list_pictures, read_entries
from models.runtime.errors import UserError

_SPLIT_FOLDERS: dict[str, Split] = {
    "train": "Training",
    "training": "Training",
    "val": "PublicTest",
    "valid": "PublicTest",
    "validation": "PublicTest",
    "publictest": "PublicTest",
    "test": "PrivateTest",
    "testing": "PrivateTest",
    "privatetest": "PrivateTest",
}


def is_image_folder(path: Path) -> bool:
    """Say whether a folder holds class folders, or split folders with class folders."""
    splits = [folder for folder in list_folders(path) if folder.name.lower() in _SPLIT_FOLDERS]
    return any(class_folders(folder) for folder in (path, *splits))


def read_image_folder(
    path: Path, label_set: str | None = None, *, find_faces: bool = False
) -> Reading:
    """Read a folder of class folders; of each picture the largest central square is used.

    find_faces: cut each picture round its largest face instead, and leave out those without one.
    Raises `UserError` that names the folder at fault.
    """
    splits = [folder for folder in list_folders(path) if folder.name.lower() in _SPLIT_FOLDERS]
    beside = [folder for folder in list_folders(path) if folder not in splits]
    if splits and beside:
        raise UserError(
            f"{beside[0]}: expected nothing but {', '.join(sorted(_SPLIT_FOLDERS))} beside "
            f"{splits[0].name}, found {beside[0].name}: move it into one of them, or away"
        )
    entries = []
    for root in splits or [path]:
        for folder in list_folders(root):
            if folder.name.lower() not in FOLDERS:
                raise UserError(
                    f"{folder}: expected a class folder named {', '.join(FOLDERS)}, found "
                    f"{folder.name}: rename it, since numbers mean something else in every data set"
                )
            entries += [_entry(path, file) for file in list_pictures(folder)]
    source = "image_folder"
    if any(_fer2013_split(entry.file.name) for entry in entries):
        source = "fer2013"
        if label_set == "ferplus":
            raise UserError(
                f"{path}: expected FER+ votes with FER2013, found class folders, which have none: "
                "give fer2013.csv with fer2013new.csv beside it"
            )
    faces, told = read_entries(entries, path, label_set, source=source, find_faces=find_faces)
    framing = "each cut to its face" if find_faces else "the largest central square of each"
    return Reading(faces, f"class folders: {told}; {framing}")


def class_folders(path: Path) -> list[Path]:
    """Return the folders directly in a folder that are named after an expression."""
    return [folder for folder in list_folders(path) if folder.name.lower() in FOLDERS]


def _entry(root: Path, file: Path) -> Entry:
    inner = file.relative_to(root)
    split: Split = "all"
    if len(inner.parts) == 3:
        split = _SPLIT_FOLDERS[inner.parts[0].lower()]
    # The folder `test` of FER2013 mixes PublicTest and PrivateTest; the names keep them apart.
    split = _fer2013_split(file.name) or split
    return Entry(
        file=file,
        expression=FOLDERS[file.parent.name.lower()],
        name=inner.as_posix(),
        split=split,
    )


def _fer2013_split(name: str) -> Split | None:
    """Return the split that a file of FER2013 has in its name, None for other files."""
    prefix = name.partition("_")[0]
    return next((split for split in SPLITS if split == prefix), None)
