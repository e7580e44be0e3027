"""What networks that warp features see of the crop: outline and gradient agree."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from models.explain.attention import FEATURES, reach_of, seen_from
from models.nets.registry import find_architecture

pytestmark = pytest.mark.train

THETAS = [
    [[0.5, 0.0, 0.1], [0.0, 0.5, -0.1]],
    [[0.45, 0.2, 0.0], [-0.2, 0.45, 0.05]],
]


@pytest.mark.parametrize("theta", THETAS)
@pytest.mark.parametrize("name", ["deep_emotion", *FEATURES])
def test_the_outline_holds_all_that_changes_the_logits(name: str, theta: list[list[float]]) -> None:
    used = used_pixels(name, theta)
    outline = seen_from(np.array(theta, np.float32), 48, reach_of(name))
    inside = np.zeros((48, 48), np.uint8)
    cv2.fillConvexPoly(inside, np.round(outline * 16).astype(np.int32), 1, cv2.LINE_8, 4)
    # Between two places a value is read from both: a pixel or, of features, a cell more.
    margin = 1 if name == "deep_emotion" else 4
    near = cv2.dilate(inside, np.ones((2 * margin + 1, 2 * margin + 1), np.uint8))
    assert not used[near == 0].any()
    assert used[inside == 1].mean() > 0.85


def used_pixels(name: str, theta: list[list[float]]) -> NDArray[np.bool_]:
    """Return which pixels (48, 48) change any logit of a network that looks at theta."""
    torch.manual_seed(0)
    network = find_architecture(name).build(7, {}).eval()
    last = network.get_submodule("localisation.regression.2")
    assert isinstance(last, torch.nn.Linear)
    with torch.no_grad():
        last.weight.zero_()
        last.bias.copy_(torch.tensor(theta).flatten())
    crops = torch.rand(24, 1, 48, 48, requires_grad=True)
    network(crops).abs().sum().backward()
    assert crops.grad is not None
    used: NDArray[np.bool_] = (crops.grad.abs().sum((0, 1)) > 1e-9).numpy()
    return used
