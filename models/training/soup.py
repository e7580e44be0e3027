"""The mean of the weights of several trainings: one network, no slower than each of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from models.card_making import learnt_from
from models.nets.registry import find_architecture
from models.runtime.errors import UserError
from models.training.checkpoint import environment, load_checkpoint, save_checkpoint
from models.training.recipe import Recipe, recipe_of
from models.training.start import read_family

_OF_ALL = ("architecture", "input_size", "field", "mean", "std")
"""Keys of a recipe that must be the same for their weights to have a mean."""
_OF_TRAINING = ("dropout",)
"""Options of a network that its weights know nothing of."""


def write_soup(
    paths: list[Path],
    output: Path,
    shares: Sequence[float] = (),
    pictures: Callable[[Recipe], Tensor] | None = None,
) -> dict[str, Any]:
    """Write a checkpoint with the mean of the averaged weights of others; return its values.

    Wortsman et al., "Model soups", arXiv 2203.05482, section 2, the uniform soup. It is good where
    one training began with the other's weights or both with the same ones. The recipe, for the
    card, is the last one's; the history is empty, since it was not trained. shares: how much each
    counts, all alike by default; two networks by other shares are arXiv 2109.01903. pictures: gives
    the training pictures (N, 1, 48, 48) uint8 of a recipe, by which exported files are taken back.
    Raises `UserError` for fewer than two, and for networks or labels that differ.
    """
    if len(paths) < 2:
        raise UserError(f"expected at least two checkpoints to average, found {len(paths)}")
    shares = tuple(shares) or (1.0,) * len(paths)
    everything = _read(paths, pictures)
    recipes = [recipe_of(values, path) for values, path in zip(everything, paths, strict=True)]
    for recipe, path in zip(recipes[:-1], paths[:-1], strict=True):
        _check_same(recipe, recipes[-1], path, paths[-1])
    mean = _mean([values["average"] for values in everything], paths, shares)
    alike = len(set(shares)) == 1
    parts = "" if alike else f" by {' to '.join(f'{share:g}' for share in shares)} parts"
    told = _told_together(everything, recipes)
    sources = [
        learnt_from(values, recipe) for values, recipe in zip(everything, recipes, strict=True)
    ]
    teachers = [each for values in everything for each in values.get("taught_by", [])]
    result = {
        **everything[-1],
        "epoch": 0,
        "begun_from": f"the mean of {len(paths)} trainings{parts}: {told}",
        "sources": list(dict.fromkeys(name for names in sources for name in names)),
        "taught_by": [each for row, each in enumerate(teachers) if each not in teachers[:row]],
        "history": [],
        "network": mean,
        "average": mean,
        "optimiser": {},  # one of a training would be of no use, and is as large as the weights
        "environment": environment(),
    }
    save_checkpoint(output, result)
    return result


def _read(paths: list[Path], pictures: Callable[[Recipe], Tensor] | None) -> list[dict[str, Any]]:
    """Return the values of each, those of an exported file as far as it and its card know them."""
    last = paths[-1]
    if last.suffix == ".onnx":
        raise UserError(
            f"expected a checkpoint as the last to average, since the mean takes its recipe, found "
            f"{last}: give exported files before it"
        )
    exported = [path for path in paths if path.suffix == ".onnx"]
    if not exported:
        return [load_checkpoint(path) for path in paths]
    if pictures is None:
        raise UserError(
            f"expected --data with {exported[0]}, whose normalisations are taken back by looking "
            "at training pictures, found none: give the data that the other was trained on"
        )
    values = load_checkpoint(last)
    recipe = recipe_of(values, last)
    shown = pictures(recipe)
    return [
        _exported(path, shown, recipe) if path in exported else load_checkpoint(path)
        for path in paths[:-1]
    ] + [values]


def _exported(path: Path, pictures: Tensor, recipe: Recipe) -> dict[str, Any]:
    start = read_family(path, pictures, list(recipe.labels))
    return {
        "recipe": start.recipe.as_dict(),
        "average": start.weights,
        "epoch": start.made.get("epoch", 0),
        "begun_from": start.made.get("begun_from", ""),
        "sources": start.sources,
        "taught_by": start.made.get("teachers", []),
        "environment": start.made,
    }


def _told_together(everything: list[dict[str, Any]], recipes: list[Recipe]) -> str:
    """Say what each was, and what it was begun from: once, where that is the same for all."""
    told = [_told(values, recipe) for values, recipe in zip(everything, recipes, strict=True)]
    origins = [values.get("begun_from", "") if values["epoch"] else "" for values in everything]
    if len(set(origins)) == 1:
        return " and ".join(told) + (f", all begun from {origins[0]}" if origins[0] else "")
    return " and ".join(
        f"{each} (begun from {origin})" if origin else each
        for each, origin in zip(told, origins, strict=True)
    )


def _told(values: dict[str, Any], recipe: Recipe) -> str:
    if not values["epoch"]:  # a mean itself
        return f"({values['begun_from']})"
    return (
        f"epoch {values['epoch']} of {recipe.epochs}, seed {recipe.seed}, loss {recipe.loss}, "
        f"commit {values['environment'].get('commit', 'unknown')}"
    )


def _check_same(one: Recipe, other: Recipe, path: Path, last: Path) -> None:
    ours, theirs = _network(one), _network(other)
    keys = [key for key in {**ours, **theirs} if ours.get(key) != theirs.get(key)]
    if keys:
        found = ", ".join(f"{key} {ours.get(key)} and {theirs.get(key)}" for key in keys)
        raise UserError(
            f"expected checkpoints of one network for the same labels, found in {path} and {last} "
            f"{found}: choose others"
        )


def _network(recipe: Recipe) -> dict[str, Any]:
    """Return what weights of a recipe belong to."""
    values = recipe.as_dict()
    options = find_architecture(recipe.architecture).options() | recipe.network
    return {
        **{key: values[key] for key in _OF_ALL},
        **{key: value for key, value in options.items() if key not in _OF_TRAINING},
        "labels": " and ".join(recipe.labels),  # in the order of the outputs
    }


def _mean(
    weights: list[dict[str, Tensor]], paths: list[Path], shares: Sequence[float]
) -> dict[str, Tensor]:
    shapes = [{name: value.shape for name, value in each.items()} for each in weights]
    for found, path in zip(shapes, paths, strict=True):
        if found != shapes[-1]:
            raise UserError(
                f"{path}: expected the layers of {paths[-1]}, found others: one of them was made "
                "by another version of this network"
            )
    return {
        name: _weighed([each[name] for each in weights], shares)
        if value.is_floating_point()
        else value
        for name, value in weights[-1].items()
    }


def _weighed(values: list[Tensor], shares: Sequence[float]) -> Tensor:
    stacked = torch.stack(values)
    if len(set(shares)) == 1:
        return stacked.mean(0)
    parts = torch.tensor(shares, dtype=torch.float64) / sum(shares)
    mean: Tensor = torch.tensordot(parts, stacked.double(), 1).to(stacked.dtype)
    return mean
