"""Write the backward graph of an exported model and check it against torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from models.explain.backward import write_guided
from models.explain.base import Crop
from models.explain.guided import HIGHEST, GuidedBackprop
from models.nets.guided import guided_gradient
from models.nets.network import Network
from models.runtime.card import ModelError
from models.runtime.classifier import OnnxClassifier
from models.runtime.preprocess import to_input

TOLERANCE = {"fp32": 1e-4, "fp16": 5e-2}
"""The most that a guided gradient may differ from torch's, in parts of the greatest one.

A float16 model is followed back with its own weights, which are rounded.
"""


def write_checked_guided(network: Network, model: Path, crops: list[Crop]) -> Path:
    """Write the backward graph beside a model, compare both on crops, and return its path.

    network: the one the model was exported from, in eval mode. crops: as the model sees them.
    Raises `ModelError`, and leaves no file, where they differ or the network has no guided view.
    """
    file = write_guided(model)
    classifier = OnnxClassifier(model, provider="CPU")
    inputs = torch.from_numpy(to_input(crops, classifier.card.input))
    guided = GuidedBackprop(classifier)
    labels = len(classifier.labels)
    worst = 0.0
    for asked in ([HIGHEST] * len(crops), [number % labels for number in range(len(crops))]):
        expected = guided_gradient(network, inputs, asked).numpy()[:, 0]
        apart = float(np.abs(guided.gradients(crops, asked) - expected).max())
        worst = max(worst, apart / max(float(np.abs(expected).max()), 1e-12))
    allowed = TOLERANCE[classifier.card.precision]
    if not worst <= allowed:
        file.unlink()
        raise ModelError(
            f"expected torch and the backward graph to agree within {allowed} of the greatest "
            f"gradient on the stored crops, found a difference of {worst:.2g}"
        )
    return file
