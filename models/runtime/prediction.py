"""What a classifier says of one crop, and the seam every classifier keeps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """Hold the probabilities of one crop.

    probabilities: (C,) float32, calibrated, sums to 1, in the order of `labels`.
    attention: named maps, such as "cam": (C, h, w) float32, one class activation map a label,
    unscaled; empty for a model that exports none. left_out: labels that base rates leave out.
    """

    probabilities: NDArray[np.float32]
    labels: tuple[str, ...]
    attention: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        return self.labels[int(self.probabilities.argmax())]

    @property
    def confidence(self) -> float:
        return float(self.probabilities.max())


class Classifier(Protocol):
    """Say the expression of each crop."""

    @property
    def labels(self) -> tuple[str, ...]: ...

    @property
    def input_size(self) -> int:
        """Return the side in pixels of the square crops that `classify` takes."""
        ...

    @property
    def input_field(self) -> int:
        """Return how much of FER2013's framing the crops show, in its 48 pixels."""
        ...

    def classify(self, crops: Sequence[NDArray[np.uint8]]) -> list[Prediction]:
        """Return one prediction a crop; crops are (S, S) uint8 gray."""
        ...
