"""Crops, mixup and drawn glasses: what they do, and that they are drawn from the generator."""

from __future__ import annotations

import pytest
import torch
from torch import Generator, Tensor

from models.runtime.errors import UserError
from models.training.augment import augment, centre_crop, mixup, random_crop
from models.training.glasses import draw_glasses
from models.training.recipe import Augmentation

pytestmark = pytest.mark.train


def _generator(seed: int = 1) -> Generator:
    return Generator().manual_seed(seed)


def _places(count: int, side: int = 48) -> Tensor:
    """Pictures whose grey values tell row and column."""
    line = torch.arange(side)
    return (line.view(1, 1, -1, 1) * 100 + line).expand(count, 1, side, side).float()


def test_what_is_off_draws_nothing() -> None:
    faces = torch.rand(5, 1, 48, 48, generator=_generator())
    generator, expected = _generator(9), _generator(9)
    augment(faces, Augmentation(rotate=10, shift=0.1, gamma=0.2), generator)
    for _ in range(8):  # flip, angle, scale, two shifts, contrast, brightness, gamma
        torch.rand(5, generator=expected)
    assert torch.equal(generator.get_state(), expected.get_state())


@pytest.mark.parametrize(
    "how", [Augmentation(glasses=0.5, erase=0.5, rotate=10), Augmentation(flip=0, shift=0.1)]
)
def test_the_generator_decides_the_views(how: Augmentation) -> None:
    faces = torch.rand(6, 1, 48, 48, generator=_generator())
    first = augment(faces, how, _generator(2))
    assert first.shape == (6, 1, 48, 48)
    assert torch.equal(first, augment(faces, how, _generator(2)))
    assert not torch.equal(first, augment(faces, how, _generator(3)))


def test_random_crops_are_squares_of_the_picture_at_places_of_their_own() -> None:
    crops = random_crop(_places(400), 44, _generator())
    corners = crops[:, 0, 0, 0].long()
    top, left = corners // 100, corners % 100
    assert set(top.tolist()) == set(left.tolist()) == {0, 1, 2, 3, 4}
    assert not torch.equal(top, left)
    offsets = crops[:, 0] - crops[:, 0, :1, :1]
    assert torch.equal(offsets, _places(400, 44)[:, 0])


def test_centre_crop_is_the_middle() -> None:
    faces = _places(2)
    assert torch.equal(centre_crop(faces, 44), faces[:, :, 2:46, 2:46])
    assert torch.equal(centre_crop(faces, 48), faces)


@pytest.mark.parametrize("side", [0, 49])
def test_crops_larger_than_the_picture_are_refused(side: int) -> None:
    with pytest.raises(ValueError, match=f"1 to 48, found {side}"):
        centre_crop(_places(1), side)
    with pytest.raises(ValueError, match=f"1 to 48, found {side}"):
        random_crop(_places(1), side, _generator())


def test_mixup_blends_pictures_and_targets_alike() -> None:
    count = 64
    faces = torch.arange(count).float().view(-1, 1, 1, 1).expand(-1, 1, 4, 4)
    targets = {"fer2013": torch.eye(count), "ferplus": torch.eye(count)}
    targets["ferplus"][5] = 0  # teaches nothing
    views, mixed = mixup(faces, targets, 0.4, _generator())
    own = mixed["fer2013"].diagonal()
    assert ((own >= 0) & (own <= 1)).all()
    torch.testing.assert_close(mixed["fer2013"].sum(1), torch.ones(count))
    blended = mixed["fer2013"] @ torch.arange(count).float()
    torch.testing.assert_close(views[:, 0, 2, 2], blended)
    assert mixed["ferplus"][5].sum() == pytest.approx(float(1 - own[5]), abs=1e-6)


@pytest.mark.parametrize("alpha", [0.01, 0.2, 1.0, 4.0])
def test_mixup_weights_follow_the_beta_distribution(alpha: float) -> None:
    count = 20_000
    faces = torch.zeros(count, 1, 1, 1)
    pairs = torch.tensor([[1.0, 0.0], [0.0, 1.0]]).repeat(count // 2, 1)
    _, mixed = mixup(faces, {"fer2013": pairs}, alpha, _generator())
    weight = mixed["fer2013"][::2, 0]
    assert torch.isfinite(weight).all()
    assert weight.mean().item() == pytest.approx(0.5, abs=0.02)
    assert weight.var().item() == pytest.approx(1 / (4 * (2 * alpha + 1)), rel=0.08)


def test_glasses_are_dark_around_the_eyes_and_leave_the_mouth() -> None:
    faces = torch.full((200, 1, 48, 48), 0.8)
    worn = draw_glasses(faces, 1.0, _generator())
    changed = (worn - faces).abs() > 0.05
    assert changed.any(dim=(1, 2, 3)).all()
    assert (worn <= faces + 1e-6).all()
    assert worn.min() >= 0
    assert not changed[:, :, :8].any()
    assert not changed[:, :, 32:].any()
    darkened = (faces - worn).mean((0, 1))
    over_the_nose = (faces - worn)[:, 0, 10:28, 23].amax(1)
    assert (over_the_nose > 0.1).all()
    torch.testing.assert_close(darkened, darkened.flip(1), atol=0.08, rtol=0)


def test_glasses_differ_from_picture_to_picture_and_with_the_side() -> None:
    worn = draw_glasses(torch.full((50, 1, 48, 48), 0.8), 1.0, _generator())
    assert len(torch.unique(worn.flatten(1), dim=0)) == 50
    doubled = draw_glasses(torch.full((50, 1, 96, 96), 0.8), 1.0, _generator())
    halved = torch.nn.functional.avg_pool2d(doubled, 2)
    assert (halved - worn).abs().mean() < 0.02


def test_only_some_wear_glasses() -> None:
    faces = torch.full((1000, 1, 48, 48), 0.8)
    worn = draw_glasses(faces, 0.25, _generator())
    part = (worn != faces).any(dim=3).any(dim=2).any(dim=1).float().mean().item()
    assert part == pytest.approx(0.25, abs=0.05)
    assert torch.equal(draw_glasses(faces, 0.0, _generator()), faces)
    # Those who wear them wear all kinds.
    everyone = draw_glasses(faces, 1.0, _generator()).flatten(1).amin(1)
    wearers = worn.flatten(1).amin(1)[(worn != faces).flatten(1).any(1)]
    assert wearers.mean().item() == pytest.approx(everyone.mean().item(), abs=0.02)


def test_all_options_together_stay_pictures() -> None:
    how = Augmentation(
        rotate=15,
        scale=0.25,
        shift=0.1,
        brightness=0.3,
        contrast=0.3,
        gamma=0.3,
        erase=0.5,
        glasses=0.5,
    )
    views = augment(torch.rand(64, 1, 48, 48, generator=_generator()), how, _generator())
    assert torch.isfinite(views).all()
    assert views.min() >= 0
    assert views.max() <= 1


@pytest.mark.parametrize("values", [{"glasses": 1.5}, {"flip": -0.1}, {"mixup": -1.0}])
def test_a_recipe_refuses_values_out_of_range(values: dict[str, float]) -> None:
    (key,) = values
    with pytest.raises(UserError, match=rf"\[augmentation\]: expected {key} of 0"):
        Augmentation(**values)
