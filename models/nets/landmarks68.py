"""A small network for 68 landmarks and how much they can be relied on.

Inverted bottlenecks (Sandler et al., "MobileNetV2", arXiv 1801.04381, section 3.3) down to a
sixteenth, joined on the way up again; one heat map a landmark, whose centre of mass is the point
(Sun et al., "Integral Human Pose Regression", arXiv 1711.08229, equation 2).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.runtime.landmark_crop import CROP, POINTS

_STRIDE = 4
# The maps reach one cell beyond the crop on every side: a chin may lie there.
_BORDER = 1


class _Conv(nn.Sequential):
    """Convolve and normalise."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        size: int = 1,
        *,
        stride: int = 1,
        groups: int = 1,
        border: int = 0,
    ) -> None:
        around = size // 2 + border
        super().__init__(
            nn.Conv2d(inputs, outputs, size, stride, around, groups=groups, bias=False),
            nn.BatchNorm2d(outputs),
        )


class _Block(nn.Module):
    """Look at each channel's neighbourhood, then mix the channels in a wider layer; add the input.

    Liu et al., "A ConvNet for the 2020s", arXiv 2201.03545, section 2.4, with batch normalisation
    and ReLU, which cost nothing once trained.
    """

    def __init__(self, channels: int, wide: int, size: int = 5) -> None:
        super().__init__()
        self.body = nn.Sequential(
            _Conv(channels, channels, size, groups=channels),
            nn.Conv2d(channels, wide, 1),
            nn.ReLU(),
            _Conv(wide, channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.body(x)
        return out


class Landmarks68(nn.Module):
    """Map a gray crop around a face to its landmarks.

    Input: (N, 1, 64, 64) float32, 0 to 1, cut as `models.runtime.landmark_crop` says; each crop
    is brought to mean 0 and deviation 1 here, so that light matters little.
    """

    def __init__(self) -> None:
        super().__init__()
        self.fine = nn.Sequential(
            _Conv(1, 32, 7, stride=_STRIDE),
            nn.ReLU(),
            *(_Block(32, 96, 3) for _ in range(2)),
        )
        self.middle = nn.Sequential(
            _Conv(32, 48, 3, stride=2), *(_Block(48, 160) for _ in range(4))
        )
        self.coarse = nn.Sequential(
            _Conv(48, 72, 3, stride=2), *(_Block(72, 224) for _ in range(3))
        )
        self.from_coarse = _Conv(72, 48)
        self.join_middle = _Block(48, 96)
        self.from_middle = _Conv(48, 32)
        self.join_fine = _Block(32, 96, 3)
        self.maps = nn.Sequential(
            _Conv(32, 32, 3, groups=32, border=_BORDER),
            nn.Conv2d(32, 64, 1),
            nn.ReLU(),
            nn.Conv2d(64, POINTS, 1),
        )
        self.judge = nn.Sequential(nn.Linear(72 + POINTS, 48), nn.ReLU(), nn.Linear(48, 1))
        cells = CROP // _STRIDE + 2 * _BORDER
        middles = (torch.arange(cells) - _BORDER + 0.5) * _STRIDE / CROP
        grid = torch.stack([middles.repeat(cells), middles.repeat_interleave(cells)], dim=1)
        self.register_buffer("grid", grid, persistent=False)
        self.grid: Tensor

    def explain(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return `points`, the logit (N,) of `confidence`, and heat maps (N, 68, cells).

        A map sums to 1; `grid` says where its cells lie, in parts of the crop.
        """
        mean = x.mean((2, 3), keepdim=True)
        x = x - mean
        x = x / ((x * x).mean((2, 3), keepdim=True) + 1e-4).sqrt()
        fine = self.fine(x)
        middle = self.middle(fine)
        coarse = self.coarse(middle)
        joined = self.join_middle(middle + _doubled(self.from_coarse(coarse)))
        joined = self.join_fine(fine + _doubled(self.from_middle(joined)))
        maps = self.maps(joined).flatten(2).float().softmax(2)
        points = maps @ self.grid
        # A map that knows its place is narrow: the sum of its squares tells.
        narrow = (maps * maps).sum(2)
        judged = self.judge(torch.cat([coarse.mean((2, 3)).float(), narrow], dim=1))
        return points, judged.squeeze(1), maps

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return `points` (N, 68, 2), x and y in parts of the crop, and `confidence` (N,)."""
        points, judged, _ = self.explain(x)
        return points, judged.sigmoid()


def _doubled(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="nearest")
