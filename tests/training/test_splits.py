"""Folds: whole, disjoint, even, and the same again for the same seed."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from models.data.face_set import FaceSet
from models.data.splits import as_split, k_fold, leave_one_subject_out, subject_k_fold
from models.runtime.errors import UserError

Fold = tuple[NDArray[np.int64], NDArray[np.int64]]


def _jaffe_like() -> tuple[NDArray[np.int64], NDArray[np.str_]]:
    """213 pictures of ten people, three or so of each of seven expressions."""
    rows = [(label, subject) for subject in range(10) for label in range(7) for _ in range(3)]
    rows += [(0, 0), (3, 4), (3, 4)]
    order = np.random.default_rng(3).permutation(len(rows))
    labels = np.array([rows[n][0] for n in order], np.int64)
    return labels, np.array([f"P{rows[n][1]}" for n in order], np.str_)


def _assert_a_partition(folds: list[Fold], count: int) -> None:
    tested = np.concatenate([test for _, test in folds])
    assert sorted(tested) == list(range(count))
    for training, test in folds:
        assert sorted(np.concatenate([training, test])) == list(range(count))


def test_k_fold_spreads_every_label_evenly() -> None:
    labels, _ = _jaffe_like()
    folds = list(k_fold(labels, 5, seed=1))
    _assert_a_partition(folds, len(labels))
    sizes = [len(test) for _, test in folds]
    assert max(sizes) - min(sizes) <= 1
    counts = np.array([np.bincount(labels[test], minlength=7) for _, test in folds])
    assert (counts.max(axis=0) - counts.min(axis=0) <= 1).all()


def test_the_seed_decides_the_folds() -> None:
    labels, subjects = _jaffe_like()
    for first, again, other in (
        [list(k_fold(labels, 5, seed)) for seed in (1, 1, 2)],
        [list(subject_k_fold(labels, subjects, 5, seed)) for seed in (1, 1, 2)],
    ):
        assert all(np.array_equal(a[1], b[1]) for a, b in zip(first, again, strict=True))
        assert not all(np.array_equal(a[1], b[1]) for a, b in zip(first, other, strict=True))


def test_leaving_one_subject_out_tests_each_person_once() -> None:
    labels, subjects = _jaffe_like()
    folds = list(leave_one_subject_out(subjects))
    _assert_a_partition(folds, len(labels))
    assert [set(subjects[test]) for _, test in folds] == [{f"P{n}"} for n in range(10)]


@pytest.mark.parametrize("count", [2, 4, 10])
def test_subject_folds_share_nobody_and_stay_balanced(count: int) -> None:
    labels, subjects = _jaffe_like()
    folds = list(subject_k_fold(labels, subjects, count, seed=4))
    _assert_a_partition(folds, len(labels))
    for training, test in folds:
        assert not set(subjects[training]) & set(subjects[test])
    sizes = [len(test) for _, test in folds]
    assert min(sizes) > 0
    assert max(sizes) - min(sizes) <= 25  # one person is 21 to 23 pictures


def test_all_frames_of_a_sequence_go_to_one_fold() -> None:
    labels, _ = _jaffe_like()
    labels = labels.repeat(3)
    sequences = np.array([f"S{n // 3:03d}" for n in range(len(labels))])
    folds = list(k_fold(labels, 5, seed=2, sequences=sequences))
    _assert_a_partition(folds, len(labels))
    for training, test in folds:
        assert not set(sequences[training]) & set(sequences[test])
    counts = np.array([np.bincount(labels[test], minlength=7) for _, test in folds])
    assert (counts.max(axis=0) - counts.min(axis=0) <= 3).all()  # a sequence has three of a label
    with pytest.raises(UserError, match="214 folds and 213 sequences"):
        next(k_fold(labels, 214, sequences=sequences))


def test_no_subject_fold_is_empty_where_nobody_shares_a_label() -> None:
    subjects = np.array(["A", "A", "B", "C"])
    folds = list(subject_k_fold(np.array([0, 0, 1, 2]), subjects, 3))
    assert sorted(set(subjects[test]).pop() for _, test in folds) == ["A", "B", "C"]


def test_folds_that_cannot_be_are_refused() -> None:
    labels, subjects = _jaffe_like()
    with pytest.raises(UserError, match="1 folds and 213 pictures"):
        next(k_fold(labels, 1))
    with pytest.raises(UserError, match="11 folds and 10 subjects"):
        next(subject_k_fold(labels, subjects, 11))
    with pytest.raises(UserError, match="2 folds and 1 subjects"):
        next(leave_one_subject_out(np.array(["P0", "P0"])))
    with pytest.raises(UserError, match="whose subjects are known"):
        next(leave_one_subject_out(None))


def test_a_fold_becomes_a_split() -> None:
    labels, subjects = _jaffe_like()
    faces = FaceSet(
        pixels=np.arange(len(labels), dtype=np.uint8)[:, None, None].repeat(4, 1).repeat(4, 2),
        labels=labels,
        votes=None,
        splits=np.full(len(labels), "all"),
        names=np.array([str(n) for n in range(len(labels))]),
        subjects=subjects,
    )
    training, test = next(leave_one_subject_out(subjects))
    fold = as_split(faces, training, test)
    held_out = fold.split("PrivateTest")
    assert held_out.subjects is not None
    assert set(held_out.subjects) == {"P0"}
    assert np.array_equal(held_out.pixels[:, 0, 0], test)
    assert len(fold.split("Training")) == len(training)
    assert (faces.splits == "all").all()
