"""A recipe's network, what it is fed, and what it says."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.nets.cbam_resnet import AngularLinear
from models.nets.network import Network
from models.nets.ran import RegionAttentionNetwork
from models.nets.registry import find_architecture
from models.runtime.errors import UserError
from models.runtime.labels import LABEL_SETS
from models.training.recipe import Recipe


def build_network(recipe: Recipe) -> Network:
    """Build the recipe's architecture with one output for every label of its label sets.

    Raises `UserError` for an architecture or option that does not exist, and for a loss that
    this network has nothing to say to.
    """
    outputs = sum(len(LABEL_SETS[name]) for name in recipe.labels)
    network = find_architecture(recipe.architecture).build(outputs, recipe.network)
    if recipe.loss == "a_softmax" and not isinstance(network.classifier, AngularLinear):
        raise UserError(
            "recipe: expected loss a_softmax with a network that measures angles, such as "
            f"cbam_resnet18, found {recipe.architecture}: use softmax, or that network"
        )
    if recipe.region_margin and not isinstance(network, RegionAttentionNetwork):
        raise UserError(
            "recipe: expected region_margin with a network that weighs regions, such as ran, "
            f"found {recipe.architecture}: leave it out, or use that network"
        )
    return network


def normalise(views: Tensor, recipe: Recipe) -> Tensor:
    """Return views of 0 to 1 as the network takes them, channels last."""
    return ((views - recipe.mean) / recipe.std).contiguous(memory_format=torch.channels_last)


@torch.inference_mode()
def predict(network: Network, pixels: Tensor, recipe: Recipe) -> NDArray[np.float32]:
    """Return logits (N, outputs) of pixels (N, 1, S, S) uint8, in float32, one crop."""
    network.eval()
    batches = torch.split(pixels, 256)  # a region network looks six times
    parts = [network(normalise(batch / 255, recipe)).float().cpu().numpy() for batch in batches]
    return np.concatenate(parts)


def split_arrays(
    logits: NDArray[np.float32], label_sets: list[str]
) -> dict[str, NDArray[np.float32]]:
    """Cut logits (N, outputs) into (N, C) by label set, in the order given."""
    ends = np.cumsum([len(LABEL_SETS[name]) for name in label_sets])[:-1]
    return dict(zip(label_sets, np.split(logits, ends, axis=1), strict=True))
