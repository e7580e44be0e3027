"""Maps that a model gives with its logits: they cost nothing but the drawing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from models.explain.base import Crop, Map, Runner, scaled

Attention = Mapping[str, Map]
"""The outputs of one crop, as in `Prediction.attention`."""
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
    """Return the product of the spatial weights of all blocks; the same for every label.

    Woo et al., arXiv 1807.06521, section 3. The maps are enlarged first, linearly: cubic curves
    swing beyond small weights to below 0, which a product does not forgive. Of the product of n the
    n-th root is taken, which leaves the order of the places as it is and shows more than the
    greatest; the least place has 0.
    """
    total = np.zeros((size, size), np.float64)
    blocks = _blocks(attention)
    for name in blocks:
        values = cv2.resize(attention[name][0], (size, size), interpolation=cv2.INTER_LINEAR)
        total += np.log(np.clip(values, 1e-6, 1))
    product = np.exp(total / len(blocks)).astype(np.float32)
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


def theta_map(attention: Attention, _label_index: int, size: int) -> Map:
    """Return 1 inside the quadrilateral that the spatial transformer attends to, 0 outside.

    Jaderberg et al., arXiv 1506.02025, equation 1; the same for every label. Its edge is smooth.
    """
    corners = quadrilateral(attention["theta"], size)
    mask = np.zeros((size, size), np.uint8)
    fine = np.round(corners * 16).astype(np.int32)
    cv2.fillConvexPoly(mask, fine, 255, lineType=cv2.LINE_AA, shift=4)
    return (mask / np.float32(255)).astype(np.float32)


def quadrilateral(theta: Map, size: int) -> Map:
    """Return the corners (4, 2) of what is attended to, x and y in pixels of a crop of that size.

    theta: (2, 3), from -1 to 1 between the outer edges of the pixels, as the network has it. Whole
    numbers are the middles of pixels; clockwise, the one shown at top left first.
    """
    ends = np.array([[-1, 1, 1, -1], [-1, -1, 1, 1], [1, 1, 1, 1]], np.float32)
    return np.asarray(((theta @ ends).T + 1) * size / 2 - 0.5, np.float32)


def forward_explainers(runner: Runner) -> list[ForwardExplainer]:
    """Return those whose outputs the model has."""
    has = runner.card.outputs.keys()
    found: list[tuple[str, str, Read]] = []
    if "cam" in has:
        found.append(("cam", "class activation map", cam_map))
    blocks = _blocks(has)
    if blocks:
        found.append(("cbam", "spatial attention, all blocks", cbam_map))
    if "theta" in has:
        found.append(("theta", "spatial transformer", theta_map))
    if {"region", "square"} <= has:
        found.append(("region", "weights of the regions", region_map))
    found += [
        (name, f"spatial attention, block {name.removeprefix('spatial')}", block_map(name))
        for name in blocks
    ]
    return [ForwardExplainer(name, title, read, runner) for name, title, read in found]


def _blocks(names: Iterable[str]) -> list[str]:
    return sorted(
        (name for name in names if name.startswith("spatial")),
        key=lambda name: int(name.removeprefix("spatial")),
    )
