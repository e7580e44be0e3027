"""Begin a training with the weights of another one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from models.runtime.errors import UserError
from models.runtime.labels import LABEL_SETS
from models.training.checkpoint import load_checkpoint
from models.training.loop import Trainer
from models.training.recipe import Recipe

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


def begin_from(trainer: Trainer, path: Path) -> None:
    """Give a new training the averaged weights of a checkpoint of the same architecture.

    The rows of the last layer go by label set: those that both know are taken over, those of a
    set that only this training knows stay as they were drawn.
    """
    values = load_checkpoint(path)
    source = Recipe.from_dict(values["recipe"])
    if source.architecture != trainer.recipe.architecture:
        raise UserError(
            f"{path}: expected a checkpoint of {trainer.recipe.architecture}, found one of "
            f"{source.architecture}: choose another or train without --from"
        )
    weights: dict[str, Tensor] = dict(values["average"])
    own = trainer.network.state_dict()
    for name in [name for name in weights if name.startswith("classifier.")]:
        weights[name] = _rows(weights[name], list(source.labels), own[name], trainer.label_sets)
    try:
        trainer.network.load_state_dict(weights)
    except RuntimeError as error:
        raise UserError(
            f"{path}: expected the layers that the recipe's [network] makes, found others: "
            "use the options that the checkpoint was trained with"
        ) from error
    trainer.average.network.load_state_dict(weights)
    # Checkpoints older than the key were all trained on FER2013.
    trainer.sources = list(values.get("sources", ["fer2013"]))
    made = values["environment"].get("commit", "unknown")
    trainer.begun_from = (
        f"{source.architecture} for {' and '.join(source.labels)}, epoch {values['epoch']} of "
        f"{source.epochs}, commit {made}"
    )


def network_of(path: Path) -> dict[str, Any]:
    """Return the keys of a checkpoint's recipe that say what its network is, not how it is trained.

    For training it on by another recipe, whatever network that one names.
    """
    values = Recipe.from_dict(load_checkpoint(path)["recipe"]).as_dict()
    return {key: values[key] for key in _OF_THE_NETWORK}


def _rows(theirs: Tensor, their_sets: list[str], ours: Tensor, our_sets: list[str]) -> Tensor:
    pieces = dict(zip(their_sets, torch.split(theirs, _sizes(their_sets)), strict=True))
    drawn = dict(zip(our_sets, torch.split(ours, _sizes(our_sets)), strict=True))
    return torch.cat([pieces.get(name, drawn[name]).to(ours) for name in our_sets])


def _sizes(label_sets: list[str]) -> list[int]:
    return [len(LABEL_SETS[name]) for name in label_sets]
