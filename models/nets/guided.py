"""Guided backpropagation by torch itself: what the exported backward graph is checked against."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

from models.nets.network import Network


def guided_gradient(network: Network, inputs: Tensor, labels: Sequence[int]) -> Tensor:
    """Return the guided gradient (N, 1, S, S) of normalised crops (N, 1, S, S).

    labels: one a crop, as in `GuidedBackprop.gradients`. Springenberg et al., arXiv 1412.6806,
    section 3.4.
    """
    crops = inputs.detach().clone().requires_grad_()
    with _GuidedRelu():
        logits, attention = network.attend(crops)
    rows = torch.arange(len(labels))
    asked = torch.as_tensor(labels)
    highest = attention.get("cam", logits).amax(1).reshape(len(labels), -1).sum(1)
    chosen = logits[rows, asked.clamp(min=0)]
    (gradient,) = torch.autograd.grad(torch.where(asked < 0, highest, chosen).sum(), crops)
    return gradient


class _GuidedRelu(TorchFunctionMode):
    """Put another derivative behind every ReLU, however it is called."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        if func in (F.relu, torch.relu, Tensor.relu):
            return _Relu.apply(args[0])  # type: ignore[no-untyped-call]
        return func(*args, **(kwargs or {}))


class _Relu(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        ctx.save_for_backward(values)
        return values.clamp(min=0)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (values,) = ctx.saved_tensors
        (gradient,) = gradients
        passed: Tensor = gradient * (gradient > 0) * (values > 0)
        return passed
