"""How the weights move."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from models.runtime.errors import UserError

OPTIMISERS = ("adamw", "sgd", "sam")


def make_optimiser(
    name: str,
    network: nn.Module,
    *,
    learning_rate: float,
    weight_decay: float,
    momentum: float,
    rates: Mapping[str, float] | None = None,
) -> torch.optim.Optimizer:
    """Build AdamW, SGD with Nesterov momentum, or the SGD that `sharpness_aware_step` uses.

    Only kernels decay: biases and normalisation have nothing to gain from it. rates: the share of
    the learning rate that a part of the network has, by the name of that part; others have all of
    it. Raises `UserError` for a part that the network does not have. On a GPU all weights
    move in one launch.
    """
    fused = all(p.is_cuda for p in network.parameters()) or None
    groups = _groups(network, weight_decay, rates or {})
    for group in groups:
        group["lr"] = learning_rate * group["share"]
    if name == "adamw":
        return torch.optim.AdamW(groups, lr=learning_rate, fused=fused)
    nesterov = momentum > 0  # torch takes it only with momentum
    return torch.optim.SGD(
        groups, lr=learning_rate, momentum=momentum, nesterov=nesterov, fused=fused
    )


def _groups(
    network: nn.Module, weight_decay: float, rates: Mapping[str, float]
) -> list[dict[str, Any]]:
    """Sort the weights by their part's share of the learning rate and by whether they decay."""
    parts = dict(network.named_children())
    for name in rates:
        if name not in parts:
            raise UserError(
                f"recipe, [rates]: expected a part of the network, {', '.join(parts)}, "
                f"found {name!r}"
            )
    groups: dict[tuple[float, bool], list[nn.Parameter]] = {(1.0, True): [], (1.0, False): []}
    for name, parameter in network.named_parameters():
        key = rates.get(name.partition(".")[0], 1.0), parameter.ndim > 1
        groups.setdefault(key, []).append(parameter)
    return [
        {"params": members, "share": share, "weight_decay": weight_decay if decays else 0.0}
        for (share, decays), members in groups.items()
    ]


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
