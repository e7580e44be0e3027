"""Read what a training can begin with or learn from: a checkpoint, or an exported file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import Tensor

from models.card_making import SOURCES, learnt_from
from models.runtime.classifier import OnnxClassifier
from models.training.checkpoint import load_checkpoint
from models.training.exported import unfold
from models.training.recipe import Recipe, recipe_of

OF_THE_NETWORK = [
    "architecture",
    "network",
    "loss",
    "region_margin",
    "input_size",
    "field",
    "mean",
    "std",
]
"""Keys of a recipe that say what a network is, not how it is trained."""


@dataclass(frozen=True, slots=True)
class Start:
    """Hold what a training can begin with.

    recipe: the one it was trained by, with the label sets that it knows. weights: by name, the
    averaged ones. sources: what it has learnt from. told: where it comes from, for the card.
    """

    recipe: Recipe
    weights: dict[str, Tensor]
    sources: list[str]
    told: str


def network_of(path: Path) -> dict[str, Any]:
    """Return the keys of a recipe that say what a network is, not how it is trained.

    Of a checkpoint or an exported file, for training it on by another recipe, whatever network
    that one names.
    """
    if path.suffix == ".onnx":
        recipe = Recipe.from_dict(OnnxClassifier(path, provider="CPU").card.recipe)
    else:
        recipe = recipe_of(load_checkpoint(path), path)
    values = recipe.as_dict()
    return {key: values[key] for key in OF_THE_NETWORK}


def read_start(path: Path, pixels: Tensor) -> Start:
    """Read what to begin with from a checkpoint, or from an exported file and its card."""
    if path.suffix == ".onnx":
        network, classifier = unfold(path, pixels)
        card = classifier.card
        # Of the two label sets of a training with margins one may be voted, which takes none.
        recipe = Recipe.from_dict(card.recipe)
        recipe = replace(recipe, labels={card.label_set: 1.0}, loss="softmax")
        sources = [name for name, text in SOURCES.items() if text in card.data]
        return Start(recipe, network.state_dict(), sources, _told(recipe, card.training))
    values = load_checkpoint(path)
    recipe = recipe_of(values, path)
    made = {key: values.get(key) for key in ("epoch", "begun_from")} | values["environment"]
    return Start(recipe, dict(values["average"]), learnt_from(values, recipe), _told(recipe, made))


def _told(recipe: Recipe, made: Mapping[str, Any]) -> str:
    if not made.get("epoch") and made.get("begun_from"):  # a mean, which says of what
        return str(made["begun_from"])
    return (
        f"{recipe.architecture} for {' and '.join(recipe.labels)}, epoch {made.get('epoch', 0)} of "
        f"{recipe.epochs}, commit {made.get('commit', 'unknown')}"
    )
