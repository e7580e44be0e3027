from __future__ import annotations

import pytest
import torch
from torch import Generator, Tensor

from models.training.augment import augment
from models.training.recipe import Augmentation

pytestmark = pytest.mark.train

EVERYTHING = Augmentation(
    flip=0.5, rotate=12, scale=0.15, shift=0.1, brightness=0.2, contrast=0.25, gamma=0.2, erase=0.5
)


def some(count: int = 16) -> Tensor:
    """Return smooth pictures between 0.2 and 0.8, no two alike and none symmetrical."""
    generator = Generator().manual_seed(3)
    coarse = torch.rand(count, 1, 6, 6, generator=generator)
    fine = torch.nn.functional.interpolate(coarse, size=48, mode="bilinear", align_corners=False)
    return 0.2 + 0.6 * fine


def vary(faces: Tensor, how: Augmentation, seed: int = 0) -> Tensor:
    return augment(faces, how, Generator().manual_seed(seed))


def corners(value: Tensor) -> tuple[float, float]:
    """Return where the brightest spot of one picture lies, (x, y) in pixels."""
    place = int(value.flatten().argmax())
    return place % 48, place // 48


def spot(x: int, y: int) -> Tensor:
    """Return one dark picture with a soft spot."""
    ys, xs = torch.meshgrid(torch.arange(48), torch.arange(48), indexing="ij")
    picture = torch.exp(-((xs - x) ** 2 + (ys - y) ** 2) / 18)
    return (0.1 + 0.8 * picture)[None, None]


def test_no_augmentation_changes_nothing() -> None:
    faces = some()
    torch.testing.assert_close(vary(faces, Augmentation(flip=0)), faces, atol=1e-5, rtol=0)


def test_a_certain_flip_is_the_mirror_image() -> None:
    faces = some()
    flipped = vary(faces, Augmentation(flip=1))
    torch.testing.assert_close(flipped, faces.flip(3), atol=1e-5, rtol=0)


def test_half_of_the_pictures_are_flipped_at_one_half() -> None:
    faces = some(400)
    views = vary(faces, Augmentation(flip=0.5))
    as_it_is = (views - faces).abs().amax((1, 2, 3)) < 1e-4
    mirrored = (views - faces.flip(3)).abs().amax((1, 2, 3)) < 1e-4
    assert (as_it_is ^ mirrored).all()
    assert 160 < int(mirrored.sum()) < 240


def test_the_generator_decides_everything() -> None:
    faces = some()
    how = EVERYTHING
    torch.manual_seed(1)
    first = vary(faces, how, seed=5)
    torch.manual_seed(2)
    assert torch.equal(first, vary(faces, how, seed=5))
    assert not torch.equal(first, vary(faces, how, seed=6))


def test_pictures_of_one_batch_are_varied_differently() -> None:
    same = some(1).expand(32, 1, 48, 48)
    views = vary(same, Augmentation(flip=0, rotate=10, shift=0.1))
    assert len({view.numpy().tobytes() for view in views}) == 32


def test_the_shape_and_the_input_stay() -> None:
    faces = some()
    before = faces.clone()
    views = vary(faces, EVERYTHING)
    assert views.shape == faces.shape
    assert torch.equal(faces, before)


def test_extreme_lighting_stays_between_black_and_white() -> None:
    views = vary(some(), Augmentation(brightness=1, contrast=1, gamma=3, erase=1))
    assert torch.isfinite(views).all()
    assert views.min() >= 0
    assert views.max() <= 1


@pytest.mark.parametrize(
    ("how", "across", "down"),
    [
        (Augmentation(flip=0, shift=0.1), 0.1 * 48, 0.1 * 48),
        (Augmentation(flip=0, rotate=30), 20 * 0.5, 20 * (1 - 0.866)),
        (Augmentation(flip=0, scale=0.25), 0, 20 * 0.25),
    ],
)
def test_a_spot_moves_as_far_as_said_and_no_farther(
    how: Augmentation, across: float, down: float
) -> None:
    # 20 pixels below the centre of the picture, which lies at 23.5.
    faces = spot(24, 43).expand(300, 1, 48, 48)
    places = [corners(view) for view in vary(faces, how)]
    assert max(abs(x - 24) for x, _ in places) == pytest.approx(across, abs=1)
    assert max(abs(y - 43) for _, y in places) == pytest.approx(down, abs=1)


def test_the_edge_is_repeated_outside_the_picture() -> None:
    bright = torch.full((50, 1, 48, 48), 0.7)
    views = vary(bright, Augmentation(rotate=40, scale=0.3, shift=0.3))
    torch.testing.assert_close(views, bright, atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("how", "darkest", "brightest"),
    [
        (Augmentation(flip=0, brightness=0.2), 0.3, 0.7),
        (Augmentation(flip=0, gamma=0.5), 0.5**1.5, 0.5 ** (1 / 1.5)),
        (Augmentation(flip=0, contrast=0.9), 0.5, 0.5),
    ],
)
def test_even_grey_is_lit_within_the_limits(
    how: Augmentation, darkest: float, brightest: float
) -> None:
    grey = vary(torch.full((300, 1, 48, 48), 0.5), how)[:, 0, 0, 0]
    assert float(grey.min()) == pytest.approx(darkest, abs=0.01)
    assert float(grey.max()) == pytest.approx(brightest, abs=0.01)


def test_contrast_is_stretched_about_the_mean() -> None:
    faces = some(200)
    views = vary(faces, Augmentation(flip=0, contrast=0.25))
    parts = views.std((1, 2, 3)) / faces.std((1, 2, 3))
    assert 0.74 < float(parts.min()) < 0.8
    assert 1.2 < float(parts.max()) < 1.26


@pytest.mark.parametrize("probability", [0.0, 0.5, 1.0])
def test_a_rectangle_is_blanked_as_often_as_said(probability: float) -> None:
    faces = some(200)
    views = vary(faces, Augmentation(flip=0, erase=probability))
    changed = ((views - faces).abs() > 1e-4).float().mean((1, 2, 3))
    hit = changed > 0
    assert float(hit.float().mean()) == pytest.approx(probability, abs=0.1)
    if hit.any():
        assert float(changed[hit].min()) > 0.005
        assert float(changed[hit].max()) < 0.22
