"""mini-Xception: a 58 k parameter fully convolutional network.

Arriaga, Valdenegro-Toro and Plöger, "Real-time Convolutional Neural Networks for
Emotion and Gender Classification", arXiv 1710.07557, section 3 and figure 2.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from models.nets.network import Network


class SeparableConv2d(nn.Sequential):
    """Factor a 3x3 convolution into depthwise and pointwise parts, without biases."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(
            nn.Conv2d(in_channels, in_channels, 3, padding=1, groups=in_channels, bias=False),
            nn.Conv2d(in_channels, out_channels, 1, bias=False),
        )


class Halving(nn.Conv2d):
    """Convolve every other pixel by 1x1, without bias.

    In training the pixels are picked first: the strided kernel that torch 2.13 takes for 8
    channels in channels-last order ends the whole process in its backward pass on maps of 56
    pixels and more.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels, 1, stride=2, bias=False)

    def forward(self, input: Tensor) -> Tensor:
        if not self.training:
            return super().forward(input)
        return F.conv2d(input[..., ::2, ::2], self.weight)


class XceptionModule(nn.Module):
    """Add a strided 1x1 shortcut to two separable convolutions and a max pool.

    (N, in, H, W) -> (N, out, ceil(H / 2), ceil(W / 2)); section 3, figure 2.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.shortcut = nn.Sequential(
            Halving(in_channels, out_channels),
            nn.BatchNorm2d(out_channels),
        )
        self.body = nn.Sequential(
            SeparableConv2d(in_channels, out_channels),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(),
            SeparableConv2d(out_channels, out_channels),
            nn.BatchNorm2d(out_channels),
            nn.MaxPool2d(3, stride=2, padding=1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x) + self.shortcut(x)  # type: ignore[no-any-return]


class MiniXceptionTrunk(nn.Module):
    """Turn (N, 1, S, S) into features (N, 128): two plain convolutions and four Xception modules.

    The features are the mean of the last map.
    """

    features = 128

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(1, 8, 3, bias=False),
            nn.BatchNorm2d(8),
            nn.ReLU(),
            nn.Conv2d(8, 8, 3, bias=False),
            nn.BatchNorm2d(8),
            nn.ReLU(),
        )
        self.trunk = nn.Sequential(
            XceptionModule(8, 16),
            XceptionModule(16, 32),
            XceptionModule(32, 64),
            XceptionModule(64, 128),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.trunk(self.stem(x)).mean((2, 3))  # type: ignore[no-any-return]


class MiniXception(Network):
    """End the trunk in one map a label.

    The last convolution has one output channel a label and is averaged over the picture, so the
    map before the average is the exact class activation map (Zhou et al., arXiv 1512.04150).
    At 48 x 48 the maps are 3 x 3. With 7 labels: 58,423 values, 56,951 of them trainable.
    """

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        layers = MiniXceptionTrunk()
        self.stem, self.trunk = layers.stem, layers.trunk
        self.classifier = nn.Conv2d(MiniXceptionTrunk.features, num_classes, 3, padding=1)

    def attend(self, x: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return logits (N, C) and `cam` (N, C, 3, 3), whose mean over the map is the logit."""
        cam = self.classifier(self.trunk(self.stem(x)))
        return cam.mean((2, 3)), {"cam": cam}
