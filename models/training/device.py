"""The device that a training computes on."""

from __future__ import annotations

import os

import torch

from models.runtime.arguments import checked_threads
from models.runtime.errors import UserError
from models.training.speed import prepare


def start_device(name: str, threads: int | None) -> torch.device:
    """Return the device of that name, made ready; threads: of the CPU, or None for all."""
    if threads is not None:
        torch.set_num_threads(checked_threads(threads))
    chosen = choose_device(name)
    prepare(chosen)
    return chosen


def choose_device(name: str) -> torch.device:
    """Return the device of that name; `auto` is a GPU where there is one."""
    available = torch.cuda.is_available()
    if name == "auto":
        name = "cuda" if available else "cpu"
    if name == "cpu":
        return torch.device(name)
    if name == "cuda" and available:
        return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))  # said by torchrun
    have = "cpu and cuda" if available else "cpu only"
    raise UserError(f"expected --device auto, cpu or cuda, found {name!r}; this machine has {have}")
