"""The training loop of the landmark network."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from models.data.landmark_labels import EYES_APART, believe
from models.data.landmarks import LandmarkSet
from models.nets.landmarks68 import Landmarks68
from models.part_data import BEGUN
from models.runtime.errors import UserError
from models.runtime.landmark_crop import MIRRORED
from models.training.average import WeightAverage
from models.training.landmark_loss import errors, fitting, five_of_points, map_loss, point_loss
from models.training.landmark_recipe import LandmarkRecipe
from models.training.landmark_views import Placement, change_light, place, sample, spoil
from models.training.losses import check_finite
from models.training.optimisers import make_optimiser
from models.training.schedule import one_cycle

__all__ = ["LandmarkData", "LandmarkTrainer"]

_FIVE_MIRRORED = (1, 0, 2, 4, 3)
# At which sizes a face is looked at for labels of the network's own.
_SIZES = (1.0, 0.85, 1.1)


@dataclass(frozen=True, slots=True, eq=False)
class LandmarkData:
    """Hold a set on the device that trains, and which rows are of which kind."""

    patches: Tensor
    points: Tensor
    five: Tensor
    weight: Tensor
    marked: Tensor
    only_five: Tensor
    empty: Tensor

    @classmethod
    def of(cls, data: LandmarkSet, trusted: float, device: torch.device) -> LandmarkData:
        """Move a set to a device, with the labels that are to be believed."""
        labels = believe(data, trusted)

        def there(values: NDArray[Any]) -> Tensor:
            return torch.from_numpy(values).to(device)

        return cls(
            patches=there(data.patches),
            points=there(labels.points),
            five=there(labels.five),
            weight=there(labels.weight),
            marked=there(np.flatnonzero(data.marked)),
            only_five=there(np.flatnonzero(data.faces & ~data.marked)),
            empty=there(np.flatnonzero(~data.faces)),
        )


class LandmarkTrainer:
    """Hold a run between epochs; an epoch draws everything from its own seed."""

    def __init__(self, recipe: LandmarkRecipe, device: torch.device) -> None:
        self.recipe = recipe
        self.device = device
        self.epoch = 0
        self.history: list[dict[str, float]] = []
        self.pictures = ""  # a fingerprint of what is trained on
        self.sources: list[str] | None = None  # for the card; none of it in older checkpoints
        self._teacher: Landmarks68 | None = None
        torch.manual_seed(recipe.seed)
        self.network = Landmarks68().to(device)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = WeightAverage(self.network, recipe.ema)
        self.optimiser = make_optimiser(
            "adamw",
            self.network,
            learning_rate=recipe.learning_rate,
            weight_decay=recipe.weight_decay,
            momentum=0.9,
        )
        self._swap = torch.tensor(MIRRORED, device=device)
        self._swap_five = torch.tensor(_FIVE_MIRRORED, device=device)

    def begin_with(self, weights: dict[str, Tensor]) -> None:
        """Begin with the averaged weights of another training."""
        self.network.load_state_dict(weights)
        self.average.network.load_state_dict(weights)
        if self.sources is not None:
            self.sources = [*self.sources, BEGUN]
        if self.recipe.own or self.recipe.kept:
            self._teacher = deepcopy(self.average.network)

    @torch.no_grad()
    def own_labels(self, data: LandmarkData) -> LandmarkData:
        """Return the set with labels that are partly, by the recipe's `own`, the network's.

        What the weights say that the training began with, the mean over a face and its mirror
        image at three sizes, which errs less than one look at it. Where that contradicts the five
        points of a face, these alone stay.
        """
        if self._teacher is None or not self.recipe.own:
            return data
        rows = torch.cat([data.marked, data.only_five])
        said = torch.zeros_like(data.points[rows])
        for size, mirrored in itertools.product(_SIZES, (False, True)):
            at = Placement.still(len(rows), size=size, mirrored=mirrored).to(self.device)
            found, _ = _predict(self._teacher, data.patches[rows], at)
            said += at.from_crop(_mirrored(found, at.mirrored, self._swap)) / (2 * len(_SIZES))
        points, weight, own = data.points.clone(), data.weight.clone(), self.recipe.own
        marked = len(data.marked)
        points[data.marked] += own * (said[:marked] - points[data.marked])
        away = (five_of_points(said) - data.five[rows]).norm(dim=2).mean(1) / EYES_APART
        kept = rows[marked:][away[marked:] < self.recipe.trusted]
        points[kept] = said[marked:][away[marked:] < self.recipe.trusted]
        weight[kept] = own
        return replace(data, points=points, weight=weight)

    def train_epoch(
        self, data: LandmarkData, on_step: Callable[[int, float], None] | None = None
    ) -> float:
        """See every face with 68 points once, others beside them; return the mean loss.

        on_step: called after each step with the faces done and the mean loss so far. Raises
        `UserError` when the loss is no longer a number.
        """
        recipe = self.recipe
        seed = recipe.seed * 100_003 + self.epoch
        torch.manual_seed(seed)
        generator = torch.Generator(self.device).manual_seed(seed)
        order = data.marked[self._shuffled(len(data.marked), generator)]
        with_points = recipe.batch_size - recipe.five - recipe.empty
        batches = torch.split(order, with_points)
        if len(batches) > 1 and len(batches[-1]) <= with_points // 2:
            batches = batches[:-1]  # what is left out is other faces each epoch
        self.network.train()
        total, seen = 0.0, 0
        for number, rows in enumerate(batches):
            step = self.epoch * len(batches) + number
            rate = recipe.learning_rate * one_cycle(
                step, recipe.epochs * len(batches), recipe.warmup
            )
            for group in self.optimiser.param_groups:
                group["lr"] = rate
            five = self._some(data.only_five, recipe.five, generator)
            empty = self._some(data.empty, recipe.empty, generator)
            total += self._step(data, (rows, five, empty), generator) * len(rows)
            self.average.update(self.network, step)
            seen += len(rows)
            check_finite(total, f"epoch {self.epoch + 1}, step {number + 1}")
            if on_step is not None:
                on_step(seen, total / seen)
        self.epoch += 1
        if recipe.kept and self._teacher is not None and self.epoch == recipe.epochs:
            # What lies halfway errs less than either end: Wortsman et al., "Robust fine-tuning of
            # zero-shot models", arXiv 2109.01903, section 3.
            self.average.blend(self._teacher, recipe.kept)
        return total / seen

    def _shuffled(self, count: int, generator: torch.Generator) -> Tensor:
        return torch.randperm(count, generator=generator, device=self.device)

    def _some(self, rows: Tensor, count: int, generator: torch.Generator) -> Tensor:
        if not len(rows):
            return rows
        drawn = torch.randint(len(rows), (count,), generator=generator, device=self.device)
        return rows[drawn]

    def _step(
        self, data: LandmarkData, rows: tuple[Tensor, Tensor, Tensor], generator: torch.Generator
    ) -> float:
        how = self.recipe.views
        every = torch.cat(rows)
        at = place(len(every), how, generator)
        crops = sample(data.patches[every], at)
        crops = spoil(change_light(crops, how, generator), how, generator)
        crops = crops.contiguous(memory_format=torch.channels_last)
        self.optimiser.zero_grad()
        loss = self._loss(data, rows, at, crops)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.recipe.clip_norm)
        self.optimiser.step()
        return loss.item()

    def _loss(
        self,
        data: LandmarkData,
        rows: tuple[Tensor, Tensor, Tensor],
        at: Placement,
        crops: Tensor,
    ) -> Tensor:
        marked, only_five, _ = rows
        points, judged, maps = self.network.explain(crops)
        scale = at.scale
        first, second = len(marked), len(marked) + len(only_five)
        truth = _mirrored(at.to_crop(data.points[torch.cat(rows)]), at.mirrored, self._swap)
        weight = data.weight[marked]
        loss = (weight * point_loss(points[:first], truth[:first], scale[:first])).mean()
        narrow = map_loss(maps[:first], self.network.grid, truth[:first])
        loss = loss + self.recipe.narrow * (weight * narrow).mean()
        away = [errors(points[:first], truth[:first], scale[:first])]
        if second > first:
            five = _mirrored(at.to_crop(data.five[torch.cat(rows)]), at.mirrored, self._swap_five)
            five, found = five[first:second], five_of_points(points[first:second])
            part = point_loss(found, five, scale[first:second], rough=True).mean()
            # Of faces that have five points only, unless `own_labels` gave them 68.
            whole = torch.isfinite(truth[first:second, 0, 0])
            own = point_loss(
                points[first:second][whole], truth[first:second][whole], scale[first:second][whole]
            )
            part = part + (data.weight[only_five][whole] * own).sum() / len(only_five)
            loss = loss + part * (len(only_five) / max(1, first))
            away.append(errors(found, five, scale[first:second]))
        deserved = torch.zeros_like(judged)
        deserved[:second] = fitting(torch.cat(away).detach())
        judging = F.binary_cross_entropy_with_logits(judged, deserved)
        return loss + self.recipe.judging * judging

    @torch.no_grad()
    def evaluate(self, data: LandmarkData) -> dict[str, float]:
        """Return figures of the averaged weights, mirrored views apart.

        error: median over the faces with 68 points of the mean distance, in distances between the
        eyes of a frontal face, with the crop in place; moved: with it shifted by a tenth and
        scaled by a fifth of the square; separated: the probability that a face's confidence is
        above that of a square without a face.
        """
        confidences: dict[str, Tensor] = {}
        result = {}
        rows = torch.cat([data.marked, data.empty])
        for name, shift, size in (("error", 0.0, 1.0), ("moved", 0.1, 1.2), ("less", -0.1, 0.8)):
            at = Placement.still(len(rows), size=size, shift=shift).to(self.device)
            points, confidence = _predict(self.average.network, data.patches[rows], at)
            marked = len(data.marked)
            truth = at.to_crop(data.points[rows])[:marked]
            result[name] = float(errors(points[:marked], truth, at.scale[:marked]).median())
            confidences[name] = confidence
        result["moved"] = (result["moved"] + result.pop("less")) / 2
        confidence, marked = confidences["error"], len(data.marked)
        face, empty = confidence[:marked], confidence[marked:]
        result["separated"] = float((face[:, None] > empty[None]).float().mean())
        return result

    def state(self) -> dict[str, Any]:
        """Return all that `restore` needs, in plain values and tensors."""
        return {
            "recipe": self.recipe.as_dict(),
            "epoch": self.epoch,
            "pictures": self.pictures,
            "sources": self.sources,
            "history": self.history,
            "network": self.network.state_dict(),
            "average": self.average.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "teacher": None if self._teacher is None else self._teacher.state_dict(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on where a state was taken; raise `UserError` if another recipe made it."""
        theirs = LandmarkRecipe.from_dict(state["recipe"]).as_dict()
        ours = self.recipe.as_dict()
        keys = ", ".join(key for key in ours if theirs[key] != ours[key])
        if keys:
            raise UserError(
                f"expected a checkpoint of the same recipe, found one that differs in {keys}: "
                "resume with the recipe it was started with, or choose another folder"
            )
        self.network.load_state_dict(state["network"])
        self.average.network.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        if state.get("teacher") is not None:
            self._teacher = deepcopy(self.average.network)
            self._teacher.load_state_dict(state["teacher"])
        self.epoch = state["epoch"]
        self.pictures = state.get("pictures", "")
        self.sources = state.get("sources")
        self.history = list(state["history"])


def _predict(network: Landmarks68, patches: Tensor, at: Placement) -> tuple[Tensor, Tensor]:
    """Return points in parts of the crops and confidences, 256 crops at a time."""
    found = []
    for start in range(0, len(patches), 256):
        part = slice(start, start + 256)
        where = Placement(at.linear[part], at.shift[part], at.mirrored[part])
        found.append(network(sample(patches[part], where)))
    points, confidence = zip(*found, strict=True)
    return torch.cat(points), torch.cat(confidence)


def _mirrored(points: Tensor, mirrored: Tensor, swap: Tensor) -> Tensor:
    """Return the points (N, K, 2) under the names they have in a mirrored face."""
    return torch.where(mirrored[:, None, None], points[:, swap], points)
