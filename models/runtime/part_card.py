"""Cards of networks that are no classifiers: what finds faces and what finds their landmarks."""

from __future__ import annotations

import json
from dataclasses import MISSING, asdict, dataclass, fields, replace
from importlib import resources
from pathlib import Path
from typing import Any, Self

from models.runtime.card import FORMAT, FileFacts, ModelError

__all__ = ["KINDS", "PartCard", "bundled_parts", "is_part_card", "read_part_card"]

KINDS = ("finder", "landmarks")


@dataclass(frozen=True, slots=True)
class PartCard:
    """Describe one network.

    kind: one of `KINDS`. input: in words, with shape, colour order and range. outputs: each ONNX
    output and what it holds. settings: numbers that the app runs it with. metrics: measurements,
    each with its split and date. training: epochs, seconds, commit and versions.
    """

    kind: str
    name: str
    title: str
    paper: str
    input: str
    outputs: dict[str, str]
    parameters: int
    settings: dict[str, float]
    metrics: tuple[dict[str, Any], ...]
    recipe: dict[str, Any]
    training: dict[str, Any]
    data: tuple[str, ...]
    licence: str
    limits: tuple[str, ...]
    file: FileFacts | None = None
    format: int = FORMAT

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str, where: str) -> Self:
        """Read a card; raise `ModelError` that says what is wrong with it."""
        try:
            values = json.loads(text)
            _check(cls, values)
            for name in ("metrics", "data", "limits"):
                values[name] = tuple(values[name])
            if values.get("file") is not None:
                values["file"] = FileFacts(**values["file"])
            return cls(**values)
        except (ValueError, TypeError, KeyError) as error:
            raise ModelError(
                f"{where}: expected the card of a face finder or of landmarks, found another file "
                f"({error}): export it again with fer-export-onnx"
            ) from error

    def without_file(self) -> Self:
        """Return the card as it stands inside the file."""
        return replace(self, file=None)


def read_part_card(path: Path, kind: str) -> PartCard:
    """Read the JSON file of a card of a kind; raise `ModelError` if it is none."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"{path.name}: expected a card in JSON, found: {error}") from error
    card = PartCard.from_json(text, path.name)
    if card.kind != kind:
        raise ModelError(
            f"{path.name}: expected a card of the kind {kind}, found {card.kind}: give that file"
        )
    return card


def bundled_parts() -> list[PartCard]:
    """Return the cards of the bundled networks that are no classifiers, by name."""
    cards = sorted(Path(str(resources.files("weights"))).glob("*.json"))
    texts = [(path.name, path.read_text(encoding="utf-8")) for path in cards if is_part_card(path)]
    return [PartCard.from_json(text, name) for name, text in texts]


def is_part_card(path: Path) -> bool:
    """Tell whether a JSON file says that it is the card of something other than a classifier."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(values, dict) and values.get("kind") in KINDS


def _check(cls: type[PartCard], values: Any) -> None:
    """Raise `ValueError` for values that are not exactly the fields."""
    if not isinstance(values, dict) or values.get("format") != FORMAT:
        raise ValueError(f"no card of format {FORMAT}")
    known = {entry.name for entry in fields(cls)}
    needed = {entry.name for entry in fields(cls) if entry.default is MISSING}
    wrong = sorted((needed - values.keys()) | (values.keys() - known))
    if wrong:
        raise ValueError(f"missing or unknown {', '.join(wrong)}")
    if values["kind"] not in KINDS:
        raise ValueError(f"kind {values['kind']!r}")
    if not all(isinstance(value, (int, float)) for value in values["settings"].values()):
        raise ValueError("settings that are no numbers")
