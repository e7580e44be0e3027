"""What every network here has in common."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


class Network(nn.Module):
    """Map gray crops to logits, and say where it looked.

    Input: (N, 1, S, S) float32, normalised as the card says. The last layer is called
    `classifier` in every network, so that one trunk trained for several label sets can be
    exported for each of them alone.
    """

    classifier: nn.Conv2d | nn.Linear

    def attend(self, x: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return logits (N, C) and named attention maps, the maps unscaled."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (N, C)."""
        return self.attend(x)[0]


class Trunk(nn.Module):
    """Turn (N, 1, S, S) into `features` numbers: the mean of the last map."""

    features: int

    def maps(self, x: Tensor) -> Tensor:
        """Return the last map (N, features, h, w)."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        return self.maps(x).mean((2, 3))


class PooledNetwork(Network):
    """Classify (N, 1, S, S) by one linear layer on the mean of a trunk's last map."""

    classifier: nn.Linear

    def __init__(self, trunk: Trunk, num_classes: int, dropout: float) -> None:
        super().__init__()
        self.trunk = trunk
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(trunk.features, num_classes)

    def attend(self, x: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return logits (N, C) and `cam` (N, C, h, w), whose mean over the map is the logit."""
        maps = self.trunk.maps(x)
        logits = self.classifier(self.dropout(maps.mean((2, 3))))
        return logits, {"cam": _pooled_cam(maps, self.classifier)}


def _pooled_cam(maps: Tensor, classifier: nn.Linear) -> Tensor:
    """Return class activation maps (N, C, h, w) of maps (N, F, h, w) that are averaged.

    Zhou et al., "Learning Deep Features for Discriminative Localization", arXiv 1512.04150,
    equation 2; the bias is spread evenly, so that the mean over a map is the logit.
    """
    return F.conv2d(maps, classifier.weight[:, :, None, None], classifier.bias)


def count_parameters(network: nn.Module) -> tuple[int, int]:
    """Return all values of the network, running statistics included, and the trainable ones."""
    trainable = sum(p.numel() for p in network.parameters() if p.requires_grad)
    buffers = sum(b.numel() for b in network.buffers() if b.is_floating_point())
    return sum(p.numel() for p in network.parameters()) + buffers, trainable
