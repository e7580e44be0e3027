"""What lies beside faces in a training picture: drawn things and pieces without a face."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from models.data.clutter import draw_clutter
from models.data.mosaics import MosaicMaker
from models.data.pasting import beside_faces
from tests.faces.conftest import draw_face, draw_scene
from tests.faces.test_finder_mosaics import stored


@pytest.mark.parametrize("seed", range(12))
def test_what_is_drawn_is_owned_by_its_part(seed: int) -> None:
    canvas, owner = np.full((96, 96, 3), 128, np.uint8), np.zeros((96, 96), np.uint8)
    draw_clutter(canvas, owner, np.random.default_rng(seed), 200)
    changed = (canvas != 128).any(axis=2)
    assert changed.any()
    assert set(np.unique(owner)) <= {0, 200}
    near = cv2.dilate((owner == 200).astype(np.uint8), np.ones((7, 7), np.uint8))
    assert not (changed & (near == 0)).any()


def test_a_piece_beside_faces_touches_none() -> None:
    rng = np.random.default_rng(3)
    picture, face = draw_face(rng, side=160, size=40)
    kept = stored(picture, face)
    found = [square for _ in range(60) if (square := beside_faces(kept, rng)) is not None]
    assert len(found) > 20
    left, top, right, bottom = face[0], face[1], face[0] + face[2], face[1] + face[3]
    for x, y, side in found:
        assert 0 <= x <= 160 - side
        assert 0 <= y <= 160 - side
        assert x + side <= left or x >= right or y + side <= top or y >= bottom


def test_a_face_that_fills_its_picture_leaves_no_room() -> None:
    rng = np.random.default_rng(4)
    picture, face = draw_face(rng)
    face[:4] = (0, 0, 96, 96)
    assert beside_faces(stored(picture, face), rng) is None


def test_clutter_changes_training_pictures_and_leaves_the_others() -> None:
    rng = np.random.default_rng(5)
    faces = [stored(*draw_face(rng, side=160, size=40)) for _ in range(4)]
    scenes = [stored(draw_scene(rng)) for _ in range(3)]
    plain, without, full = (
        MosaicMaker(faces, scenes, 128, **told) for told in ({}, {"clutter": 0.0}, {"clutter": 1.0})
    )
    for seed in range(6):
        one, same, other = (
            maker.make(np.random.default_rng(seed)) for maker in (plain, without, full)
        )
        assert np.array_equal(one.pixels, same.pixels)
        assert not np.array_equal(one.pixels, other.pixels)
        assert len(other.boxes) == len(other.counts)
