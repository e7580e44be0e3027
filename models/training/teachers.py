"""Teachers: trained networks that others learn from, and what they say together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from models.export import parity_crops
from models.nets.network import Network
from models.runtime.card import FER2013_SIDE, InputSpec, file_facts
from models.runtime.errors import UserError
from models.runtime.labels import LABEL_SETS
from models.training.augment import centre_crop
from models.training.checkpoint import take_weights
from models.training.losses import split_heads
from models.training.predict import build_network, normalise, sized
from models.training.recipe import Recipe
from models.training.speed import autocast
from models.training.start import Start, joined, read_start

WIDER = {"fer2013-4": "fer2013"}
"""Label sets that a teacher of more labels answers as well, by what it says of those alone."""


@dataclass(frozen=True, slots=True, eq=False)
class Teacher:
    """Hold a network that answers, and what is known of it.

    network: in eval mode. recipe: that of its training; its labels are those that it answers.
    share: how much it counts beside others. facts: of each file that it was made of, the file, its
    sha256, the architecture, the label sets and what it has learnt from itself.
    """

    network: Network
    recipe: Recipe
    facts: tuple[dict[str, Any], ...]
    share: float = 1.0


def load_teachers(
    paths: Sequence[Path],
    label_sets: list[str],
    device: torch.device,
    shares: Sequence[float] = (),
) -> list[Teacher]:
    """Return the networks of checkpoints and exported files, on the device.

    shares: how much each file counts, all alike by default. An exported file answers one label set;
    those of one training come together to one network again. Raises `UserError` where nobody
    answers one of these label sets, and for a file that answers none.
    """
    shares = tuple(shares) or (1.0,) * len(paths)
    pictures = np.stack(parity_crops(InputSpec(FER2013_SIDE, 0.5, 0.25)))[:, None]
    drafts: list[tuple[Start, list[dict[str, Any]], float]] = []
    for path, share in zip(paths, shares, strict=True):
        start = read_start(path, torch.from_numpy(pictures))
        known = list(start.recipe.labels)
        if len(unanswered(label_sets, known)) == len(label_sets):
            raise UserError(
                f"{path}: expected a teacher for {' or '.join(label_sets)}, found one for "
                f"{' and '.join(known)}: choose another"
            )
        facts = _facts(path, start)
        for number, (other, others, its_share) in enumerate(drafts):
            whole = joined(other, start) if its_share == share else None
            if whole is not None:
                drafts[number] = (whole, [*others, facts], share)
                break
        else:
            drafts.append((start, [facts], share))
    missing = unanswered(
        label_sets, [name for start, _, _ in drafts for name in start.recipe.labels]
    )
    if missing:
        raise UserError(
            f"expected teachers for {' and '.join(label_sets)}, found none for "
            f"{' and '.join(missing)}: add one or drop {', '.join(missing)}"
        )
    return [
        Teacher(_network(start, facts, device), start.recipe, tuple(facts), share)
        for start, facts, share in drafts
    ]


def _facts(path: Path, start: Start) -> dict[str, Any]:
    return {
        "file": f"{path.parent.name}/{path.name}",
        "sha256": file_facts(path).sha256,
        "architecture": start.recipe.architecture,
        "label_sets": list(start.recipe.labels),
        "sources": start.sources,
    }


def _network(start: Start, facts: list[dict[str, Any]], device: torch.device) -> Network:
    network = build_network(start.recipe)
    take_weights(network, start.weights, Path(facts[0]["file"]), start.recipe.architecture)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network.to(device).eval()


@torch.no_grad()
def mean_logits(
    teachers: Sequence[Teacher],
    views: Tensor,
    label_sets: list[str],
    parts: Tensor | None = None,
) -> Tensor:
    """Return the mean logits (N, outputs) of teachers for views (N, 1, 48, 48) of 0 to 1.

    The mean over a label set is that of the teachers that answer it, by their shares. parts:
    (N, 1, F, F), what the student sees of the views. Teachers with the student's field see the same
    parts, the others and all without parts the middle of the view.
    """
    totals: dict[str, Tensor] = {}
    shares = dict.fromkeys(label_sets, 0.0)
    for teacher in teachers:
        field = teacher.recipe.field
        seen = parts if parts is not None and parts.shape[3] == field else centre_crop(views, field)
        for name, said in _say(teacher, seen).items():
            if name in shares:
                said = said * teacher.share
                totals[name] = totals[name] + said if name in totals else said
                shares[name] += teacher.share
    return torch.cat([totals[name] / shares[name] for name in label_sets], dim=1)


def _say(teacher: Teacher, parts: Tensor) -> dict[str, Tensor]:
    """Return a teacher's logits (N, C) by label set, float32, for parts (N, 1, F, F) of 0 to 1.

    It computes in the precision that it was trained in.
    """
    recipe = teacher.recipe
    seen = normalise(sized(parts, recipe), recipe)  # drawn in float32
    with autocast(parts.device, recipe.precision):
        outputs = teacher.network(seen)
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
