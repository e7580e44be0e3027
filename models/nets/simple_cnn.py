"""simple_CNN: the sequential fully convolutional network.

Arriaga, Valdenegro-Toro and Plöger, arXiv 1710.07557, section 3: nine convolutions and the
classifying one, no fully connected layer; the widths are those of the authors' published code.
"""

from __future__ import annotations

from torch import Tensor, nn

from models.nets.network import Network

_PAIRS = ((16, 7), (32, 5), (64, 3), (128, 3))


def _pair(in_channels: int, channels: int, kernel: int, dropout: float) -> nn.Sequential:
    """Convolve twice, then halve: (N, in, H, W) -> (N, channels, H / 2, W / 2)."""
    return nn.Sequential(
        nn.Conv2d(in_channels, channels, kernel, padding=kernel // 2),
        nn.BatchNorm2d(channels),
        nn.Conv2d(channels, channels, kernel, padding=kernel // 2),
        nn.BatchNorm2d(channels),
        nn.ReLU(),
        nn.AvgPool2d(2, ceil_mode=True),
        nn.Dropout(dropout),
    )


class SimpleCnn(Network):
    """Stack four pairs of convolutions and end in one map a label.

    The map before the average is the exact class activation map (Zhou et al., arXiv 1512.04150);
    at 48 x 48 it is 3 x 3. 641,463 trainable parameters with 7 labels.
    """

    def __init__(self, num_classes: int, dropout: float = 0.5) -> None:
        super().__init__()
        pairs = []
        channels = 1
        for width, kernel in _PAIRS:
            pairs.append(_pair(channels, width, kernel, dropout))
            channels = width
        self.trunk = nn.Sequential(
            *pairs, nn.Conv2d(channels, 256, 3, padding=1), nn.BatchNorm2d(256)
        )
        self.classifier = nn.Conv2d(256, num_classes, 3, padding=1)

    def attend(self, x: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return logits (N, C) and `cam` (N, C, 3, 3), whose mean over the map is the logit."""
        cam = self.classifier(self.trunk(x))
        return cam.mean((2, 3)), {"cam": cam}
