"""Judge a model: from logits and truth to every figure of a report."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.runtime.errors import UserError
from models.runtime.preprocess import softmax
from models.training.metrics import (
    calibration_error,
    confusion,
    macro_f1,
    negative_log_likelihood,
    recalls,
)

BINS = 15
"""Bins of the reliability diagram and of the expected calibration error."""
EXACT_BELOW = 25
"""McNemar's test is exact where fewer pictures than this tell two models apart."""
_NONE = 1e-30  # what a label that is left out weighs
_Z95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Figures:
    """Hold the figures of one set of n pictures.

    accuracy, macro_f1, ece, mean_recall: 0 to 1. accuracy_interval: 95%, Wilson. nll: nats.
    per_class_recall: 0 to 1 by label, labels that no picture has left out.
    confusion: counts, row the truth, column the prediction.
    """

    n: int
    accuracy: float
    accuracy_interval: tuple[float, float]
    macro_f1: float
    per_class_recall: dict[str, float]
    ece: float
    nll: float
    confusion: tuple[tuple[int, ...], ...]

    @property
    def mean_recall(self) -> float:
        """Return the accuracy to expect where each label is as common as any other."""
        return sum(self.per_class_recall.values()) / len(self.per_class_recall)


@dataclass(frozen=True, slots=True)
class Bin:
    """Hold the pictures whose confidence lies in one part of 0 to 1: their count and means."""

    low: float
    high: float
    n: int
    confidence: float
    accuracy: float


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """Hold what one model came to on the n pictures that its rule uses.

    deduplicated: without copies of pictures that models saw before, None where these are not known
    or nothing is left. bins: those that hold a picture. rows: (n,) int64 place among the pictures
    given. truth, predicted: (n,) int64. confidence: (n,) float32, of the prediction, 0 to 1.
    """

    labels: tuple[str, ...]
    temperature: float
    whole: Figures
    deduplicated: Figures | None
    bins: tuple[Bin, ...]
    rows: NDArray[np.int64]
    truth: NDArray[np.int64]
    predicted: NDArray[np.int64]
    confidence: NDArray[np.float32]

    @property
    def hits(self) -> NDArray[np.bool_]:
        """Return which pictures were named right, (n,)."""
        return np.equal(self.predicted, self.truth)

    def worst(self, count: int) -> NDArray[np.int64]:
        """Return the places, among the n, of the mistakes made with the most confidence."""
        wrong = np.flatnonzero(~self.hits)
        order = np.argsort(-self.confidence[wrong], kind="stable")
        return wrong[order][:count].astype(np.int64)


@dataclass(frozen=True, slots=True)
class McNemar:
    """Hold a paired test of two models on the same pictures.

    first_only, second_only: pictures that only this one names right. statistic: chi-square with
    one degree of freedom, None for the exact test. p: two-sided.
    """

    first_only: int
    second_only: int
    test: str
    statistic: float | None
    p: float


def evaluate(
    logits: NDArray[np.float32],
    truth: NDArray[np.int64],
    *,
    labels: tuple[str, ...],
    temperature: float,
    copies: NDArray[np.bool_] | None = None,
    weights: NDArray[np.float64] | None = None,
) -> Evaluation:
    """Judge logits (N, C) against truth (N,), -1 where a picture is not used.

    temperature: divides the logits for all that concerns confidence. copies: (N,) pictures that
    models saw before. weights: (C,) by which probabilities are multiplied for other base rates; a
    picture whose label has none is not used. Raises `UserError` where no picture is used.
    """
    used = truth >= 0
    if weights is not None:
        used &= weights[truth] > 0
    if not used.any():
        raise UserError(
            f"expected pictures with a label of {', '.join(labels)}, found none among "
            f"{len(truth):,}: choose another split or list"
        )
    values, true = logits[used] / np.float32(temperature), truth[used]
    if weights is not None:
        values += np.log(np.maximum(weights, _NONE)).astype(np.float32)
    probabilities = softmax(values)
    confidence, predicted = probabilities.max(axis=1), probabilities.argmax(axis=1)
    kept = None if copies is None else ~copies[used]
    return Evaluation(
        labels=labels,
        temperature=temperature,
        whole=figures(values, true, labels),
        deduplicated=(
            None if kept is None or not kept.any() else figures(values[kept], true[kept], labels)
        ),
        bins=reliability(confidence, predicted == true),
        rows=np.flatnonzero(used).astype(np.int64),
        truth=true,
        predicted=predicted.astype(np.int64),
        confidence=confidence,
    )


def figures(
    logits: NDArray[np.float32], truth: NDArray[np.int64], labels: tuple[str, ...]
) -> Figures:
    """Return the figures of calibrated logits (n, C), n at least 1, against truth (n,)."""
    counts = confusion(logits, truth)
    hits, n = int(counts.trace()), len(truth)
    present = counts.sum(axis=1) > 0
    return Figures(
        n=n,
        accuracy=hits / n,
        accuracy_interval=wilson(hits, n),
        macro_f1=macro_f1(counts),
        per_class_recall={
            label: float(part)
            for label, part, there in zip(labels, recalls(counts), present, strict=True)
            if there
        },
        ece=calibration_error(logits, truth, BINS),
        nll=negative_log_likelihood(logits, truth),
        confusion=tuple(tuple(int(cell) for cell in row) for row in counts),
    )


def reliability(confidence: NDArray[np.float32], hits: NDArray[np.bool_]) -> tuple[Bin, ...]:
    """Return the bins of a reliability diagram that hold a picture, lowest first.

    Guo et al., arXiv 1706.04599, section 2; equal widths, the same bins as the calibration error.
    """
    place = np.minimum((confidence.astype(np.float64) * BINS).astype(int), BINS - 1)
    return tuple(
        Bin(
            low=number / BINS,
            high=(number + 1) / BINS,
            n=int(inside.sum()),
            confidence=float(confidence[inside].mean()),
            accuracy=float(hits[inside].mean()),
        )
        for number in range(BINS)
        if (inside := place == number).any()
    )


def wilson(hits: int, n: int) -> tuple[float, float]:
    """Return the 95% score interval of a part, 0 to 1 (Wilson 1927; n at least 1)."""
    part, square = hits / n, _Z95**2
    middle = part + square / (2 * n)
    half = _Z95 * math.sqrt(part * (1 - part) / n + square / (4 * n * n))
    scale = 1 + square / n
    return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)


def mcnemar(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> McNemar:
    """Test whether two models err equally often on the same pictures (McNemar 1947).

    first, second: (n,) which pictures each named right. Two-sided exact binomial test where fewer
    than `EXACT_BELOW` pictures tell them apart, else chi-square with Edwards' continuity
    correction.
    """
    ahead, behind = int((first & ~second).sum()), int((second & ~first).sum())
    apart = ahead + behind
    if apart < EXACT_BELOW:
        tail = sum(math.comb(apart, k) for k in range(min(ahead, behind) + 1)) / 2**apart
        return McNemar(ahead, behind, "exact binomial", None, min(1.0, 2 * tail))
    statistic = max(0, abs(ahead - behind) - 1) ** 2 / apart
    p = math.erfc(math.sqrt(statistic / 2))
    return McNemar(ahead, behind, "chi-square with continuity correction", statistic, p)
