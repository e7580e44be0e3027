"""The seam every explanation keeps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from models.explain.attention import Map
from models.runtime.classifier import OnnxClassifier
from models.runtime.preprocess import softmax

Crop = NDArray[np.uint8]

# As quick as any larger batch, and ONNX Runtime keeps the memory of the largest it has seen.
_AT_ONCE = 16


class Explainer(Protocol):
    """Say where in a crop a model found a label.

    name: the word by which it is chosen, such as "cam". title: as shown to people.
    """

    @property
    def name(self) -> str: ...

    @property
    def title(self) -> str: ...

    def explain(self, crop: Crop, label_index: int) -> Map:
        """Return an attention map (S, S) float32, 0 to 1, of a crop (S, S) uint8 gray.

        label_index: place of the label among the model's labels. 1 is the strongest place of this
        crop; a map of zeros says that nothing speaks for the label. Not to be shared between
        threads.
        """
        ...


class Runner:
    """Run a model for its explanations, in a session of its own that opens at the first use.

    So a slower thread can explain while another classifies. One crop, without its mirror image.
    threads: of ONNX Runtime's own pool.
    """

    def __init__(self, classifier: OnnxClassifier, *, threads: int = 1) -> None:
        self.card = classifier.card
        self.path = classifier.path
        self._provider = classifier.provider
        self._threads = threads
        self._own: OnnxClassifier | None = None

    @property
    def size(self) -> int:
        return self.card.input.size

    def run(self, crops: Sequence[Crop]) -> dict[str, Map]:
        """Return every output of the model for N crops (S, S) uint8."""
        if self._own is None:
            self._own = OnnxClassifier(
                self.path, provider=self._provider, threads=self._threads, mirror=False
            )
        return self._own.run(crops, mirror=False)

    def probabilities(self, crops: Sequence[Crop]) -> Map:
        """Return the calibrated probabilities (N, C) of N crops."""
        logits = [
            self.run(crops[start : start + _AT_ONCE])["logits"]
            for start in range(0, len(crops), _AT_ONCE)
        ]
        return softmax(np.concatenate(logits), self.card.temperature["one"])


def scaled(values: Map, size: int) -> Map:
    """Return values (h, w) at (size, size): what is negative becomes 0, the greatest 1.

    Enlarged as pictures are, cubic between the middles of the cells.
    """
    positive = np.maximum(values, np.float32(0))
    greatest = float(positive.max())
    if not np.isfinite(greatest) or greatest <= 0:
        return np.zeros((size, size), np.float32)
    if values.shape != (size, size):
        method = cv2.INTER_AREA if min(values.shape) > size else cv2.INTER_CUBIC
        large = cv2.resize(positive, (size, size), interpolation=method)
        # Cubic interpolation swings a little beyond its values.
        positive = np.maximum(np.asarray(large, np.float32), np.float32(0))
        greatest = float(positive.max())
    return np.asarray(positive / np.float32(greatest), np.float32)
