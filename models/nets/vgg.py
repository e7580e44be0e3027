"""VGG: plain 3x3 convolutions, the deeper the narrower the picture.

Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition", arXiv
1409.1556, table 1, configurations B, D and E; normalised after each convolution (Ioffe and Szegedy,
arXiv 1502.03167) and without the three fully connected layers, as is usual for small pictures.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from models.nets.network import Network

DEPTHS = {13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
"""Convolutions of each of the five stages, by the layers that the paper counts."""
_WIDTHS = (64, 128, 256, 512, 512)


class VggTrunk(nn.Module):
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

    def forward(self, x: Tensor) -> Tensor:
        return self.maps(x).mean((2, 3))


class Vgg(Network):
    """Classify (N, 1, S, S) with 13, 16 or 19 layers by the paper's count.

    With 19 layers and 7 labels 20.0 million parameters.
    """

    def __init__(self, num_classes: int, depth: int = 19, dropout: float = 0.5) -> None:
        super().__init__()
        if depth not in DEPTHS:
            raise ValueError(f"expected depth {', '.join(map(str, DEPTHS))}, found {depth}")
        self.trunk = VggTrunk(depth)
        self.dropout = nn.Dropout(dropout)
        self.classifier: nn.Linear = nn.Linear(VggTrunk.features, num_classes)

    def attend(self, x: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return logits (N, C) and `cam` (N, C, h, w), whose mean over the map is the logit."""
        maps = self.trunk.maps(x)
        logits = self.classifier(self.dropout(maps.mean((2, 3))))
        return logits, {"cam": pooled_cam(maps, self.classifier)}


def pooled_cam(maps: Tensor, classifier: nn.Linear) -> Tensor:
    """Return class activation maps (N, C, h, w) of maps (N, F, h, w) that are averaged.

    Zhou et al., "Learning Deep Features for Discriminative Localization", arXiv 1512.04150,
    equation 2; the bias is spread evenly, so that the mean over a map is the logit.
    """
    bias = classifier.bias
    return F.conv2d(maps, classifier.weight[:, :, None, None], bias)
