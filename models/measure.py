"""Measure logits against the truth."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from models.data.face_set import FaceSet, Split
from models.data.ferplus import majority
from models.runtime.card import Metric
from models.runtime.errors import UserError
from models.runtime.labels import LABEL_SETS
from models.training.metrics import (
    accuracy,
    calibration_error,
    confusion,
    macro_f1,
    negative_log_likelihood,
    recalls,
)

RULES = {
    "fer2013": "FER2013 labels, every picture",
    "ferplus": "FER+ majority: single votes dropped, more than half for one of eight expressions",
}


def truth_for(faces: FaceSet, label_set: str) -> NDArray[np.int64]:
    """Return the label to be named (N,), -1 where the rule of the label set skips a picture."""
    if label_set == "fer2013":
        return faces.labels
    if faces.votes is None:
        raise UserError(
            "expected FER+ votes with the data, found none: put fer2013new.csv beside the "
            "FER2013 file or give it with --ferplus"
        )
    return majority(faces.votes)


def measure(
    logits: NDArray[np.float32],
    truth: NDArray[np.int64],
    *,
    temperature: float,
    label_set: str,
    split: Split,
    crops: str,
) -> Metric:
    """Return all figures of logits (N, C) on the pictures that the rule uses."""
    used = truth >= 0
    values, true = logits[used], truth[used]
    counts = confusion(values, true)
    labels = LABEL_SETS[label_set]
    return Metric(
        split=split,
        rule=RULES[label_set],
        crops=crops,
        n=int(used.sum()),
        accuracy=round(accuracy(values, true), 5),
        macro_f1=round(macro_f1(counts), 5),
        nll=round(negative_log_likelihood(values / temperature, true), 5),
        ece=round(calibration_error(values / temperature, true), 5),
        recall={
            name: round(float(part), 4) for name, part in zip(labels, recalls(counts), strict=True)
        },
        date=datetime.now(UTC).date().isoformat(),
    )
