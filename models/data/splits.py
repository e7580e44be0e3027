"""Cut a data set that has no split of its own into folds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from models.data.face_set import FaceSet
from models.runtime.errors import UserError

Rows = NDArray[np.int64]


def k_fold(
    labels: NDArray[np.int64],
    folds: int = 5,
    seed: int = 0,
    sequences: NDArray[np.str_] | None = None,
) -> Iterator[tuple[Rows, Rows]]:
    """Yield the training and the test rows of each fold, every label spread evenly over the folds.

    sequences: (N,) str, of which all frames go to one fold, since neighbours are nearly the same
    picture. The same person is in training and test: what such folds measure of JAFFE is far above
    `leave_one_subject_out`. Raises `UserError` for fewer than 2 folds, and for more than there are
    pictures or sequences.
    """
    if sequences is not None:
        yield from _group_k_fold(labels, sequences, folds, seed, "sequences")
        return
    _check_folds(folds, len(labels), "pictures")
    generator = np.random.default_rng(seed)
    # Dealt out like cards, label after label without starting anew, so that no fold is larger
    # than another by more than one.
    order = np.concatenate(
        [generator.permutation(np.flatnonzero(labels == label)) for label in np.unique(labels)]
    )
    fold_of = np.empty(len(labels), np.int64)
    fold_of[order] = np.arange(len(labels)) % folds
    yield from _each(fold_of, folds)


def leave_one_subject_out(subjects: NDArray[np.str_] | None) -> Iterator[tuple[Rows, Rows]]:
    """Yield the training and the test rows with each subject, in the order of their names, out.

    Raises `UserError` where subjects are not known or only one.
    """
    known = _check_subjects(subjects)
    names, fold_of = np.unique(known, return_inverse=True)
    _check_folds(2, len(names), "subjects")
    yield from _each(fold_of, len(names))


def subject_k_fold(
    labels: NDArray[np.int64],
    subjects: NDArray[np.str_] | None,
    folds: int = 5,
    seed: int = 0,
) -> Iterator[tuple[Rows, Rows]]:
    """Yield the training and the test rows of folds that share no subject.

    Subjects, the ones with most pictures first, go where they leave the labels most even.
    Raises `UserError` where subjects are not known or fewer than the folds.
    """
    yield from _group_k_fold(labels, _check_subjects(subjects), folds, seed, "subjects")


def as_split(faces: FaceSet, training: Rows, test: Rows) -> FaceSet:
    """Return the faces of one fold, training rows as Training and test rows as PrivateTest."""
    both = faces.select(np.concatenate([training, test]))
    splits = ["Training"] * len(training) + ["PrivateTest"] * len(test)
    return replace(both, splits=np.array(splits, np.str_))


def _group_k_fold(
    labels: NDArray[np.int64], groups: NDArray[np.str_], folds: int, seed: int, what: str
) -> Iterator[tuple[Rows, Rows]]:
    names, group_of = np.unique(groups, return_inverse=True)
    _check_folds(folds, len(names), what)
    counts = np.zeros((len(names), int(labels.max()) + 1), np.int64)
    np.add.at(counts, (group_of, labels), 1)
    shuffled = np.random.default_rng(seed).permutation(len(names))
    order = shuffled[np.argsort(-counts[shuffled].sum(axis=1), kind="stable")]
    held = np.zeros((folds, counts.shape[1]), np.int64)
    fold_of_group = np.empty(len(names), np.int64)
    for group in order:
        # The sum of squares grows least where the group's labels are scarcest; an empty fold
        # comes first, so that none stays empty.
        growth = ((held + counts[group]) ** 2 - held**2).sum(axis=1)
        growth[held.sum(axis=1) == 0] = -1
        fold = int(growth.argmin())
        fold_of_group[group] = fold
        held[fold] += counts[group]
    yield from _each(fold_of_group[group_of], folds)


def _each(fold_of: Rows, folds: int) -> Iterator[tuple[Rows, Rows]]:
    for fold in range(folds):
        yield np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)


def _check_folds(folds: int, available: int, what: str) -> None:
    if not 2 <= folds <= available:
        raise UserError(
            f"expected 2 folds or more and at least as many {what}, found {folds} folds and "
            f"{available} {what}"
        )


def _check_subjects(subjects: NDArray[np.str_] | None) -> NDArray[np.str_]:
    if subjects is None:
        raise UserError(
            "expected pictures whose subjects are known, found a data set that does not say who "
            "is shown: cut them by pictures instead, as with --folds 5"
        )
    return subjects
