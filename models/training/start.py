"""Read what a training can begin with or learn from: a checkpoint, or an exported file."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from models.card_making import SOURCES, learnt_from
from models.runtime.card import Card
from models.runtime.classifier import OnnxClassifier
from models.runtime.errors import UserError
from models.training.checkpoint import load_checkpoint
from models.training.exported import unfold
from models.training.recipe import Recipe, recipe_of

_OF_THE_NETWORK = [
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
    averaged ones. sources: what it has learnt from. made: what is known of its training.
    """

    recipe: Recipe
    weights: dict[str, Tensor]
    sources: list[str]
    made: Mapping[str, Any]

    @property
    def told(self) -> str:
        """Return where it comes from, and where that came from, for the card."""
        made, recipe = self.made, self.recipe
        before = str(made.get("begun_from") or "")
        teachers = [each["file"] for each in made.get("teachers") or []]
        taught = f", taught by {' and '.join(teachers)}" if teachers else ""
        if not made.get("epoch") and before:  # a mean, which says of what
            return before
        return (
            f"{recipe.architecture} for {' and '.join(recipe.labels)}, epoch "
            f"{made.get('epoch', 0)} of {recipe.epochs}, commit {made.get('commit', 'unknown')}"
            f"{taught}{f', begun from {before}' if before else ''}"
        )


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
    return {key: values[key] for key in _OF_THE_NETWORK}


def sources_of(path: Path) -> list[str]:
    """Return the names of what a checkpoint or an exported file has learnt from."""
    if path.suffix == ".onnx":
        return _sources_on(OnnxClassifier(path, provider="CPU").card)
    values = load_checkpoint(path)
    return learnt_from(values, recipe_of(values, path))


def _sources_on(card: Card) -> list[str]:
    return [name for name, text in SOURCES.items() if text in card.data]


def read_start(path: Path, pixels: Tensor) -> Start:
    """Read what to begin with from a checkpoint, or from an exported file and its card."""
    if path.suffix == ".onnx":
        network, classifier = unfold(path, pixels)
        card = classifier.card
        # Of the two label sets of a training with margins one may be voted, which takes none.
        recipe = Recipe.from_dict(card.recipe)
        recipe = replace(recipe, labels={card.label_set: 1.0}, loss="softmax")
        return Start(recipe, network.state_dict(), _sources_on(card), card.training)
    values = load_checkpoint(path)
    recipe = recipe_of(values, path)
    made = {key: values.get(key) for key in ("epoch", "begun_from")} | values["environment"]
    made["teachers"] = values.get("taught_by")
    return Start(recipe, dict(values["average"]), learnt_from(values, recipe), made)


def read_family(path: Path, pixels: Tensor, label_sets: list[str]) -> Start:
    """Read what to begin with, and what lies beside an exported file for label sets that it lacks.

    Beside NAME.fer2013.onnx that is NAME.ferplus.onnx, if both were exported from one training.
    """
    start = read_start(path, pixels)
    if path.suffix != ".onnx":
        return start
    (own,) = start.recipe.labels
    for missing in label_sets:
        beside = path.with_name(path.name.replace(f".{own}.", f".{missing}."))
        if missing == own or beside == path or not beside.is_file():
            continue
        with suppress(UserError):  # of another build or precision: it was not asked for
            start = joined(start, read_start(beside, pixels)) or start
    return start


def joined(one: Start, other: Start) -> Start | None:
    """Return one network for the label sets of two, where all but their last layers is the same."""
    ours, theirs = one.recipe.as_dict(), other.recipe.as_dict()
    if any(ours[key] != theirs[key] for key in _OF_THE_NETWORK if key != "loss"):
        return None
    if one.recipe.labels.keys() & other.recipe.labels.keys():
        return None
    last = [name for name in one.weights if name.startswith("classifier.")]
    if any(
        not torch.equal(value, other.weights[name])
        for name, value in one.weights.items()
        if name not in last
    ):
        return None
    rows = {name: torch.cat([one.weights[name], other.weights[name]]) for name in last}
    recipe = replace(one.recipe, labels={**one.recipe.labels, **other.recipe.labels})
    return replace(one, recipe=recipe, weights={**one.weights, **rows})
