"""Tell whether a checkpoint was trained on the pictures that would be trained on now."""

from __future__ import annotations

from pathlib import Path

import torch

from models.card_making import learnt_from
from models.data.face_set import FaceSet
from models.training.checkpoint import load_checkpoint
from models.training.digest import digest_of
from models.training.examples import Examples, make_examples
from models.training.parts import clean
from models.training.recipe import recipe_of


def digest_of_all(training: Examples, validation: Examples) -> str:
    """Return the fingerprint of what is learnt from and of what is chosen on."""
    truth = [torch.from_numpy(labels) for labels in validation.truth.values()]
    return digest_of(training.pixels, *training.targets.values(), validation.pixels, *truth)


def told_of_others(checkpoint: Path, faces: FaceSet) -> str:
    """Return what to know where a checkpoint was trained on other pictures, otherwise nothing.

    faces: a data set of which a part was held out, to be measured on that. A checkpoint that has
    learnt nothing of such a data set needs no word.
    """
    values = load_checkpoint(checkpoint)
    recipe = recipe_of(values, checkpoint)
    if faces.source not in learnt_from(values, recipe):
        return ""
    if values.get("source") == faces.source:
        parts = clean(faces, recipe.cleaning)[0], faces.split("PublicTest")
        sets = list(recipe.labels)
        training, validation = (make_examples(part, sets, torch.device("cpu")) for part in parts)
        # Older versions took the fingerprint of the training pictures alone.
        if values.get("pictures") in (
            digest_of_all(training, validation),
            digest_of(training.pixels),
        ):
            return ""
    return (
        f"{checkpoint} was trained on other pictures than {faces.source} would give now. Where "
        "pictures were only added since, its figures hold; where an older version of this program "
        "trained it, another part was held out, so that it has learnt from most of what it is "
        "measured on and the figures flatter it: train it anew"
    )
