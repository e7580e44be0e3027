"""The convolutional block attention module: which channels, and where.

Woo et al., "CBAM: Convolutional Block Attention Module", arXiv 1807.06521, section 3.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

Order = Literal["channel_first", "spatial_first", "parallel"]
ORDERS: tuple[Order, ...] = ("channel_first", "spatial_first", "parallel")
"""Channel attention before spatial attention (the paper's), after it, or both on the same input."""


class ChannelAttention(nn.Module):
    """Weigh the channels of (N, C, H, W) by their mean and their maximum; equation 2."""

    def __init__(self, channels: int, reduction: int = 16) -> None:
        super().__init__()
        self.perceptron = nn.Sequential(
            nn.Linear(channels, channels // reduction, bias=False),
            nn.ReLU(),
            nn.Linear(channels // reduction, channels, bias=False),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return weights (N, C, 1, 1), 0 to 1."""
        scores = self.perceptron(x.mean((2, 3))) + self.perceptron(x.amax((2, 3)))
        return torch.sigmoid(scores)[:, :, None, None]


class SpatialAttention(nn.Module):
    """Weigh the places of (N, C, H, W) by the mean and maximum over channels; equation 3."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(2, 1, 7, padding=3, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return weights (N, 1, H, W), 0 to 1."""
        seen = torch.cat([x.mean(1, keepdim=True), x.amax(1, keepdim=True)], dim=1)
        return torch.sigmoid(self.convolution(seen))


class Cbam(nn.Module):
    """Refine a map (N, C, H, W) by both attentions, in the order chosen; section 3.2."""

    def __init__(self, channels: int, order: Order = "channel_first") -> None:
        super().__init__()
        if order not in ORDERS:
            raise ValueError(f"expected order {', '.join(ORDERS)}, found {order!r}")
        self.channel = ChannelAttention(channels)
        self.spatial = SpatialAttention()
        self.order = order

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the refined map, the channel weights (N, C, 1, 1) and the map (N, 1, H, W)."""
        if self.order == "channel_first":
            channel = self.channel(x)
            x = x * channel
            spatial = self.spatial(x)
            return x * spatial, channel, spatial
        if self.order == "spatial_first":
            spatial = self.spatial(x)
            x = x * spatial
            channel = self.channel(x)
            return x * channel, channel, spatial
        channel, spatial = self.channel(x), self.spatial(x)
        return x * channel * spatial, channel, spatial
