"""Learning from teachers that run beside the student."""

from __future__ import annotations

import torch
from torch import Tensor

from models.runtime.files import user_path
from models.training.losses import split_heads
from models.training.recipe import Distillation
from models.training.teachers import load_teachers, mean_logits


class Ensemble:
    """Average what several teachers say of the very views that the student sees.

    The mean is that of their logits, as in a file of fer-teach: of their probabilities it is the
    geometric one. Beyer et al., "Knowledge distillation: a good teacher is patient and
    consistent", arXiv 2106.05237, section 3: the same augmented view for both is what makes it
    work. facts: of each file, `Teacher.facts`.
    """

    def __init__(self, how: Distillation, label_sets: list[str], device: torch.device) -> None:
        self.temperature = how.temperature
        self.label_sets = label_sets
        paths = [user_path(path) for path in how.teachers]
        self._teachers = load_teachers(paths, label_sets, device)
        self.facts = [each for teacher in self._teachers for each in teacher.facts]

    @torch.no_grad()
    def probabilities(self, views: Tensor, parts: Tensor | None = None) -> dict[str, Tensor]:
        """Return softened probabilities (N, C) by label set, for views (N, 1, 48, 48) of 0 to 1.

        parts: as in `mean_logits`.
        """
        said = mean_logits(self._teachers, views, self.label_sets, parts)
        heads = split_heads(said, self.label_sets)
        return {name: torch.softmax(heads[name] / self.temperature, dim=1) for name in heads}
