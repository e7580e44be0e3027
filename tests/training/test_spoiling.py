"""Views that are made as bad as poor light and poor cameras make them."""

from __future__ import annotations

import pytest
import torch
from torch import Generator, Tensor

from models.runtime.errors import UserError
from models.training.augment import augment
from models.training.recipe import Augmentation
from models.training.webcam_spoiling import _blurred, _half, spoil

pytestmark = pytest.mark.train


def seeded(seed: int = 1) -> Generator:
    return Generator().manual_seed(seed)


def faces(count: int = 64, side: int = 48) -> Tensor:
    """Return light pictures with an edge down the middle."""
    made = torch.full((count, 1, side, side), 0.5)
    made[..., side // 2 :] = 0.9
    return made


@pytest.mark.parametrize("side", [36, 48, 64])
def test_the_same_draws_spoil_alike_and_stay_within_range(side: int) -> None:
    before = faces(side=side)
    one, same = spoil(before, 1.0, seeded()), spoil(before, 1.0, seeded())
    assert one.shape == before.shape
    assert torch.equal(one, same)
    assert not torch.equal(one, spoil(before, 1.0, seeded(2)))
    assert one.min() >= 0
    assert one.max() <= 1
    assert torch.equal(before, faces(side=side))


def test_as_many_are_spoilt_as_is_said() -> None:
    """Of the spoilt ones fifteen of sixteen are seen to be: with each kind left out by chance."""
    before = faces(1000)
    for probability in (0.0, 0.3, 1.0):
        changed = (spoil(before, probability, seeded()) != before).flatten(1).any(1)
        assert float(changed.float().mean()) == pytest.approx(probability * 15 / 16, abs=0.05)


def test_every_kind_comes_up() -> None:
    before = faces(400)
    spoilt = spoil(before, 1.0, seeded())
    means, grain = (
        spoilt.mean((1, 2, 3)),
        (spoilt[..., 1:, :20] - spoilt[..., :-1, :20]).std((1, 2, 3)),
    )
    assert (means < 0.3).float().mean() > 0.15  # dim
    assert (grain > 0.03).float().mean() > 0.25  # noisy
    left, right = spoilt[..., :12].mean((1, 2, 3)), spoilt[..., -12:].mean((1, 2, 3))
    ratio = left / right  # 0.56 where the light is even
    assert (ratio > 1).any()
    assert (ratio < 0.2).any()
    step = (spoilt[..., 24] - spoilt[..., 23]).mean((1, 2)) / (means + 1e-6)
    clear = grain < 0.005
    assert (step[clear] < 0.2).any()  # out of focus
    assert (step[clear] > 0.5).any()


def test_a_blur_keeps_the_light_and_has_the_width_that_is_said() -> None:
    spots = torch.zeros(2, 1, 48, 48)
    spots[:, :, 24, 24] = 1
    blurred = _blurred(spots, torch.tensor([1.0, 1.8]).view(2, 1, 1, 1))
    assert blurred.sum((1, 2, 3)).tolist() == pytest.approx([1, 1], abs=1e-5)
    away = (torch.arange(48) - 24.0) ** 2
    spread = (blurred.sum(2)[:, 0] * away).sum(1).sqrt()
    assert spread.tolist() == pytest.approx([1.0, 1.8], abs=0.02)
    assert torch.equal(_blurred(spots, torch.zeros(2, 1, 1, 1)), spots)


def test_a_shadow_falls_on_the_side_that_is_drawn() -> None:
    weights = _half(faces(2), torch.tensor([1.0, -1.0]).view(2, 1, 1, 1))
    assert weights.shape == (2, 1, 1, 48)
    assert weights[0, 0, 0, 0] < 0.01
    assert weights[0, 0, 0, -1] > 0.99
    assert torch.allclose(weights[0], weights[1].flip(2))


def test_recipes_without_it_give_the_views_that_they_gave() -> None:
    plain = Augmentation(rotate=10, erase=0.5)
    with_it = Augmentation(rotate=10, erase=0.5, spoil=0.4)
    views = augment(faces(), plain, seeded())
    assert torch.equal(views, augment(faces(), plain, seeded()))
    assert not torch.equal(views, augment(faces(), with_it, seeded()))


def test_what_is_no_probability_is_refused() -> None:
    with pytest.raises(UserError, match="spoil"):
        Augmentation(spoil=1.5)
