"""A recipe's network, what it is fed, and what it says."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.nets.network import Network
from models.nets.registry import find_architecture
from models.runtime.labels import LABEL_SETS
from models.training.recipe import Recipe


def build_network(recipe: Recipe) -> Network:
    """Build the recipe's architecture with one output for every label of its label sets."""
    outputs = sum(len(LABEL_SETS[name]) for name in recipe.labels)
    return find_architecture(recipe.architecture).build(outputs, recipe.network)


def normalise(views: Tensor, recipe: Recipe) -> Tensor:
    """Return views of 0 to 1 as the network takes them, channels last."""
    return ((views - recipe.mean) / recipe.std).contiguous(memory_format=torch.channels_last)


@torch.inference_mode()
def predict(network: Network, pixels: Tensor, recipe: Recipe) -> NDArray[np.float32]:
    """Return logits (N, outputs) of pixels (N, 1, S, S) uint8, in float32, one crop."""
    network.eval()
    batches = torch.split(pixels, 1024)
    parts = [network(normalise(batch / 255, recipe)).float().cpu().numpy() for batch in batches]
    return np.concatenate(parts)


def split_arrays(
    logits: NDArray[np.float32], label_sets: list[str]
) -> dict[str, NDArray[np.float32]]:
    """Cut logits (N, outputs) into (N, C) by label set, in the order given."""
    ends = np.cumsum([len(LABEL_SETS[name]) for name in label_sets])[:-1]
    return dict(zip(label_sets, np.split(logits, ends, axis=1), strict=True))
