"""Checkpoints: plain values and tensors, never pickled classes."""

from __future__ import annotations

import platform
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from models.runtime.errors import UserError
from models.runtime.files import written_whole

FORMAT = 1
_KEYS = {"recipe", "epoch", "history", "network", "average", "optimiser", "environment"}


def save_checkpoint(path: Path, values: dict[str, Any]) -> None:
    """Write a checkpoint whole or not at all; raise `UserError` where that cannot be."""
    try:
        with written_whole(path) as partial:
            torch.save({"format": FORMAT, **values}, partial)
    except (OSError, RuntimeError) as error:  # torch raises its own for a file it cannot write
        reason = str(error).splitlines()[0][:160]
        raise UserError(
            f"expected to write {path}, found: {reason}; make room or choose another folder"
        ) from error


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint; raise `UserError` for a file that is none of ours."""
    if not path.is_file():
        raise UserError(f"expected a checkpoint, found no file {path}: give the .pt of a training")
    try:
        values = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises a dozen kinds for a file that is not its own
        raise UserError(
            f"{path}: expected a checkpoint of fer-train, found a file that torch cannot read as "
            f"plain values and tensors ({type(error).__name__}): give the .pt of a training"
        ) from error
    if not isinstance(values, dict) or values.get("format") != FORMAT or not values.keys() >= _KEYS:
        raise UserError(
            f"{path}: expected a checkpoint of fer-train in format {FORMAT}, found another file"
        )
    return values


def take_weights(network: nn.Module, weights: dict[str, Tensor], path: Path, name: str) -> None:
    """Give a network the weights, by name, that were read from PATH.

    name: of the network, for the sentence. Raises `UserError` for weights of another build.
    """
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise UserError(
            f"{path}: expected the weights of {name}, found others: the checkpoint was made by "
            "another version of this network"
        ) from error


def environment() -> dict[str, str]:
    """Return the versions and the commit that a run is made with."""
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "torch": str(torch.__version__),  # it is a class of torch's own, not a plain value
        "numpy": np.__version__,
        "commit": _commit(),
    }


def _commit() -> str:
    """Return the commit of this code, or that it is unknown."""
    here = Path(__file__)
    try:
        # An installed copy can lie within another repository, whose commit says nothing of it.
        _git(here.parent, "ls-files", "--error-unmatch", here.name)
        return _git(here.parent, "describe", "--always", "--dirty")
    except (OSError, subprocess.SubprocessError):
        return "unknown"


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(  # noqa: S603 (nothing of it comes from a user)
        ["git", "-C", str(folder), *arguments],  # noqa: S607
        capture_output=True,
        text=True,
        check=True,
        timeout=5,
    )
    return done.stdout.strip()
