"""What a card says of reading faces: when one is unsure, what is neutral, how common is what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from models.runtime.card import Card, UnsureRule
from models.runtime.errors import UserError
from models.runtime.preprocess import softmax

if TYPE_CHECKING:
    from models.data.face_set import FaceSet

PRECISION = 0.9
"""How many of the labels that are shown are to be right."""

LEAST = 50
"""Pictures that a threshold takes; with fewer, one more or less would move it."""

# One prediction that is sure to the last digit must not set the mean.
_FLOOR = 1e-3


def unsure_rule(
    probabilities: NDArray[np.float32], truth: NDArray[np.int64], *, split: str
) -> UnsureRule | None:
    """Return the lowest threshold above which `PRECISION` of the labels are right.

    probabilities: (N, C). truth: (N,), the label of each. The selective classifier of El-Yaniv
    and Wiener (2010, JMLR 11, section 2) with the highest probability as its selection function.
    None for fewer than `LEAST` pictures, of which nothing can be said.
    """
    if len(truth) < LEAST:
        return None
    # In the steps of the card, so that its threshold takes in no face more than was counted.
    confidence = np.floor(1e4 * probabilities.max(axis=1).astype(np.float64)) / 1e4
    right = probabilities.argmax(axis=1) == truth
    order = np.argsort(-confidence, kind="stable")
    shares = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    # Where several are equally sure, the threshold takes all of them or none.
    last = np.append(np.diff(confidence[order]) != 0, True)
    enough = np.flatnonzero((shares >= PRECISION) & last & (np.arange(len(order)) >= LEAST - 1))
    threshold, labelled = 1.0, np.zeros(len(confidence), bool)  # no label is ever given
    if len(enough):
        threshold = float(confidence[order[enough[-1]]])
        labelled = confidence >= threshold
    return UnsureRule(
        threshold=threshold,
        precision=round(float(right[labelled].mean()), 4) if labelled.any() else 1.0,
        coverage=round(float(labelled.mean()), 4),
        n=len(truth),
        split=split,
    )


def neutral_mean(
    probabilities: NDArray[np.float32], truth: NDArray[np.int64], labels: tuple[str, ...]
) -> tuple[float, ...]:
    """Return the mean logarithm of each label's probability on neutral faces, in nats.

    Empty where the labels have no neutral or no picture shows it.
    """
    if "neutral" not in labels:
        return ()
    neutral = probabilities[truth == labels.index("neutral")]
    if not len(neutral):
        return ()
    means = np.log(np.maximum(neutral.astype(np.float64), _FLOOR)).mean(axis=0)
    return tuple(round(float(value), 4) for value in means)


def base_rates(probabilities: NDArray[np.float32]) -> tuple[float, ...]:
    """Return how common a model takes each label to be: the mean of probabilities (N, C).

    Of a calibrated model it is about the share of each label among the pictures, but also where
    these are few, and it follows what softened labels or blended pictures have made of the shares
    that it was trained on. None is below `_FLOOR`, by which others are to be divided.
    Empty for fewer than `LEAST` pictures.
    """
    if len(probabilities) < LEAST:
        return ()
    means = np.maximum(probabilities.astype(np.float64).mean(axis=0), _FLOOR)
    return tuple(round(float(rate), 5) for rate in means)


def too_few(count: int, split: str) -> str:
    """Say why there is no rule."""
    return (
        f"expected at least {LEAST} pictures to tell below which confidence a face is unsure, "
        f"found {count} in {split}: the card has no such rule and the app calls no face "
        "unsure; measure on more pictures for one"
    )


def with_rules(
    card: Card,
    logits: Mapping[str, NDArray[np.float32]],
    truth: NDArray[np.int64],
    *,
    split: str,
) -> Card:
    """Return the card with all three measured at its temperatures.

    logits: (N, C) by crops ("one", "mirror"). truth: (N,), -1 where a picture does not count. The
    card has no rule and no base rates where there are too few.
    """
    used = truth >= 0
    unsure, neutral, rates = {}, {}, {}
    for crops, values in logits.items():
        probabilities = softmax(values[used], card.temperature[crops])
        rule = unsure_rule(probabilities, truth[used], split=split)
        if rule is not None:
            unsure[crops] = rule
        means = neutral_mean(probabilities, truth[used], card.labels)
        if means:
            neutral[crops] = means
        if common := base_rates(probabilities):
            rates[crops] = common
    return replace(card, unsure=unsure, neutral=neutral, base_rates=rates)


def refresh(path: Path, faces: FaceSet) -> Card:
    """Measure an exported model on PublicTest and write its card anew; return it.

    The card lies in the file as well, so what lies beside it and names the file by its hash, the
    backward graph and the note on its explanations, is written anew, too.
    """
    from models.card_file import drafted, embed_card, write_card
    from models.explain.backward import write_guided
    from models.explain.guided import guided_file
    from models.explain.note import read_note, write_note
    from models.measure import truth_for
    from models.runtime.classifier import OnnxClassifier
    from models.scoring import classifier_logits

    classifier = OnnxClassifier(path, provider="CPU")
    validation = faces.split("PublicTest")
    card = classifier.card
    truth = truth_for(validation, card.label_set)
    count = int((truth >= 0).sum())
    if count < LEAST:
        raise UserError(
            f"expected at least {LEAST} PublicTest pictures of {card.label_set} to measure on, "
            f"found {count}: use the whole file"
        )
    logits = {
        crops: classifier_logits(classifier, validation.pixels, crops)
        for crops in ("one", "mirror")
    }
    card = with_rules(card, logits, truth, split="PublicTest")
    had_guided, note = guided_file(path).is_file(), read_note(path)
    with drafted(path) as draft:
        draft.write_bytes(path.read_bytes())
        embed_card(draft, card)
        card = write_card(draft, card)
    if had_guided:
        write_guided(path)
    if note is not None:
        write_note(path, note)
    return card
