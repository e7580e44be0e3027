"""Read any folder of pictures sorted into class folders.

`<class>/...` or `<split>/<class>/...`, with class names as in `labels_map.FOLDERS` and pictures at
any depth below; FER2013 as class folders is one of them, and tells its split in the file names too
(`PrivateTest_88305.jpg`).
"""

from __future__ import annotations

from pathlib import Path

from models.data.face_set import SPLITS, Split
from models.data.labels_map import FOLDERS
from models.data.pictures import Entry, Reading, list_folders, list_pictures, read_entries
from models.runtime.errors import UserError
from models.runtime.labels import FER2013

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
    """Say whether a folder holds class folders, or split folders with class folders.

    Folders with numbers for names count too, so that reading them can say what to do.
    """
    splits = [folder for folder in list_folders(path) if folder.name.lower() in _SPLIT_FOLDERS]
    return any(class_folders(folder) or _numbered(folder) for folder in (path, *splits))


def _numbered(path: Path) -> bool:
    folders = list_folders(path)
    return len(folders) > 1 and all(folder.name.isdecimal() for folder in folders)


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
    if splits:
        _check_no_loose(path)
    entries = [entry for root in splits or [path] for entry in _entries(path, root)]
    _check_one_kind(entries)
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


def _entries(path: Path, root: Path) -> list[Entry]:
    """Return what the class folders of a root hold, which is the data set's or one of its parts."""
    _check_no_loose(root)
    part: Split = "all" if root == path else _SPLIT_FOLDERS[root.name.lower()]
    entries = []
    for folder in list_folders(root):
        if folder.name.lower() not in FOLDERS:
            raise UserError(
                f"{folder}: expected a class folder named {', '.join(FOLDERS)}, found "
                f"{folder.name}: rename it, since numbers mean something else in every data set "
                f"(FER2013's 0 to 6 are {', '.join(FER2013)})"
            )
        entries += [
            Entry(
                file=file,
                expression=FOLDERS[folder.name.lower()],
                name=file.relative_to(path).as_posix(),
                # The folder `test` of FER2013 mixes PublicTest and PrivateTest; the names keep
                # them apart.
                split=_fer2013_split(file.name) or part,
            )
            for file in _below(folder)
        ]
    return entries


def _below(folder: Path) -> list[Path]:
    """Return the pictures of a class folder and of the folders in it."""
    found = list_pictures(folder)
    for inner in list_folders(folder):
        if inner.name.lower() in FOLDERS or inner.name.lower() in _SPLIT_FOLDERS:
            raise UserError(
                f"{inner}: expected no folder of another class or part in {folder.name}, found "
                f"{inner.name}: move it out, as <class>/ or <split>/<class>/"
            )
        found += _below(inner)
    return found


def _check_no_loose(folder: Path) -> None:
    """Raise `UserError` for a picture beside class folders, of which nothing tells the class."""
    loose = list_pictures(folder)
    if loose:
        raise UserError(
            f"{loose[0]}: expected pictures in class folders alone, found {len(loose):,} in "
            f"{folder}: move each into the folder of its class, or away"
        )


def _check_one_kind(entries: list[Entry]) -> None:
    """Raise `UserError` where the names of some files tell a part and others have none."""
    named = next((entry for entry in entries if entry.split != "all"), None)
    others = [entry for entry in entries if entry.split == "all"]
    if named is not None and others:
        raise UserError(
            f"{others[0].file}: expected a name that tells the part, since {named.file.name} has "
            f"one as FER2013 gives it, found {len(others):,} pictures of {len(entries):,} without: "
            "rename those that have one, or sort all into the folders train, val and test"
        )


def _fer2013_split(name: str) -> Split | None:
    """Return the split that a file of FER2013 has in its name, None for other files."""
    prefix = name.partition("_")[0]
    return next((split for split in SPLITS if split == prefix), None)
