"""The part of a data set to train on and the part to choose on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from models.data.clean import clean_four
from models.data.face_set import FaceSet, clean_training
from models.data.read import read_dataset
from models.data.splits import k_fold, subject_k_fold
from models.runtime.errors import UserError

_TENTH = 10


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """Hold the faces to train on, those to choose on, and in words what was done to them."""

    training: FaceSet
    validation: FaceSet
    told: str


def read_parts(data: Path, votes: Path | None, cleaning: str) -> Parts:
    """Read any data set; train on its Training part, choose on PublicTest, leave the rest alone.

    Where a data set has no PublicTest, a tenth of what there is to learn from is held out, whole
    subjects where they are known. cleaning: one of `recipe.CLEANINGS`. Raises `UserError` for a
    FER2013 file without both parts.
    """
    faces, held = read_held_out(data, votes)
    kept, dropped = clean(faces, cleaning)
    validation = faces.split("PublicTest")
    if not len(kept) or not len(validation):
        raise UserError(
            f"{data}: expected Training and PublicTest rows, found {len(kept)} and "
            f"{len(validation)}: use the whole file"
        )
    told = f"{held}; " if held else ""
    return Parts(kept, validation, f"{told}dropped from training: {dropped}")


def read_held_out(data: Path, votes: Path | None) -> tuple[FaceSet, str]:
    """Read any data set with the part that is chosen on as PublicTest, always the same.

    The text says what was held out for it, if anything had to be.
    """
    faces = read_dataset(data, votes=votes).faces
    if faces.source == "fer2013" or (faces.splits == "PublicTest").any():
        return faces, ""
    return _hold_out(faces)


def _hold_out(faces: FaceSet) -> tuple[FaceSet, str]:
    """Return the faces with a tenth of what is no test part as PublicTest, always the same."""
    rows = np.flatnonzero(faces.splits != "PrivateTest")
    pool = faces.select(rows)
    if len(pool) < 2 * _TENTH:
        raise UserError(
            f"expected at least {2 * _TENTH} pictures to hold a tenth of them out, found "
            f"{len(pool)}: use a larger data set"
        )
    if pool.subjects is None or len(np.unique(pool.subjects)) < 2:
        folds, whole = k_fold(pool.labels, _TENTH), "pictures"
    else:
        count = min(_TENTH, len(np.unique(pool.subjects)))
        folds, whole = subject_k_fold(pool.labels, pool.subjects, count), "subjects"
    _, chosen = next(folds)
    splits = faces.splits.astype("U11")
    splits[rows] = "Training"
    splits[rows[chosen]] = "PublicTest"
    told = f"held out to choose on: {len(chosen):,} of {len(pool):,} pictures, by {whole}"
    return replace(faces, splits=splits), told


def clean(faces: FaceSet, cleaning: str) -> tuple[FaceSet, str]:
    """Return the part to train on, and in words what was dropped from it."""
    kept, dropped = clean_training(faces)
    told = str(dropped)
    if cleaning == "four":
        kept, four = clean_four(kept)
        told += (
            f", {four.other_expression} of other expressions, {four.blurred} blurred, "
            f"{four.no_face} without a face, {four.contested} contested"
        )
    return kept, told
