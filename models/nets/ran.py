"""The region attention network: which part of a face to believe.

Wang et al., arXiv 1905.04075, section 3; the same in "Facial Emotion Recognition with Deep Neural
Networks" with an iResNet-50 trunk.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from models.nets.cbam_resnet import CbamTrunk
from models.nets.iresnet import iresnet18, iresnet50
from models.nets.mini_xception import MiniXceptionTrunk
from models.nets.network import Network
from models.nets.regions import cut, fixed_regions, landmark_regions, random_regions
from models.nets.vgg import VggTrunk

TRUNKS: dict[str, Callable[[], nn.Module]] = {
    "iresnet18": iresnet18,
    "iresnet50": iresnet50,
    "cbam_resnet18": CbamTrunk,
    "vgg16": partial(VggTrunk, 16),
    "mini_xception": MiniXceptionTrunk,
}
"""Modules that turn (N, 1, S, S) into (N, `features`)."""

_LEAST = 1e-6
"""Keeps weights from all being 0: ONNX Runtime's sigmoid of -18 and less is, as of a blank crop.

Not smaller, or the exporter takes it for 0.
"""

Regions = Literal["fixed", "random", "landmarks"]
"""Random regions are drawn anew for each training batch; afterwards the fixed ones are used."""


class RegionAttentionNetwork(Network):
    """Look at the whole face and five regions with one trunk, and weigh what each says.

    Self-attention weighs each region by its own features (equation 3), relation-attention by its
    features beside the summary of all (equations 6 and 7); with an iResNet-50 trunk and 8 labels
    30.75 million parameters.
    """

    def __init__(
        self, num_classes: int, trunk: str = "iresnet50", regions: Regions = "fixed"
    ) -> None:
        super().__init__()
        if trunk not in TRUNKS:
            raise ValueError(f"expected trunk {', '.join(TRUNKS)}, found {trunk!r}")
        if regions not in get_args(Regions):
            raise ValueError(f"expected regions {', '.join(get_args(Regions))}, found {regions!r}")
        self.trunk = TRUNKS[trunk]()
        width = int(self.trunk.features)  # type: ignore[arg-type]
        self.self_attention = nn.Linear(width, 1)
        self.relation_attention = nn.Linear(2 * width, 1)
        self.classifier = nn.Linear(2 * width, num_classes)
        self.draws_regions = regions == "random"
        places = landmark_regions() if regions == "landmarks" else fixed_regions()
        self.register_buffer("regions", places, persistent=False)
        self.regions: Tensor

    def attend(self, x: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return logits (N, C) and the weights of the regions.

        `self` (N, R), equation 3, 0 to 1; `region` (N, R), both attentions together, summing to 1;
        `square` (N, R, 4), the regions in parts of the crop's side.
        """
        places = self.regions
        if self.training and self.draws_regions:
            places = random_regions(len(places) - 1).to(x)
        count = len(places)
        features = self.trunk(cut(x, places)).unflatten(0, (count, -1)).transpose(0, 1)
        alone = torch.sigmoid(self.self_attention(features)) + _LEAST  # (N, R, 1)
        summary = (alone * features).sum(1, keepdim=True) / alone.sum(1, keepdim=True)
        pairs = torch.cat([features, summary.expand_as(features)], dim=2)
        weights = alone * (torch.sigmoid(self.relation_attention(pairs)) + _LEAST)
        weights = weights / weights.sum(1, keepdim=True)
        logits = self.classifier((weights * pairs).sum(1))
        squares = places.expand(x.shape[0], -1, -1)
        return logits, {"self": alone.squeeze(2), "region": weights.squeeze(2), "square": squares}
