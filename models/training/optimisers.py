"""How the weights move."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

OPTIMISERS = ("adamw", "sgd", "sam")


def make_optimiser(
    name: str, network: nn.Module, *, learning_rate: float, weight_decay: float, momentum: float
) -> torch.optim.Optimizer:
    """Build AdamW, SGD with Nesterov momentum, or the SGD that `sharpness_aware_step` uses.

    Only kernels decay: biases and normalisation have nothing to gain from it.
    """
    groups: list[dict[str, Any]] = [
        {
            "params": [p for p in network.parameters() if p.ndim > 1],
            "weight_decay": weight_decay,
        },
        {"params": [p for p in network.parameters() if p.ndim <= 1], "weight_decay": 0.0},
    ]
    if name == "adamw":
        return torch.optim.AdamW(groups, lr=learning_rate)
    nesterov = momentum > 0  # torch takes it only with momentum
    return torch.optim.SGD(groups, lr=learning_rate, momentum=momentum, nesterov=nesterov)


def sharpness_aware_step(
    network: nn.Module, loss: Callable[[], Tensor], radius: float = 0.05
) -> Tensor:
    """Leave in the gradients those of the worst point near the weights; return the loss here.

    Foret et al., "Sharpness-Aware Minimization", arXiv 2010.01412, algorithm 1: climb by `radius`
    along the gradient, take the gradient there, come back. Costs a second pass, which drops the
    same units as the first, and leaves the running statistics of the first. loss: of this batch,
    with the same views each time.
    """
    devices = sorted({p.device.index or 0 for p in network.parameters() if p.is_cuda})
    with torch.random.fork_rng(devices):  # both passes are of one function, whatever it draws
        here = loss()
    here.backward()  # type: ignore[no-untyped-call]
    moved: list[Tensor] = [p for p in network.parameters() if p.grad is not None]
    gradients = [p.grad for p in moved if p.grad is not None]
    # Kept, since adding and subtracting a climb does not quite come back.
    weights = [p.detach().clone() for p in moved]
    statistics = [b.clone() for b in network.buffers()]
    with torch.no_grad():
        length = torch.stack([g.norm() for g in gradients]).norm().clamp_min(1e-12)
        torch._foreach_add_(moved, [g * (radius / length) for g in gradients])
    network.zero_grad()
    loss().backward()  # type: ignore[no-untyped-call]
    with torch.no_grad():
        torch._foreach_copy_(moved, weights)
        for buffer, value in zip(network.buffers(), statistics, strict=True):
            buffer.copy_(value)
    return here.detach()
