"""Begin a training with the weights of another one."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from models.runtime.errors import UserError
from models.runtime.labels import LABEL_SETS
from models.training.loop import Trainer
from models.training.start import Start, read_family

_TRUNK = "trunk."
_NAMED_BY_DEPTH = {"vgg": "vgg16"}
"""Architectures that a region attention network calls by another name."""


def begin_from(trainer: Trainer, path: Path, pixels: Tensor) -> None:
    """Give a new training the weights of a checkpoint or an exported file.

    It is one of the same architecture, or of the trunk that a region attention network looks
    with. pixels: (N, 1, 48, 48) uint8, training pictures, to make an exported file's weights
    ready to be trained on. The rows of the last layer go by label set: those that both know are
    taken over, those of a set that only this training knows stay as they were drawn. An exported
    file knows one set; the other files of its training are taken from beside it.
    """
    start = read_family(path, pixels, trainer.label_sets)
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


def _rows(theirs: Tensor, their_sets: list[str], ours: Tensor, our_sets: list[str]) -> Tensor:
    pieces = dict(zip(their_sets, torch.split(theirs, _sizes(their_sets)), strict=True))
    drawn = dict(zip(our_sets, torch.split(ours, _sizes(our_sets)), strict=True))
    return torch.cat([pieces.get(name, drawn[name]).to(ours) for name in our_sets])


def _sizes(label_sets: list[str]) -> list[int]:
    return [len(LABEL_SETS[name]) for name in label_sets]
