"""One training run: its folder, its progress, its checkpoints."""

from __future__ import annotations

import csv
import os
import time
from dataclasses import replace
from pathlib import Path

import torch
from tqdm import tqdm

from models.data.face_set import clean_training
from models.data.fer2013 import read_fer2013
from models.runtime.errors import UserError
from models.training.checkpoint import environment, load_checkpoint, save_checkpoint
from models.training.examples import Examples, make_examples
from models.training.loop import Trainer, keep_freed_memory
from models.training.recipe import Recipe, read_recipe


def train(
    *,
    recipe_name: str,
    data: Path,
    out: Path,
    votes: Path | None = None,
    resume: bool = False,
    epochs: int | None = None,
    device: str = "auto",
    threads: int | None = None,
) -> None:
    """Train by a recipe into a folder.

    Writes `last.pt` after every epoch, `best.LABELS.pt` whenever PublicTest accuracy of that
    label set is the highest so far, and `log.csv`. Raises `UserError` for anything to correct.
    """
    recipe = _recipe(recipe_name, epochs)
    if threads is not None:
        if threads < 1:
            raise UserError(f"expected --threads of at least 1, found {threads}")
        torch.set_num_threads(threads)
    keep_freed_memory()
    trainer = Trainer(recipe, choose_device(device))
    _prepare_folder(out, resume=resume)
    if resume:
        trainer.restore(load_checkpoint(out / "last.pt"))
    training, validation = _read(data, votes, trainer)
    parameters = sum(p.numel() for p in trainer.network.parameters())
    print(
        f"{recipe.architecture}: {parameters:,} parameters; {len(training):,} training and "
        f"{len(validation):,} validation pictures; on {trainer.device}"
    )
    while trainer.epoch < recipe.epochs:
        _one_epoch(trainer, training, validation, out)


def choose_device(name: str) -> torch.device:
    """Return the device of that name; `auto` is a GPU where there is one."""
    available = torch.cuda.is_available()
    if name == "auto":
        return torch.device("cuda" if available else "cpu")
    if name == "cpu" or (name == "cuda" and available):
        return torch.device(name)
    have = "cpu and cuda" if available else "cpu only"
    raise UserError(f"expected --device auto, cpu or cuda, found {name!r}; this machine has {have}")


def _recipe(name: str, epochs: int | None) -> Recipe:
    recipe = read_recipe(name)
    return recipe if epochs is None else replace(recipe, epochs=epochs)


def _prepare_folder(out: Path, *, resume: bool) -> None:
    if (out / "last.pt").exists() and not resume:
        raise UserError(
            f"expected a folder without a training, found {out / 'last.pt'}: "
            "add --resume to go on with it, or choose another --out"
        )
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"expected a folder to write to, found {out}: {error.strerror}") from error


def _read(data: Path, votes: Path | None, trainer: Trainer) -> tuple[Examples, Examples]:
    faces = read_fer2013(data, votes)
    kept, dropped = clean_training(faces)
    validation = faces.split("PublicTest")
    if not len(kept) or not len(validation):
        raise UserError(
            f"{data}: expected Training and PublicTest rows, found {len(kept)} and "
            f"{len(validation)}: use the whole file"
        )
    print(f"dropped from training: {dropped.copies} copies of test pictures, {dropped.blank} blank")
    sets = trainer.label_sets
    return (
        make_examples(kept, sets, trainer.device),
        make_examples(validation, sets, trainer.device),
    )


def _one_epoch(trainer: Trainer, training: Examples, validation: Examples, out: Path) -> None:
    """Train and measure one epoch, then write all that a later run needs."""
    started = time.monotonic()
    title = f"epoch {trainer.epoch + 1}/{trainer.recipe.epochs}"
    with tqdm(total=len(training), desc=title, unit="img", leave=False) as bar:

        def show(seen: int, loss: float) -> None:
            bar.update(seen - bar.n)
            bar.set_postfix(loss=f"{loss:.3f}", refresh=False)

        loss = trainer.train_epoch(training, show)
    scores = trainer.evaluate(validation)
    seconds = time.monotonic() - started
    trainer.history.append({"epoch": trainer.epoch, "loss": loss, "seconds": seconds, **scores})
    state = {**trainer.state(), "environment": environment()}
    save_checkpoint(out / "last.pt", state)
    for name, score in scores.items():
        if score >= max(entry[name] for entry in trainer.history):
            save_checkpoint(out / f"best.{name}.pt", state)
    _write_log(out / "log.csv", trainer.history)
    left = seconds * (trainer.recipe.epochs - trainer.epoch) / 60
    told = "  ".join(f"{name} {score:.2%}" for name, score in scores.items())
    print(f"{title}  loss {loss:.4f}  {told}  {seconds:.0f} s, {left:.0f} min left", flush=True)


def _write_log(path: Path, history: list[dict[str, float]]) -> None:
    partial = path.with_name(path.name + ".partial")
    with partial.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(history[0]))
        writer.writeheader()
        writer.writerows(history)
    os.replace(partial, path)  # noqa: PTH105
