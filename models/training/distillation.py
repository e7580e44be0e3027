"""Teachers: trained networks that a smaller one learns from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from models.card_making import learnt_from
from models.nets.network import Network
from models.runtime.card import file_facts
from models.runtime.errors import UserError
from models.runtime.files import user_path
from models.runtime.labels import LABEL_SETS
from models.training.augment import centre_crop
from models.training.checkpoint import load_checkpoint, take_average
from models.training.losses import split_heads
from models.training.predict import build_network, normalise, sized
from models.training.recipe import Distillation, Recipe, recipe_of

WIDER = {"fer2013-4": "fer2013"}
"""Label sets that a teacher of more labels answers as well, by what it says of those alone."""


class Ensemble:
    """Average what several teachers say of the very views that the student sees.

    The mean is that of their logits, as in a file of fer-teach: of their probabilities it is the
    geometric one. Beyer et al., "Knowledge distillation: a good teacher is patient and
    consistent", arXiv 2106.05237, section 3: the same augmented view for both is what makes it
    work. facts: of each, `teacher_facts`.
    """

    def __init__(self, how: Distillation, label_sets: list[str], device: torch.device) -> None:
        self.temperature = how.temperature
        self.label_sets = label_sets
        paths = [user_path(path) for path in how.teachers]
        self._teachers = [load_teacher(path, label_sets, device) for path in paths]
        self.facts = [teacher_facts(path) for path in paths]

    @torch.no_grad()
    def probabilities(self, views: Tensor, parts: Tensor | None = None) -> dict[str, Tensor]:
        """Return softened probabilities (N, C) by label set, for views (N, 1, 48, 48) of 0 to 1.

        parts: (N, 1, F, F), what the student sees of them. Teachers with the student's field see
        the same parts, the others the middle of the view.
        """
        said = mean_logits(self._teachers, views, self.label_sets, parts)
        heads = split_heads(said, self.label_sets)
        return {name: torch.softmax(heads[name] / self.temperature, dim=1) for name in heads}


def load_teacher(path: Path, label_sets: list[str], device: torch.device) -> tuple[Network, Recipe]:
    """Return the averaged network of a checkpoint, in eval mode, and its recipe.

    Raises `UserError` for one that was not taught these label sets.
    """
    values = load_checkpoint(path)
    recipe = recipe_of(values, path)
    missing = unanswered(label_sets, list(recipe.labels))
    if missing:
        raise UserError(
            f"{path}: expected a teacher for {' and '.join(label_sets)}, found one for "
            f"{' and '.join(recipe.labels)}: choose others or drop {', '.join(missing)}"
        )
    network = build_network(recipe)
    take_average(network, values, path, recipe.architecture)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network.to(device).eval(), recipe


def teacher_facts(path: Path) -> dict[str, Any]:
    """Return what is to be known of a teacher: its file, and what it has learnt from itself."""
    values = load_checkpoint(path)
    recipe = recipe_of(values, path)
    return {
        "file": f"{path.parent.name}/{path.name}",
        "sha256": file_facts(path).sha256,
        "architecture": recipe.architecture,
        "sources": learnt_from(values, recipe),
    }


@torch.no_grad()
def mean_logits(
    teachers: list[tuple[Network, Recipe]],
    views: Tensor,
    label_sets: list[str],
    parts: Tensor | None = None,
) -> Tensor:
    """Return the mean logits (N, outputs) of teachers for views (N, 1, 48, 48) of 0 to 1.

    parts: as in `Ensemble.probabilities`; without them each sees the middle of the view.
    """
    total = None
    for network, recipe in teachers:
        seen = parts
        if seen is None or seen.shape[3] != recipe.field:
            seen = centre_crop(views, recipe.field)
        heads = say(network, recipe, seen)
        said = torch.cat([heads[name] for name in label_sets], dim=1)
        total = said if total is None else total + said
    assert total is not None
    return total / len(teachers)


def say(network: Network, recipe: Recipe, parts: Tensor) -> dict[str, Tensor]:
    """Return a teacher's logits (N, C) by label set, float32, for parts (N, 1, F, F) of 0 to 1.

    It computes in the precision that it was trained in.
    """
    enabled = recipe.precision == "bf16"
    seen = normalise(sized(parts, recipe), recipe)  # drawn in float32
    with torch.autocast(parts.device.type, torch.bfloat16, enabled=enabled):
        outputs = network(seen)
    return answered(outputs.float(), list(recipe.labels))


def answered(logits: Tensor, label_sets: list[str]) -> dict[str, Tensor]:
    """Cut logits (N, sum of C) by label set, and give those too that a wider set answers.

    Of fewer labels the same logits are left: softmax makes of them what the teacher would say if
    it knew that the face shows one of these.
    """
    heads = split_heads(logits, label_sets)
    for name, wider in WIDER.items():
        if wider in heads and name not in heads:
            columns = [LABEL_SETS[wider].index(label) for label in LABEL_SETS[name]]
            heads[name] = heads[wider][:, columns]
    return heads


def unanswered(wanted: list[str], known: list[str]) -> list[str]:
    """Return the label sets that teachers of others have no answer to."""
    return [name for name in wanted if name not in known and WIDER.get(name) not in known]
