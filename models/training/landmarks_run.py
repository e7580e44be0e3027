"""One training of the landmark network: its folder, its progress, its checkpoints."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from models.data.faces_parquet import (
    read_face_pictures,
    training_part,
    validation_part,
    without_copies,
)
from models.data.landmarks import make_landmark_set
from models.nets.landmarks68 import Landmarks68
from models.runtime.errors import UserError
from models.runtime.landmark_model import LandmarkModel
from models.training.checkpoint import environment, load_checkpoint, save_checkpoint
from models.training.deadline import Deadline, nothing_left
from models.training.device import start_device
from models.training.digest import digest_of, same_data
from models.training.exported import ENOUGH, take_back
from models.training.folder import training_folder, write_log
from models.training.landmark_loop import LandmarkData, LandmarkTrainer
from models.training.landmark_recipe import LandmarkRecipe
from models.training.landmark_views import Placement, sample
from models.training.tasks import TaskRun, task_values

__all__ = ["landmark_checkpoint", "train_landmarks"]


def train_landmarks(run: TaskRun) -> None:
    """Train the landmark network by a recipe into a folder.

    Writes `last.pt` after every epoch, `best.pt` whenever the error with moved boxes is the
    lowest so far, `log.csv` and a TensorBoard log. Raises `UserError` for anything to correct.
    """
    deadline = Deadline(run.minutes)
    recipe = LandmarkRecipe.from_dict(task_values(run.recipe, run.changes))
    if run.epochs is not None:
        recipe = replace(recipe, epochs=run.epochs)
    if (recipe.own or recipe.kept) and run.start is None and not run.resume:
        raise UserError(
            f"expected --from with {run.recipe}, which keeps to what the network it begins with "
            "says, found none: give a checkpoint or an exported file"
        )
    device = start_device(run.device, run.threads)
    trainer = LandmarkTrainer(recipe, device)
    with training_folder(run.out, resume=run.resume):
        if run.resume:
            trainer.restore(landmark_checkpoint(run.out / "last.pt"))
            deadline.recall(trainer.history)
        (training, held_back), found = _read(run.data, trainer)
        older = digest_of(training.patches)
        trainer.pictures = same_data(trainer.pictures, found, run.data, older=older)
        if run.start is not None and not run.resume:
            trainer.begin_with(_weights(run.start, training))
        _run_epochs(trainer, trainer.own_labels(training), held_back, run.out, deadline)


def _read(path: Path, trainer: LandmarkTrainer) -> tuple[list[LandmarkData], str]:
    """Return what to train on and what is held back, and the fingerprint; say how much it is."""
    pictures = read_face_pictures(path)
    if not trainer.epoch:
        trainer.sources = sorted({one.source for one in pictures})
    held = validation_part(pictures)
    training = make_landmark_set(without_copies(training_part(pictures), held))
    held_back = make_landmark_set(held)
    parameters = sum(p.numel() for p in trainer.network.parameters())
    tqdm.write(
        f"landmarks68: {parameters:,} parameters; {training.marked.sum():,} faces with 68 points, "
        f"{(training.faces & ~training.marked).sum():,} with five, {(~training.faces).sum():,} "
        f"squares without; validation {held_back.marked.sum():,} with 68 points of other people; "
        f"on {trainer.device}"
    )
    trusted = trainer.recipe.trusted
    sets = (training, held_back)
    values = [torch.from_numpy(v) for data in sets for v in (data.patches, data.points, data.five)]
    return [LandmarkData.of(data, trusted, trainer.device) for data in sets], digest_of(*values)


def landmark_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint of this network; raise `UserError` for another file."""
    values = load_checkpoint(path)
    if values["recipe"].get("task") != "landmarks68":
        raise UserError(f"{path}: expected a checkpoint of landmarks68, found another network's")
    return values


def _weights(path: Path, training: LandmarkData) -> dict[str, Tensor]:
    """Return the weights of a checkpoint or of an exported file."""
    if path.suffix != ".onnx":
        averaged: dict[str, Tensor] = landmark_checkpoint(path)["average"]
        return averaged
    LandmarkModel(path)  # says what is wrong with a file that is none of ours
    network = Landmarks68().eval()
    rows = torch.cat([training.marked, training.only_five])
    rows = rows[:: max(1, len(rows) // ENOUGH)]
    take_back(network, path, sample(training.patches[rows].cpu(), Placement.still(len(rows))))
    return network.state_dict()


def _run_epochs(
    trainer: LandmarkTrainer,
    training: LandmarkData,
    held_back: LandmarkData,
    out: Path,
    deadline: Deadline,
) -> None:
    """Train what is left to train."""
    recipe, made_with = trainer.recipe, environment()
    if trainer.epoch == recipe.epochs:
        tqdm.write(nothing_left(recipe.epochs))
        return
    if deadline.over():
        tqdm.write(deadline.sentence(trainer.epoch, recipe.epochs, begun=trainer.epoch))
        return
    faces = len(training.marked) * (recipe.epochs - trainer.epoch)
    with (
        SummaryWriter(str(out / "tensorboard")) as board,
        tqdm(total=faces, unit="face", leave=False, disable=None) as bar,
    ):
        while trainer.epoch < recipe.epochs:
            started, before = time.monotonic(), bar.n
            bar.set_description(f"epoch {trainer.epoch + 1}/{recipe.epochs}", refresh=False)

            def show(seen: int, loss: float, before: int = before) -> None:
                bar.set_postfix(loss=f"{loss:.3f}", refresh=False)
                bar.update(before + seen - bar.n)

            loss = trainer.train_epoch(training, show)
            figures = trainer.evaluate(held_back)
            seconds = time.monotonic() - started
            now = {"epoch": trainer.epoch, "loss": loss, "seconds": seconds, **figures}
            trainer.history.append(now)
            _write(trainer, out, made_with)
            for name, value in now.items():
                board.add_scalar(name, value, trainer.epoch)
            told = "  ".join(f"{name} {value:.4f}" for name, value in figures.items())
            bar.write(
                f"epoch {trainer.epoch}/{recipe.epochs}  loss {loss:.4f}  {told}  {seconds:.0f} s"
            )
            deadline.note(time.monotonic() - started)
            if trainer.epoch < recipe.epochs and deadline.over():
                bar.write(deadline.sentence(trainer.epoch, recipe.epochs))
                return


def _write(trainer: LandmarkTrainer, out: Path, made_with: dict[str, str]) -> None:
    state = {**trainer.state(), "environment": made_with}
    if trainer.history[-1]["moved"] <= min(entry["moved"] for entry in trainer.history):
        save_checkpoint(out / "best.pt", state)
    # Last, so that an epoch counts as done only when its best checkpoint is there too.
    save_checkpoint(out / "last.pt", state)
    write_log(out / "log.csv", trainer.history)
