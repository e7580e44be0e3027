"""A recipe: everything that decides how a model is trained, as one TOML file."""

from __future__ import annotations

import dataclasses
import difflib
import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, fields
from importlib import resources
from pathlib import Path
from typing import Any, Self, get_type_hints

from models.runtime.card import FER2013_SIDE, FIELDS, InputSpec
from models.runtime.errors import UserError
from models.runtime.files import user_path
from models.runtime.labels import LABEL_SETS
from models.training.losses import LOSSES, VOTED
from models.training.optimisers import OPTIMISERS
from models.training.ranges import (
    check_not_negative,
    check_numbers_finite,
    check_one_of,
    check_part,
    check_positive,
)
from models.training.schedule import SCHEDULES
from models.training.tasks import task_of, task_values

CLEANINGS = ("none", "four")
"""What more is dropped from the training part: nothing, or by `models.data.clean.clean_four`."""
VIEWS = ("same", "new")
"""What a student sees of what teachers answered in a file: their views, or new ones."""
PRECISIONS = ("fp32", "bf16")
_MOST_BATCH = 65_536


@dataclass(frozen=True, slots=True)
class Augmentation:
    """Say how far training pictures are varied; every value is the most that is drawn.

    flip: probability. rotate: degrees. scale, shift: parts of the side. brightness: part of the
    grey range. contrast, gamma: parts of 1. erase: probability of a blank rectangle of 2-20 %.
    glasses: probability of drawn glasses. spoil: probability that a picture is made as bad as poor
    light and cameras make it, see `models.training.webcam_spoiling`. mixup: the alpha of the Beta
    distribution that pictures and their targets are blended by, 0 for none; usual are 0.2 to 1.
    mixup_until: the part of the epochs after which they are no longer.
    """

    flip: float = 0.5
    rotate: float = 0.0
    scale: float = 0.0
    shift: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    gamma: float = 0.0
    erase: float = 0.0
    glasses: float = 0.0
    spoil: float = 0.0
    mixup: float = 0.0
    mixup_until: float = 1.0

    def __post_init__(self) -> None:
        where = "recipe, [augmentation]"
        for key in ("flip", "erase", "glasses", "spoil", "mixup_until"):
            check_part(where, key, getattr(self, key))
        for key in ("rotate", "scale", "shift", "brightness", "contrast", "gamma", "mixup"):
            check_not_negative(where, key, getattr(self, key))


@dataclass(frozen=True, slots=True)
class Distillation:
    """Say from whom a network learns besides the labels.

    teachers: checkpoints, run on every view. logits: in place of them a file of fer-teach, what
    they said of fixed views, so that they need not run. Neither is no distillation. views: same,
    the student sees the very views of the file, each with what was said of it; or new, it sees
    each picture in ever new views, with the mean of what was said of the picture. weight: the
    part of the loss, 0 to 1, that is agreement with them. temperature: softens both sides.
    """

    teachers: tuple[str, ...] = ()
    logits: str = ""
    views: str = "same"
    weight: float = 0.8
    temperature: float = 4.0

    def __post_init__(self) -> None:
        check_part("recipe, [distillation]", "weight", self.weight)
        check_positive("recipe, [distillation]", "temperature", self.temperature)
        if self.teachers and self.logits:
            raise UserError("recipe, [distillation]: expected teachers or logits, found both")
        check_one_of(self.views, VIEWS, "views", where="recipe, [distillation]")


@dataclass(frozen=True, slots=True)
class Recipe:
    """Hold one training run.

    labels: the label sets taught, each with its weight in the loss; FER2013 labels are taught by
    cross-entropy, FER+ by the distribution of its votes. network: options of the architecture,
    such as dropout. rates: the share of learning_rate for a part of the network, 1 where unsaid.
    cleaning: one of `CLEANINGS`. loss: softmax, or a_softmax for a network that measures angles;
    FER+ is taught by softmax beside it. region_margin: of the region-biased loss, 0 for none.
    input_size: side of what the network sees, in pixels. field: how much of the 48 pixels of
    FER2013's framing it sees of a picture, a random part of this side in training and the middle
    afterwards. warmup: part of all steps. fall: the last part of all steps, for the hold schedule.
    patience: epochs without a lower validation loss, for the plateau schedule. ema: decay of the
    weight average that is evaluated and exported. precision: fp32 or bf16 (autocast).
    """

    architecture: str
    labels: dict[str, float]
    epochs: int
    network: dict[str, Any] = dataclasses.field(default_factory=dict)
    rates: dict[str, float] = dataclasses.field(default_factory=dict)
    cleaning: str = "none"
    loss: str = "softmax"
    region_margin: float = 0.0
    input_size: int = FER2013_SIDE
    field: int = FER2013_SIDE
    optimiser: str = "adamw"
    momentum: float = 0.9
    schedule: str = "one_cycle"
    patience: int = 10
    batch_size: int = 128
    learning_rate: float = 8e-3
    weight_decay: float = 1e-3
    warmup: float = 0.15
    fall: float = 0.25
    label_smoothing: float = 0.0
    clip_norm: float = 1.0
    ema: float = 0.999
    precision: str = "fp32"
    seed: int = 1
    mean: float = 0.5078
    std: float = 0.2549
    augmentation: Augmentation = dataclasses.field(default_factory=Augmentation)
    distillation: Distillation = dataclasses.field(default_factory=Distillation)

    def __post_init__(self) -> None:
        for name in self.labels:
            check_one_of(name, tuple(LABEL_SETS), "label set")
        check_one_of(self.cleaning, CLEANINGS, "cleaning")
        check_one_of(self.precision, PRECISIONS, "precision")
        check_one_of(self.loss, LOSSES, "loss")
        check_one_of(self.optimiser, OPTIMISERS, "optimiser")
        check_one_of(self.schedule, SCHEDULES, "schedule")
        if self.loss == "a_softmax" and self.augmentation.mixup:
            raise UserError("recipe: expected no mixup with a_softmax, which needs one true label")
        if not self.labels:
            raise UserError("recipe: expected at least one label set under [labels], found none")
        if self.loss == "a_softmax" and set(self.labels) <= set(VOTED):
            raise UserError(
                "recipe: expected a label set with one true label for a_softmax, found "
                f"{', '.join(self.labels)}: add fer2013 under [labels], or take softmax"
            )
        self._check_numbers()

    def _check_counts(self) -> None:
        for key, low in (("epochs", 1), ("batch_size", 2), ("patience", 1), ("seed", 0)):
            if getattr(self, key) < low:
                raise UserError(
                    f"recipe: expected {key} of at least {low}, found {getattr(self, key)}"
                )
        if self.batch_size > _MOST_BATCH:
            raise UserError(
                f"recipe: expected batch_size of at most {_MOST_BATCH:,}, found {self.batch_size}"
            )
        if self.seed >= 2**32:  # torch takes 64 bits, and every epoch has a seed of its own
            raise UserError(f"recipe: expected seed below 2 to the 32, found {self.seed}")

    def _check_numbers(self) -> None:
        self._check_counts()
        if not 16 <= self.input_size <= 512:
            raise UserError(f"recipe: expected input_size of 16 to 512, found {self.input_size}")
        if self.field not in FIELDS:
            raise UserError(
                f"recipe: expected field of 16 to 48, an even number, found {self.field}"
            )
        for name, weight in self.labels.items():
            check_positive("recipe, [labels]", name, weight)
        for name, share in self.rates.items():
            check_not_negative("recipe, [rates]", name, share)
        for key in ("learning_rate", "std", "clip_norm"):
            check_positive("recipe", key, getattr(self, key))
        check_not_negative("recipe", "weight_decay", self.weight_decay)
        check_numbers_finite("recipe", {"mean": self.mean, **self.network})
        for key in ("warmup", "fall", "label_smoothing", "ema", "momentum", "region_margin"):
            check_part("recipe", key, getattr(self, key))

    def holds_at(self, epoch: int) -> bool:
        """Say whether the rate after so many epochs would be the same if the run had others."""
        begun, ended = self.warmup * self.epochs, (1 - self.fall) * self.epochs
        return self.schedule == "hold" and begun <= epoch <= ended

    def tied_to_epochs(self, epoch: int) -> dict[str, float]:
        """Return by key what so many epochs owe to how many the run has, besides the rate.

        warmup: in epochs. mixup_until: how many of these epochs blend. loss: where it anneals.
        """
        how = self.augmentation
        blending = min(epoch, math.ceil(how.mixup_until * self.epochs)) if how.mixup else 0
        annealing = self.epochs if self.loss == "a_softmax" else 0
        return {
            "warmup": self.warmup * self.epochs,
            "mixup_until": blending,
            "loss": annealing,
        }

    @property
    def input(self) -> InputSpec:
        """Return what the network takes, as its card says it."""
        return InputSpec(size=self.input_size, mean=self.mean, std=self.std, field=self.field)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Build a recipe; raise `UserError` for a key that does not exist or is of a wrong type."""
        values = dict(values)
        for name, kind in (("augmentation", Augmentation), ("distillation", Distillation)):
            if isinstance(values.get(name), dict):
                values[name] = kind(**checked(kind, values[name], f"recipe, [{name}]"))
        return cls(**checked(cls, values, "recipe"))

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, as JSON and TOML have them, that `from_dict` takes back."""
        values = asdict(self)
        values["distillation"]["teachers"] = list(self.distillation.teachers)
        return values


def bundled_recipes() -> list[str]:
    """Return the names of the classifiers' recipes that come with the program."""
    return [name for name in all_recipes() if task_of(name) is None]


def all_recipes() -> list[str]:
    """Return the names of all recipes that come with the program, those of other tasks too."""
    folder = resources.files("models.recipes")
    return sorted(entry.name[:-5] for entry in folder.iterdir() if entry.name.endswith(".toml"))


def read_recipe(
    name: str, changes: Sequence[str] = (), over: Mapping[str, Any] | None = None
) -> Recipe:
    """Read a bundled recipe by name, or one of your own by path.

    changes: keys to set in place of the recipe's, such as "seed=2" or "network.order=parallel".
    over: values that go before those of the recipe, and after the changes.
    """
    if name in bundled_recipes():
        text = (resources.files("models.recipes") / f"{name}.toml").read_text(encoding="utf-8")
    else:
        path = user_path(name)
        if not path.is_file():
            known = ", ".join(bundled_recipes())
            raise UserError(
                f"expected a recipe file or one of {known}, found neither under {name!r}"
            )
        text = path.read_text(encoding="utf-8", errors="replace")
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{name}: expected a TOML file, found an error: {error}") from error
    values |= over or {}
    for change in changes:
        apply_change(values, change)
    return Recipe.from_dict(values)


def check_teachers(name: str, changes: Sequence[str] = ()) -> None:
    """Raise `UserError` for a recipe that says how to learn from teachers and names none."""
    table = task_values(name, changes).get("distillation")
    if table is not None and not table.keys() & {"teachers", "logits"}:
        raise UserError(
            f"expected teachers for {name}, whose [distillation] names none: add "
            "--set distillation.logits=FILE.npz with a file of fer-teach, or "
            "--set distillation.teachers='[\"TEACHER.pt\"]'"
        )


def recipe_of(checkpoint: Mapping[str, Any], path: Path) -> Recipe:
    """Return what a network that names expressions was trained by.

    Raises `UserError` for the checkpoint of another network.
    """
    values = checkpoint["recipe"]
    if "task" in values:
        raise UserError(
            f"{path}: expected a checkpoint of a network that names expressions, found one of "
            f"{values['task']}: choose another"
        )
    return Recipe.from_dict(values)


def apply_change(values: dict[str, Any], change: str) -> None:
    """Set one key of a recipe's values, in place; a value that is no TOML is taken as text."""
    key, equals, text = change.partition("=")
    *tables, last = key.strip().split(".")
    if not equals or not last:
        raise UserError(f"expected --set KEY=VALUE, such as seed=2, found {change!r}")
    for name in tables:
        values = values.setdefault(name, {})
        if not isinstance(values, dict):
            raise UserError(f"--set {change}: expected {name} to be a table, found a value")
    try:
        values[last] = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        values[last] = text.strip()


def checked(cls: type[Any], values: dict[str, Any], where: str) -> dict[str, Any]:
    """Return the values with integers widened where a float is due."""
    types = get_type_hints(cls)
    checked = {}
    for key, value in values.items():
        if key not in types:
            near = difflib.get_close_matches(key, types, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(types)}"
            raise UserError(f"{where}: found an unknown key {key!r}; {hint}")
        checked[key] = _typed(value, types[key], f"{where}, {key}")
    for entry in fields(cls):
        required = entry.default is MISSING and entry.default_factory is MISSING
        if required and entry.name not in values:
            raise UserError(f"{where}: expected a key {entry.name!r}, found none")
    return checked


def _typed(value: Any, kind: Any, where: str) -> Any:
    if kind is float and type(value) is int:
        return float(value)
    if kind == tuple[str, ...]:
        if isinstance(value, (list, tuple)) and all(isinstance(part, str) for part in value):
            return tuple(value)
        raise UserError(f"{where}: expected a list of file names, found {value!r}")
    if kind == dict[str, Any]:
        if isinstance(value, dict):
            return value
        raise UserError(f"{where}: expected options by name, found {value!r}")
    if kind == dict[str, float]:
        if isinstance(value, dict) and all(type(part) in (int, float) for part in value.values()):
            return {key: float(part) for key, part in value.items()}
        raise UserError(f"{where}: expected numbers by name, found {value!r}")
    if type(value) is not kind:
        raise UserError(f"{where}: expected {kind.__name__}, found {value!r}")
    return value
