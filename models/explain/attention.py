"""What the attention outputs of a model say of the places of a crop."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Map = NDArray[np.float32]
Attention = Mapping[str, Map]
"""The outputs of one crop, as in `Prediction.attention`."""

_ENDS = np.array([[-1, 1, 1, -1], [-1, -1, 1, 1], [1, 1, 1, 1]], np.float32)


@dataclass(frozen=True, slots=True)
class Reach:
    """Say what a spatial transformer's theta moves, in parts of the crop's side.

    span: of the grid that theta maps. sight: how far beyond the grid's own edge its outermost
    points see.
    """

    span: float = 1.0
    sight: float = 0.0


PICTURE = Reach()
"""The picture itself is warped: what is seen is the quadrilateral."""
FEATURES: dict[str, Reach] = {
    "deep_emotion_parallel": Reach(36 / 48, 6 / 48),
    "acn": Reach(36 / 48, 10 / 48),
}
"""Networks that warp their 9 x 9 features: those stand 4 of 48 pixels apart, and each sees a square
of 16 pixels around it, with ACN's fifth convolution of 24."""


def reach_of(architecture: str) -> Reach:
    """Return what the transformer of an architecture moves; most move the picture."""
    return FEATURES.get(architecture, PICTURE)


def spatial_product(attention: Attention, size: int) -> Map:
    """Return the product (size, size) of the spatial weights of all blocks, 0 to 1.

    Woo et al., arXiv 1807.06521, section 3. The maps are enlarged first, linearly: cubic curves
    swing beyond small weights to below 0, which a product does not forgive. Of the product of n the
    n-th root is taken, which leaves the order of the places as it is and numbers that can be read.
    Raises `ValueError` where the model has no such block.
    """
    blocks = block_names(attention)
    if not blocks:
        raise ValueError("expected spatial weights of at least one block, found none")
    total = np.zeros((size, size), np.float32)
    for name in blocks:
        values = cv2.resize(attention[name][0], (size, size), interpolation=cv2.INTER_LINEAR)
        total += np.log(np.clip(values, 1e-6, 1))
    return np.asarray(np.exp(total / len(blocks)), np.float32)


def quadrilateral(theta: Map, size: int, reach: Reach) -> Map:
    """Return the corners (4, 2) of what is attended to, x and y in pixels of a crop of that size.

    theta: (2, 3), maps places of what is made to places of what there is, both -1 to 1 between the
    edges of the outermost pixels, or features. Whole numbers are the middles of pixels; clockwise,
    the one shown at top left first. Jaderberg et al., arXiv 1506.02025, equation 1.
    """
    return np.asarray(((theta @ _ENDS).T * reach.span + 1) * size / 2 - 0.5, np.float32)


def seen_from(theta: Map, size: int, reach: Reach) -> Map:
    """Return the outline (K, 2) of all that the network sees, in pixels as `quadrilateral`.

    Where features are warped it is larger than that: each feature sees a square around it.
    """
    corners = quadrilateral(theta, size, reach)
    if reach.sight == 0:
        return corners
    squares = corners[:, None] + _ENDS[:2].T * np.float32(reach.sight * size)
    # The sum of a quadrilateral and an upright square.
    return np.asarray(cv2.convexHull(squares.reshape(-1, 2)), np.float32).reshape(-1, 2)


def block_names(names: Iterable[str]) -> list[str]:
    """Return those of outputs that are spatial weights of a block, the first block first."""
    return sorted(
        (name for name in names if name.startswith("spatial")),
        key=lambda name: int(name.removeprefix("spatial")),
    )
