"""Begin a training with the weights of another one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from models.card_making import SOURCES, learnt_from
from models.runtime.classifier import OnnxClassifier
from models.runtime.errors import UserError
from models.runtime.labels import LABEL_SETS
from models.training.checkpoint import load_checkpoint
from models.training.exported import unfold
from models.training.loop import Trainer
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
_TRUNK = "trunk."
_NAMED_BY_DEPTH = {"vgg": "vgg16"}
"""Architectures that a region attention network calls by another name."""


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


def begin_from(trainer: Trainer, path: Path, pixels: Tensor) -> None:
    """Give a new training the weights of a checkpoint or an exported file.

    It is one of the same architecture, or of the trunk that a region attention network looks
    with. pixels: (N, 1, 48, 48) uint8, training pictures, to make an exported file's weights
    ready to be trained on. The rows of the last layer go by label set: those that both know are
    taken over, those of a set that only this training knows stay as they were drawn.
    """
    start = read_start(path, pixels)
    try:
        weights = _fitting(start, trainer, path)
        trainer.network.load_state_dict(weights)
    except RuntimeError as error:
        raise UserError(
            f"{path}: expected the layers that the recipe's [network] makes, found others: "
            "use the options that the checkpoint was trained with"
        ) from error
    trainer.average.network.load_state_dict(weights)
    new = [source for source in trainer.sources if source not in start.sources]
    trainer.sources = [*start.sources, *new]
    trainer.begun_from = start.told


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


def _fitting(start: Start, trainer: Trainer, path: Path) -> dict[str, Tensor]:
    """Return the weights by the names of the training's own network, complete with its own."""
    found, recipe = start.recipe.architecture, trainer.recipe
    own: dict[str, Tensor] = trainer.network.state_dict()
    weights = dict(start.weights)
    if found == recipe.architecture:
        for name in [name for name in weights if name.startswith("classifier.")]:
            theirs = list(start.recipe.labels)
            weights[name] = _rows(weights[name], theirs, own[name], trainer.label_sets)
        return weights
    if recipe.network.get("trunk") in (found, _NAMED_BY_DEPTH.get(found, found)):
        names = [name for name in own if name.startswith(_TRUNK)]
        bare = {name: name.removeprefix(_TRUNK) for name in names}
        if all(name in weights for name in bare.values()):  # its trunk has no name of its own
            return own | {name: weights[bare[name]] for name in names}
        if all(name in weights for name in names):
            return own | {name: weights[name] for name in names}
    raise UserError(
        f"{path}: expected a checkpoint of {recipe.architecture}, found one of {found}: choose "
        "another or train without --from"
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


def _rows(theirs: Tensor, their_sets: list[str], ours: Tensor, our_sets: list[str]) -> Tensor:
    pieces = dict(zip(their_sets, torch.split(theirs, _sizes(their_sets)), strict=True))
    drawn = dict(zip(our_sets, torch.split(ours, _sizes(our_sets)), strict=True))
    return torch.cat([pieces.get(name, drawn[name]).to(ours) for name in our_sets])


def _sizes(label_sets: list[str]) -> list[int]:
    return [len(LABEL_SETS[name]) for name in label_sets]
