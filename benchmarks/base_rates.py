"""Say what a model is worth where each expression is as common as any other.

    python benchmarks/base_rates.py --data fer2013.csv [MODEL ...]

PublicTest's pictures are weighed so that each label counts as much as any other: then accuracy is
the mean recall. Each model is measured with the base rates that it was measured with, and with even
ones; these once by its card, whose rates come from the same pictures, and once by rates from the
other half of them, in ten random halvings.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.card_rules import base_rates
from models.data.face_set import FaceSet
from models.data.fer2013 import read_fer2013
from models.evaluate import BINS
from models.measure import truth_for
from models.runtime.base_rates import BaseRates, reweighted
from models.runtime.classifier import OnnxClassifier
from models.runtime.preprocess import softmax
from models.runtime.store import bundled, load_model
from models.scoring import classifier_logits

EVEN = BaseRates(even=True)
HALVINGS = 10


@dataclass(frozen=True, slots=True)
class Read:
    """Hold what a model says of the n pictures that count.

    probabilities: (n, C), by the rates measured. truth: (n,).
    """

    labels: tuple[str, ...]
    probabilities: NDArray[np.float32]
    truth: NDArray[np.int64]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("models", nargs="*", help="names or files; by default all bundled ones")
    parser.add_argument("--data", type=Path, required=True, help="FER2013, with its FER+ votes")
    arguments = parser.parse_args()
    faces = read_fer2013(arguments.data, None).split("PublicTest")
    for name in arguments.models or [entry.name for entry in bundled()]:
        report(load_model(name, provider="CPU", threads=2), faces)


def report(model: OnnxClassifier, faces: FaceSet) -> None:
    """Print the figures of one model, its mirrored crop averaged in."""
    read = look(model, faces)
    common = model.card.base_rates["mirror"]
    print(f"{model.card.name}, {model.crops}, n = {len(read.truth):,}")
    print(f"  base rates {dict(zip(read.labels, common, strict=True))}")
    even = reweighted(read.probabilities, EVEN.weights(read.labels, common))
    for words, values in (("as measured", read.probabilities), ("even", even)):
        print(f"  {words:<12}{told(read, values, model.unsure_below)}")
    print(f"  even, by rates of the other half: mean recall {halves(read):.1%}")


def look(model: OnnxClassifier, faces: FaceSet) -> Read:
    truth = truth_for(faces, model.card.label_set)
    used = truth >= 0
    logits = classifier_logits(model, faces.pixels[used], model.crops)
    return Read(model.labels, softmax(logits, model.card.temperature[model.crops]), truth[used])


def told(read: Read, values: NDArray[np.float32], sure: float) -> str:
    """Return the figures of probabilities (n, C). sure: from where on a face is not unsure."""
    weight = each_label_alike(read.truth)
    confidence, right = values.max(axis=1), values.argmax(axis=1) == read.truth
    named = confidence >= sure
    picked = values[np.arange(len(read.truth)), read.truth]
    precision = (weight * right)[named].sum() / weight[named].sum()
    recalls = [
        f"{label} {right[read.truth == number].mean():.0%}"
        for number, label in enumerate(read.labels)
    ]
    return (
        f"accuracy as mixed {right.mean():.1%}, mean recall {(weight * right).sum():.1%} "
        f"({', '.join(recalls)}); mixed evenly: negative log-likelihood "
        f"{-(weight * np.log(picked)).sum():.3f}, calibration error "
        f"{off(confidence, right, weight):.3f}, {precision:.1%} right of the "
        f"{weight[named].sum():.1%} not unsure"
    )


def each_label_alike(truth: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return what each picture weighs so that all labels weigh the same, (n,), sum 1."""
    counts = np.bincount(truth)
    weights: NDArray[np.float64] = 1 / (np.count_nonzero(counts) * counts[truth])
    return weights


def off(
    confidence: NDArray[np.float32], right: NDArray[np.bool_], weight: NDArray[np.float64]
) -> float:
    """Return the expected calibration error of weighed pictures, in `BINS` bins."""
    place = np.minimum((confidence.astype(np.float64) * BINS).astype(int), BINS - 1)
    gaps = np.bincount(place, weight * (right - confidence.astype(np.float64)), BINS)
    return float(np.abs(gaps).sum())


def halves(read: Read) -> float:
    """Return the mean recall by base rates of pictures other than those asked about."""
    random = np.random.default_rng(0)
    found = []
    for _ in range(HALVINGS):
        order = random.permutation(len(read.truth))
        for known, asked in (np.array_split(order, 2), np.array_split(order[::-1], 2)):
            weights = EVEN.weights(read.labels, base_rates(read.probabilities[known]))
            said = reweighted(read.probabilities[asked], weights).argmax(axis=1)
            truth = read.truth[asked]
            found.append((each_label_alike(truth) * (said == truth)).sum())
    return float(np.mean(found))


if __name__ == "__main__":
    main()
