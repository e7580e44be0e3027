"""The recipe of the landmark network."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Self

from models.runtime.errors import UserError
from models.training.ranges import check_one_of, check_part, check_positive
from models.training.recipe import checked

TASK = "landmarks68"


@dataclass(frozen=True, slots=True)
class Views:
    """Say how far training views are varied; every value is the most that is drawn.

    rotate: degrees. shift: parts of FER2013's square. scale: of its side, up and down, 0.3 being
    1 / 1.3 to 1.3. stretch: of one direction against the other. wild: part of the views moved
    and scaled so far that the face may not be found. The others are probabilities: of a darker,
    brighter or one-sided light, of a coarser picture, of noise, of JPEG's blocks, and of something
    that covers part of the face.
    """

    rotate: float = 40.0
    shift: float = 0.18
    scale: float = 0.3
    stretch: float = 0.1
    wild: float = 0.1
    light: float = 0.6
    coarse: float = 0.3
    noise: float = 0.4
    blocks: float = 0.2
    cover: float = 0.35

    def __post_init__(self) -> None:
        for key in ("wild", "light", "coarse", "noise", "blocks", "cover"):
            check_part("recipe, [views]", key, getattr(self, key))
        for key, most in (("rotate", 180.0), ("shift", 1.0), ("scale", 1.0), ("stretch", 0.5)):
            check_part("recipe, [views]", key, getattr(self, key), most)


@dataclass(frozen=True, slots=True)
class LandmarkRecipe:
    """Hold one training of the landmark network.

    five, empty: views a batch of faces of which five points are known, and of squares without a
    face; the rest of the batch has 68 points, and an epoch is all of these once. narrow: weight
    of the loss that keeps each heat map in its place. judging: weight of the confidence's loss.
    trusted: how far, in distances between the eyes, 68 points may be from the five of the same
    face to be believed as they are; beyond, they are moved onto the five and count half. own: for
    a training that begins with the weights of another, the part of each label that is what those
    weights say of the face, for noisy labels are nearer the truth where they agree with many
    others; faces with five points then have 68 from them alone. kept: likewise, the part that those
    weights have in the final ones. warmup: part of all steps. ema: decay of the weight average that
    is evaluated and exported.
    """

    epochs: int
    task: str = TASK
    batch_size: int = 128
    five: int = 32
    empty: int = 28
    learning_rate: float = 4e-3
    weight_decay: float = 0.02
    warmup: float = 0.1
    clip_norm: float = 1.0
    ema: float = 0.998
    narrow: float = 0.02
    judging: float = 0.1
    trusted: float = 0.2
    own: float = 0.0
    kept: float = 0.0
    seed: int = 1
    views: Views = field(default_factory=Views)

    def __post_init__(self) -> None:
        check_one_of(self.task, (TASK,), "task")
        if self.epochs < 1:
            raise UserError(f"recipe: expected epochs of at least 1, found {self.epochs}")
        if min(self.five, self.empty) < 1 or self.batch_size < self.five + self.empty + 2:
            raise UserError(
                f"recipe: expected five and empty of at least 1 and batch_size of at least their "
                f"sum and 2, found {self.five}, {self.empty} and {self.batch_size}"
            )
        if not 0 <= self.seed < 2**32:
            raise UserError(f"recipe: expected seed of 0 to 2 to the 32, found {self.seed}")
        for key in ("learning_rate", "clip_norm", "trusted"):
            check_positive("recipe", key, getattr(self, key))
        for key in ("warmup", "ema", "weight_decay", "narrow", "judging", "own", "kept"):
            check_part("recipe", key, getattr(self, key))

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Build a recipe; raise `UserError` for a key that does not exist or is of a wrong type."""
        values = dict(values)
        if isinstance(values.get("views"), dict):
            values["views"] = Views(**checked(Views, values["views"], "recipe, [views]"))
        return cls(**checked(cls, values, "recipe"))

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, as JSON and TOML have them, that `from_dict` takes back."""
        return asdict(self)
