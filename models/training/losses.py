"""What is minimised."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from models.runtime.labels import LABEL_SETS


def split_heads(outputs: Tensor, label_sets: list[str]) -> dict[str, Tensor]:
    """Cut outputs (N, sum of C) into logits (N, C) by label set, in the order given."""
    sizes = [len(LABEL_SETS[name]) for name in label_sets]
    return dict(zip(label_sets, torch.split(outputs, sizes, dim=1), strict=True))


def distribution_loss(logits: Tensor, targets: Tensor, smoothing: float = 0.0) -> Tensor:
    """Return the mean cross-entropy between target distributions and logits, both (N, C).

    Rows of targets that are all zero teach nothing and do not count. Barsoum et al.,
    arXiv 1608.01041, equation 4; with one-hot targets this is the usual cross-entropy.
    smoothing: the part of each target spread evenly (Szegedy et al., arXiv 1512.00567, section 7).
    """
    taught = targets.sum(1, keepdim=True)
    targets = targets * (1 - smoothing) + taught * smoothing / targets.shape[1]
    loss = -(targets * F.log_softmax(logits.float(), dim=1)).sum()
    return loss / taught.sum().clamp_min(1)
