"""Write the backward graph of an exported model and check it against torch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from pathlib import Path

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

_LAST_DIGIT = 1e-6
"""Of inputs around 1 in float32, ten times over."""
_MOVES = 6


def write_checked_guided(network: Network, model: Path, crops: list[Crop]) -> Path:
    """Write the backward graph beside a model, compare both on crops, and return its path.

    network: the one the model was exported from, in eval mode. crops: as the model sees them.
    Raises `ModelError`, and leaves no file, where they differ or the network has no guided view.

    The gradient jumps where a ReLU's input crosses 0 or two values of a pool are equal, and there
    rounding decides, of which the export does its own as it folds the normalisation: torch differs
    between its own two precisions by as much, and between inputs that differ in the last digit. So
    each crop is compared with all of these, and the nearest one counts.
    """
    file = write_guided(model)
    classifier = OnnxClassifier(model, provider="CPU")
    inputs = torch.from_numpy(to_input(crops, classifier.card.input))
    guided = GuidedBackprop(classifier)
    labels = len(classifier.labels)
    allowed = TOLERANCE[classifier.card.precision]
    ways = ([HIGHEST] * len(crops), [number % labels for number in range(len(crops))])
    for way in ways:
        found = guided.gradients(crops, way)
        apart = _apart(_references(network, inputs), way, found, allowed)
        if not apart <= allowed:  # nor where it is no number
            file.unlink()
            raise ModelError(
                f"expected torch and the backward graph to agree within {allowed} of the greatest "
                f"gradient on the stored crops, found a difference of {apart:.2g}"
            )
    return file


def _references(network: Network, inputs: Tensor) -> Iterator[tuple[Network, Tensor]]:
    """Yield the network and its inputs as float32, as float64, and moved by a last digit."""
    yield network, inputs
    yield deepcopy(network).double(), inputs.double()
    generator = torch.Generator().manual_seed(0)
    for _ in range(_MOVES):
        yield network, inputs + _LAST_DIGIT * torch.randn(inputs.shape, generator=generator)


def _apart(
    references: Iterable[tuple[Network, Tensor]], asked: Sequence[int], found: Map, enough: float
) -> float:
    """Return how far found gradients (N, S, S) are from torch, in parts of the greatest one.

    references: networks with their inputs; for each crop the nearest counts, and no other is
    asked once all are within `enough`.
    """
    ours = torch.from_numpy(found)
    nearest = torch.full((len(found),), torch.inf, dtype=torch.float64)
    for network, inputs in references:
        theirs = guided_gradient(network, inputs, asked)[:, 0]
        greatest = max(float(theirs.abs().max()), 1e-12)
        nearest = torch.minimum(nearest, (ours - theirs).abs().amax((1, 2)).double() / greatest)
        if float(nearest.max()) <= enough:
            break
    return float(nearest.max())
