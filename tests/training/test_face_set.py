from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from models.data.face_set import Cleaning, FaceSet, clean_training

pytestmark = pytest.mark.train


def test_a_split_keeps_every_column_in_step(faces: FaceSet) -> None:
    part = faces.split("PublicTest")
    rows = faces.splits == "PublicTest"
    assert len(part) == 32
    np.testing.assert_array_equal(part.pixels, faces.pixels[rows])
    np.testing.assert_array_equal(part.labels, faces.labels[rows])
    np.testing.assert_array_equal(part.names, faces.names[rows])
    assert part.votes is not None
    assert faces.votes is not None
    np.testing.assert_array_equal(part.votes, faces.votes[rows])
    assert set(part.splits) == {"PublicTest"}


def test_a_set_without_votes_stays_without(faces: FaceSet) -> None:
    assert replace(faces, votes=None).split("Training").votes is None


def test_copies_and_blanks_are_dropped_from_training_and_counted(faces: FaceSet) -> None:
    kept, dropped = clean_training(faces)
    assert dropped == Cleaning(copies=1, near=0, blank=1)
    expected = [row for row in range(64) if row not in (8, 17)]
    assert kept.names.tolist() == faces.names[expected].tolist()
    assert set(kept.splits) == {"Training"}


def test_copies_of_the_test_split_are_dropped_too(faces: FaceSet) -> None:
    pixels = faces.pixels.copy()
    pixels[3] = pixels[-1]
    _, dropped = clean_training(replace(faces, pixels=pixels))
    assert dropped.copies == 2


def test_copies_within_training_stay(faces: FaceSet) -> None:
    pixels = faces.pixels.copy()
    pixels[3] = pixels[2]
    _, dropped = clean_training(replace(faces, pixels=pixels))
    assert dropped == Cleaning(copies=1, near=0, blank=1)


def test_a_blank_copy_counts_once(faces: FaceSet) -> None:
    pixels = faces.pixels.copy()
    pixels[70] = pixels[17]
    kept, dropped = clean_training(replace(faces, pixels=pixels))
    assert dropped == Cleaning(copies=2, near=0, blank=0)
    assert len(kept) == 62


def test_one_pixel_off_is_no_copy_but_nearly_one(faces: FaceSet) -> None:
    pixels = faces.pixels.copy()
    pixels[8, 0, 0] ^= 1
    kept, dropped = clean_training(replace(faces, pixels=pixels))
    assert dropped == Cleaning(copies=0, near=1, blank=1)
    assert len(kept) == 62


def test_blank_pictures_are_looked_for_without_a_copy_of_all_pictures(faces: FaceSet) -> None:
    many = faces.select(np.resize(np.arange(64), 4096))
    tracemalloc.start()
    clean_training(many)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 4 * many.pixels.nbytes
