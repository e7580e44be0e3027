"""A-Softmax: a margin in the angle between a face's features and its label's direction.

Liu et al., "SphereFace: Deep Hypersphere Embedding for Face Recognition", arXiv 1704.08063.
"""

from __future__ import annotations

import torch
from torch import Tensor

MARGIN = 4
_START = 1500.0
_FLOOR = 5.0


def annealed_lambda(done: float) -> float:
    """Return how much plain softmax is mixed in: much at first, then little.

    done: the part of all steps of the training that was taken, 0 to 1. SphereFace gives the form,
    a start divided by one and a multiple of the steps; its pace is tied to the length of the
    training here, so that a short one comes to the margin too: 1500 at first, 5 from the middle
    on. With seven noisy labels this floor is needed: the bare margin does not converge.
    """
    return max(_FLOOR, _START / (1 + (_START / _FLOOR - 1) * 2 * done))


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
