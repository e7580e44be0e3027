"""What else than a classifier a recipe can train: its key `task` says so."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from models.runtime.errors import UserError
from models.runtime.files import user_path

TASKS = ("face_finder", "landmarks68")
"""Words for the key `task`. A recipe without this key trains a classifier."""


@dataclass(frozen=True, slots=True)
class TaskRun:
    """Hold what the command line says of a run.

    recipe: a bundled one by name, or a TOML file. epochs: in place of the recipe's. minutes: stop
    after so many, or None. start: a checkpoint whose averaged weights the training begins with.
    changes: keys of the recipe to set, such as "seed=2".
    """

    recipe: str
    data: Path
    out: Path
    resume: bool = False
    start: Path | None = None
    epochs: int | None = None
    minutes: float | None = None
    device: str = "auto"
    threads: int | None = None
    changes: tuple[str, ...] = ()


def task_of(recipe: str) -> str | None:
    """Return the task of a recipe, None for a classifier's or where there is no such recipe.

    Raises `UserError` for a task that does not exist.
    """
    task: str | None = _values(recipe).get("task")
    if task is None or task in TASKS:
        return task
    raise UserError(f"recipe: expected task of {', '.join(TASKS)}, found {task!r}: correct it")


def task_values(recipe: str, changes: Sequence[str] = ()) -> dict[str, Any]:
    """Return the keys of a recipe as its TOML has them, none where it cannot be read as one.

    changes: keys to set in place of the recipe's, such as "seed=2".
    """
    from models.training.recipe import apply_change  # it asks this module for a recipe's task

    values = _values(recipe)
    for change in changes:
        apply_change(values, change)
    return values


def _values(recipe: str) -> dict[str, Any]:
    bundled = resources.files("models.recipes") / f"{recipe}.toml"
    try:
        is_name = bundled.is_file()
        text = (
            bundled.read_text("utf-8")
            if is_name
            else user_path(recipe).read_text("utf-8", "replace")
        )
        return tomllib.loads(text)
    except (OSError, tomllib.TOMLDecodeError):
        return {}


def train_task(task: str, run: TaskRun) -> None:
    """Train what is no classifier; raise `UserError` for anything to correct."""
    if task == "face_finder":
        from models.training.finder_run import train_finder

        train_finder(run)
    else:
        from models.training.landmarks_run import train_landmarks

        train_landmarks(run)
