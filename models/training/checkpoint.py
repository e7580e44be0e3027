"""Checkpoints: plain values and tensors, never pickled classes."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import torch

from models.runtime.errors import UserError

FORMAT = 1


def save_checkpoint(path: Path, values: dict[str, Any]) -> None:
    """Write a checkpoint whole or not at all."""
    partial = path.with_name(path.name + ".partial")
    torch.save({"format": FORMAT, **values}, partial)
    os.replace(partial, path)  # noqa: PTH105 (the point is that it replaces on every system)


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint; raise `UserError` for a file that is none of ours."""
    if not path.is_file():
        raise UserError(f"expected a checkpoint, found no file {path}: give the .pt of a training")
    try:
        values = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises a dozen kinds for a file that is not its own
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(
            f"{path}: expected a checkpoint of fer-train, found: {reason[:120]}"
        ) from error
    if not isinstance(values, dict) or values.get("format") != FORMAT:
        raise UserError(
            f"{path}: expected a checkpoint of fer-train in format {FORMAT}, found another file"
        )
    return values


def environment() -> dict[str, str]:
    """Return the versions and the commit that a run is made with."""
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "torch": torch.__version__,
        "numpy": np.__version__,
        "commit": _commit(),
    }


def _commit() -> str:
    try:
        done = subprocess.run(  # noqa: S603 (nothing of it comes from a user)
            ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"],  # noqa: S607
            capture_output=True,
            text=True,
            check=True,
            timeout=5,
        )
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return done.stdout.strip()
