"""Teachers: trained networks that a smaller one learns from."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from models.nets.network import Network
from models.runtime.errors import UserError
from models.training.checkpoint import load_checkpoint
from models.training.losses import split_heads
from models.training.predict import build_network, normalise
from models.training.recipe import Distillation, Recipe


class Ensemble:
    """Average what several teachers say of the very views that the student sees.

    Beyer et al., "Knowledge distillation: a good teacher is patient and consistent", arXiv
    2106.05237, section 3: the same augmented view for both is what makes it work.
    """

    def __init__(self, how: Distillation, label_sets: list[str], device: torch.device) -> None:
        self.temperature = how.temperature
        self.label_sets = label_sets
        self._teachers: list[tuple[Network, Recipe]] = []
        for path in how.teachers:
            values = load_checkpoint(Path(path))
            recipe = Recipe.from_dict(values["recipe"])
            missing = [name for name in label_sets if name not in recipe.labels]
            if missing:
                raise UserError(
                    f"{path}: expected a teacher for {' and '.join(label_sets)}, found one for "
                    f"{' and '.join(recipe.labels)}: choose others or drop {', '.join(missing)}"
                )
            network = build_network(recipe)
            try:
                network.load_state_dict(values["average"])
            except RuntimeError as error:
                raise UserError(
                    f"{path}: expected the weights of {recipe.architecture}, found others: "
                    "the checkpoint was made by another version of this network"
                ) from error
            self._teachers.append((network.to(device).eval(), recipe))

    @torch.no_grad()
    def probabilities(self, views: Tensor) -> dict[str, Tensor]:
        """Return softened probabilities (N, C) by label set, for views (N, 1, S, S) of 0 to 1."""
        totals: dict[str, Tensor] = {}
        for network, recipe in self._teachers:
            heads = split_heads(network(normalise(views, recipe)), list(recipe.labels))
            for name in self.label_sets:
                soft = torch.softmax(heads[name].float() / self.temperature, dim=1)
                totals[name] = totals.get(name, torch.zeros_like(soft)) + soft
        return {name: total / len(self._teachers) for name, total in totals.items()}
