"""What is minimised."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from models.runtime.errors import UserError
from models.runtime.labels import LABEL_SETS

LOSSES = ("softmax", "a_softmax")
# Taught by the distribution of votes: there is no one true label that a margin could be asked for.
VOTED = ("ferplus",)


def check_finite(loss: float, when: str) -> None:
    """Raise `UserError` where a loss is no number any more: the weights are lost.

    when: where the training is, for the sentence.
    """
    if not math.isfinite(loss):
        raise UserError(
            f"{when}: expected a loss that is a number, found {loss}: the training diverged; "
            "lower learning_rate and train anew in another folder"
        )


def split_heads(outputs: Tensor, label_sets: list[str]) -> dict[str, Tensor]:
    """Cut outputs (N, sum of C) into logits (N, C) by label set, in the order given."""
    sizes = [len(LABEL_SETS[name]) for name in label_sets]
    return dict(zip(label_sets, torch.split(outputs, sizes, dim=1), strict=True))


def taught_rows(targets: Tensor) -> Tensor:
    """Return how many rows of target distributions (N, C) teach, blended ones in part; at least 1.

    Rows that are all zero teach nothing and do not count.
    """
    return targets.sum(1, keepdim=True).sum().clamp_min(1)


def distribution_loss(
    logits: Tensor, targets: Tensor, smoothing: float = 0.0, count: Tensor | None = None
) -> Tensor:
    """Return the mean cross-entropy between target distributions and logits, both (N, C).

    The mean is over the `taught_rows`. Barsoum et al., arXiv 1608.01041, equation 4; with one-hot
    targets this is the usual cross-entropy. smoothing: the part of each target spread evenly
    (Szegedy et al., arXiv 1512.00567, section 7). count: what to divide by where the rows are a
    share of those that the mean is over.
    """
    taught = targets.sum(1, keepdim=True)
    shown = targets * (1 - smoothing) + taught * smoothing / targets.shape[1]
    loss = -(shown * F.log_softmax(logits.float(), dim=1)).sum()
    return loss / (taught_rows(targets) if count is None else count)


def distillation_loss(
    logits: Tensor, teacher: Tensor, temperature: float, count: float | None = None
) -> Tensor:
    """Return how far softened student and teacher are apart, in nats times temperature squared.

    logits: (N, C). teacher: (N, C) probabilities, softened by the same temperature. count: as in
    `distribution_loss`. Hinton et al., "Distilling the Knowledge in a Neural Network", arXiv
    1503.02531, section 2.
    """
    student = F.log_softmax(logits.float() / temperature, dim=1)
    apart = F.kl_div(student, teacher, reduction="sum")
    return apart / (len(logits) if count is None else count) * temperature**2


def region_biased_loss(alone: Tensor, margin: float, count: float | None = None) -> Tensor:
    """Ask that some region weigh more than the whole face by a margin.

    alone: self-attention weights (N, R), the whole face first. count: as in `distribution_loss`.
    Wang et al., arXiv 1905.04075, equation 5; the best region is one of the others, never the whole
    face itself.
    """
    best = alone[:, 1:].amax(1)
    missing = (margin - (best - alone[:, 0])).clamp_min(0).sum()
    return missing / (len(alone) if count is None else count)
