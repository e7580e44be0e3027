"""The moving average of the weights: what is evaluated and exported."""

from __future__ import annotations

from copy import deepcopy

import torch

from models.nets.network import Network


class WeightAverage:
    """Follow a network with an exponential moving average of its weights and statistics.

    The decay grows to its full value over the first steps, so that the random start is forgotten.
    """

    def __init__(self, network: Network, decay: float) -> None:
        self.network = deepcopy(network).eval().requires_grad_(False)
        self.decay = decay

    @torch.no_grad()
    def update(self, network: Network, step: int) -> None:
        decay = min(self.decay, (1 + step) / (10 + step))
        followed, source = self.network.state_dict(), network.state_dict()
        for name, value in followed.items():
            if value.is_floating_point():
                value.lerp_(source[name], 1 - decay)
            else:
                value.copy_(source[name])
