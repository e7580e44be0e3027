"""A face set made ready to train on or to measure on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.data.face_set import FaceSet
from models.data.ferplus import soft_targets
from models.measure import truth_for
from models.runtime.labels import LABEL_SETS


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """Hold pictures and what they teach, on one device.

    pixels: (N, 1, 48, 48) uint8. targets: by label set, (N, C) float32 distributions, a row of
    zeros where a picture teaches nothing. truth: by label set, (N,) int64 label to be named, -1
    where the rule of the label set leaves the picture out.
    """

    pixels: Tensor
    targets: dict[str, Tensor]
    truth: dict[str, NDArray[np.int64]]

    def __len__(self) -> int:
        return len(self.pixels)


def make_examples(faces: FaceSet, label_sets: list[str], device: torch.device) -> Examples:
    """Turn faces into examples for these label sets."""
    targets: dict[str, Tensor] = {}
    truth: dict[str, NDArray[np.int64]] = {}
    for name in label_sets:
        truth[name] = truth_for(faces, name)
        if name == "ferplus" and faces.votes is not None:
            taught = soft_targets(faces.votes)
        else:
            taught = _one_hot(truth[name], len(LABEL_SETS[name]))
        targets[name] = torch.from_numpy(taught).to(device)
    pixels = torch.from_numpy(faces.pixels).unsqueeze(1).to(device)
    return Examples(pixels=pixels, targets=targets, truth=truth)


def _one_hot(labels: NDArray[np.int64], count: int) -> NDArray[np.float32]:
    """Return (N, count), a row of zeros for each label -1."""
    rows = np.eye(count, dtype=np.float32)[labels]
    rows[labels < 0] = 0
    return rows
