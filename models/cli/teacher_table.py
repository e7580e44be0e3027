"""What teachers reach on PublicTest, alone and together."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from models.cli.evaluate_table import print_table
from models.training.examples import Examples
from models.training.losses import split_heads
from models.training.metrics import accuracy
from models.training.teachers import Teacher, mean_logits, unanswered


def measure_teachers(
    teachers: list[Teacher], validation: Examples, sets: list[str]
) -> list[dict[str, Any]]:
    """Print how good the teachers and their mean are; return what the file is to say of each."""
    rows, facts = [], []
    sums: dict[str, list[Tensor]] = {}
    for teacher in teachers:
        known = [name for name in sets if not unanswered([name], list(teacher.recipe.labels))]
        scores, logits = _asked(teacher, validation, known)
        for name, both in logits.items():
            before = sums.get(name, [torch.zeros(()), torch.zeros(())])
            sums[name] = [
                total + said * teacher.share for total, said in zip(before, both, strict=True)
            ]
        rows.append([" + ".join(each["file"] for each in teacher.facts), *_cells(scores, sets)])
        for each in teacher.facts:
            own = [name for name in known if not unanswered([name], each["label_sets"])]
            accuracy = {name: scores[name][0] for name in own}
            facts.append({**each, "share": teacher.share, "accuracy": accuracy})
    scores = {name: _scores(both, validation, name) for name, both in sums.items()}
    rows.append(["their mean", *_cells(scores, sets)])
    crops = (f"{each} {crop}" for each in sets for crop in ("one", "mirror"))
    print_table(["PublicTest", *crops], rows)
    return facts


def _asked(
    teacher: Teacher, validation: Examples, names: list[str]
) -> tuple[dict[str, tuple[float, float]], dict[str, list[Tensor]]]:
    """Return a teacher's accuracies and logits, by label set, of one crop and with the mirror."""

    def said(pixels: Tensor) -> dict[str, Tensor]:
        parts = torch.split(pixels, 256)
        found = [mean_logits([teacher], part / 255, names).cpu() for part in parts]
        return split_heads(torch.cat(found), names)

    plain, mirror = said(validation.pixels), said(validation.pixels.flip(3))
    logits = {name: [plain[name], plain[name] + mirror[name]] for name in names}
    return {name: _scores(both, validation, name) for name, both in logits.items()}, logits


def _scores(both: list[Tensor], validation: Examples, name: str) -> tuple[float, float]:
    """Return the accuracies of two sets of logits (N, C), of the pictures that have a label."""
    truth = validation.truth[name]
    used = truth >= 0
    one, mirror = (accuracy(logits.numpy()[used], truth[used]) for logits in both)
    return one, mirror


def _cells(scores: dict[str, tuple[float, float]], sets: list[str]) -> list[str]:
    known = {name: [f"{each:.2%}" for each in both] for name, both in scores.items()}
    return [cell for name in sets for cell in known.get(name, ["-", "-"])]
