"""Train and test on the folds of a small data set, such as JAFFE.

Wen et al. 2020, ResNet with CBAM and A-Softmax, section 4.4: a network pretrained on FER2013 is
trained for 30 epochs on four fifths of JAFFE and tested on the rest, five times. The same person
is on both sides of such folds; `subjects` leaves one person out at a time instead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from models.crops import TTAS, Tta
from models.data.copies import copies_of
from models.data.face_set import FaceSet
from models.data.splits import Rows, k_fold, leave_one_subject_out
from models.measure import truth_for
from models.runtime.errors import UserError
from models.runtime.labels import LABEL_SETS
from models.scoring import score_crops
from models.training.examples import make_examples
from models.training.loop import Trainer
from models.training.metrics import accuracy, confusion, macro_f1, recalls
from models.training.predict import network_logits, split_arrays
from models.training.recipe import CLEANINGS, Recipe
from models.training.warm_start import begin_from

SUBJECTS = "subjects"
# Normalisation takes the mean over several.
_FEWEST = 2


@dataclass(frozen=True, slots=True)
class Fold:
    """Hold one fold: its number or the subject left out, and its test accuracies by crops.

    copies: pictures that were not trained on, since they are test pictures to the last pixel.
    confusion: of the tested ones with one crop, rows true, columns named.
    """

    name: str
    trained_on: int
    copies: int
    tested_on: int
    accuracy: dict[str, float]
    confusion: list[list[int]]


@dataclass(frozen=True, slots=True)
class Protocol:
    """Hold all folds of one way to cut.

    mean, sd: of the accuracy over the folds, by crops; sd has n - 1 under the root. pooled: of all
    tested pictures together. macro_f1, per_class_recall: of them, with one crop.
    """

    name: str
    folds: tuple[Fold, ...]
    mean: dict[str, float]
    sd: dict[str, float]
    pooled: dict[str, float]
    macro_f1: float
    per_class_recall: dict[str, float]


def protocols_of(text: str) -> list[str]:
    """Return the ways to cut that a text such as "5,subjects" names; else raise `UserError`."""
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name != SUBJECTS and not name.isdecimal():
            raise UserError(
                f"expected --folds with a number or {SUBJECTS}, such as 5,{SUBJECTS}, found "
                f"{name!r}"
            )
    return names


def cut(faces: FaceSet, protocol: str, seed: int) -> list[tuple[str, Rows, Rows]]:
    """Return name, training rows and test rows of each fold: "5" for five folds, or "subjects"."""
    if protocol == SUBJECTS:
        pairs = list(leave_one_subject_out(faces.subjects))
        assert faces.subjects is not None
        return [(str(faces.subjects[test[0]]), training, test) for training, test in pairs]
    pairs = list(k_fold(faces.labels, int(protocol), seed, faces.sequences))
    return [(str(number), *pair) for number, pair in enumerate(pairs, start=1)]


def check_protocols(recipe: Recipe, faces: FaceSet, protocols: Sequence[str]) -> None:
    """Raise the `UserError` that `run_protocol` would, before anything is trained."""
    usable, _, _ = _usable(recipe, faces)
    for protocol in protocols:
        cut(usable, protocol, recipe.seed)


def _usable(recipe: Recipe, faces: FaceSet) -> tuple[FaceSet, NDArray[np.int64], str]:
    """Return the pictures that have a label, the labels, and their set."""
    if len(recipe.labels) != 1:
        raise UserError(
            f"expected a recipe of one label set for folds, found {' and '.join(recipe.labels)}: "
            "leave one under [labels]"
        )
    _check_whole(recipe, faces)
    (label_set,) = recipe.labels
    truth = truth_for(faces, label_set)
    return faces.select(truth >= 0), truth[truth >= 0], label_set


def run_protocol(
    recipe: Recipe,
    faces: FaceSet,
    protocol: str,
    device: torch.device,
    *,
    start: Path | None = None,
    known: Sequence[Fold] = (),
    on_fold: Callable[[Fold], object] = lambda _: None,
) -> Protocol:
    """Train anew on each fold and test the last epoch's averaged weights on what was left out.

    Nothing is chosen on the test pictures. start: a checkpoint whose weights each fold begins
    with. known: folds that were run before. on_fold: told of each other fold as it ends. Copies of
    its test pictures are not trained on. Raises `UserError` for a recipe of several label
    sets, for one that asks what folds cannot give, for data that has parts of its own, whose test
    part must stay untouched, and for folds that cannot be cut.
    """
    usable, truth, label_set = _usable(recipe, faces)
    folds = []
    had = {fold.name: fold for fold in known}
    for name, training, test in cut(usable, protocol, recipe.seed):
        if name in had:
            folds.append(had[name])
            continue
        copies = copies_of(usable.pixels[test], usable.pixels[training])
        training = training[~copies]
        if len(training) < _FEWEST:
            raise UserError(
                f"fold {name}: expected at least {_FEWEST} training pictures that are no copies of "
                f"its test pictures, found {len(training)}: use a larger data set or other folds"
            )
        trainer = _train(recipe, usable.select(training), device, start)
        logits = {tta: _test(trainer, usable.pixels[test], tta) for tta in TTAS}
        scores = {str(tta): accuracy(logits[tta], truth[test]) for tta in TTAS}
        counts = confusion(logits["none"], truth[test]).tolist()
        folds.append(Fold(name, len(training), int(copies.sum()), len(test), scores, counts))
        on_fold(folds[-1])
    return _summed(protocol, folds, LABEL_SETS[label_set])


def _check_whole(recipe: Recipe, faces: FaceSet) -> None:
    parts = sorted({*faces.splits.tolist()} - {"all"})
    if parts:
        raise UserError(
            f"expected a data set without parts of its own for folds, found {', '.join(parts)}: "
            "train on its training part without --folds"
        )
    if recipe.cleaning != CLEANINGS[0] or recipe.schedule == "plateau":
        raise UserError(
            f'expected cleaning "{CLEANINGS[0]}" and a schedule without a validation part for '
            f'folds, found "{recipe.cleaning}" and "{recipe.schedule}": choose others'
        )


def _train(recipe: Recipe, faces: FaceSet, device: torch.device, start: Path | None) -> Trainer:
    trainer = Trainer(recipe, device)
    examples = make_examples(faces, trainer.label_sets, device)
    if start is not None:
        begin_from(trainer, start, examples.pixels)
    while trainer.epoch < recipe.epochs:
        trainer.train_epoch(examples)
    return trainer


def _test(trainer: Trainer, pixels: NDArray[np.uint8], tta: Tta) -> NDArray[np.float32]:
    spec = trainer.recipe.input
    logits = score_crops(network_logits(trainer.average.network, spec), spec, pixels, tta)
    (heads,) = split_arrays(logits, trainer.label_sets).values()
    return heads


def _summed(protocol: str, folds: list[Fold], labels: tuple[str, ...]) -> Protocol:
    parts = {tta: [fold.accuracy[tta] for fold in folds] for tta in TTAS}
    counts = np.sum([fold.confusion for fold in folds], axis=0)
    tested = [fold.tested_on for fold in folds]
    found = zip(labels, recalls(counts), counts.sum(axis=1), strict=True)
    return Protocol(
        name=protocol,
        folds=tuple(folds),
        mean={tta: float(np.mean(parts[tta])) for tta in TTAS},
        sd={tta: float(np.std(parts[tta], ddof=1)) for tta in TTAS},
        pooled={tta: float(np.average(parts[tta], weights=tested)) for tta in TTAS},
        macro_f1=macro_f1(counts),
        per_class_recall={label: float(part) for label, part, count in found if count},
    )
