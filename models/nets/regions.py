"""The regions of a face that a region attention network looks at.

Wang et al., "Region Attention Networks for Pose and Occlusion Robust Facial Expression
Recognition", arXiv 1905.04075, section 3.2. A region is a square (left, top, right, bottom) in
parts of the crop's side; the first one is always the whole face.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from models.runtime.card import FER2013_SIDE
from models.runtime.framing import EYES, MOUTH

WHOLE = (0.0, 0.0, 1.0, 1.0)
FIXED = (
    WHOLE,
    (0.0, 0.0, 0.75, 0.75),
    (0.25, 0.0, 1.0, 0.75),
    (0.125, 0.25, 0.875, 1.0),
    (0.05, 0.05, 0.95, 0.95),
    (0.075, 0.075, 0.925, 0.925),
)
"""Top left, top right and bottom centre at 0.75, the middle at 0.90 and 0.85."""


def fixed_regions() -> Tensor:
    """Return the whole face and the five fixed regions, (6, 4)."""
    return torch.tensor(FIXED)


def random_regions(count: int = 5) -> Tensor:
    """Return the whole face and `count` squares of 0.7 to 0.95 anywhere in it, (1 + count, 4).

    Drawn from torch's own generator of the CPU.
    """
    side = 0.7 + 0.25 * torch.rand(count)
    left, top = torch.rand(2, count) * (1 - side)
    drawn = torch.stack([left, top, left + side, top + side], dim=1)
    return torch.cat([torch.tensor([WHOLE]), drawn])


def landmark_regions(side: float = 0.5) -> Tensor:
    """Return the whole face and squares round eyes, nose tip and mouth corners, (6, 4).

    The crops are aligned, so the points are those of the FER2013 template; a square that would
    leave the crop is moved inside.
    """
    mouth_x, mouth_y = MOUTH
    nose = (23.8, 28.0)
    points = (*EYES, nose, (mouth_x - 7.5, mouth_y), (mouth_x + 7.5, mouth_y))
    squares = [WHOLE]
    for x, y in points:
        left = min(max(x / FER2013_SIDE - side / 2, 0.0), 1 - side)
        top = min(max(y / FER2013_SIDE - side / 2, 0.0), 1 - side)
        squares.append((left, top, left + side, top + side))
    return torch.tensor(squares)


def cut(x: Tensor, regions: Tensor) -> Tensor:
    """Cut R regions (R, 4) out of pictures (N, C, S, S), each resized to S: (R * N, C, S, S).

    Region by region, so that row `r * N + n` is region r of picture n.
    """
    count = x.shape[0]
    side = x.shape[-1]
    centre = (torch.arange(side, device=x.device, dtype=x.dtype) + 0.5) / side
    grids = []
    for region in regions.to(x).unbind(0):
        left, top, right, bottom = region.unbind(0)
        across = (left + (right - left) * centre) * 2 - 1
        down = (top + (bottom - top) * centre) * 2 - 1
        grids.append(torch.stack([across.expand(side, side), down[:, None].expand(side, side)], 2))
    cuts = [
        F.grid_sample(x, grid.expand(count, -1, -1, -1), padding_mode="border", align_corners=False)
        for grid in grids
    ]
    return torch.cat(cuts)
