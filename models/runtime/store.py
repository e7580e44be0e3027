"""The models that come with the program, and models of one's own."""

from __future__ import annotations

import contextlib
import difflib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from models.runtime.base_rates import AS_MEASURED, BaseRates
from models.runtime.card import Card, ModelError, read_card
from models.runtime.classifier import OnnxClassifier
from models.runtime.errors import UserError
from models.runtime.files import is_file, user_path
from models.runtime.part_card import is_part_card

DEFAULT_MODEL = "mini_xception.ferplus"


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """Name a model, its file and its card."""

    name: str
    file: Path
    card: Card


def bundled() -> list[ModelEntry]:
    """Return the bundled classifiers, the default first, then by name."""
    folder = Path(str(resources.files("weights")))
    entries = [
        ModelEntry(
            name=file.stem,
            file=file,
            card=read_card(file.with_suffix(".json")),
        )
        for file in folder.glob("*.onnx")
        if file.with_suffix(".json").is_file() and not is_part_card(file.with_suffix(".json"))
    ]
    return sorted(entries, key=lambda entry: (entry.name != DEFAULT_MODEL, entry.name))


def find_model(name_or_path: str) -> Path:
    """Return the file of a bundled model by name, or the path given.

    Raises `ModelError` that names the bundled models when it is neither.
    """
    files = {entry.name: entry.file for entry in bundled()}
    if name_or_path in files:
        return files[name_or_path]
    with contextlib.suppress(UserError):  # said below, with what there is
        path = user_path(name_or_path)
        if is_file(path):
            return path
    near = difflib.get_close_matches(name_or_path, files, n=1)
    hint = f"did you mean {near[0]}?" if near else "give one of these names or a file"
    raise ModelError(
        f"expected an .onnx file or one of {', '.join(files)}, found neither under "
        f"{name_or_path!r}: {hint}"
    )


def load_model(
    name_or_path: str,
    *,
    provider: str = "auto",
    threads: int = 1,
    mirror: bool = True,
    base_rates: BaseRates = AS_MEASURED,
) -> OnnxClassifier:
    """Load a bundled model by name, or a file; see `OnnxClassifier`."""
    return OnnxClassifier(
        find_model(name_or_path),
        provider=provider,
        threads=threads,
        mirror=mirror,
        base_rates=base_rates,
    )
