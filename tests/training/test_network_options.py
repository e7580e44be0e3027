"""[network] of a recipe, and losses that want a certain network."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from models.nets.cbam_resnet import CbamResnet18
from models.nets.ran import TRUNKS
from models.nets.registry import find_architecture
from models.runtime.errors import UserError
from models.training.predict import build_network
from models.training.recipe import Recipe, bundled_recipes, read_recipe

pytestmark = pytest.mark.train


def recipe(architecture: str, **changes: Any) -> Recipe:
    values = {"architecture": architecture, "labels": {"fer2013": 1.0}, "epochs": 1}
    return Recipe.from_dict(values | changes)


@pytest.mark.parametrize(
    ("architecture", "options", "sentence"),
    [
        ("simple_cnn", {"dropuot": 0.1}, "dropuot: simple_cnn has no .*; did you mean 'dropout'?"),
        ("ran", {"region": "fixed"}, "ran has no such option; did you mean 'regions'?"),
        ("cbam_resnet18", {"xyz": 1}, "has no such option; it takes order, dropout, width"),
        ("mini_xception", {"dropout": 0.1}, "mini_xception has no such option; it takes none"),
        ("simple_cnn", {"dropout": "much"}, "dropout: expected float, found 'much'"),
        ("simple_cnn", {"dropout": True}, "dropout: expected float, found True"),
        ("ran", {"trunk": 18}, "trunk: expected str, found 18"),
        ("cbam_resnet18", {"width": 40}, "expected width to be a multiple of 16, found 40"),
        ("cbam_resnet18", {"order": "last"}, "order channel_first, spatial_first, parallel, found"),
        ("ran", {"trunk": "vgg"}, "cbam_resnet18, vgg16, mini_xception, found"),
        ("vgg", {"depth": 18}, "depth 13, 16, 19, found 18"),
        ("ran", {"regions": "eyes"}, "regions fixed, random, landmarks, found 'eyes'"),
        ("simple_cnn", {"dropout": 2.0}, "dropout probability"),
    ],
)
def test_a_fault_is_named(architecture: str, options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence) as caught:
        build_network(recipe(architecture, network=options))
    assert str(caught.value).startswith("recipe, [network]")
    assert "\n" not in str(caught.value)


def test_options_reach_the_network() -> None:
    network = build_network(recipe("cbam_resnet18", network={"order": "parallel", "dropout": 0}))
    assert isinstance(network, CbamResnet18)
    assert network.dropout.p == 0.0
    assert {block.attention.order for block in network.trunk.blocks} == {"parallel"}  # type: ignore[union-attr]
    # What comes from a recipe is left as it came.
    options = {"dropout": 0}
    find_architecture("simple_cnn").build(7, options)
    assert options == {"dropout": 0}


@pytest.mark.parametrize("trunk", TRUNKS)
def test_every_trunk_carries_a_region_network(trunk: str) -> None:
    network = build_network(recipe("ran", network={"trunk": trunk})).eval()
    with torch.inference_mode():
        assert network(torch.rand(1, 1, 48, 48)).shape == (1, 7)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"loss": "a_softmax"}, "a_softmax with a network that measures angles.*found deep_emo"),
        ({"region_margin": 0.1}, "region_margin with a network that weighs regions.*found deep_e"),
    ],
)
def test_a_loss_that_the_network_cannot_have_is_refused(
    changes: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(UserError, match=sentence):
        build_network(recipe("deep_emotion", **changes))


@pytest.mark.parametrize("name", bundled_recipes())
def test_every_bundled_recipe_builds(name: str) -> None:
    assert isinstance(build_network(read_recipe(name)), nn.Module)
