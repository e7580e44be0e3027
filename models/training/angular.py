"""A-Softmax: a margin in the angle between a face's features and its label's direction.

Liu et al., "SphereFace: Deep Hypersphere Embedding for Face Recognition", arXiv 1704.08063.
"""

from __future__ import annotations

import torch
from torch import Tensor

MARGIN = 4


def annealed_lambda(step: int, start: float = 1500.0, floor: float = 5.0) -> float:
    """Return how much plain softmax is mixed in at a step: much at first, then the floor.

    max(floor, start / (1 + 0.1 step)), in the form of the schedule published with SphereFace. With
    seven noisy labels the floor of 5 is needed: the bare margin does not converge.
    """
    return max(floor, start / (1 + 0.1 * step))


def a_softmax_logits(logits: Tensor, length: Tensor, labels: Tensor, mixing: float) -> Tensor:
    """Return logits (N, C) in which that of the true label has to win by an angle.

    logits: |x| cos(theta), (N, C). length: |x|, (N, 1). labels: (N,) int64. mixing: lambda.
    psi(theta) = (-1)^k cos(4 theta) - 2k on the k-th quarter of [0, pi] (equation 7), mixed with
    the plain cosine as (lambda cos + psi) / (1 + lambda); k itself gets no gradient.
    """
    true = logits.gather(1, labels[:, None])
    cosine = (true / length.clamp_min(1e-6)).clamp(-1, 1)
    with torch.no_grad():
        quarter = (MARGIN * torch.acos(cosine) / torch.pi).floor().clamp(0, MARGIN - 1)
        sign = 1 - 2 * (quarter % 2)
    square = cosine.square()
    psi = sign * (8 * square * square - 8 * square + 1) - 2 * quarter
    wanted = length * (mixing * cosine + psi) / (1 + mixing)
    return logits.scatter(1, labels[:, None], wanted.to(logits.dtype))
