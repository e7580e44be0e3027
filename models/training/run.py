"""One training run: its folder, its progress, its checkpoints."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from models.runtime.errors import UserError
from models.training.checkpoint import environment, load_checkpoint, save_checkpoint
from models.training.deadline import Deadline, nothing_left
from models.training.device import start_device
from models.training.digest import digest_of, same_data
from models.training.distributed import join_group, leave_group
from models.training.examples import Examples, make_examples
from models.training.fingerprint import digest_of_all
from models.training.folder import training_folder, write_log
from models.training.loop import Trainer
from models.training.parts import Parts, read_parts
from models.training.recipe import Recipe, check_teachers, read_recipe
from models.training.speed import arithmetic, no_bf16
from models.training.warm_start import begin_from


@dataclass(frozen=True, slots=True)
class Pace:
    """Say how a run is paced.

    every: epochs from one measurement and its checkpoints to the next. minutes: no epoch is begun
    that would end later, or None. compiling: try torch.compile.
    """

    every: int = 1
    minutes: float | None = None
    compiling: bool = False

    def __post_init__(self) -> None:
        if self.every < 1:
            raise UserError(f"expected --every of at least 1, found {self.every}")


def train(
    *,
    recipe_name: str,
    data: Path,
    out: Path,
    votes: Path | None = None,
    resume: bool = False,
    start: Path | None = None,
    changes: Sequence[str] = (),
    epochs: int | None = None,
    device: str = "auto",
    threads: int | None = None,
    pace: Pace | None = None,
) -> None:
    """Train by a recipe into a folder.

    start: a checkpoint or exported file, whose weights the training begins with. changes: keys of
    the recipe to set, such as "seed=2".
    Writes `last.pt` after every epoch that is measured, `best.LABELS.pt` whenever PublicTest
    accuracy of that label set is the highest so far, `log.csv` and a TensorBoard log. Under
    `torchrun` all processes train together and the first one writes. Raises `UserError` for
    anything to correct.
    """
    pace = pace or Pace()
    deadline = Deadline(pace.minutes)
    recipe = read_recipe(recipe_name, changes)
    if not resume:
        check_teachers(recipe_name, changes)
    recipe = recipe if epochs is None else replace(recipe, epochs=epochs)
    _check_pace(pace, recipe)
    chosen = start_device(device, threads)
    group = join_group(chosen)
    try:
        trainer = Trainer(recipe, chosen, group, compiling=pace.compiling)
        with training_folder(out, resume=resume):
            group.wait()
            if resume:
                trainer.restore(load_checkpoint(out / "last.pt"))
                deadline.recall(trainer.history)
            parts = read_parts(data, votes, recipe.cleaning)
            training, validation = _examples(data, parts, trainer)
            older = digest_of(training.pixels)
            found = digest_of_all(training, validation)
            trainer.pictures = same_data(trainer.pictures, found, data, older=older)
            if start is not None and not resume:
                begin_from(trainer, start, training.pixels)
            _Run(trainer, out, pace.every, deadline).go(training, validation)
    finally:
        leave_group()


def _check_pace(pace: Pace, recipe: Recipe) -> None:
    if pace.every > 1 and recipe.schedule == "plateau":
        raise UserError(
            "expected --every 1 with the schedule plateau, which follows the validation loss of "
            f"every epoch, found {pace.every}: leave it out, or choose another schedule"
        )


def _examples(data: Path, parts: Parts, trainer: Trainer) -> tuple[Examples, Examples]:
    if trainer.group.leads:
        print(parts.told)
        if trainer.note:
            print(trainer.note)
    if len(parts.training) < 2:  # normalisation takes the mean over several
        raise UserError(
            f"{data}: expected at least 2 training pictures, found {len(parts.training)}: use more "
            "data"
        )
    trainer.source = parts.training.source
    taught = [name for each in trainer.taught_by for name in each.get("sources", [])]
    trainer.sources = list(dict.fromkeys([*trainer.sources, trainer.source, *taught]))
    sets = trainer.label_sets
    training, held_back = (
        make_examples(faces, sets, trainer.device) for faces in (parts.training, parts.validation)
    )
    for name in sets:
        if not (held_back.truth[name] >= 0).any():
            raise UserError(
                f"{data}: expected PublicTest pictures that {name} has a label for, found none: "
                "use the whole file"
            )
    return training, held_back


class _Run:
    """Train what is left to train; the leading process shows, measures and writes.

    every: epochs from one measurement to the next.
    """

    def __init__(self, trainer: Trainer, out: Path, every: int, deadline: Deadline) -> None:
        self.trainer, self.out, self.every, self.deadline = trainer, out, every, deadline
        computed_in = arithmetic(trainer.device, trainer.recipe.precision)
        self._made_with = {**environment(), "computed_in": computed_in}

    def go(self, training: Examples, validation: Examples) -> None:
        if not self.trainer.group.leads:
            self._follow(training)
            return
        recipe, trainer = self.trainer.recipe, self.trainer
        parameters = sum(p.numel() for p in trainer.network.parameters())
        print(
            f"{recipe.architecture}: {parameters:,} parameters; {len(training):,} training and "
            f"{len(validation):,} validation pictures; on {trainer.device}"
            + no_bf16(trainer.device, recipe.precision)
        )
        if trainer.epoch == recipe.epochs:
            print(nothing_left(recipe.epochs))
            return
        begun, over = trainer.epoch, self.deadline.over()
        trainer.group.tell({"over": float(over)})
        if not over:
            self._lead(training, validation)
        if trainer.epoch < recipe.epochs:
            print(self.deadline.sentence(trainer.epoch, recipe.epochs, begun))

    def _lead(self, training: Examples, validation: Examples) -> None:
        trainer, epochs = self.trainer, self.trainer.recipe.epochs
        pictures = len(training) * (epochs - trainer.epoch)
        # One bar for the whole run, so that its time left is that of the run.
        with (
            SummaryWriter(str(self.out / "tensorboard")) as board,
            tqdm(total=pictures, unit="img", leave=False, disable=None) as bar,
        ):
            over = False
            while trainer.epoch < epochs and not over:
                over = self._epoch(training, validation, bar)
                now = trainer.history[-1]
                for name, value in now.items():
                    board.add_scalar(name, value, trainer.epoch)
                trainer.group.tell({**now, "over": float(over)})

    def _follow(self, training: Examples) -> None:
        trainer, epochs = self.trainer, self.trainer.recipe.epochs
        over = trainer.epoch < epochs and bool(trainer.group.tell({})["over"])
        while trainer.epoch < epochs and not over:
            trainer.train_epoch(training)
            # Batch statistics differ a little between processes; a schedule that follows the
            # losses has to see the same ones in all of them.
            now = trainer.group.tell({})
            over = bool(now.pop("over"))
            trainer.history.append(now)

    def _epoch(self, training: Examples, validation: Examples, bar: tqdm[None]) -> bool:
        """Train an epoch; where it is due, measure and write. Return whether time is over."""
        trainer, epochs = self.trainer, self.trainer.recipe.epochs
        started = time.monotonic()
        loss = trainer.train_epoch(training, _shown(trainer, bar))
        scores: dict[str, float] = {}
        self.deadline.note(time.monotonic() - started)
        # Where no epoch more can be begun, this one is measured and kept, whether due or not.
        due = trainer.epoch % self.every == 0 or trainer.epoch == epochs or self.deadline.over()
        if due:
            scores = trainer.evaluate(validation)
        seconds = time.monotonic() - started
        self.deadline.note(seconds)
        known = {"epoch": trainer.epoch, "loss": loss, "seconds": seconds, **scores}
        trainer.history.append(known)
        told = "  ".join(f"{name} {scores[name]:.2%}" for name in trainer.label_sets if due)
        bar.write(f"epoch {trainer.epoch}/{epochs}  loss {loss:.4f}  {told}  {seconds:.0f} s")
        sys.stdout.flush()  # a log file is to show it at once
        if due:
            _write(trainer, self.out, self._made_with)
        return due and self.deadline.over()


def _shown(trainer: Trainer, bar: tqdm[None]) -> Callable[[int, float], None]:
    """Return what shows a step: the loss now, the last accuracies measured, the time left."""
    measured = [entry for entry in trainer.history if trainer.label_sets[0] in entry]
    last = {name: f"{measured[-1][name]:.1%}" for name in trainer.label_sets if measured}
    before = bar.n
    bar.set_description(f"epoch {trainer.epoch + 1}/{trainer.recipe.epochs}", refresh=False)

    def show(seen: int, loss: float) -> None:
        bar.set_postfix(loss=f"{loss:.3f}", **last, refresh=False)
        bar.update(before + seen - bar.n)

    return show


def _write(trainer: Trainer, out: Path, made_with: dict[str, str]) -> None:
    """Write the checkpoints and the log of the epoch that has just been measured."""
    state = {**trainer.state(), "environment": made_with}
    for name in trainer.label_sets:
        known = [entry[name] for entry in trainer.history if name in entry]
        if trainer.history[-1][name] >= max(known):
            save_checkpoint(out / f"best.{name}.pt", state)
    # Last, so that an epoch counts as done only when its best checkpoints are there too.
    save_checkpoint(out / "last.pt", state)
    write_log(out / "log.csv", trainer.history)
