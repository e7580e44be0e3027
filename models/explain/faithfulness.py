"""Measure whether a map shows what the model really used.

Petsiuk et al., "RISE", arXiv 1806.07421, section 4.2: the pixels are taken away in the order of
the map, or added to a blurred picture, and the label's probability is followed. If the map is
right, it falls fast (the area under the deletion curve is small) and rises fast (that under the
insertion curve is large).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.explain.attention import Map
from models.explain.base import Crop, Explainer, Runner

STEPS = 24
"""Parts in which the pixels are taken away or added."""
CHANCE = (
    "the same map turned, mirrored and moved at random over the crop, so that it is as coarse and "
    "as peaked and only its places are wrong"
)
SIGNIFICANT = 0.01
ENOUGH = 60
"""Pictures from which half a standard deviation would be found significant nine times in ten; with
fewer, what was not found to be better than chance may be so all the same."""

Curve = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Faithfulness:
    """Hold how faithful one method's maps are on n pictures.

    deletion, insertion: mean areas under the curves, 0 to 1; chance_…: of maps with their places
    at random. p, deletion_p, insertion_p: how often maps no better than chance would come out so
    far ahead by luck, for both curves together and each; one-sided Wilcoxon tests on pairs.
    """

    method: str
    title: str
    n: int
    deletion: float
    insertion: float
    chance_deletion: float
    chance_insertion: float
    p: float
    deletion_p: float
    insertion_p: float

    @property
    def better(self) -> bool:
        """Return whether the maps are better than chance, for both curves together."""
        return self.p < SIGNIFICANT

    @property
    def refuted(self) -> bool:
        """Return whether they are not, although there were pictures enough to find it."""
        return not self.better and self.n >= ENOUGH

    @property
    def doubt(self) -> str:
        """Return what speaks against believing the maps, in a few words; empty for nothing."""
        if self.better:
            return ""
        return "no better than chance" if self.refuted else f"unproven, {self.n} pictures"


def measure_faithfulness(
    runner: Runner,
    explainers: Sequence[Explainer],
    crops: Sequence[Crop],
    *,
    seed: int = 0,
    on_crop: Callable[[], object] = lambda: None,
) -> list[Faithfulness]:
    """Return the faithfulness of each explainer for the model's own label of each crop.

    crops: (S, S) uint8, at least one. on_crop: told after each crop of each explainer.
    """
    labels = runner.probabilities(crops).argmax(axis=1)
    results = []
    for explainer in explainers:
        # Each method draws its own numbers, so that its figures stay what they are among others.
        rng = np.random.default_rng([seed, *explainer.name.encode()])
        areas = np.empty((len(crops), 4))
        for row, (crop, label) in enumerate(zip(crops, labels.tolist(), strict=True)):
            found = explainer.explain(crop, label)
            areas[row] = [
                area(curve)
                for values in (found, moved(found, rng))
                for curve in curves(runner, crop, label, order(values, rng))
            ]
            on_crop()
        results.append(_judged(explainer, areas))
    return results


def curves(
    runner: Runner, crop: Crop, label_index: int, pixels: NDArray[np.int64]
) -> tuple[Curve, Curve]:
    """Return the label's probability after each step of deletion and of insertion, (STEPS + 1,).

    pixels: (S * S,) places in the crop, the most important first. Deleted pixels get the mean gray
    of the training data, which is 0 for the network; insertion begins with the crop blurred by a
    tenth of its side, where no expression can be told.
    """
    side = crop.shape[0]
    mean = np.full_like(crop, round(255 * runner.card.input.mean))
    blurred = np.asarray(cv2.GaussianBlur(crop, (0, 0), side / 10), np.uint8)
    counts = np.round(np.linspace(0, crop.size, STEPS + 1)).astype(int)
    shown = [_mixed(crop, mean, pixels[:count]) for count in counts]
    shown += [_mixed(blurred, crop, pixels[:count]) for count in counts]
    followed = runner.probabilities(shown)[:, label_index].astype(np.float64)
    return followed[: STEPS + 1], followed[STEPS + 1 :]


def order(values: Map, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return the pixels from the greatest value to the least, equal ones at random, (S * S,)."""
    return np.lexsort((rng.random(values.size), -values.ravel())).astype(np.int64)


def moved(values: Map, rng: np.random.Generator) -> Map:
    """Return the map turned, mirrored and shifted round the edges at random."""
    turned = np.rot90(values, int(rng.integers(4)))
    if rng.random() < 0.5:
        turned = turned[:, ::-1]
    down, right = rng.integers(values.shape)
    return np.asarray(np.roll(turned, (int(down), int(right)), (0, 1)), np.float32)


def area(curve: Curve) -> float:
    """Return the area under a curve over 0 to 1, by trapezia."""
    return float((curve[1:] + curve[:-1]).mean() / 2)


def ahead(differences: Curve) -> float:
    """Return the one-sided p of the Wilcoxon signed-rank test that differences lie above 0.

    Wilcoxon 1945, Biometrics 1: zeros are left out, equal sizes share their rank; exact for up
    to 12 differences, else the normal approximation with its correction for equal sizes.
    """
    kept = differences[differences != 0]
    if not len(kept):
        return 1.0
    _, place, repeats = np.unique(np.abs(kept), return_inverse=True, return_counts=True)
    last = np.cumsum(repeats)
    ranks = (last - (repeats - 1) / 2)[place]
    found = float(ranks[kept > 0].sum())
    n = len(kept)
    if n <= 12:
        signs = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
        return float((signs @ ranks >= found - 1e-9).mean())
    variance = n * (n + 1) * (2 * n + 1) / 24 - float((repeats**3 - repeats).sum()) / 48
    z = (found - n * (n + 1) / 4 - 0.5) / math.sqrt(variance)
    return math.erfc(z / math.sqrt(2)) / 2


def _mixed(below: Crop, above: Crop, pixels: NDArray[np.int64]) -> Crop:
    mixed = below.copy()
    mixed.reshape(-1)[pixels] = above.reshape(-1)[pixels]
    return mixed


def _judged(explainer: Explainer, areas: NDArray[np.float64]) -> Faithfulness:
    """Judge areas (n, 4): deletion, insertion, and both again for the moved map."""
    deletion, insertion, chance_deletion, chance_insertion = (
        float(mean) for mean in areas.mean(axis=0)
    )
    falls, rises = areas[:, 2] - areas[:, 0], areas[:, 1] - areas[:, 3]
    return Faithfulness(
        method=explainer.name,
        title=explainer.title,
        n=len(areas),
        deletion=deletion,
        insertion=insertion,
        chance_deletion=chance_deletion,
        chance_insertion=chance_insertion,
        p=ahead(falls + rises),
        deletion_p=ahead(falls),
        insertion_p=ahead(rises),
    )
