"""Write the backward graph of an exported model and check it against torch."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from models.explain.attention import Map
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

    The gradient jumps where a ReLU's input crosses 0 or two values of a pool are equal, and there
    rounding decides: torch differs between its own two precisions by as much. So each crop is
    compared with both, and the nearer one counts.
    """
    file = write_guided(model)
    classifier = OnnxClassifier(model, provider="CPU")
    inputs = torch.from_numpy(to_input(crops, classifier.card.input))
    guided = GuidedBackprop(classifier)
    labels = len(classifier.labels)
    precisions = ((network, inputs), (deepcopy(network).double(), inputs.double()))
    ways = ([HIGHEST] * len(crops), [number % labels for number in range(len(crops))])
    # Not max(), which passes over what is no number.
    worst = float(np.max([_apart(precisions, way, guided.gradients(crops, way)) for way in ways]))
    allowed = TOLERANCE[classifier.card.precision]
    if not worst <= allowed:
        file.unlink()
        raise ModelError(
            f"expected torch and the backward graph to agree within {allowed} of the greatest "
            f"gradient on the stored crops, found a difference of {worst:.2g}"
        )
    return file


def _apart(precisions: Sequence[tuple[Network, Tensor]], asked: Sequence[int], found: Map) -> float:
    """Return how far found gradients (N, S, S) are from torch, in parts of the greatest one.

    precisions: the network and its inputs, in float32 and in float64; the nearer counts.
    """
    ours = torch.from_numpy(found)
    single, double = (guided_gradient(*each, asked)[:, 0] for each in precisions)
    nearer = torch.minimum(*((ours - theirs).abs().amax((1, 2)) for theirs in (single, double)))
    return float(nearer.max()) / max(float(single.abs().max()), 1e-12)
