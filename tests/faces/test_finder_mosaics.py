"""Pictures and films made out of stored faces: what is drawn is where the labels say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from models.data.faces_parquet import is_scene, read_face_pictures
from models.data.finder_spoiling import cover_face, spoil_all, spoil_part
from models.data.mosaics import MosaicMaker
from models.data.pasting import (
    StoredPicture,
    head_mask,
    mirror_about,
    outline_mask,
    place_face,
    placing,
    turned_box,
    visible_part,
    warp,
)
from models.data.sequences import FilmMaker
from models.runtime.errors import UserError
from tests.faces.conftest import draw_face, draw_scene

Image = NDArray[np.uint8]


def stored(picture: Image, face: NDArray[np.float32] | None = None) -> StoredPicture:
    levels = [picture]
    while min(levels[-1].shape[:2]) > 24:
        half = cv2.resize(levels[-1], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        levels.append(half.astype(np.uint8))
    faces = np.zeros((0, 15), np.float32) if face is None else face[None]
    return StoredPicture(tuple(levels), faces)


def maker(side: int = 128, score: float = 0.95) -> MosaicMaker:
    rng = np.random.default_rng(5)
    faces = []
    for _ in range(6):
        picture, face = draw_face(rng)
        face[14] = score
        faces.append(stored(picture, face))
    return MosaicMaker(faces, [stored(draw_scene(rng)) for _ in range(3)], side)


def test_a_stored_picture_is_halved_and_keeps_its_faces(face_folder: Path) -> None:
    picture = read_face_pictures(face_folder)[0]
    kept = StoredPicture.of(picture)
    assert [level.shape[0] for level in kept.levels] == [96, 48, 24]
    assert kept.faces is picture.faces


def test_the_same_seed_makes_the_same_picture() -> None:
    first, again = (maker().make(np.random.default_rng(7)) for _ in range(2))
    assert np.array_equal(first.pixels, again.pixels)
    assert np.array_equal(first.boxes, again.boxes)
    other = maker().make(np.random.default_rng(8))
    assert not np.array_equal(first.pixels, other.pixels)


def test_mosaics_hold_what_they_promise() -> None:
    making = maker()
    mosaics = [making.make(np.random.default_rng(seed)) for seed in range(40)]
    for mosaic in mosaics:
        count = len(mosaic.boxes)
        assert mosaic.pixels.shape == (128, 128, 3)
        assert mosaic.pixels.dtype == np.uint8
        assert mosaic.points.shape == (count, 5, 2)
        assert mosaic.counts.shape == (count,)
        assert (mosaic.boxes[:, 2:] > mosaic.boxes[:, :2]).all()
    faces = np.concatenate([mosaic.boxes[mosaic.counts] for mosaic in mosaics])
    sides = np.sqrt(np.prod(faces[:, 2:] - faces[:, :2], axis=1))
    assert len(faces) > 60
    assert sides.min() >= 8.5
    assert sides.min() < 20
    assert sides.max() > 80
    assert any(not len(mosaic.boxes) for mosaic in mosaics)  # some show no face at all


def test_a_doubtful_face_is_neither_face_nor_background() -> None:
    making = maker(score=0.7)
    mosaics = [making.make(np.random.default_rng(seed)) for seed in range(10)]
    assert sum(len(mosaic.boxes) for mosaic in mosaics) > 10
    assert not any(mosaic.counts.any() for mosaic in mosaics)


def test_without_faces_or_scenes_there_are_no_mosaics() -> None:
    scene = stored(draw_scene(np.random.default_rng(0)))
    with pytest.raises(ValueError, match="with and without faces"):
        MosaicMaker([], [scene], 64)
    with pytest.raises(UserError, match="one face of at least 40 pixels"):
        FilmMaker([scene], [scene])


def dot_of(picture: Image) -> NDArray[np.float64]:
    """Return the middle of what is pure green."""
    green = (picture[:, :, 1] > 128) & (picture[:, :, 0] < 100) & (picture[:, :, 2] < 100)
    rows, columns = np.nonzero(green)
    return np.array([columns.mean(), rows.mean()])


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize(("scale", "angle"), [(1.0, 0), (0.4, 25), (2.0, -40), (0.2, 10)])
def test_landmarks_travel_with_the_pixels(scale: float, angle: float, *, mirrored: bool) -> None:
    picture = np.zeros((160, 160, 3), np.uint8)
    eye = (60, 70)  # the person's right eye
    cv2.circle(picture, eye, 9, (0, 255, 0), -1)
    points = [eye, (100, 70), (80, 85), (65, 105), (95, 105)]
    face = np.array([40, 40, 80, 96, *np.ravel(points), 0.9], np.float32)
    matrix = placing(face, scale, angle, np.array([150.0, 140.0]))
    if mirrored:
        matrix = mirror_about(matrix, face)
    canvas = warp(stored(picture, face), matrix, 300, 300, cv2.BORDER_CONSTANT)
    placed = place_face(face, matrix, angle, mirrored=mirrored, part=1)
    # In a mirror a right eye is a left one.
    found = placed.points[1 if mirrored else 0]
    np.testing.assert_allclose(found, dot_of(canvas), atol=max(0.6, 0.5 * scale))
    middle = (placed.box[:2] + placed.box[2:]) / 2
    np.testing.assert_allclose(middle, [150, 140], atol=1e-3)
    assert (placed.points > placed.box[:2]).all()
    assert (placed.points < placed.box[2:]).all()


def test_a_box_turns_as_an_ellipse_does() -> None:
    middle = np.array([10.0, 20.0])
    np.testing.assert_allclose(turned_box(middle, 6, 8, 0), [7, 16, 13, 24])
    np.testing.assert_allclose(turned_box(middle, 6, 8, 90), [6, 17, 14, 23], atol=1e-5)
    np.testing.assert_allclose(turned_box(middle, 8, 8, 45), [6, 16, 14, 24], atol=1e-5)


def test_what_covers_a_face_hides_it() -> None:
    face = np.array([10, 10, 20, 20, *[20.0] * 10, 0.9], np.float32)
    matrix = np.array([[1, 0, 0], [0, 1, 0]], np.float32)
    placed = place_face(face, matrix, 0, mirrored=False, part=1)
    owner = np.ones((40, 40), np.uint8)
    assert visible_part(placed, owner) == 1
    owner[:, 20:] = 2
    assert visible_part(placed, owner) == pytest.approx(0.5)
    moved = np.array([[1, 0, 25], [0, 1, 0]], np.float32)
    outside = place_face(face, moved, 0, mirrored=False, part=2)
    assert visible_part(outside, owner) == pytest.approx(0.25)


def test_masks_cover_the_picture_and_the_head() -> None:
    picture, face = draw_face(np.random.default_rng(0))
    matrix = placing(face, 0.5, 30, np.array([40.0, 40.0]))
    outline = outline_mask(stored(picture, face), matrix, (80, 80))
    head = head_mask(face, matrix, (80, 80), 1.5)
    assert outline[40, 40] == head[40, 40] == 255
    assert outline[0, 0] == head[0, 0] == 0
    assert (outline > 0).sum() == pytest.approx((0.5 * 96) ** 2, rel=0.08)
    assert (head > 0).sum() < (outline > 0).sum()


def spoilt(picture: Image, boxes: NDArray[np.float32], rng: np.random.Generator) -> Image:
    return spoil_all(picture, boxes, rng)


def part(picture: Image, _: NDArray[np.float32], rng: np.random.Generator) -> Image:
    return spoil_part(picture, rng)


@pytest.mark.parametrize("spoil", [spoilt, part])
def test_spoiling_keeps_the_shape_and_repeats_itself(
    spoil: Callable[[Image, NDArray[np.float32], np.random.Generator], Image],
) -> None:
    picture, face = draw_face(np.random.default_rng(0))
    before = picture.copy()
    box = np.concatenate([face[:2], face[:2] + face[2:4]])[None]
    changed = 0
    for seed in range(60):
        first = spoil(picture, box, np.random.default_rng(seed))
        assert first.shape == picture.shape
        assert first.dtype == np.uint8
        assert np.array_equal(first, spoil(picture, box, np.random.default_rng(seed)))
        changed += not np.array_equal(first, picture)
    assert changed > 30
    assert np.array_equal(picture, before)


def test_a_cover_hides_some_of_the_face_and_little_beside_it() -> None:
    picture, face = draw_face(np.random.default_rng(0), side=200, size=60)
    box = np.concatenate([face[:2], face[:2] + face[2:4]])
    around = np.zeros((200, 200), bool)
    left, top, right, bottom = (round(float(v)) for v in box)
    around[top - 40 : bottom + 40, left - 40 : right + 40] = True
    shares = []
    for seed in range(40):
        canvas = picture.copy()
        cover_face(canvas, box, face[4:14].reshape(5, 2), np.random.default_rng(seed))
        touched = (canvas != picture).any(2)
        assert not touched[~around].any()
        shares.append(touched[top:bottom, left:right].mean())
    assert min(shares) > 0
    assert 0.05 < np.mean(shares) < 0.5


def test_a_film_keeps_its_people(face_folder: Path) -> None:
    pictures = read_face_pictures(face_folder)
    faces = [StoredPicture.of(one) for one in pictures if len(one.faces)]
    scenes = [StoredPicture.of(one) for one in pictures if is_scene(one)]
    making = FilmMaker(faces, scenes, (240, 320))
    films = [making.make(np.random.default_rng(seed), 20) for seed in range(6)]
    last: dict[int, NDArray[np.float32]] = {}
    steps = []
    for film in films:
        last.clear()
        for frame in film:
            assert frame.pixels.shape == (240, 320, 3)
            assert len(set(frame.people.tolist())) == len(frame.people)
            for person, box in zip(frame.people.tolist(), frame.boxes):
                middle = (box[:2] + box[2:]) / 2
                if person in last:
                    steps.append(np.hypot(*(middle - last[person])))
                last[person] = middle
        assert 2 <= len(last) <= 4
    assert 0 < np.median(steps) < 20  # they move, and nobody jumps
    hidden = [frame for film in films for frame in film if not frame.counts.all()]
    assert hidden  # somebody passes behind something
