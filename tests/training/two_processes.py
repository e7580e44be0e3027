"""What each of two processes does in a test: fer-train as it is, then steps that can be compared.

Arguments: two recipes, the data, the folder of fer-train and a folder for what is to be compared.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist

from models.cli.train import main
from models.data.fer2013 import read_fer2013
from models.training import run
from models.training.distributed import Group, leave_group
from models.training.examples import make_examples
from models.training.loop import Trainer
from models.training.predict import normalise
from models.training.recipe import Recipe, read_recipe

CPU = torch.device("cpu")


def states_of(
    recipe: Recipe, data: Path, group: Group, names: tuple[str, ...] = ("frozen", "live")
) -> dict[str, Any]:
    """Return what an epoch makes of the weights, with batch statistics frozen and as they are."""
    # In float32 a part of a batch rounds otherwise than a whole one on some processors, which turns
    # what a maximum is of, and so where a gradient goes.
    torch.set_default_dtype(torch.float64)
    try:
        examples = make_examples(
            read_fer2013(data, None).split("Training"), list(recipe.labels), CPU
        )
        states: dict[str, Any] = {}
        for name in names:
            trainer = Trainer(recipe, CPU, group)
            if name == "frozen":
                weights = trainer.network.state_dict()
                states["start"] = {key: value.clone() for key, value in weights.items()}
                _freeze(trainer, normalise(examples.pixels / 255, recipe))
            states[f"{name} loss"] = trainer.train_epoch(examples)
            states[name] = trainer.network.state_dict()
        return states
    finally:
        torch.set_default_dtype(torch.float32)


def _freeze(trainer: Trainer, inputs: torch.Tensor) -> None:
    """Keep batch normalisation at the statistics of all pictures before the first step."""
    norms = [part for part in trainer.network.modules() if isinstance(part, torch.nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = 1.0
    with torch.no_grad():
        trainer.network.train()(inputs)
    for norm in norms:
        norm.training = False
        norm.train = lambda mode=True, norm=norm: norm  # type: ignore[method-assign,misc]


def _work(trained: str, compared: str, data: str, out: str, told: str) -> None:
    torch.set_num_threads(1)
    setattr(run, "leave_group", lambda: None)  # noqa: B010 (main joins a group that is needed below)
    common = ["--data", data, "--out", out, "--device", "cpu", "--threads", "1"]
    if main([trained, *common]):
        sys.exit(1)
    group = Group(dist.get_rank(), dist.get_world_size())
    states = states_of(read_recipe(compared), Path(data), group)
    states["told"] = group.tell({"loss": 3.0} if group.leads else {})
    torch.save(states, Path(told) / f"{group.rank}.pt")
    group.wait()
    leave_group()


if __name__ == "__main__":
    _work(*sys.argv[1:])
