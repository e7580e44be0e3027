"""How the weights move, and what sharpness-aware minimisation leaves behind."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from models.data.face_set import FaceSet
from models.runtime.errors import UserError
from models.training.distributed import Group
from models.training.examples import make_examples
from models.training.loop import Trainer
from models.training.optimisers import OPTIMISERS, make_optimiser, sharpness_aware_step
from models.training.recipe import Augmentation, Recipe

pytestmark = pytest.mark.train

CPU = torch.device("cpu")
RATES = {"adamw": 8e-3, "sgd": 0.1, "sam": 0.1}


@pytest.mark.parametrize("name", OPTIMISERS)
def test_every_optimiser_lowers_the_loss(name: str, recipe: Recipe, faces: FaceSet) -> None:
    how = replace(
        recipe, optimiser=name, learning_rate=RATES[name], augmentation=Augmentation(flip=0)
    )
    trainer = Trainer(how, CPU)
    examples = make_examples(faces.select(np.arange(24, 32)), trainer.label_sets, CPU)
    # Eight pictures are one batch, so an epoch is a step, and its loss that before the step.
    losses = [trainer.train_epoch(examples) for _ in range(4)]
    assert losses[3] < losses[0] - 0.1


def test_only_kernels_decay() -> None:
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4))
    optimiser = make_optimiser("sgd", network, learning_rate=0.1, weight_decay=0.5, momentum=0.0)
    before = deepcopy(network.state_dict())
    for parameter in network.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimiser.step()
    after = network.state_dict()
    torch.testing.assert_close(after["0.weight"], before["0.weight"] * 0.95)
    for name in ("0.bias", "1.weight", "1.bias"):
        assert torch.equal(after[name], before[name]), name


def test_a_part_moves_at_its_own_share_of_the_rate() -> None:
    network = nn.Sequential(nn.Linear(2, 1), nn.Linear(2, 1))
    optimiser = make_optimiser(
        "sgd", network, learning_rate=0.5, weight_decay=0.0, momentum=0.0, rates={"1": 0.1}
    )
    before = deepcopy(network.state_dict())
    for parameter in network.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimiser.step()
    moved = {name: before[name] - value for name, value in network.state_dict().items()}
    torch.testing.assert_close(moved["0.weight"], torch.full((1, 2), 0.5))
    torch.testing.assert_close(moved["1.weight"], torch.full((1, 2), 0.05))


def test_the_share_of_a_part_holds_through_the_schedule(recipe: Recipe, faces: FaceSet) -> None:
    trainer = Trainer(replace(recipe, rates={"classifier": 0.0}), CPU)
    before = deepcopy(trainer.network.state_dict())
    trainer.train_epoch(make_examples(faces.select(np.arange(24, 32)), trainer.label_sets, CPU))
    for name, value in trainer.network.named_parameters():
        assert torch.equal(value, before[name]) == name.startswith("classifier."), name


def test_a_share_for_a_part_that_is_not_there_is_refused(recipe: Recipe) -> None:
    with pytest.raises(UserError, match=r"\[rates\].*found 'classifer'"):
        Trainer(replace(recipe, rates={"classifer": 0.5}), CPU)


def test_sgd_goes_without_momentum_too() -> None:
    network = nn.Linear(2, 1)
    optimiser = make_optimiser("sgd", network, learning_rate=0.5, weight_decay=0.0, momentum=0.0)
    before = network.weight.detach().clone()
    network.weight.grad = torch.ones_like(network.weight)
    optimiser.step()
    torch.testing.assert_close(network.weight.detach(), before - 0.5)


class Bowl(nn.Module):
    """Half the squared length of its weights: the gradient is the weights themselves."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([3.0, 4.0]))

    def loss(self) -> Tensor:
        return self.weight.square().sum() / 2


def test_the_gradient_left_is_that_of_the_worst_point_near() -> None:
    bowl = Bowl()
    found = sharpness_aware_step(bowl, bowl.loss, radius=0.05)
    # The weights are 5 long: the climb makes them 1.01 times as long.
    assert bowl.weight.grad is not None
    torch.testing.assert_close(bowl.weight.grad, torch.tensor([3.03, 4.04]))
    assert found.item() == 12.5
    assert not found.requires_grad


def test_the_weights_come_back_to_the_last_bit() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 4))
    x = torch.randn(8, 16)
    before = deepcopy(network.state_dict())
    seen: list[Tensor] = []

    def loss() -> Tensor:
        seen.append(network[0].weight.detach().clone())  # type: ignore[operator]
        value: Tensor = network(x).square().mean()
        return value

    sharpness_aware_step(network, loss)
    assert not torch.equal(seen[0], seen[1])
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_the_running_statistics_are_those_of_the_first_pass() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Linear(8, 1))
    once = deepcopy(network)
    x = torch.randn(16, 4)
    once(x)
    sharpness_aware_step(network, lambda: network(x).square().mean(), radius=1.0)
    for (name, found), expected in zip(network.named_buffers(), once.buffers(), strict=True):
        assert torch.equal(found, expected), name


def test_both_passes_drop_the_same_units_and_the_next_step_others() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(64, 64), nn.Dropout(0.5))
    dropped: list[Tensor] = []

    def loss() -> Tensor:
        outputs = network(torch.ones(4, 64))
        dropped.append(outputs == 0)
        value: Tensor = outputs.square().mean()
        return value

    sharpness_aware_step(network, loss)
    sharpness_aware_step(network, loss)
    assert torch.equal(dropped[0], dropped[1])
    assert torch.equal(dropped[2], dropped[3])
    assert not torch.equal(dropped[0], dropped[2])


def test_sam_with_several_processes_is_refused(recipe: Recipe) -> None:
    with pytest.raises(UserError, match=r"adamw or sgd with several processes, found sam with 2"):
        Trainer(replace(recipe, optimiser="sam"), CPU, Group(rank=0, size=2))
