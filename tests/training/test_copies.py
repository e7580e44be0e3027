from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from models.data.copies import NEAR, copies_of, likeness, near_copies_of
from models.data.face_set import FaceSet

pytestmark = pytest.mark.train


def _cut(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a picture without its outermost pixels, brought back to its size, a little darker."""
    side = len(picture)
    inner = cv2.resize(picture[1:-1, 1:-1], (side, side), interpolation=cv2.INTER_AREA)
    return (inner * 0.8).astype(np.uint8)


@pytest.fixture(scope="module")
def photograph() -> NDArray[np.uint8]:
    """Return coarse clouds (48, 48), in which a pixel to the side changes little."""
    clouds = np.random.default_rng(3).normal(128, 40, (6, 6)).clip(0, 255).astype(np.uint8)
    return cv2.resize(clouds, (48, 48), interpolation=cv2.INTER_CUBIC).astype(np.uint8)


def test_a_photograph_that_was_cut_and_darkened_is_nearly_a_copy(
    faces: FaceSet, photograph: NDArray[np.uint8]
) -> None:
    among = np.stack([*faces.pixels[:10], _cut(photograph), photograph])
    known = np.stack([*faces.pixels[-10:], photograph])
    assert np.flatnonzero(near_copies_of(known, among)).tolist() == [10, 11]
    assert np.flatnonzero(copies_of(known, among)).tolist() == [11]


def test_likeness_forgets_brightness_and_contrast_and_tells_a_negative(
    photograph: NDArray[np.uint8],
) -> None:
    small = photograph // 2
    lighter, negative = small + 60, 255 - small
    found = likeness(np.stack([lighter, negative]), small[None])
    assert found == pytest.approx([1, -1], abs=1e-3)
    # Of several others it is the likest that counts.
    assert likeness(lighter[None], np.stack([negative, small]))[0] > NEAR


def test_blank_pictures_are_like_none(photograph: NDArray[np.uint8]) -> None:
    blank = np.full((2, 48, 48), 7, np.uint8)
    blank[0, 0, 0] = 8
    assert not near_copies_of(blank, blank).any()
    assert not near_copies_of(blank, photograph[None]).any()


def test_no_others_and_no_pictures_are_no_error(photograph: NDArray[np.uint8]) -> None:
    none = np.empty((0, 48, 48), np.uint8)
    assert near_copies_of(none, photograph[None]).tolist() == [False]
    assert near_copies_of(photograph[None], none).tolist() == []
