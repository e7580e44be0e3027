"""Figures of merit of a set of predictions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

TEMPERATURES = (0.05, 20.0)
"""The lowest and the highest that are looked at."""
_AT_A_BOUND = 1.01


def log_softmax(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return log-probabilities (N, C) of logits (N, C)."""
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    result: NDArray[np.float64] = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return result


def accuracy(logits: NDArray[np.floating], truth: NDArray[np.int64]) -> float:
    """Return the part of rows whose highest logit is the truth, 0 to 1."""
    return float((logits.argmax(axis=1) == truth).mean())


def confusion(logits: NDArray[np.floating], truth: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return counts (C, C): row the truth, column the prediction."""
    classes = logits.shape[1]
    cells = truth * classes + logits.argmax(axis=1)
    return np.bincount(cells, minlength=classes * classes).reshape(classes, classes)


def recalls(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the recall of every class of a confusion matrix; NaN for a class not present."""
    with np.errstate(invalid="ignore", divide="ignore"):
        result: NDArray[np.float64] = counts.diagonal() / counts.sum(axis=1)
    return result


def macro_f1(counts: NDArray[np.int64]) -> float:
    """Return the mean F1 over the classes present in the truth, 0 to 1."""
    hits = counts.diagonal().astype(np.float64)
    total = counts.sum(axis=0) + counts.sum(axis=1)
    present = counts.sum(axis=1) > 0
    return float((2 * hits[present] / total[present]).mean())


def negative_log_likelihood(logits: NDArray[np.floating], truth: NDArray[np.int64]) -> float:
    """Return the mean negative log-probability of the truth, in nats."""
    return float(-log_softmax(logits)[np.arange(len(truth)), truth].mean())


def calibration_error(
    logits: NDArray[np.floating], truth: NDArray[np.int64], bins: int = 15
) -> float:
    """Return the expected calibration error, 0 to 1 (Guo et al., arXiv 1706.04599, equation 3)."""
    probabilities = np.exp(log_softmax(logits))
    confidence = probabilities.max(axis=1)
    hit = (probabilities.argmax(axis=1) == truth).astype(np.float64)
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    gap = np.bincount(place, confidence - hit, minlength=bins)
    return float(np.abs(gap).sum() / len(truth))


def fit_temperature(logits: NDArray[np.floating], truth: NDArray[np.int64]) -> float | None:
    """Return the temperature that makes the truth likeliest (Guo et al., section 4.2).

    The likelihood is unimodal in the temperature; golden-section search over `TEMPERATURES`. None
    where none of these is: where all is right the likeliest is 0, and where the logits say nothing
    of the truth it is without bound.
    """
    if accuracy(logits, truth) == 1:
        return None
    low, high = np.log(TEMPERATURES)
    ratio = (np.sqrt(5) - 1) / 2

    def cost(place: float) -> float:
        return negative_log_likelihood(logits / np.exp(place), truth)

    for _ in range(60):
        first, second = high - ratio * (high - low), low + ratio * (high - low)
        if cost(first) < cost(second):
            high = second
        else:
            low = first
    found = float(np.exp((low + high) / 2))
    inside = TEMPERATURES[0] * _AT_A_BOUND < found < TEMPERATURES[1] / _AT_A_BOUND
    return found if inside else None
