"""VGG: plain 3x3 convolutions, the deeper the narrower the picture.

Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition", arXiv
1409.1556, table 1, configurations B, D and E; normalised after each convolution (Ioffe and Szegedy,
arXiv 1502.03167) and without the three fully connected layers, as is usual for small pictures.
"""

from __future__ import annotations

from torch import Tensor, nn

from models.nets.network import PooledNetwork, Trunk

DEPTHS = {13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
"""Convolutions of each of the five stages, by the layers that the paper counts."""
_WIDTHS = (64, 128, 256, 512, 512)


class VggTrunk(Trunk):
    """Turn (N, 1, S, S) into features (N, 512): the mean of the last map.

    The paper halves after the last stage too; here the map before is averaged, which keeps a class
    activation map of some size: 2 x 2 of 44 pixels, 3 x 3 of 48.
    """

    features = 512

    def __init__(self, depth: int = 19) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 1
        for stage, (width, count) in enumerate(zip(_WIDTHS, DEPTHS[depth], strict=True)):
            if stage:
                layers.append(nn.MaxPool2d(2))
            for _ in range(count):
                layers += [
                    nn.Conv2d(before, width, 3, padding=1, bias=False),
                    nn.BatchNorm2d(width),
                    nn.ReLU(),
                ]
                before = width
        self.layers = nn.Sequential(*layers)

    def maps(self, x: Tensor) -> Tensor:
        """Return the last map (N, 512, h, w)."""
        return self.layers(x)  # type: ignore[no-any-return]


class Vgg(PooledNetwork):
    """Classify (N, 1, S, S) with 13, 16 or 19 layers by the paper's count.

    With 19 layers and 7 labels 20.0 million parameters.
    """

    def __init__(self, num_classes: int, depth: int = 19, dropout: float = 0.5) -> None:
        if depth not in DEPTHS:
            raise ValueError(f"expected depth {', '.join(map(str, DEPTHS))}, found {depth}")
        super().__init__(VggTrunk(depth), num_classes, dropout)
