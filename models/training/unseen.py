"""Tell whether folds would be begun with, or taught by, a network that knows their pictures."""

from __future__ import annotations

from pathlib import Path

from models.data.face_set import FaceSet
from models.runtime.errors import UserError
from models.runtime.files import user_path
from models.training.recipe import Recipe
from models.training.start import sources_of

_OWN = "image_folder"
"""A kind of data set, not a data set: two such folders may have no picture in common."""


def told_of_seen(recipe: Recipe, faces: FaceSet, start: Path | None) -> str:
    """Return what to know of folds that may be of known pictures, otherwise nothing.

    start: what each fold begins with, or None. Raises `UserError` where that or a teacher of the
    recipe has learnt from the very data set.
    """
    used = [] if start is None else [(start, "--from")]
    used += [(user_path(name), "that teacher") for name in recipe.distillation.teachers]
    notes = []
    for path, what in used:
        if faces.source not in sources_of(path):
            continue
        if faces.source != _OWN:
            raise UserError(
                f"{path}: expected a network that has learnt nothing of {faces.source} for folds "
                "of it, found one that has: it knows the pictures that each fold tests. Choose "
                f"another or leave {what} out"
            )
        notes.append(
            f"{path.name} has learnt from a folder of the trainer's own: if that was this one, it "
            "knows the pictures that each fold tests, and the figures flatter"
        )
    return "; ".join(notes)
