"""Read any of the data sets: the layout tells which it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from models.data.affectnet import is_affectnet, read_affectnet
from models.data.ck_plus import is_ck_plus, read_ck_plus
from models.data.face_set import FaceSet
from models.data.fer2013 import read_fer2013
from models.data.ferg import is_ferg, read_ferg
from models.data.ferplus import majority
from models.data.image_folder import is_image_folder, read_image_folder
from models.data.jaffe import is_jaffe, read_jaffe
from models.data.pictures import Reading
from models.data.raf_db import is_raf_db, read_raf_db
from models.runtime.errors import UserError
from models.runtime.labels import LABEL_SETS


@dataclass(frozen=True, slots=True)
class _Layout:
    """Hold how a data set in a folder is told and read, and what the folder looks like."""

    fits: Callable[[Path], bool]
    read: Callable[[Path, str | None], Reading]
    looks: str


# In this order: CK+48 is also a folder of class folders.
_LAYOUTS: dict[str, _Layout] = {
    "jaffe": _Layout(is_jaffe, read_jaffe, "KA.AN1.39.tiff and so on"),
    "ck_plus": _Layout(is_ck_plus, read_ck_plus, "cohn-kanade-images and Emotion, or CK+48"),
    "ferg": _Layout(is_ferg, read_ferg, "FERG_DB_256/<character>/<character>_<expression>"),
    "raf_db": _Layout(is_raf_db, read_raf_db, "basic/EmoLabel/list_patition_label.txt"),
    "affectnet": _Layout(is_affectnet, read_affectnet, "train_set/annotations, or training.csv"),
    "image_folder": _Layout(is_image_folder, read_image_folder, "<class>/ or <split>/<class>/"),
}
KINDS: tuple[str, ...] = ("auto", "fer2013", *_LAYOUTS)
_FER2013_FILES = ("fer2013.csv", "icml_face_data.csv")


def read_dataset(
    path: Path, kind: str = "auto", *, votes: Path | None = None, label_set: str | None = None
) -> Reading:
    """Read a data set and say what was found.

    path: the FER2013 file, or the folder of another data set. kind: one of `KINDS`. votes: the
    FER+ csv of FER2013. label_set: which to label by, by default the data set's own: faces whose
    expression it lacks are left out; `ferplus` of FER2013 is the majority of its votes. Raises
    `UserError` that names the file, and the row and column where there is one.
    """
    _check(kind, KINDS, "kind of data set")
    if label_set is not None:
        _check(label_set, tuple(LABEL_SETS), "label set")
    file = _fer2013_file(path)
    if kind == "fer2013" or (kind == "auto" and file.is_file()):
        return _read_fer2013(file, votes, label_set)
    if not path.is_dir():
        raise UserError(
            f"expected a data set, found no file or folder {path}: give the FER2013 file, or the "
            "folder of another data set"
        )
    if kind == "auto":
        kind = _detect(path)
    if votes is not None:
        raise UserError(
            f"expected FER+ votes with FER2013 alone, found {votes} with {path}, which is "
            f"{kind}: leave --ferplus out"
        )
    return _LAYOUTS[kind].read(path, label_set)


def _check(value: str, known: tuple[str, ...], what: str) -> None:
    if value not in known:
        raise UserError(f"expected a {what} of {', '.join(known)}, found {value!r}")


def _fer2013_file(path: Path) -> Path:
    candidates = (path / name for name in _FER2013_FILES)
    return next((file for file in candidates if file.is_file()), path)


def _read_fer2013(file: Path, votes: Path | None, label_set: str | None) -> Reading:
    faces = read_fer2013(file, votes)
    with_votes = "with" if faces.votes is not None else "without"
    kept = _relabelled(file, faces, label_set) if label_set else faces
    counts = ", ".join(f"{name} {number:,}" for name, number in kept.counts().items())
    found = f"FER2013: {len(kept):,} pictures {with_votes} FER+ votes; {counts}"
    return Reading(kept, found)


def _relabelled(file: Path, faces: FaceSet, label_set: str) -> FaceSet:
    """Return FER2013 labelled by its own labels, or by the majority of its FER+ votes."""
    if label_set != "ferplus":
        return faces.relabelled(label_set)
    if faces.votes is None:
        raise UserError(
            f"{file}: expected FER+ votes with FER2013, found none: put fer2013new.csv beside it"
        )
    labels = majority(faces.votes)
    return replace(faces, labels=labels, label_set="ferplus").select(labels >= 0)


def _detect(path: Path) -> str:
    for kind, layout in _LAYOUTS.items():
        if layout.fits(path):
            return kind
    expected = "; ".join(f"{kind}: {layout.looks}" for kind, layout in _LAYOUTS.items())
    inside = ", ".join(sorted(entry.name for entry in path.iterdir())[:8]) or "nothing"
    raise UserError(f"{path}: expected one of the layouts ({expected}), found {inside}")
