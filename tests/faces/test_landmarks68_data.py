"""Where crops lie, which labels are believed, and what training views do to both."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from app.faces.alignment import upright_square
from app.sources.actor import actor_truth
from models.data.landmark_labels import believe, disagreement, five_of
from models.data.landmarks import PATCH, PATCH_SIDE, LandmarkSet
from models.runtime.framing import square_of
from models.runtime.landmark_crop import CROP, LOWERED, MIRRORED, WIDER, cut
from models.training.landmark_recipe import Views
from models.training.landmark_views import change_light, place, sample, spoil

pytestmark = pytest.mark.train

FACE = actor_truth(0).landmarks


def in_sides(points: NDArray[np.float32]) -> NDArray[np.float32]:
    x, y, side = square_of(points)
    return ((points - (x, y + LOWERED * side)) / side).astype(np.float32)


def face_set(count: int, seed: int = 0) -> LandmarkSet:
    rng = np.random.default_rng(seed)
    points = np.repeat(in_sides(FACE)[None], count, axis=0)
    five = five_of(points) + np.float32(0.02)
    patches = rng.integers(0, 256, (count, PATCH, PATCH), dtype=np.uint8)
    return LandmarkSet(patches, points, five)


def test_the_square_is_that_of_the_live_program() -> None:
    for frame in (0, 40, 200):
        landmarks = actor_truth(frame).landmarks
        box = upright_square(landmarks)
        x, y, side = square_of(landmarks)
        # A box has edges, a landmark counts from the middle of the first pixel.
        assert (x + 0.5, y + 0.5) == pytest.approx(box.centre, abs=1e-3)
        assert side == pytest.approx(box.width, rel=1e-5)


def test_five_points_give_nearly_the_square_of_68() -> None:
    x, y, side = square_of(FACE)
    five_x, five_y, five_side = square_of(five_of(FACE[None])[0])
    assert five_side == pytest.approx(side, rel=0.06)
    assert np.hypot(five_x - x, five_y - y) < 0.04 * side


@pytest.mark.parametrize("side", [40.0, 64.0, 150.0, 500.0])
def test_a_cut_shows_each_place_where_it_belongs(side: float) -> None:
    picture = np.zeros((480, 640), np.uint8)
    x, y = 300.0, 220.0
    bright = round(x + 0.2 * side), round(y - 0.1 * side)
    half = max(1, round(side / 40))
    picture[bright[1] - half : bright[1] + half, bright[0] - half : bright[0] + half] = 255
    crop = cut(picture, (x, y), side).astype(float)
    places = (np.indices(crop.shape) + 0.5) / CROP
    down, right = ((places * crop).sum((1, 2)) / crop.sum()).tolist()
    assert right == pytest.approx(0.5 + (bright[0] - x) / side, abs=0.012)
    assert down == pytest.approx(0.5 + (bright[1] - y) / side, abs=0.012)


def test_beyond_the_picture_its_edge_goes_on() -> None:
    picture = np.full((60, 60), 80, np.uint8)
    picture[:, 0] = 200
    crop = cut(picture, (-30.0, 30.0), 40.0)
    assert (crop == 200).all()


def test_mirroring_twice_changes_no_name() -> None:
    swap = np.array(MIRRORED)
    assert np.array_equal(swap[swap], np.arange(68))
    assert MIRRORED[36] == 45
    assert MIRRORED[48] == 54
    assert MIRRORED[8] == 8


def test_labels_that_the_five_points_contradict_are_moved() -> None:
    data = face_set(9)
    data.points[4] += np.float32(0.2)
    apart, custom = disagreement(data)
    np.testing.assert_allclose(custom, 0.02, atol=1e-5)
    assert apart[4] > 0.5
    assert np.delete(apart, 4).max() < 1e-3
    labels = believe(data, trusted=0.2)
    np.testing.assert_allclose(labels.points[4], data.points[0], atol=1e-4)
    assert labels.weight.tolist() == [1, 1, 1, 1, 0.5, 1, 1, 1, 1]
    assert np.array_equal(labels.points[3], data.points[3])


def test_without_five_points_labels_are_believed() -> None:
    data = face_set(3)
    data.five[1] = np.nan
    labels = believe(data, trusted=0.2)
    assert np.array_equal(labels.points[1], data.points[1])
    assert labels.weight.tolist() == [1, 1, 1]


def test_a_view_moves_points_as_it_moves_the_picture() -> None:
    rng = np.random.default_rng(1)
    points = rng.uniform(-0.3, 0.3, (40, 1, 2)).astype(np.float32)
    patches = np.zeros((40, PATCH, PATCH), np.uint8)
    for patch, ((x, y),) in zip(patches, points, strict=True):
        right, down = ((np.array([x, y]) / PATCH_SIDE + 0.5) * PATCH).astype(int)
        patch[down - 2 : down + 3, right - 2 : right + 3] = 255
    generator = torch.Generator().manual_seed(2)
    at = place(40, Views(wild=0), generator)
    crops = sample(torch.from_numpy(patches), at)[:, 0].numpy()
    where = at.to_crop(torch.from_numpy(points))[:, 0].numpy()
    inside = ((where > 0.06) & (where < 0.94)).all(1)
    assert inside.sum() > 30
    assert 8 < int(at.mirrored.sum()) < 32
    grid = (np.arange(CROP) + 0.5) / CROP
    for crop, (x, y) in zip(crops[inside], where[inside], strict=True):
        middle = crop.sum(0) @ grid / crop.sum(), crop.sum(1) @ grid / crop.sum()
        assert middle == pytest.approx((x, y), abs=0.02)


def test_the_side_of_a_view_is_known() -> None:
    generator = torch.Generator().manual_seed(0)
    still = Views(rotate=0, shift=0, scale=0, stretch=0, wild=0)
    assert place(5, still, generator).scale.numpy() == pytest.approx(WIDER)
    varied = place(200, Views(stretch=0, wild=0), generator).scale / WIDER
    assert 1 / 1.301 < float(varied.min()) < 0.8
    assert 1.25 < float(varied.max()) < 1.301


SPOILS = ("light", "cover", "coarse", "noise", "blocks")


@pytest.mark.parametrize("name", SPOILS)
def test_spoiled_crops_are_other_crops_of_the_same_range(name: str) -> None:
    data = face_set(6)
    smooth = torch.nn.functional.avg_pool2d(
        torch.from_numpy(data.patches).float()[:, None] / 255, 9, 1, 4
    )
    crops = smooth[:, :, 10 : 10 + CROP, 10 : 10 + CROP]

    def view(**on: float) -> torch.Tensor:
        how = Views(**{**dict.fromkeys(SPOILS, 0.0), **on})
        generator = torch.Generator().manual_seed(3)
        return spoil(change_light(crops, how, generator), how, generator)

    spoiled, plain = view(**{name: 1.0}), view()
    assert spoiled.shape == crops.shape
    assert float(spoiled.min()) >= 0
    assert float(spoiled.max()) <= 1
    assert float((spoiled - plain).abs().mean(dim=(1, 2, 3)).min()) > 2e-4


def test_a_view_comes_from_its_seed_alone() -> None:
    crops = torch.rand(4, 1, CROP, CROP)
    first, second = (spoil(crops, Views(), torch.Generator().manual_seed(seed)) for seed in (5, 5))
    assert torch.equal(first, second)
