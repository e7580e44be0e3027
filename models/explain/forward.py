"""Maps that a model gives with its logits: they cost nothing but the drawing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from models.explain.attention import (
    Attention,
    Map,
    Reach,
    block_names,
    reach_of,
    seen_from,
    spatial_product,
)
from models.explain.base import Crop, Runner, scaled

Read = Callable[[Attention, int, int], Map]
"""From the outputs of one crop, the label's index and the side S to a map (S, S), 0 to 1."""


@dataclass(frozen=True, slots=True)
class ForwardExplainer:
    """Turn one or more outputs of a model into a map."""

    name: str
    title: str
    read: Read
    runner: Runner

    def explain(self, crop: Crop, label_index: int) -> Map:
        """Return the map (S, S) float32, 0 to 1, of a crop (S, S) uint8 gray."""
        outputs = self.runner.run([crop])
        attention = {name: values[0] for name, values in outputs.items()}
        return self.read(attention, label_index, self.runner.size)


def cam_map(attention: Attention, label_index: int, size: int) -> Map:
    """Return the class activation map of a label (Zhou et al., arXiv 1512.04150)."""
    return scaled(attention["cam"][label_index], size)


def cbam_map(attention: Attention, _label_index: int, size: int) -> Map:
    """Return `spatial_product` stretched, so that the least place has 0; alike for every label."""
    product = spatial_product(attention, size)
    return scaled(product - product.min(), size)


def block_map(name: str) -> Read:
    """Return how to read the spatial weights of one block, such as "spatial3"."""

    def read(attention: Attention, _label_index: int, size: int) -> Map:
        values = attention[name][0]
        return scaled(values - values.min(), size)

    return read


def region_map(attention: Attention, _label_index: int, size: int) -> Map:
    """Return the regions' weights painted on their squares; the same for every label.

    Wang et al., arXiv 1905.04075, section 3. A place has the sum of the weights of the squares
    that cover it; the whole face, which covers all places alike, is left out, and the least
    covered place has 0.
    """
    painted = np.zeros((size, size), np.float32)
    squares, weights = attention["square"], attention["region"]
    for (left, top, right, bottom), weight in zip(squares[1:], weights[1:], strict=True):
        rows = slice(round(float(top) * size), round(float(bottom) * size))
        columns = slice(round(float(left) * size), round(float(right) * size))
        painted[rows, columns] += weight
    return scaled(painted - painted.min(), size)


def theta_map(reach: Reach) -> Read:
    """Return how to read where the spatial transformer lets the network see: 1 there, 0 elsewhere.

    Jaderberg et al., arXiv 1506.02025, equation 1; the same for every label. Its edge is smooth.
    """

    def read(attention: Attention, _label_index: int, size: int) -> Map:
        outline = seen_from(attention["theta"], size, reach)
        mask = np.zeros((size, size), np.uint8)
        fine = np.round(outline * 16).astype(np.int32)
        cv2.fillConvexPoly(mask, fine, 255, lineType=cv2.LINE_AA, shift=4)
        return (mask / np.float32(255)).astype(np.float32)

    return read


def forward_explainers(runner: Runner) -> list[ForwardExplainer]:
    """Return those whose outputs the model has."""
    has = runner.card.outputs.keys()
    found: list[tuple[str, str, Read]] = []
    if "cam" in has:
        found.append(("cam", "class activation map", cam_map))
    blocks = block_names(has)
    if blocks:
        found.append(("cbam", "spatial attention, all blocks", cbam_map))
    if "theta" in has:
        reach = reach_of(runner.card.architecture)
        found.append(("theta", "spatial transformer", theta_map(reach)))
    if {"region", "square"} <= has:
        found.append(("region", "weights of the regions", region_map))
    found += [
        (name, f"spatial attention, block {name.removeprefix('spatial')}", block_map(name))
        for name in blocks
    ]
    return [ForwardExplainer(name, title, read, runner) for name, title, read in found]
