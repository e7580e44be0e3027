"""FER+ votes: what ten people said of each FER2013 picture.

Barsoum et al., "Training Deep Networks for Facial Expression Recognition with Crowd-Sourced
Label Distribution", arXiv 1608.01041, section 4.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_EXPRESSIONS = 8


def _without_single_votes(votes: NDArray[np.uint8]) -> NDArray[np.float64]:
    return np.where(votes > 1, votes, 0).astype(np.float64)


def majority(votes: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the FER+ label most voted for (N,), or -1 where the picture is not used.

    Votes (N, 10). Single votes are dropped as slips; what is left must give more than half to one
    of the eight expressions. On the whole of FER+ this keeps 25,060 / 3,199 / 3,153 pictures.
    """
    kept = _without_single_votes(votes)
    best = kept.argmax(axis=1)
    clear = kept.max(axis=1) > 0.5 * kept.sum(axis=1)
    return np.where(clear & (best < _EXPRESSIONS), best, -1)


def soft_targets(votes: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the distribution of votes over the eight expressions, (N, 8) float32.

    Votes (N, 10). Single votes are dropped as slips. A row is all zero, so that it teaches
    nothing, where "unknown" or "not a face" has the most votes or no vote is left.
    """
    kept = _without_single_votes(votes)
    usable = (kept.argmax(axis=1) < _EXPRESSIONS) & (kept.sum(axis=1) > 0)
    expressions = kept[:, :_EXPRESSIONS] * usable[:, None]
    total = expressions.sum(axis=1, keepdims=True)
    targets: NDArray[np.float32] = np.divide(
        expressions, total, out=np.zeros_like(expressions), where=total > 0
    ).astype(np.float32)
    return targets
