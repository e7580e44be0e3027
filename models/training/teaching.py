"""What teachers say of fixed views, kept in a file, so that a student needs no teacher to run.

Each training picture is seen in the same few views in every epoch's turn; the views come from a
seed and are not stored. Shen and Xing, "A Fast Knowledge Distillation Framework for Visual
Recognition", arXiv 2112.01528, section 3, keep answers for views in the same way.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self
from zipfile import BadZipFile

import numpy as np
import torch
from torch import Generator, Tensor

from models.runtime.errors import UserError
from models.runtime.files import user_path, written_whole
from models.runtime.labels import LABEL_SETS
from models.training.augment import augment
from models.training.digest import digest_of
from models.training.recipe import Augmentation, Recipe
from models.training.teachers import Teacher, answered, mean_logits, unanswered

FORMAT = 1
_CHUNK = 1024
"""Pictures whose views are drawn at once: part of what the seed means."""
_ASKED = 256
"""Pictures that a teacher is asked of at once, a network of many regions too."""
_BETWEEN = ("mixup", "mixup_until")
"""Keys of an augmentation that concern several views, not one."""


def fixed_view(pixels: Tensor, how: Augmentation, seed: int, view: int) -> Tensor:
    """Return one view of every picture, (N, 1, 48, 48) uint8 in and out, the same on every device.

    view: its number, from 0.
    """
    generator = Generator().manual_seed(seed * 1_009 + view)
    return torch.cat(
        [
            (augment(chunk / 255, how, generator) * 255).round().to(torch.uint8)
            for chunk in torch.split(pixels, _CHUNK)
        ]
    )


@dataclass(frozen=True, slots=True, eq=False)
class TeacherLogits:
    """Hold what teachers said: logits (N, V, outputs) float16, the mean over the teachers.

    Of logits and not of probabilities, so that a student can soften them by any temperature.
    label_sets: in the order of the outputs. digest: of the N pictures. augmentation, seed: of the
    V views. teachers: what is known of each file, `Teacher.facts`, its share and accuracy; files
    of an older version know less.
    """

    logits: Tensor
    label_sets: tuple[str, ...]
    digest: str
    augmentation: dict[str, float]
    seed: int
    teachers: list[dict[str, Any]]

    @property
    def views(self) -> int:
        return self.logits.shape[1]

    def write(self, path: Path) -> None:
        """Write an .npz file whole or not at all."""
        facts = {
            "format": FORMAT,
            "label_sets": self.label_sets,
            "digest": self.digest,
            "augmentation": self.augmentation,
            "seed": self.seed,
            "teachers": self.teachers,
        }
        with written_whole(path) as partial, partial.open("wb") as file:
            np.savez(file, logits=self.logits.cpu().numpy(), facts=np.array(json.dumps(facts)))

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a file of `write`; raise `UserError` for any other."""
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                facts = json.loads(str(stored["facts"]))
                logits = torch.from_numpy(stored["logits"])
            known = facts.pop("format") == FORMAT and logits.ndim == 3
            facts["label_sets"] = tuple(facts["label_sets"])
            found = cls(logits=logits, **facts)
        except (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile) as error:
            raise UserError(
                f"{path}: expected a file of fer-teach, found none that reads "
                f"({type(error).__name__}): make it anew, or correct the path"
            ) from error
        if not known:
            raise UserError(
                f"{path}: expected a file of fer-teach in format {FORMAT}, found another: make it "
                "anew"
            )
        return found


def teach(
    teachers: list[Teacher],
    pixels: Tensor,
    how: Augmentation,
    *,
    label_sets: list[str],
    views: int,
    seed: int,
    known: Tensor | None = None,
    on_chunk: Callable[[int], object] = lambda _: None,
    on_view: Callable[[Tensor], object] = lambda _: None,
) -> Tensor:
    """Return the teachers' mean logits (N, V, outputs) float16 of V views of N pictures.

    pixels: (N, 1, 48, 48) uint8 on the teachers' device. known: (N, fewer, outputs), what they said
    of the first views, which are not asked again. on_chunk: told how many pictures are done.
    on_view: told the logits of all views so far after each of them.
    """
    outputs = sum(len(LABEL_SETS[name]) for name in label_sets)
    found = torch.empty(len(pixels), views, outputs, dtype=torch.float16)
    first = 0
    if known is not None:
        first = known.shape[1]
        found[:, :first] = known
    for view in range(first, views):
        pictures = fixed_view(pixels, how, seed, view)
        for start in range(0, len(pictures), _ASKED):
            chunk = pictures[start : start + _ASKED]
            said = mean_logits(teachers, chunk / 255, label_sets)
            found[start : start + _ASKED, view] = said.to("cpu", torch.float16)
            on_chunk(len(chunk))
        on_view(found[:, : view + 1])
    return found


class Answers:
    """Stand in for the teachers of a training: the views that they saw, and what they said.

    facts: what the file knows of each of them. new_views: the student draws its own views, and
    what was said of a picture, the mean over its views, stands for all of them: few views are soon
    learnt by heart, and such softened labels hold for any.
    """

    def __init__(self, recipe: Recipe, device: torch.device) -> None:
        path = user_path(recipe.distillation.logits)
        known = TeacherLogits.read(path)
        missing = unanswered(list(recipe.labels), list(known.label_sets))
        if missing:
            raise UserError(
                f"{path}: expected teachers for {' and '.join(recipe.labels)}, found some for "
                f"{' and '.join(known.label_sets)}: choose others or drop {', '.join(missing)}"
            )
        self.new_views = recipe.distillation.views == "new"
        if not self.new_views and single_view(recipe.augmentation) != known.augmentation:
            raise UserError(
                f"{path}: expected the views of the recipe's [augmentation], found others: give "
                f"the recipe the values that the file was made with, {known.augmentation}, or "
                'distillation.views = "new"'
            )
        self._path, self._known, self._how = path, known, recipe.augmentation
        self.facts = known.teachers
        self._label_sets = list(recipe.labels)
        self._temperature = recipe.distillation.temperature
        logits = known.logits.to(device)
        self._logits = logits.float().mean(1, keepdim=True) if self.new_views else logits
        self._checked = False

    def _check(self, pixels: Tensor) -> None:
        if digest_of(pixels) != self._known.digest:
            raise UserError(
                f"{self._path}: expected the {len(self._known.logits):,} training pictures that "
                f"the teachers saw, found {len(pixels):,} that are not the same: use the same "
                "data and cleaning, or make the file anew with fer-teach"
            )

    def pictures(self, pixels: Tensor, epoch: int) -> Tensor:
        """Return the view of every picture that is due in an epoch, (N, 1, 48, 48) uint8.

        With `new_views` it is the picture. Raises `UserError` unless these are the pictures that
        the teachers saw.
        """
        if not self._checked:
            self._check(pixels)
            self._checked = True
        if self.new_views:
            return pixels
        known = self._known
        return fixed_view(pixels, self._how, known.seed, epoch % known.views)

    def probabilities(self, rows: Tensor, epoch: int) -> dict[str, Tensor]:
        """Return the teachers' softened probabilities (n, C) by label set, of an epoch's view."""
        said = self._logits[rows, epoch % self._logits.shape[1]].float() / self._temperature
        heads = answered(said, list(self._known.label_sets))
        return {name: torch.softmax(heads[name], dim=1) for name in self._label_sets}


def single_view(how: Augmentation) -> dict[str, float]:
    """Return what decides a view of one picture."""
    return {key: value for key, value in asdict(how).items() if key not in _BETWEEN}
