"""iResNet: the residual trunk of face recognition.

Deng et al., "ArcFace", arXiv 1801.07698, section 3.1 (the "improved residual unit" of Han et al.,
arXiv 1610.02915): normalise first, PReLU inside, nothing after the sum; every stage halves the map.
"""

from __future__ import annotations

from torch import Tensor, nn

from models.nets.network import PooledNetwork, Trunk

_WIDTHS = (64, 128, 256, 512)


class ImprovedBlock(nn.Module):
    """Add BN-conv-BN-PReLU-conv(stride)-BN to a shortcut: (N, in, H, W) -> (N, out, H/s, W/s)."""

    def __init__(self, in_channels: int, channels: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.BatchNorm2d(in_channels),
            nn.Conv2d(in_channels, channels, 3, 1, 1, bias=False),
            nn.BatchNorm2d(channels),
            nn.PReLU(channels),
            nn.Conv2d(channels, channels, 3, stride, 1, bias=False),
            nn.BatchNorm2d(channels),
        )
        self.shortcut = nn.Sequential()
        if stride != 1 or in_channels != channels:
            self.shortcut = nn.Sequential(
                nn.Conv2d(in_channels, channels, 1, stride, bias=False), nn.BatchNorm2d(channels)
            )

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x) + self.shortcut(x)  # type: ignore[no-any-return]


class IResNet(Trunk):
    """Turn (N, 1, S, S) into features (N, 512): the mean of the last, normalised map."""

    features = 512

    def __init__(self, blocks: tuple[int, int, int, int]) -> None:
        super().__init__()
        layers: list[nn.Module] = [
            nn.Conv2d(1, 64, 3, 1, 1, bias=False),
            nn.BatchNorm2d(64),
            nn.PReLU(64),
        ]
        before = 64
        for count, width in zip(blocks, _WIDTHS, strict=True):
            for number in range(count):
                layers.append(ImprovedBlock(before, width, 2 if number == 0 else 1))
                before = width
        self.layers = nn.Sequential(*layers, nn.BatchNorm2d(before))

    def maps(self, x: Tensor) -> Tensor:
        """Return the last map (N, 512, h, w)."""
        return self.layers(x)  # type: ignore[no-any-return]


class IResNet18(PooledNetwork):
    """Classify (N, 1, S, S) with 18 layers: 11.2 million parameters with 7 labels."""

    def __init__(self, num_classes: int, dropout: float = 0.5) -> None:
        super().__init__(iresnet18(), num_classes, dropout)


def iresnet18() -> IResNet:
    """Build the trunk of 18 layers."""
    return IResNet((2, 2, 2, 2))


def iresnet50() -> IResNet:
    """Build the trunk of 50 layers, 30.7 million parameters."""
    return IResNet((3, 4, 14, 3))
