"""What was measured of a model's explanations, as a file beside the model.

It cannot be on the card: the card is inside the model's file, and what is measured of a file
cannot change it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from models.explain.faithfulness import CHANCE, STEPS, Faithfulness
from models.runtime.card import ModelError, file_facts
from models.runtime.files import written_whole

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Note:
    """Hold the faithfulness of a model's explanations, and what it was measured on.

    data: name of the data set's file. date: ISO.
    """

    data: str
    split: str
    date: str
    methods: tuple[Faithfulness, ...]

    def method(self, name: str) -> Faithfulness | None:
        """Return what is known of one explanation, such as "cam"; None where it was not measured.

        The map of a single block, such as "spatial3", is measured with all of them, as "cbam".
        """
        wanted = "cbam" if name.startswith("spatial") else name
        return next((entry for entry in self.methods if entry.method == wanted), None)


def note_file(model: Path) -> Path:
    """Return where the note of a model lies: `x.onnx` has `x.explain.json`."""
    return model.with_name(f"{model.stem}.explain.json")


def write_note(model: Path, note: Note) -> Path:
    """Write the note beside the model and return its path."""
    values = {
        "format": FORMAT,
        "sha256": file_facts(model).sha256,
        "data": note.data,
        "split": note.split,
        "date": note.date,
        "chance": CHANCE,
        "steps": STEPS,
        "methods": [as_json(entry) for entry in note.methods],
    }
    path = note_file(model)
    with written_whole(path) as partial:
        partial.write_text(json.dumps(values, indent=2, ensure_ascii=False) + "\n", "utf-8")
    return path


def as_json(entry: Faithfulness) -> dict[str, Any]:
    """Return plain values, rounded to what can be told."""
    values = {
        name: float(f"{value:.5g}") if isinstance(value, float) else value
        for name, value in asdict(entry).items()
    }
    return {**values, "better": entry.better}


def read_note(model: Path, sha256: str | None = None) -> Note | None:
    """Return the note beside a model; None without one, or with one of another version of it.

    sha256: of the model's file where it is known already. Raises `ModelError` for a damaged note.
    """
    path = note_file(model)
    if not path.is_file():
        return None
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        if values["format"] != FORMAT:
            raise ModelError(_broken(path, f"format {values['format']}"))
        if values["sha256"] != (sha256 or file_facts(model).sha256):
            return None
        known = {entry.name for entry in fields(Faithfulness)}
        methods = tuple(
            Faithfulness(**{name: entry[name] for name in known}) for entry in values["methods"]
        )
        return Note(values["data"], values["split"], values["date"], methods)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(_broken(path, f"{type(error).__name__}: {error}")) from error


def _broken(path: Path, found: str) -> str:
    return (
        f"{path.name}: expected what fer-evaluate --explain-save writes, found {found}: write it "
        "again or delete it"
    )
