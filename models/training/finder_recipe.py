"""The recipe of the face finder."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Self

from models.runtime.errors import UserError
from models.training.ranges import check_one_of, check_part, check_positive
from models.training.recipe import PRECISIONS, checked

TASK = "face_finder"


@dataclass(frozen=True, slots=True)
class FinderRecipe:
    """Hold one training of the face finder.

    epochs: at the full learning rate, which stays the same, so that a training can go on at any
    later time. steps: an epoch. side: of the pictures, in pixels. warmup: steps. decay: epochs in
    which the rate then falls to nothing, as a part of those before. ema: decay of the weight
    average that is evaluated and exported. precision: fp32 or bf16 (autocast). clutter: how often
    a face has a thing beside it that may pass for one, see `MosaicMaker`.
    """

    epochs: int
    task: str = TASK
    steps: int = 400
    batch_size: int = 8
    side: int = 256
    learning_rate: float = 3e-3
    weight_decay: float = 0.01
    warmup: int = 300
    decay: float = 0.2
    clip_norm: float = 5.0
    ema: float = 0.998
    precision: str = "fp32"
    clutter: float = 0.0
    seed: int = 1

    def __post_init__(self) -> None:
        check_one_of(self.task, (TASK,), "task")
        check_one_of(self.precision, PRECISIONS, "precision")
        if self.side % 32 or not 64 <= self.side <= 1024:
            raise UserError(
                f"recipe: expected side of 64 to 1024, a multiple of 32, found {self.side}"
            )
        lows = {"epochs": 1, "steps": 1, "batch_size": 2, "warmup": 0, "seed": 0}
        for key, low in lows.items():
            if not low <= getattr(self, key) < 2**32:
                raise UserError(
                    f"recipe: expected {key} from {low} to below 2^32, found {getattr(self, key)}"
                )
        for key in ("learning_rate", "clip_norm"):
            check_positive("recipe", key, getattr(self, key))
        for key in ("weight_decay", "decay", "ema", "clutter"):
            check_part("recipe", key, getattr(self, key))

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Build a recipe; raise `UserError` for a key that does not exist or is of a wrong type."""
        return cls(**checked(cls, dict(values), "recipe"))

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, as JSON and TOML have them, that `from_dict` takes back."""
        return asdict(self)
