"""The training loop: one epoch after another, each able to be the last."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from models.runtime.errors import UserError
from models.training.angular import a_softmax_logits, annealed_lambda
from models.training.augment import augment, centre_crop, mixup, random_crop
from models.training.average import WeightAverage
from models.training.distillation import Ensemble
from models.training.distributed import Group, attending
from models.training.examples import Examples
from models.training.losses import (
    VOTED,
    check_finite,
    distillation_loss,
    distribution_loss,
    region_biased_loss,
    split_heads,
    taught_rows,
)
from models.training.metrics import accuracy, negative_log_likelihood
from models.training.optimisers import make_optimiser, sharpness_aware_step
from models.training.predict import build_network, normalise, predict, sized, split_arrays
from models.training.recipe import Recipe
from models.training.schedule import hold, one_cycle, plateau, warmup_cosine
from models.training.speed import STEPS_APART, autocast, compiled
from models.training.teaching import Answers

Heads = dict[str, Tensor]
"""Values (N, C) by label set."""

_SEEDS_APART = 7_919
"""Between the seeds of two processes: more than the epochs of a run, each of which has its own."""


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Hold a process's share of a batch.

    parts: (N, 1, F, F) of 0 to 1, what is seen of the pictures. targets, taught: what their labels
    and what teachers say. counts, size: how many rows of the whole batch each label set teaches,
    and how many there are, both for each process. Divided by these, the sums over the shares have
    the means over the whole batch as their mean, however unlike the shares are.
    """

    parts: Tensor
    targets: Heads
    taught: Heads
    counts: dict[str, Tensor]
    size: float


class Trainer:
    """Hold a run between epochs.

    An epoch draws everything from its own seed, so a run that was stopped and resumed equals one
    that was not. group: the processes that train together. compiling: try torch.compile; what it
    does not take is trained as it is, and `note` says so.
    """

    def __init__(
        self,
        recipe: Recipe,
        device: torch.device,
        group: Group | None = None,
        *,
        compiling: bool = False,
    ) -> None:
        self.recipe = recipe
        self.device = device
        self.group = group or Group()
        self.label_sets = list(recipe.labels)
        _check_group(recipe, self.group)
        self.epoch = 0
        self.history: list[dict[str, float]] = []
        self.begun_from = ""
        self.source = ""  # the data set that is trained on
        self.sources: list[str] = []  # those that were ever learnt from
        self.pictures = ""  # a fingerprint of what is trained on
        self.note = ""
        torch.manual_seed(recipe.seed)
        self.network = build_network(recipe).to(device)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = WeightAverage(self.network, recipe.ema)
        self.optimiser = make_optimiser(
            recipe.optimiser,
            self.network,
            learning_rate=recipe.learning_rate,
            weight_decay=recipe.weight_decay,
            momentum=recipe.momentum,
            rates=recipe.rates,
        )
        self._attend = attending(self.network, self.group, device)
        self._even = compiling  # compiled steps are for batches of one size
        if compiling:
            shape = (recipe.batch_size // self.group.size, 1, recipe.input_size, recipe.input_size)
            example = normalise(torch.zeros(shape, device=device), recipe)
            self.network.train()
            self._attend, self.note = compiled(self._attend, example, recipe.precision)
        self._teachers = None
        if recipe.distillation.teachers:
            self._teachers = Ensemble(recipe.distillation, self.label_sets, device)
        self._answers = Answers(recipe, device) if recipe.distillation.logits else None
        taught_by = self._teachers or self._answers
        self.taught_by: list[dict[str, Any]] = [] if taught_by is None else taught_by.facts

    def train_epoch(
        self, examples: Examples, on_step: Callable[[int, float], None] | None = None
    ) -> float:
        """Train on every example once; return the mean loss.

        Of several processes each returns its share's; the mean of those is that of all examples.
        on_step: called after each step, on a GPU after some, with the number of examples done and
        the mean loss so far. Raises `UserError` when the loss is no longer a number.
        """
        recipe = self.recipe
        if self._answers is not None:
            pictures = self._answers.pictures(examples.pixels, self.epoch)
            examples = replace(examples, pixels=pictures)
        seed = recipe.seed * 100_003 + self.epoch
        # What a network draws as it computes, such as the units it drops, is each process's own.
        torch.manual_seed(seed + self.group.rank * _SEEDS_APART)
        generator = torch.Generator(self.device).manual_seed(seed)
        order = torch.randperm(len(examples), generator=generator, device=self.device)
        batches = self._batches(order)
        apart = STEPS_APART if self.device.type == "cuda" else 1
        self.network.train()
        total, seen = torch.zeros((), dtype=torch.float64, device=self.device), 0
        for number, rows in enumerate(batches, start=1):
            step = self.epoch * len(batches) + number - 1
            steps = recipe.epochs * len(batches)
            self._set_rate(step, steps)
            total += self._step(examples, rows, step / steps, generator) * len(rows)
            self.average.update(self.network, step)
            seen += len(rows)
            if number % apart and number < len(batches):
                continue
            mean = total.item() / seen
            check_finite(mean, f"epoch {self.epoch + 1}, step {number}")
            if on_step is not None:
                on_step(seen, mean)
        self.epoch += 1
        return mean

    def _batches(self, order: Tensor) -> tuple[Tensor, ...]:
        """Cut an epoch's order into batches; what is left out is other pictures each epoch."""
        size = self.recipe.batch_size
        batches = torch.split(order, size)
        # Too few for batch statistics, or not of the one size that a compiled step takes.
        least = size if self._even else max(2, size // 2)
        return batches[:-1] if len(batches) > 1 and len(batches[-1]) < least else batches

    def _step(
        self, examples: Examples, rows: Tensor, done: float, generator: torch.Generator
    ) -> Tensor | float:
        """Take one step on these rows; return its loss, still on the device.

        done: the part of all steps that was taken before, 0 to 1.
        """
        batch = self._batch(examples, rows, generator)

        def loss() -> Tensor:
            return self._loss(batch, done)

        self.optimiser.zero_grad()
        if self.recipe.optimiser == "sam":
            value = sharpness_aware_step(self.network, loss)
        else:
            value = loss()
            value.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.recipe.clip_norm)
        self.optimiser.step()
        return value.detach()

    def _batch(self, examples: Examples, rows: Tensor, generator: torch.Generator) -> Batch:
        """Return this process's share of a batch.

        Every process draws the views of the whole batch and keeps its share, so that however many
        they are, each picture is seen in the same view.
        """
        recipe, how = self.recipe, self.recipe.augmentation
        views = examples.pixels[rows] / 255
        targets = {name: examples.targets[name][rows] for name in self.label_sets}
        taught: Heads = {}
        if self._answers is not None:
            taught = self._answers.probabilities(rows, self.epoch)
        ready = self._answers is not None and not self._answers.new_views
        if not ready:
            views = augment(views, how, generator)
        if how.mixup and self.epoch < how.mixup_until * recipe.epochs:
            both = {f"label {name}": values for name, values in targets.items()}
            both |= {f"teacher {name}": values for name, values in taught.items()}
            views, both = mixup(views, both, how.mixup, generator)
            targets = {name: both[f"label {name}"] for name in targets}
            taught = {name: both[f"teacher {name}"] for name in taught}
        parts = views
        if ready:
            parts = centre_crop(views, recipe.field)  # the stored answers are of the middle
        elif recipe.field < views.shape[3]:
            parts = random_crop(views, recipe.field, generator)
        # Counted before they are shared, so that nothing has to be asked of the other processes.
        counts = {name: taught_rows(each) / self.group.size for name, each in targets.items()}
        views, parts = self.group.share(views), self.group.share(parts)
        targets = {name: self.group.share(values) for name, values in targets.items()}
        taught = {name: self.group.share(values) for name, values in taught.items()}
        if self._teachers is not None:
            taught = self._teachers.probabilities(views, parts)
        return Batch(parts, targets, taught, counts, len(rows) / self.group.size)

    def _loss(self, batch: Batch, done: float) -> Tensor:
        recipe, targets, taught = self.recipe, batch.targets, batch.taught
        seen = normalise(sized(batch.parts, recipe), recipe)  # drawn in float32
        with autocast(self.device, recipe.precision):
            outputs, attention = self._attend(seen)
        share = recipe.distillation.weight if taught else 0.0
        total = torch.zeros((), device=self.device)
        for name, logits in split_heads(outputs, self.label_sets).items():
            marked = logits
            if recipe.loss == "a_softmax" and name not in VOTED:
                labels, length = targets[name].argmax(1), attention["length"].float()
                marked = a_softmax_logits(logits.float(), length, labels, annealed_lambda(done))
            part = (1 - share) * distribution_loss(
                marked, targets[name], recipe.label_smoothing, batch.counts[name]
            )
            if taught:  # a teacher knows of no margin, so the bare logits answer it
                temperature = recipe.distillation.temperature
                part = part + share * distillation_loss(
                    logits, taught[name], temperature, batch.size
                )
            total = total + recipe.labels[name] * part
        if recipe.region_margin:
            alone = attention["self"].float()
            total = total + region_biased_loss(alone, recipe.region_margin, batch.size)
        return total

    def evaluate(self, examples: Examples) -> dict[str, float]:
        """Return by label set the accuracy of the averaged weights, one crop, 0 to 1.

        Beside it, as `validation_loss`, the mean negative log-likelihood over the label sets.
        """
        logits = predict(self.average.network, examples.pixels, self.recipe)
        scores, losses = {}, []
        for name, values in split_arrays(logits, self.label_sets).items():
            used = examples.truth[name] >= 0
            scores[name] = accuracy(values[used], examples.truth[name][used])
            losses.append(negative_log_likelihood(values[used], examples.truth[name][used]))
        loss = sum(losses) / len(losses)
        check_finite(loss, f"epoch {self.epoch}, validation")  # before anything of it is kept
        return {**scores, "validation_loss": loss}

    def _set_rate(self, step: int, steps: int) -> None:
        recipe = self.recipe
        if recipe.schedule == "one_cycle":
            part = one_cycle(step, steps, recipe.warmup)
        elif recipe.schedule == "cosine":
            part = warmup_cosine(step, steps, recipe.warmup)
        elif recipe.schedule == "hold":
            part = hold(step, steps, recipe.warmup, recipe.fall)
        else:
            part = plateau([entry["validation_loss"] for entry in self.history], recipe.patience)
        for group in self.optimiser.param_groups:
            # A run that an older version began has no shares.
            group["lr"] = recipe.learning_rate * part * group.get("share", 1.0)

    def state(self) -> dict[str, Any]:
        """Return all that `restore` needs, in plain values and tensors."""
        return {
            "recipe": self.recipe.as_dict(),
            "epoch": self.epoch,
            "begun_from": self.begun_from,
            "source": self.source,
            "sources": self.sources,
            "taught_by": self.taught_by,
            "pictures": self.pictures,
            "history": self.history,
            "network": self.network.state_dict(),
            "average": self.average.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "even": self._even,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on where a state was taken; raise `UserError` if another recipe or teacher made it.

        While the schedule holds its rate, the run may be made longer or shorter, if the epochs
        that are done would have been the same.
        """
        self._check_recipe(Recipe.from_dict(state["recipe"]), state["epoch"])
        if not state["optimiser"]:
            raise UserError(
                "expected a checkpoint that a training wrote, found a mean of several, which has "
                "nothing to go on from: begin with it, in another folder (--from)"
            )
        if state.get("taught_by", self.taught_by) != self.taught_by:
            raise UserError(
                "expected the teachers that the training began with, "
                f"{_named(state['taught_by'])}, found {_named(self.taught_by)}: give it those, or "
                "choose another folder"
            )
        self.network.load_state_dict(state["network"])
        self.average.network.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self._even = state.get("even", self._even)  # else an epoch had another number of steps
        self.epoch = state["epoch"]
        self.begun_from = state.get("begun_from", "")
        self.source = state.get("source", "")
        self.sources = list(state.get("sources", []))
        self.pictures = state.get("pictures", "")
        self.history = list(state["history"])

    def _check_recipe(self, made_by: Recipe, epoch: int) -> None:
        """Raise `UserError` where another recipe made the epochs that are done."""
        theirs, ours = made_by.as_dict(), self.recipe.as_dict()
        tied: list[str] = []
        free: tuple[str, ...] = ()
        if made_by.holds_at(epoch) and self.recipe.holds_at(epoch):
            before, now = made_by.tied_to_epochs(epoch), self.recipe.tied_to_epochs(epoch)
            tied = [key for key, value in now.items() if not math.isclose(before[key], value)]
            free = () if tied else ("epochs", "fall", "warmup")
        # As text, since the order of the label sets is that of the outputs.
        keys = [key for key in ours if str(theirs[key]) != str(ours[key]) and key not in free]
        if keys:
            other = f", by which {' and '.join(tied)} made other epochs so far" if tied else ""
            raise UserError(
                f"expected a checkpoint of the same recipe, found one that differs in "
                f"{', '.join(keys)}{other}: resume with the recipe it was started with, or choose "
                "another folder"
            )


def _named(teachers: list[dict[str, Any]]) -> str:
    """Name teachers by file and the first letters of the sha256, for a sentence."""
    named = [f"{each['file']} ({each.get('sha256', 'unknown')[:8]})" for each in teachers]
    return " and ".join(named) or "none"


def _check_group(recipe: Recipe, group: Group) -> None:
    """Raise `UserError` for what several processes cannot do together."""
    if group.size == 1:
        return
    if recipe.optimiser == "sam":
        raise UserError(
            f"expected optimiser adamw or sgd with several processes, found sam with {group.size}: "
            "choose another optimiser, or start one process"
        )
    # The last batch of an epoch can be half a batch, and batch statistics need two pictures.
    if recipe.batch_size < 4 * group.size:
        raise UserError(
            f"expected a batch_size of at least 4 for each process, found {recipe.batch_size} for "
            f"{group.size}: give a larger batch_size, or start fewer processes"
        )
