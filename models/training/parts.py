"""The part of a data set to train on and the part to choose on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from models.data.clean import clean_four
from models.data.face_set import FaceSet, clean_training
from models.data.held_out import TENTH, hold_out_pictures, hold_out_subjects
from models.data.read import read_dataset
from models.runtime.errors import UserError

_FEWEST = 2
"""Training pictures: normalisation takes the mean over several."""


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
    FER2013 file without both parts, and where cleaning leaves fewer than 2 pictures to train on.
    """
    faces, held = read_held_out(data, votes)
    training, validation = faces.split("Training"), faces.split("PublicTest")
    if not len(training) or not len(validation):
        raise UserError(
            f"{data}: expected Training and PublicTest rows, found {len(training)} and "
            f"{len(validation)}: use the whole file"
        )
    kept, dropped = clean(faces, cleaning)
    if len(kept) < min(_FEWEST, len(training)):
        raise UserError(
            f"{data}: expected at least {_FEWEST} pictures left to train on, found {len(kept)}: "
            f"dropped from {len(training):,} were {dropped}. Pictures of one film or moment are "
            "nearly the same photograph, which cannot be learnt from and measured on: add "
            "pictures of other people or days, or sort whole days into the folders train and val"
        )
    told = f"{held}; " if held else ""
    return Parts(kept, validation, f"{told}dropped from training: {dropped}")


def read_held_out(data: Path, votes: Path | None) -> tuple[FaceSet, str]:
    """Read any data set with the part that is chosen on as PublicTest.

    It is the same again, and stays held out when pictures are added (`models.data.held_out`).
    The text says what was held out for it, if anything had to be.
    """
    faces = read_dataset(data, votes=votes).faces
    if faces.source == "fer2013" or (faces.splits == "PublicTest").any():
        return faces, ""
    return _hold_out(faces)


def _hold_out(faces: FaceSet) -> tuple[FaceSet, str]:
    """Return the faces with about a tenth of what is no test part as PublicTest."""
    rows = np.flatnonzero(faces.splits != "PrivateTest")
    pool = faces.select(rows)
    if len(pool) < 2 * TENTH:
        raise UserError(
            f"expected at least {2 * TENTH} pictures to hold a tenth of them out, found "
            f"{len(pool)}: use a larger data set"
        )
    if pool.subjects is None or len(np.unique(pool.subjects)) < 2:
        chosen, whole = hold_out_pictures(pool.pixels, pool.labels), "pictures"
    else:
        chosen, whole = hold_out_subjects(pool.labels, pool.subjects), "subjects"
    if not chosen.any():
        raise UserError(
            f"expected an expression with 2 different pictures or more to hold one out, found "
            f"{len(pool)} pictures that are copies of one for each: use a larger data set"
        )
    splits = faces.splits.astype("U11")
    splits[rows] = "Training"
    splits[rows[chosen]] = "PublicTest"
    told = f"held out to choose on: {chosen.sum():,} of {len(pool):,} pictures, by {whole}"
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
