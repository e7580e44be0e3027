"""Measure logits against the truth."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from models.data.face_set import FaceSet
from models.data.ferplus import majority
from models.evaluate import figures
from models.runtime.card import Metric
from models.runtime.errors import UserError
from models.runtime.labels import LABEL_SETS

RULES = {
    "fer2013": "FER2013 labels, every picture",
    "fer2013-4": "FER2013 labels, every picture of anger, happiness, sadness or neutral",
    "ferplus": "FER+ majority: single votes dropped, more than half for one of eight expressions",
}


def rule_for(source: str, label_set: str) -> str:
    """Say how the truth of a data set is decided for models of this label set."""
    if source == "fer2013":
        return RULES[label_set]
    return f"labels of {source}, every picture of an expression that {label_set} has too"


def chosen_on(source: str) -> str:
    """Name the part of a data set that training chooses on, as a card says it."""
    return "PublicTest" if source == "fer2013" else f"validation part of {source}"


def truth_for(faces: FaceSet, label_set: str) -> NDArray[np.int64]:
    """Return the label to be named (N,), -1 where the rule of the label set skips a picture.

    Labels of one set count in another by their words, but FER2013's never as FER+'s.
    """
    if label_set == "ferplus" and faces.votes is not None:
        return majority(faces.votes)
    if label_set == "ferplus" and faces.source == "fer2013" and faces.label_set != "ferplus":
        raise UserError(
            "expected FER+ votes with the data, found none: put fer2013new.csv beside the "
            "FER2013 file or give it with --ferplus"
        )
    return faces.labels_in(label_set)


def measure(
    logits: NDArray[np.float32],
    truth: NDArray[np.int64],
    *,
    temperature: float,
    label_set: str,
    source: str,
    crops: str,
) -> Metric:
    """Return all figures of logits (N, C) on the pictures that the rule uses.

    source: the data set, of whose PublicTest part they are. A label that no picture has is left
    out of the recalls. Raises `UserError` for no picture.
    """
    used = truth >= 0
    if not used.any():
        raise UserError(
            f"expected PublicTest pictures to measure {label_set} on, found none: use the whole "
            "file"
        )
    found = figures(logits[used] / np.float32(temperature), truth[used], LABEL_SETS[label_set])
    return Metric(
        split=chosen_on(source),
        rule=rule_for(source, label_set),
        crops=crops,
        n=found.n,
        accuracy=round(found.accuracy, 5),
        macro_f1=round(found.macro_f1, 5),
        nll=round(found.nll, 5),
        ece=round(found.ece, 5),
        recall={name: round(part, 4) for name, part in found.per_class_recall.items()},
        date=datetime.now(UTC).date().isoformat(),
    )
