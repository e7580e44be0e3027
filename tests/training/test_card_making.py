from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from models.card_making import title_of
from models.training.recipe import Recipe

pytestmark = pytest.mark.train


@pytest.mark.parametrize(
    ("network", "title"),
    [
        ({}, "CBAM-ResNet-18"),
        ({"width": 64}, "CBAM-ResNet-18"),
        ({"width": 32, "order": "parallel"}, "CBAM-ResNet-18, half the channels"),
        ({"width": 16}, "CBAM-ResNet-18, a quarter of the channels"),
        ({"width": 48}, "CBAM-ResNet-18, 48 channels"),
    ],
)
def test_a_network_of_fewer_channels_is_told_from_the_usual(
    recipe: Recipe, network: dict[str, Any], title: str
) -> None:
    assert title_of(replace(recipe, architecture="cbam_resnet18", network=network)) == title
    assert title_of(recipe) == "mini-Xception"
