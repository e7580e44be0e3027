"""A model's file and its card: in the file, beside it, and both put in their place whole."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import onnx

from models.explain.guided import guided_file
from models.runtime.card import FER2013_SIDE, METADATA_KEY, Card, file_facts
from models.runtime.part_card import PartCard

C = TypeVar("C", Card, PartCard)


@contextmanager
def drafted(output: Path) -> Iterator[Path]:
    """Give a place for a model; put it and what lies beside it in the place of OUTPUT at the end.

    Beside it lie its card and its backward graph, where there are any. If anything fails, nothing
    is written and what was there stays.
    """
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=".export-") as folder:
        draft = Path(folder) / output.name
        yield draft
        for file in (draft, draft.with_suffix(".json"), guided_file(draft)):
            if file.is_file():
                file.replace(output.with_name(file.name))


def embed_card(path: Path, card: Card | PartCard) -> None:
    """Write the card into the file's metadata; a classifier's with the usual plain keys beside."""
    model = onnx.load(path)
    plain = _plain(card) if isinstance(card, Card) else {}
    values = {METADATA_KEY: card.without_file().to_json(), **plain}
    onnx.helper.set_model_props(model, values)
    onnx.save(model, path)


def write_card(path: Path, card: C) -> C:
    """Write the card beside the file that holds it; return it with the file's size and hash."""
    card = replace(card, file=file_facts(path))
    path.with_suffix(".json").write_text(card.to_json(), encoding="utf-8")
    return card


def _plain(card: Card) -> dict[str, str]:
    field = card.input.field
    middle = "" if field == FER2013_SIDE else f" of the middle {field} of {FER2013_SIDE} pixels"
    return {
        "labels": ",".join(card.labels),
        "preprocessing": f"gray {card.input.size}x{card.input.size}{middle}, "
        f"(gray / 255 - {card.input.mean}) / {card.input.std}",
        "temperature": str(card.temperature["one"]),
    }
