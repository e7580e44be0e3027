"""What is held out of a data set stays held out while the data set grows."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from models.data.held_out import hold_out_pictures, hold_out_subjects

pytestmark = pytest.mark.train


def _noise(count: int, seed: int = 1) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (count, 48, 48)).astype(np.uint8)


def test_added_pictures_move_none_out_of_training() -> None:
    pixels, labels = _noise(400), np.arange(400) % 7
    held = hold_out_pictures(pixels[:60], labels[:60])
    for count in (61, 80, 200, 400):
        order = np.random.default_rng(count).permutation(count)  # files sort anywhere
        grown = np.empty(count, bool)
        grown[order] = hold_out_pictures(pixels[order], labels[order])
        assert not (grown[: len(held)] & ~held).any()
        held = grown
    assert 25 <= held.sum() <= 60


def test_every_label_is_held_out_and_left_in_training() -> None:
    pixels, labels = _noise(30), np.array([0] * 20 + [1] * 7 + [2] * 2 + [3])
    held = hold_out_pictures(pixels, labels)
    assert set(labels[held]) == {0, 1, 2}
    assert set(labels[~held]) == {0, 1, 2, 3}


def test_equal_pictures_are_on_one_side_under_any_label() -> None:
    pixels, labels = _noise(60), np.arange(60) % 4
    pixels, labels = np.concatenate([pixels, pixels]), np.concatenate([labels, (labels + 1) % 4])
    held = hold_out_pictures(pixels, labels)
    assert held.any()
    assert np.array_equal(held[:60], held[60:])


def test_copies_of_one_picture_are_all_trained_on() -> None:
    pixels = np.repeat(_noise(1), 24, axis=0)
    assert not hold_out_pictures(pixels, np.zeros(24, np.int64)).any()


@pytest.mark.parametrize(
    ("sizes", "fewest", "most"),
    [((50, 60, 200), 50, 60), ((100, 100), 100, 100), ((20,) * 10, 20, 20), ((5,) * 60, 30, 30)],
)
def test_whole_subjects_near_a_tenth_are_held_out(
    sizes: tuple[int, ...], fewest: int, most: int
) -> None:
    subjects = np.concatenate([[f"P{who}"] * size for who, size in enumerate(sizes)])
    held = hold_out_subjects(np.zeros(len(subjects), np.int64), subjects)
    assert fewest <= held.sum() <= most
    assert not set(subjects[held]) & set(subjects[~held])
    order = np.random.default_rng(1).permutation(len(subjects))
    again = hold_out_subjects(np.zeros(len(subjects), np.int64), subjects[order])
    assert set(subjects[order][again]) == set(subjects[held])


def test_the_only_subject_of_a_label_is_trained_on() -> None:
    subjects = np.repeat([f"P{who}" for who in range(10)], 6)
    first = np.zeros(60, np.int64)
    (chosen,) = set(subjects[hold_out_subjects(first, subjects)])
    only = np.where(subjects == chosen, 1, 0)
    held = hold_out_subjects(only, subjects)
    assert held.sum() == 6
    assert chosen not in subjects[held]
