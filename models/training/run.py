"""One training run: its folder, its progress, its checkpoints."""

from __future__ import annotations

import csv
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from models.data.clean import clean_four
from models.data.face_set import FaceSet, clean_training
from models.data.fer2013 import read_fer2013
from models.runtime.errors import UserError
from models.runtime.files import written_whole
from models.training.checkpoint import environment, load_checkpoint, save_checkpoint
from models.training.distributed import join_group, leave_group
from models.training.examples import Examples, make_examples
from models.training.loop import Trainer, keep_freed_memory
from models.training.recipe import Recipe, read_recipe
from models.training.warm_start import begin_from


def train(
    *,
    recipe_name: str,
    data: Path,
    out: Path,
    votes: Path | None = None,
    resume: bool = False,
    start: Path | None = None,
    epochs: int | None = None,
    device: str = "auto",
    threads: int | None = None,
) -> None:
    """Train by a recipe into a folder.

    start: a checkpoint whose averaged weights the training begins with.
    Writes `last.pt` after every epoch, `best.LABELS.pt` whenever PublicTest accuracy of that
    label set is the highest so far, `log.csv` and a TensorBoard log. Under `torchrun` all
    processes train together and the first one writes. Raises `UserError` for anything to correct.
    """
    recipe = _recipe(recipe_name, epochs)
    if threads is not None:
        if threads < 1:
            raise UserError(f"expected --threads of at least 1, found {threads}")
        torch.set_num_threads(threads)
    keep_freed_memory()
    chosen = choose_device(device)
    group = join_group(chosen)
    try:
        trainer = Trainer(recipe, chosen, group)
        _prepare_folder(out, resume=resume)
        group.wait()
        if resume:
            trainer.restore(load_checkpoint(out / "last.pt"))
        elif start is not None:
            begin_from(trainer, start)
        training, validation = _read(data, votes, trainer)
        _run_epochs(trainer, training, validation, out)
    finally:
        leave_group()


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
    kept, dropped = _clean(faces, trainer.recipe.cleaning)
    validation = faces.split("PublicTest")
    if not len(kept) or not len(validation):
        raise UserError(
            f"{data}: expected Training and PublicTest rows, found {len(kept)} and "
            f"{len(validation)}: use the whole file"
        )
    if trainer.group.leads:
        print(f"dropped from training: {dropped}")
    sets = trainer.label_sets
    training, held_back = (make_examples(part, sets, trainer.device) for part in (kept, validation))
    for name in sets:
        if not (held_back.truth[name] >= 0).any():
            raise UserError(
                f"{data}: expected PublicTest pictures that {name} has a label for, found none: "
                "use the whole file"
            )
    return training, held_back


def _clean(faces: FaceSet, cleaning: str) -> tuple[FaceSet, str]:
    """Return the part to train on, and in words what was dropped from it."""
    kept, dropped = clean_training(faces)
    told = f"{dropped.copies} copies of test pictures, {dropped.blank} blank"
    if cleaning == "four":
        kept, four = clean_four(kept)
        told += (
            f", {four.other_expression} of other expressions, {four.blurred} blurred, "
            f"{four.no_face} without a face, {four.contested} contested"
        )
    return kept, told


def _run_epochs(trainer: Trainer, training: Examples, validation: Examples, out: Path) -> None:
    """Train what is left to train; the leading process shows, measures and writes."""
    recipe, leads = trainer.recipe, trainer.group.leads
    if not leads:
        while trainer.epoch < recipe.epochs:
            trainer.train_epoch(training)
            # Batch statistics differ a little between processes; a schedule that follows the
            # losses has to see the same ones in all of them.
            trainer.history.append(trainer.group.tell({}))
        return
    parameters = sum(p.numel() for p in trainer.network.parameters())
    print(
        f"{recipe.architecture}: {parameters:,} parameters; {len(training):,} training and "
        f"{len(validation):,} validation pictures; on {trainer.device}"
    )
    made_with = environment()
    pictures = len(training) * (recipe.epochs - trainer.epoch)
    # One bar for the whole run, so that its time left is that of the run.
    with (
        SummaryWriter(str(out / "tensorboard")) as board,
        tqdm(total=pictures, unit="img", leave=False) as bar,
    ):
        while trainer.epoch < recipe.epochs:
            started = time.monotonic()
            loss = trainer.train_epoch(training, _shown(trainer, bar))
            scores = trainer.evaluate(validation)
            seconds = time.monotonic() - started
            now = {"epoch": trainer.epoch, "loss": loss, "seconds": seconds, **scores}
            trainer.history.append(now)
            _write(trainer, out, made_with)
            for name, value in now.items():
                board.add_scalar(name, value, trainer.epoch)
            trainer.group.tell(now)
            told = "  ".join(f"{name} {scores[name]:.2%}" for name in trainer.label_sets)
            title = f"epoch {trainer.epoch}/{recipe.epochs}"
            bar.write(f"{title}  loss {loss:.4f}  {told}  {seconds:.0f} s")


def _shown(trainer: Trainer, bar: tqdm[None]) -> Callable[[int, float], None]:
    """Return what shows a step: the loss now, the accuracies of the epoch before, the time left."""
    last = {name: f"{trainer.history[-1][name]:.1%}" for name in trainer.label_sets if bar.n}
    before = bar.n
    bar.set_description(f"epoch {trainer.epoch + 1}/{trainer.recipe.epochs}", refresh=False)

    def show(seen: int, loss: float) -> None:
        bar.set_postfix(loss=f"{loss:.3f}", **last, refresh=False)
        bar.update(before + seen - bar.n)

    return show


def _write(trainer: Trainer, out: Path, made_with: dict[str, str]) -> None:
    """Write the checkpoints and the log of the epoch that has just ended."""
    state = {**trainer.state(), "environment": made_with}
    for name in trainer.label_sets:
        if trainer.history[-1][name] >= max(entry[name] for entry in trainer.history):
            save_checkpoint(out / f"best.{name}.pt", state)
    # Last, so that an epoch counts as done only when its best checkpoints are there too.
    save_checkpoint(out / "last.pt", state)
    _write_log(out / "log.csv", trainer.history)


def _write_log(path: Path, history: list[dict[str, float]]) -> None:
    # A run that an older version began has fewer figures in its first epochs.
    names = dict.fromkeys(name for entry in history for name in entry)
    with written_whole(path) as partial, partial.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(names), restval="")
        writer.writeheader()
        writer.writerows(history)
