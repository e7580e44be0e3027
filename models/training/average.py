"""The moving average of the weights: what is evaluated and exported."""

from __future__ import annotations

from copy import deepcopy
from typing import Generic, TypeVar

import torch
from torch import nn

N = TypeVar("N", bound=nn.Module)


class WeightAverage(Generic[N]):
    """Follow a network with an exponential moving average of its weights and statistics.

    The decay grows to its full value over the first steps, so that the random start is forgotten.
    """

    def __init__(self, network: N, decay: float) -> None:
        self.network: N = deepcopy(network).eval().requires_grad_(False)
        self.decay = decay

    def update(self, network: N, step: int) -> None:
        self.blend(network, 1 - min(self.decay, (1 + step) / (10 + step)))

    @torch.no_grad()
    def blend(self, network: N, part: float) -> None:
        """Let a network's weights and statistics be this part of the average."""
        followed, source = self.network.state_dict(), network.state_dict()
        moving = [name for name, value in followed.items() if value.is_floating_point()]
        # All at once: on a GPU one launch a tensor would cost more than the step itself.
        torch._foreach_lerp_(
            [followed[name] for name in moving], [source[name] for name in moving], part
        )
        counted = followed.keys() - set(moving)
        if counted:
            torch._foreach_copy_(
                [followed[name] for name in counted], [source[name] for name in counted]
            )
