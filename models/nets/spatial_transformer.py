"""The spatial transformer: a network that chooses where to look.

Jaderberg et al., "Spatial Transformer Networks", arXiv 1506.02025, section 3.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Localisation(nn.Module):
    """Read a picture (N, 1, 48, 48) and return an affine map theta (N, 2, 3).

    Layer for layer as printed for Deep-Emotion: 7x7 and 5x5 convolutions, each halved, then
    640 -> 32 -> 6. It starts as the identity (appendix A).
    """

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 8, 7),
            nn.MaxPool2d(2),
            nn.ReLU(),
            nn.Conv2d(8, 10, 5),
            nn.MaxPool2d(2),
            nn.ReLU(),
        )
        self.regression = nn.Sequential(nn.Linear(640, 32), nn.ReLU(), nn.Linear(32, 6))
        last = self.regression[-1]
        assert isinstance(last, nn.Linear)
        nn.init.zeros_(last.weight)
        with torch.no_grad():
            last.bias.copy_(torch.tensor([1.0, 0.0, 0.0, 0.0, 1.0, 0.0]))

    def forward(self, x: Tensor) -> Tensor:
        theta: Tensor = self.regression(self.features(x).flatten(1))
        return theta.view(-1, 2, 3)


def warp(maps: Tensor, theta: Tensor) -> Tensor:
    """Resample maps (N, C, H, W) where theta (N, 2, 3) says; equations 1 and 5.

    The sampling grid is written out, rather than left to `affine_grid`, so that it exports to
    ONNX operators that every runtime has. Coordinates run from -1 to 1 between pixel edges.
    """
    height, width = maps.shape[-2:]
    y = (torch.arange(height, device=maps.device, dtype=maps.dtype) * 2 + 1) / height - 1
    x = (torch.arange(width, device=maps.device, dtype=maps.dtype) * 2 + 1) / width - 1
    places = torch.stack(
        [x.repeat(height), y.repeat_interleave(width), torch.ones_like(x).repeat(height)]
    )
    grid = (theta.to(maps.dtype) @ places).transpose(1, 2).reshape(-1, height, width, 2)
    return F.grid_sample(maps, grid, align_corners=False)
