"""ResNet-18 with attention in every block.

Wen et al. 2020, ResNet with CBAM and A-Softmax, section 3.1 and figure 6: 17 convolutions, eight
residual blocks with a CBAM each, an average, and one fully connected layer without bias whose
weight vectors have length 1.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.nets.cbam import Cbam, Order
from models.nets.network import Network


class AngularLinear(nn.Linear):
    """Project on weight vectors of length 1, so that a logit is |x| cos(theta).

    (N, F) -> (N, C). Liu et al., "SphereFace", arXiv 1704.08063, section 3.2.
    """

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__(in_features, out_features, bias=False)

    def forward(self, input: Tensor) -> Tensor:
        return F.linear(input, F.normalize(self.weight, dim=1))


class AttentionBlock(nn.Module):
    """Add a shortcut to two 3x3 convolutions refined by CBAM, before the sum (figure 5)."""

    def __init__(self, in_channels: int, channels: int, stride: int, order: Order) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(in_channels, channels, 3, stride, 1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, 1, 1, bias=False),
            nn.BatchNorm2d(channels),
        )
        self.attention = Cbam(channels, order)
        self.shortcut = nn.Sequential()
        if stride != 1 or in_channels != channels:
            self.shortcut = nn.Sequential(
                nn.Conv2d(in_channels, channels, 1, stride, bias=False), nn.BatchNorm2d(channels)
            )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the block's map, its channel weights and its spatial map."""
        refined, channel, spatial = self.attention(self.body(x))
        return F.relu(refined + self.shortcut(x)), channel, spatial


class CbamTrunk(nn.Module):
    """Turn (N, 1, S, S) into features (N, 8 * width) through eight attention blocks.

    width: channels of the first blocks, a multiple of 16; the paper has 64.
    """

    def __init__(self, order: Order = "channel_first", width: int = 64) -> None:
        super().__init__()
        if width < 16 or width % 16:  # the first channel attention keeps a 16th of them
            raise ValueError(f"expected width to be a multiple of 16, found {width}")
        self.features = 8 * width
        self.stem = nn.Sequential(
            nn.Conv2d(1, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()
        )
        widths = [times * width for times in (1, 1, 2, 2, 4, 4, 8, 8)]
        before = (width, *widths[:-1])
        self.blocks = nn.ModuleList(
            AttentionBlock(narrow, wide, 1 if narrow == wide else 2, order)
            for narrow, wide in zip(before, widths, strict=True)
        )

    def maps(self, x: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the last map (N, features, h, w) and every block's weights by name."""
        attention: dict[str, Tensor] = {}
        x = self.stem(x)
        for number, block in enumerate(self.blocks, start=1):
            x, channel, spatial = block(x)
            attention[f"channel{number}"] = channel.flatten(1)
            attention[f"spatial{number}"] = spatial
        return x, attention

    def forward(self, x: Tensor) -> Tensor:
        return self.maps(x)[0].mean((2, 3))


class CbamResnet18(Network):
    """Classify (N, 1, S, S) with eight attention blocks: 11,259,088 parameters with 7 labels.

    With half the width, 32, it has 2.8 million and takes a quarter of the multiplications.

    The paper cuts 44 of 48 pixels and averages a window of 4, which reads only a corner of the
    6 x 6 maps that result; the whole map is averaged here, whatever the size of the picture, which
    makes the class activation map exact as well.
    """

    def __init__(
        self,
        num_classes: int,
        order: Order = "channel_first",
        dropout: float = 0.5,
        width: int = 64,
    ) -> None:
        super().__init__()
        self.trunk = CbamTrunk(order, width)
        self.dropout = nn.Dropout(dropout)
        self.classifier = AngularLinear(self.trunk.features, num_classes)

    def attend(self, x: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return logits (N, C), `cam` (N, C, h, w), `length` and the weights of block 1 to 8.

        `length` (N, 1) is that of the feature vector; logits are it times cos(theta).
        `channel1` … (N, channels) and `spatial1` … (N, 1, h, w) are 0 to 1.
        """
        maps, attention = self.trunk.maps(x)
        directions = F.normalize(self.classifier.weight, dim=1)
        cam = torch.einsum("nfhw,cf->nchw", maps, directions)
        features = self.dropout(maps.mean((2, 3)))
        length = features.norm(dim=1, keepdim=True)
        return self.classifier(features), {"cam": cam, "length": length, **attention}
