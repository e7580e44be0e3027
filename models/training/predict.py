"""A recipe's network, what it is fed, and what it says."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from models.nets.cbam_resnet import AngularLinear
from models.nets.network import Network
from models.nets.ran import RegionAttentionNetwork
from models.nets.registry import find_architecture
from models.runtime.card import InputSpec
from models.runtime.errors import UserError
from models.runtime.labels import LABEL_SETS
from models.runtime.preprocess import to_input
from models.training.augment import centre_crop
from models.training.recipe import Recipe


def build_network(recipe: Recipe) -> Network:
    """Build the recipe's architecture with one output for every label of its label sets.

    Raises `UserError` for an architecture or option that does not exist, and for a loss that
    this network has nothing to say to.
    """
    outputs = sum(len(LABEL_SETS[name]) for name in recipe.labels)
    architecture = find_architecture(recipe.architecture)
    if architecture.only_size not in (None, recipe.input_size):
        raise UserError(
            f"recipe: expected input_size {architecture.only_size} with {recipe.architecture}, "
            f"found {recipe.input_size}: its layers fit no other size"
        )
    network = architecture.build(outputs, recipe.network)
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


def sized(parts: Tensor, recipe: Recipe) -> Tensor:
    """Return parts of pictures (N, 1, F, F) drawn at the side of the network's input.

    Smaller by the mean over areas, as `models.crops.cut` and the live program do it: a smoother way
    in training costs half a point there.
    """
    side, before = recipe.input_size, parts.shape[3]
    if before == side:
        return parts
    if before < side:
        return F.interpolate(parts, (side, side), mode="bilinear")
    means = _area_means(before, side, parts.device, parts.dtype)
    return means @ parts @ means.T


@cache
def _area_means(before: int, after: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    """Return the matrix (after, before) that takes a row of pixels to means over equal parts."""
    part = before / after
    ends = torch.arange(after + 1, dtype=torch.float64)[:, None] * part
    pixels = torch.arange(before, dtype=torch.float64)
    shared = torch.minimum(ends[1:], pixels + 1) - torch.maximum(ends[:-1], pixels)
    return (shared.clamp_min(0) / part).to(device, dtype)


@torch.inference_mode()
def predict(network: Network, pixels: Tensor, recipe: Recipe) -> NDArray[np.float32]:
    """Return logits (N, outputs) of pixels (N, 1, 48, 48) uint8, in float32, one crop."""
    network.eval()
    # Small enough for the cache of a CPU; a region network looks six times.
    batches = torch.split(pixels, 1024 if pixels.is_cuda else 256)
    found = []
    for batch in batches:
        parts = sized(centre_crop(batch / 255, recipe.field), recipe)
        found.append(network(normalise(parts, recipe)).float())
    return torch.cat(found).cpu().numpy()


def network_logits(
    network: Network, spec: InputSpec
) -> Callable[[NDArray[np.uint8]], NDArray[np.float32]]:
    """Return what gives a network's logits (N, outputs) of crops (N, S, S) uint8.

    The crops take the way that they take in the live program, so that figures can be compared.
    """
    device = next(network.parameters()).device
    network.eval()

    @torch.inference_mode()
    def logits(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        batch = torch.from_numpy(to_input(list(crops), spec)).to(device)
        found: NDArray[np.float32] = network(batch).float().cpu().numpy()
        return found

    return logits


def split_arrays(
    logits: NDArray[np.float32], label_sets: list[str]
) -> dict[str, NDArray[np.float32]]:
    """Cut logits (N, outputs) into (N, C) by label set, in the order given."""
    ends = np.cumsum([len(LABEL_SETS[name]) for name in label_sets])[:-1]
    return dict(zip(label_sets, np.split(logits, ends, axis=1), strict=True))
