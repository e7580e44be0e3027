"""The training loop: one epoch after another, each able to be the last."""

from __future__ import annotations

import ctypes
import math
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.nets.network import Network
from models.nets.registry import find_architecture
from models.runtime.errors import UserError
from models.runtime.labels import LABEL_SETS
from models.training.augment import augment
from models.training.average import WeightAverage
from models.training.examples import Examples
from models.training.losses import distribution_loss, split_heads
from models.training.metrics import accuracy
from models.training.recipe import Recipe
from models.training.schedule import one_cycle


class Trainer:
    """Hold a run between epochs.

    An epoch draws everything from its own seed, so a run that was stopped and resumed equals one
    that was not.
    """

    def __init__(self, recipe: Recipe, device: torch.device) -> None:
        self.recipe = recipe
        self.device = device
        self.label_sets = list(recipe.labels)
        self.epoch = 0
        self.history: list[dict[str, float]] = []
        torch.manual_seed(recipe.seed)
        self.network = build_network(recipe).to(device)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = WeightAverage(self.network, recipe.ema)
        self.optimiser = torch.optim.AdamW(
            _parameter_groups(self.network, recipe.weight_decay), lr=recipe.learning_rate
        )

    def train_epoch(
        self, examples: Examples, on_step: Callable[[int, float], None] | None = None
    ) -> float:
        """Train on every example once; return the mean loss.

        on_step: called after each step with the number of examples done and the mean loss so far.
        Raises `UserError` when the loss is no longer a number.
        """
        recipe = self.recipe
        seed = recipe.seed * 100_003 + self.epoch
        torch.manual_seed(seed)
        generator = torch.Generator(self.device).manual_seed(seed)
        order = torch.randperm(len(examples), generator=generator, device=self.device)
        batches = torch.split(order, recipe.batch_size)
        if len(batches) > 1 and len(batches[-1]) < recipe.batch_size // 2:
            batches = batches[:-1]  # too few for batch statistics; other ones each epoch
        self.network.train()
        total, seen = 0.0, 0
        for number, rows in enumerate(batches):
            step = self.epoch * len(batches) + number
            self._set_rate(one_cycle(step, recipe.epochs * len(batches), recipe.warmup))
            total += self._step(examples, rows, generator) * len(rows)
            self.average.update(self.network, step)
            seen += len(rows)
            if not math.isfinite(total):
                raise UserError(
                    f"epoch {self.epoch + 1}, step {number + 1}: the loss is no longer a number; "
                    "lower learning_rate and start again from the last checkpoint"
                )
            if on_step is not None:
                on_step(seen, total / seen)
        self.epoch += 1
        return total / seen

    def _step(self, examples: Examples, rows: Tensor, generator: torch.Generator) -> float:
        """Take one step on these rows; return its loss."""
        views = augment(examples.pixels[rows] / 255, self.recipe.augmentation, generator)
        with self._precision():
            outputs = self.network(normalise(views, self.recipe))
        loss = torch.zeros((), device=self.device)
        for name, logits in split_heads(outputs, self.label_sets).items():
            part = distribution_loss(
                logits, examples.targets[name][rows], self.recipe.label_smoothing
            )
            loss = loss + self.recipe.labels[name] * part
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.recipe.clip_norm)
        self.optimiser.step()
        return loss.item()

    def evaluate(self, examples: Examples) -> dict[str, float]:
        """Return the accuracy of the averaged weights by label set, one crop, 0 to 1."""
        logits = predict(self.average.network, examples.pixels, self.recipe)
        scores = {}
        for name, values in _split_arrays(logits, self.label_sets).items():
            used = examples.truth[name] >= 0
            scores[name] = accuracy(values[used], examples.truth[name][used])
        return scores

    def _precision(self) -> torch.autocast:
        enabled = self.recipe.precision == "bf16"
        return torch.autocast(self.device.type, torch.bfloat16, enabled=enabled)

    def _set_rate(self, part: float) -> None:
        for group in self.optimiser.param_groups:
            group["lr"] = self.recipe.learning_rate * part

    def state(self) -> dict[str, Any]:
        """Return all that `restore` needs, in plain values and tensors."""
        return {
            "recipe": self.recipe.as_dict(),
            "epoch": self.epoch,
            "history": self.history,
            "network": self.network.state_dict(),
            "average": self.average.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on where a state was taken; raise `UserError` if another recipe made it."""
        if state["recipe"] != self.recipe.as_dict():
            theirs, ours = state["recipe"], self.recipe.as_dict()
            keys = ", ".join(key for key in ours if theirs.get(key) != ours[key])
            raise UserError(
                f"expected a checkpoint of the same recipe, found one that differs in {keys}: "
                "resume with the recipe it was started with, or choose another folder"
            )
        self.network.load_state_dict(state["network"])
        self.average.network.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.epoch = state["epoch"]
        self.history = list(state["history"])


def build_network(recipe: Recipe) -> Network:
    """Build the recipe's architecture with one output for every label of its label sets."""
    outputs = sum(len(LABEL_SETS[name]) for name in recipe.labels)
    return find_architecture(recipe.architecture).build(outputs)


def normalise(views: Tensor, recipe: Recipe) -> Tensor:
    """Return views of 0 to 1 as the network takes them, channels last."""
    return ((views - recipe.mean) / recipe.std).contiguous(memory_format=torch.channels_last)


@torch.inference_mode()
def predict(
    network: Network, pixels: Tensor, recipe: Recipe, *, mirror: bool = False
) -> NDArray[np.float32]:
    """Return logits (N, outputs) of pixels (N, 1, S, S) uint8, in float32, one crop.

    mirror: average the logits with those of the mirrored picture.
    """
    network.eval()
    parts = []
    for batch in torch.split(pixels, 1024):
        views = normalise(batch / 255, recipe)
        logits = network(views)
        if mirror:
            logits = (logits + network(views.flip(3))) / 2
        parts.append(logits.float().cpu().numpy())
    return np.concatenate(parts)


def _split_arrays(
    logits: NDArray[np.float32], label_sets: list[str]
) -> dict[str, NDArray[np.float32]]:
    ends = np.cumsum([len(LABEL_SETS[name]) for name in label_sets])[:-1]
    return dict(zip(label_sets, np.split(logits, ends, axis=1), strict=True))


def _parameter_groups(network: Network, weight_decay: float) -> list[dict[str, Any]]:
    """Decay the kernels only: biases and normalisation have nothing to gain from it."""
    kernels = [p for p in network.parameters() if p.ndim > 1]
    others = [p for p in network.parameters() if p.ndim <= 1]
    return [
        {"params": kernels, "weight_decay": weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]


def keep_freed_memory() -> None:
    """Let glibc keep freed activations for the next step.

    By default it gives them back to the system and every step faults them in again; keeping them
    took a mini-Xception step on two cores from 196 to 142 ms.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # absent from other C libraries
    if mallopt is not None:
        trim_threshold, mmap_threshold = -1, -3
        mallopt(trim_threshold, 2**31 - 1)
        mallopt(mmap_threshold, 2**30)
