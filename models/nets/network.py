"""What every network here has in common."""

from __future__ import annotations

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


def count_parameters(network: nn.Module) -> tuple[int, int]:
    """Return all values of the network, running statistics included, and the trainable ones."""
    trainable = sum(p.numel() for p in network.parameters() if p.requires_grad)
    buffers = sum(b.numel() for b in network.buffers() if b.is_floating_point())
    return sum(p.numel() for p in network.parameters()) + buffers, trainable
