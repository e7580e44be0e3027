"""Deep-Emotion: a small attentional network, sequential, parallel and extended.

Minaee, Minaei and Abdolrashidi, "Deep-Emotion: Facial Expression Recognition Using Attentional
Convolutional Network", arXiv 1902.01019, figure 2; the sequential form layer for layer as printed
in Huo's slides on it, the parallel form as in "Facial Emotion Recognition by Attentional
Convolutional Network", section 4.
"""

from __future__ import annotations

from torch import Tensor, nn

from models.nets.network import Network
from models.nets.spatial_transformer import Localisation, warp

_SIDE = 9
"""The features of a 48 x 48 picture are 9 x 9."""


def _features() -> nn.Sequential:
    """Build the four 3x3 convolutions: (N, 1, 48, 48) -> (N, 10, 9, 9)."""
    return nn.Sequential(
        nn.Conv2d(1, 10, 3),
        nn.ReLU(),
        nn.Conv2d(10, 10, 3),
        nn.MaxPool2d(2),
        nn.ReLU(),
        nn.Conv2d(10, 10, 3),
        nn.ReLU(),
        nn.Conv2d(10, 10, 3),
        nn.BatchNorm2d(10),
        nn.MaxPool2d(2),
        nn.ReLU(),
    )


class DeepEmotion(Network):
    """Warp the picture, then look at it: the sequential form, 66,877 parameters with 7 labels."""

    def __init__(self, num_classes: int, dropout: float = 0.5) -> None:
        super().__init__()
        self.localisation = Localisation()
        self.features = _features()
        self.hidden = nn.Sequential(
            nn.Dropout(dropout), nn.Flatten(), nn.Linear(10 * _SIDE * _SIDE, 50), nn.ReLU()
        )
        self.classifier = nn.Linear(50, num_classes)

    def attend(self, x: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return logits (N, C), `theta` (N, 2, 3) and the `warped` picture (N, 1, 48, 48)."""
        theta = self.localisation(x)
        warped = warp(x, theta)
        logits = self.classifier(self.hidden(self.features(warped)))
        return logits, {"theta": theta, "warped": warped}


class DeepEmotionParallel(DeepEmotion):
    """Look at the whole picture and warp the features found: the corrected, parallel form."""

    def attend(self, x: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return logits (N, C), `theta` (N, 2, 3) and the picture `warped` alike, for the eye."""
        theta = self.localisation(x)
        logits = self.classifier(self.hidden(warp(self.features(x), theta)))
        return logits, {"theta": theta, "warped": warp(x, theta)}


class Acn(DeepEmotionParallel):
    """Add a fifth convolution to the parallel form; published for four labels.

    The paper does not say where it stands: here it follows the fourth, padded, so that theta
    still warps 9 x 9 features.
    """

    def __init__(self, num_classes: int, dropout: float = 0.5) -> None:
        super().__init__(num_classes, dropout)
        self.features = nn.Sequential(_features(), nn.Conv2d(10, 10, 3, padding=1), nn.ReLU())
