"""One training of the face finder: its steps, its checkpoints, its progress."""

from __future__ import annotations

import time
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from models.data.mosaics import Mosaic, MosaicMaker
from models.finder_scores import Found, Truth, average_precision, match
from models.nets.face_finder import FaceFinderNet
from models.part_data import BEGUN
from models.runtime.errors import UserError
from models.runtime.face_detector import FaceDetector
from models.training.average import WeightAverage
from models.training.checkpoint import environment, load_checkpoint, save_checkpoint
from models.training.deadline import Deadline
from models.training.device import start_device
from models.training.digest import same_data
from models.training.exported import take_back
from models.training.finder_data import FinderData, batches, read_finder_data, workers_for
from models.training.finder_loss import Targets, decode, finder_loss
from models.training.finder_recipe import FinderRecipe
from models.training.folder import training_folder, write_log
from models.training.losses import check_finite
from models.training.optimisers import make_optimiser
from models.training.speed import arithmetic, autocast, no_bf16
from models.training.tasks import TaskRun, task_values

__all__ = ["FinderTrainer", "begin_from", "find_faces", "train_finder"]

_PARTS = ("presence", "overlap", "box", "landmarks")
_LOWEST_SCORE = 0.02
_SUPPRESSED = 0.3
_PICTURES_TO_START = 64


class FinderTrainer:
    """Hold a training between epochs.

    An epoch draws everything from its own seed, so a training that was stopped and resumed equals
    one that was not.
    """

    def __init__(self, recipe: FinderRecipe, device: torch.device) -> None:
        self.recipe = recipe
        self.device = device
        self.epoch = 0
        self.history: list[dict[str, float]] = []
        self.pictures = ""  # a fingerprint of what is trained on
        self.sources: list[str] | None = None  # for the card; none of it in older checkpoints
        torch.manual_seed(recipe.seed)
        self.network = FaceFinderNet().to(device)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = WeightAverage(self.network, recipe.ema)
        self.optimiser = make_optimiser(
            "adamw",
            self.network,
            learning_rate=recipe.learning_rate,
            weight_decay=recipe.weight_decay,
            momentum=0.0,
        )

    def train_epoch(
        self, data: FinderData, *, workers: int = 0, falling: tuple[int, int] | None = None
    ) -> dict[str, float]:
        """Take an epoch's steps; return the mean loss and its parts.

        falling: number of this epoch and of all in which the learning rate falls, None while it
        stays. Raises `UserError` when the loss is no longer a number.
        """
        recipe = self.recipe
        self.network.train()
        total = torch.zeros(1 + len(_PARTS))
        drawn = batches(
            data.training,
            seed=recipe.seed,
            epoch=self.epoch,
            steps=recipe.steps,
            batch_size=recipe.batch_size,
            workers=workers,
        )
        for number, batch in enumerate(drawn):
            step = self.epoch * recipe.steps + number
            part = min(1.0, (step + 1) / max(1, recipe.warmup))
            if falling is not None:
                part *= 1 - (falling[0] + number / recipe.steps) / falling[1]
            for group in self.optimiser.param_groups:
                group["lr"] = recipe.learning_rate * part
            total += self._step(batch.pixels, batch.targets)
            self.average.update(self.network, step)
            check_finite(float(total[0]), f"epoch {self.epoch + 1}, step {number + 1}")
        self.epoch += 1
        means = (total / recipe.steps).tolist()
        return dict(zip(("loss", *_PARTS), means, strict=True))

    def _step(self, pixels: Tensor, targets: Targets) -> Tensor:
        """Take one step; return its loss and the parts, (5,)."""
        moved = Targets(
            *(
                getattr(targets, name).to(self.device)
                for name in ("picture", "boxes", "points", "counts")
            )
        )
        with autocast(self.device, self.recipe.precision):
            outputs = self.network(to_input(pixels, self.device))
        loss, parts = finder_loss([values.float() for values in outputs], moved, self.recipe.side)
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.recipe.clip_norm)
        self.optimiser.step()
        return torch.cat([loss.detach()[None], parts]).cpu()

    def evaluate(self, mosaics: list[Mosaic]) -> dict[str, float]:
        """Return the average precision of the averaged weights, 0 to 1."""
        found = find_faces(self.average.network, [one.pixels for one in mosaics], self.device)
        matched = [
            match(one, Truth(mosaic.boxes, mosaic.counts))
            for one, mosaic in zip(found, mosaics, strict=True)
        ]
        faces = sum(int(mosaic.counts.sum()) for mosaic in mosaics)
        return {"average_precision": average_precision(matched, faces)}

    def state(self) -> dict[str, Any]:
        """Return all that `restore` needs, in plain values and tensors."""
        return {
            "recipe": self.recipe.as_dict(),
            "epoch": self.epoch,
            "pictures": self.pictures,
            "sources": self.sources,
            "history": list(self.history),
            "network": self.network.state_dict(),
            "average": self.average.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on where a state was taken; raise `UserError` if another recipe made it."""
        theirs = FinderRecipe.from_dict(state["recipe"])
        # What these say of epochs to come leaves those that are done as they were.
        ours = replace(self.recipe, epochs=theirs.epochs, decay=theirs.decay, side=theirs.side)
        keys = [key for key, value in ours.as_dict().items() if theirs.as_dict()[key] != value]
        if keys:
            raise UserError(
                f"expected a checkpoint of the same recipe, found one that differs in "
                f"{', '.join(keys)}: resume with the recipe it was started with, or choose "
                "another folder"
            )
        self.network.load_state_dict(state["network"])
        self.average.network.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.epoch = state["epoch"]
        self.pictures = state.get("pictures", "")
        self.sources = state.get("sources")
        self.history = list(state["history"])


def to_input(pixels: Tensor, device: torch.device) -> Tensor:
    """Return (N, 3, H, W) float32 of 0 to 1 from (N, H, W, 3) uint8."""
    return pixels.to(device, non_blocking=True).permute(0, 3, 1, 2).float() / 255


@torch.inference_mode()
def find_faces(
    network: torch.nn.Module, pictures: Iterable[np.ndarray[Any, Any]], device: torch.device
) -> list[Found]:
    """Return what the network finds on (H, W, 3) uint8 BGR pictures, H and W multiples of 32."""
    network.eval()
    found = []
    for picture in pictures:
        height, width = picture.shape[:2]
        outputs = network(to_input(torch.from_numpy(picture)[None], device))
        cells = decode(outputs, height, width)
        scores = torch.sqrt(cells.presence[0].sigmoid() * cells.overlap[0].sigmoid())
        sure = scores >= _LOWEST_SCORE
        boxes = cells.boxes[0][sure].cpu().numpy().astype(np.float32)
        kept_scores = scores[sure].cpu().numpy().astype(np.float32)
        sizes = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], 1)
        kept = np.array(
            cv2.dnn.NMSBoxes(sizes.tolist(), kept_scores.tolist(), _LOWEST_SCORE, _SUPPRESSED),
            np.int64,
        ).ravel()
        found.append(Found(boxes[kept], kept_scores[kept]))
    return found


def train_finder(run: TaskRun) -> None:
    """Train the face finder into a folder.

    Writes `last.pt` after every epoch, from which a training goes on, and `final.pt`, whose rate
    has fallen to nothing, at the end of each call; `log.csv` has the figures of every epoch.
    Raises `UserError` for anything to correct.
    """
    deadline = Deadline(run.minutes)
    recipe = FinderRecipe.from_dict(task_values(run.recipe, run.changes))
    if run.epochs is not None:
        recipe = replace(recipe, epochs=run.epochs)
    trainer = FinderTrainer(recipe, start_device(run.device, run.threads))
    with training_folder(run.out, resume=run.resume):
        if run.resume:
            trainer.restore(load_checkpoint(run.out / "last.pt"))
            deadline.recall(trainer.history)
        data = read_finder_data(run.data, recipe.side, recipe.clutter)
        trainer.pictures = same_data(trainer.pictures, data.digest, run.data)
        told = ", ".join(f"{count:,} {name}" for name, count in data.counts.items())
        print(f"{told}; on {trainer.device}{no_bf16(trainer.device, recipe.precision)}")
        if not run.resume:
            trainer.sources = data.sources
        if run.start is not None and not run.resume:
            begin_from(trainer, run.start, data.training)
        _train(trainer, data, run.out, deadline)


def begin_from(trainer: FinderTrainer, start: Path, maker: MosaicMaker) -> None:
    """Take the weights of a checkpoint or of an exported file.

    maker: of training pictures, by which a file's normalisations are taken back.
    """
    if start.suffix == ".onnx":
        # Says what is wrong with a file that is none of ours.
        FaceDetector(start, score=_LOWEST_SCORE, overlap=_SUPPRESSED)
        rng = np.random.default_rng(trainer.recipe.seed)
        pictures = np.stack([maker.make(rng).pixels for _ in range(_PICTURES_TO_START)])
        network = FaceFinderNet().eval()
        # The file takes 0 to 255, the network 0 to 1.
        take_back(network, start, 255 * to_input(torch.from_numpy(pictures), torch.device("cpu")))
        first = next(layer for layer in network.modules() if isinstance(layer, torch.nn.Conv2d))
        first.weight.data *= 255
        weights = network.state_dict()
    else:
        weights = load_checkpoint(start)["average"]
    try:
        trainer.network.load_state_dict(weights)
    except RuntimeError as error:
        raise UserError(
            f"{start}: expected the weights of the face finder, found others: give one of its "
            "checkpoints or its exported file"
        ) from error
    trainer.average = WeightAverage(trainer.network, trainer.recipe.ema)
    trainer.sources = [*(trainer.sources or []), BEGUN]


def _train(trainer: FinderTrainer, data: FinderData, out: Path, deadline: Deadline) -> None:
    """Train at the full rate until epochs or minutes are over, then let the rate fall."""
    recipe = trainer.recipe
    computed_in = arithmetic(trainer.device, recipe.precision)
    made_with = {**environment(), "computed_in": computed_in}
    begun = trainer.epoch
    while trainer.epoch < recipe.epochs:
        if deadline.over(1 + _falling_epochs(recipe, trainer.epoch + 1)):
            print(deadline.sentence(trainer.epoch, recipe.epochs, begun))
            break
        started = time.monotonic()
        _epoch(trainer, data, None)
        save_checkpoint(out / "last.pt", {**trainer.state(), "environment": made_with})
        write_log(out / "log.csv", trainer.history)
        deadline.note(time.monotonic() - started)
    falling = _falling_epochs(recipe, trainer.epoch)
    if 0 < begun == trainer.epoch < recipe.epochs and deadline.over(falling):
        return  # the call before this one let the rate fall
    ending = _branch(trainer)
    for number in range(falling):
        _epoch(ending, data, (number, falling))
    save_checkpoint(out / "final.pt", {**ending.state(), "environment": made_with})
    write_log(out / "log.csv", ending.history)
    print(f"wrote {out / 'final.pt'}; more epochs go on from {out / 'last.pt'}")


def _falling_epochs(recipe: FinderRecipe, epoch: int) -> int:
    """Return in how many epochs the rate falls, after so many at the full one.

    A constant rate with a short fall does as well as one whose length was fixed beforehand
    (Hägele et al., arXiv 2405.18392, section 3).
    """
    return max(1, round(recipe.decay * epoch)) if recipe.decay else 0


def _branch(trainer: FinderTrainer) -> FinderTrainer:
    branch = FinderTrainer(trainer.recipe, trainer.device)
    branch.restore(deepcopy(trainer.state()))
    return branch


def _epoch(trainer: FinderTrainer, data: FinderData, falling: tuple[int, int] | None) -> None:
    started = time.monotonic()
    losses = trainer.train_epoch(data, workers=workers_for(trainer.device), falling=falling)
    scores = trainer.evaluate(data.validation)
    seconds = time.monotonic() - started
    now = {"epoch": trainer.epoch, **losses, **scores, "seconds": seconds}
    trainer.history.append({**now, "falling": float(falling is not None)})
    title = f"epoch {trainer.epoch}" + (" (falling)" if falling else "")
    parts = "  ".join(f"{name} {losses[name]:.3f}" for name in _PARTS)
    print(
        f"{title}  loss {losses['loss']:.3f}  {parts}  "
        f"AP {scores['average_precision']:.1%}  {seconds:.0f} s",
        flush=True,
    )
