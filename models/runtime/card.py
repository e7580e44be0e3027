"""The card: everything the app must know of a model, and nothing it has to guess.

One card lies beside its ONNX file as JSON and once more inside the file's metadata. Only the one
beside it knows the file's size and hash.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import MISSING, asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Self

from models.runtime.errors import UserError

FORMAT = 1
FER2013_SIDE = 48
FIELDS = range(16, FER2013_SIDE + 1, 2)
"""How much of FER2013's framing an input may show: even, so that it has a middle."""
METADATA_KEY = "mien.card"


class ModelError(UserError):
    """Report a model file or card that cannot be used."""


@dataclass(frozen=True, slots=True)
class InputSpec:
    """Say what a network takes: (N, 1, size, size) float32, (gray / 255 - mean) / std.

    framing names the face's place in the crop; "fer2013" is the only one known. field: the crop is
    the central part of FER2013's framing, so many of its 48 pixels wide, drawn at `size`.
    """

    size: int
    mean: float
    std: float
    colour: str = "gray"
    framing: str = "fer2013"
    field: int = FER2013_SIDE


@dataclass(frozen=True, slots=True)
class Metric:
    """Hold one measurement.

    split: PublicTest, or the validation part of another data set. crops: "one", "mirror" when
    logits are averaged with the mirrored crop's, or "ten-crop", those of `models.crops`. rule: how
    the truth was decided. n: pictures counted. accuracy, macro_f1, ece: 0 to 1. nll: nats.
    """

    split: str
    rule: str
    crops: str
    n: int
    accuracy: float
    macro_f1: float
    nll: float
    ece: float
    recall: dict[str, float]
    date: str


@dataclass(frozen=True, slots=True)
class UnsureRule:
    """Say below which confidence a face is unsure.

    threshold: 0 to 1; 1 where even the surest are too often wrong. precision: share of the
    labelled pictures whose label is right. coverage: share of all n pictures of the split that
    are labelled. split: the one it was chosen and measured on.
    """

    threshold: float
    precision: float
    coverage: float
    n: int
    split: str


@dataclass(frozen=True, slots=True)
class FileFacts:
    """Hold the name, size in bytes and sha256 of the ONNX file."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Card:
    """Describe one model.

    temperature: by crops ("one", "mirror"), divides the logits before the softmax. outputs: each
    ONNX output and what it holds, "logits" first. parameters: all values and the trainable ones,
    of this file. training: epoch chosen, epochs and seconds (not of a mean of several trainings),
    the networks it learnt from, commit and versions. unsure, neutral, base_rates: by crops, the
    last two in the order of the labels; neutral is the mean logarithm of each label's probability
    on the split's neutral faces, base_rates the mean of each label's probability over all that
    count: how common the model takes it to be. All may be empty, as where the pictures were too
    few.
    """

    name: str
    title: str
    architecture: str
    paper: str
    label_set: str
    labels: tuple[str, ...]
    input: InputSpec
    outputs: dict[str, str]
    precision: str
    parameters: int
    trainable: int
    temperature: dict[str, float]
    metrics: tuple[Metric, ...]
    recipe: dict[str, Any]
    training: dict[str, Any]
    data: tuple[str, ...]
    licence: str
    limits: tuple[str, ...]
    file: FileFacts | None = None
    unsure: dict[str, UnsureRule] = field(default_factory=dict)
    neutral: dict[str, tuple[float, ...]] = field(default_factory=dict)
    base_rates: dict[str, tuple[float, ...]] = field(default_factory=dict)
    format: int = FORMAT

    def to_json(self) -> str:
        values = asdict(self)
        if self.input.field == FER2013_SIDE:  # as in cards older than the field, to the byte
            del values["input"]["field"]
        for name in ("unsure", "neutral", "base_rates"):  # likewise
            if not values[name]:
                del values[name]
        return json.dumps(values, indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str, where: str) -> Self:
        """Read a card; raise `ModelError` that names the field at fault."""
        try:
            values = json.loads(text)
        except json.JSONDecodeError as error:
            raise ModelError(f"{where}: expected a model card in JSON, found: {error}") from error
        if not isinstance(values, dict) or values.get("format") != FORMAT:
            raise ModelError(
                f"{where}: expected a model card of format {FORMAT}, found another: "
                "export the model again with fer-export-onnx"
            )
        if "kind" in values:  # of a network that finds faces or landmarks
            raise ModelError(
                f"{where}: expected a model that names expressions, found one of the kind "
                f"{values['kind']}: choose another file"
            )
        try:
            values["input"] = InputSpec(**_exact(InputSpec, values["input"], where))
            values["metrics"] = tuple(Metric(**_exact(Metric, m, where)) for m in values["metrics"])
            if values.get("file") is not None:
                values["file"] = FileFacts(**_exact(FileFacts, values["file"], where))
            rules = values.get("unsure", {}).items()
            values["unsure"] = {
                crops: UnsureRule(**_exact(UnsureRule, rule, where)) for crops, rule in rules
            }
            for name in ("neutral", "base_rates"):
                by_crops = values.get(name, {}).items()
                values[name] = {crops: tuple(numbers) for crops, numbers in by_crops}
            for name in ("labels", "data", "limits"):
                values[name] = tuple(values[name])
            card = cls(**_exact(cls, values, where))
            card._check(where)
        except (KeyError, TypeError, AttributeError) as error:
            raise ModelError(
                f"{where}: expected a complete model card, found a field missing or of a wrong "
                f"kind ({error}): export the model again with fer-export-onnx"
            ) from error
        return card

    def _check(self, where: str) -> None:
        wrong = None
        if len(self.labels) < 2 or not all(isinstance(label, str) for label in self.labels):
            wrong = f"at least two labels, found {list(self.labels)}"
        elif self.input.colour != "gray" or self.input.framing != "fer2013":
            wrong = f"gray input framed as fer2013, found {self.input.colour} {self.input.framing}"
        elif not (isinstance(self.input.size, int) and 16 <= self.input.size <= 512):
            wrong = f"an input of 16 to 512 pixels, found {self.input.size}"
        elif not (isinstance(self.input.field, int) and self.input.field in FIELDS):
            wrong = f"a field of 16 to 48 pixels, an even number, found {self.input.field}"
        elif not (abs(self.input.mean) < math.inf and 0 < self.input.std < math.inf):
            wrong = f"a mean and a std above 0, found {self.input.mean} and {self.input.std}"
        elif not all(self.temperature.get(crops, 0) > 0 for crops in ("one", "mirror")):
            wrong = f"temperatures for one and mirror above 0, found {self.temperature}"
        wrong = wrong or self._wrong_by_crops()
        if wrong:
            raise ModelError(f"{where}: expected {wrong}: export the model again")

    def _wrong_by_crops(self) -> str | None:
        count = len(self.labels)
        if not all(0 <= rule.threshold <= 1 for rule in self.unsure.values()):
            return f"thresholds from 0 to 1, found {self.unsure}"
        if any(len(logs) != count for logs in self.neutral.values()):
            return f"a neutral mean for each label, found {self.neutral}"
        for rates in self.base_rates.values():
            if len(rates) != count or not all(0 < rate <= 1 for rate in rates):
                return f"a base rate from 0 to 1 for each label, found {self.base_rates}"
        return None

    def without_file(self) -> Self:
        """Return the card as it stands inside the file."""
        return replace(self, file=None)

    def metric(self, crops: str) -> Metric | None:
        """Return the measurement with these crops on what was chosen on, if there is one."""
        chosen = (m for m in self.metrics if m.crops == crops and m.split != "PrivateTest")
        return next(chosen, None)


def read_card(path: Path) -> Card:
    """Read the JSON file of a card; raise `ModelError` if it is none."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"{path.name}: expected a model card in JSON, found: {error}") from error
    return Card.from_json(text, path.name)


def file_facts(path: Path) -> FileFacts:
    """Measure a file."""
    data = path.read_bytes()
    return FileFacts(name=path.name, bytes=len(data), sha256=hashlib.sha256(data).hexdigest())


def _exact(cls: type[Any], values: dict[str, Any], where: str) -> dict[str, Any]:
    """Return the values if they are exactly the fields of `cls`, optional ones apart."""
    known = {entry.name for entry in fields(cls)}
    required = {
        entry.name
        for entry in fields(cls)
        if entry.default is MISSING and entry.default_factory is MISSING
    }
    missing, unknown = sorted(required - values.keys()), sorted(values.keys() - known)
    if missing or unknown:
        found = ", ".join([f"no {name}" for name in missing] + [f"unknown {n}" for n in unknown])
        raise ModelError(f"{where}: expected a complete model card, found {found}: export it again")
    return values
