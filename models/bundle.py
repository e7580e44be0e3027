"""The bundled files: which there are, and how each is made anew from its checkpoint."""

from __future__ import annotations

import tempfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from models.data.face_set import FaceSet
from models.explain.guided import guided_file
from models.export import Exported, Origin, export
from models.precision import PRECISIONS
from models.runtime.card import Card, ModelError, file_facts, read_card
from models.runtime.errors import UserError
from models.runtime.labels import LABEL_SETS

WEIGHTS = Path(str(resources.files("weights")))
"""Where the bundled files lie."""


@dataclass(frozen=True, slots=True)
class Source:
    """Say what a bundled file is made of.

    checkpoint: below the folder of all checkpoints. ten_crop: measure with ten crops too.
    begun_from: what its training began with, for a checkpoint that does not say so, or wrongly.
    """

    name: str
    checkpoint: str
    labels: str
    precision: str = "fp32"
    ten_crop: bool = False
    begun_from: str = ""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """Hold what became of one bundled file.

    exported: None where it was left as it is. outcome: new, the same file, what differs, or why
    it was left.
    """

    source: Source
    exported: Exported | None
    outcome: str


def bundled_sources(text: str | None = None) -> list[Source]:
    """Return the sources of the bundled files, by default those of `bundled.toml`.

    Raises `UserError` for a key or a value that does not exist.
    """
    if text is None:
        text = (resources.files("models") / "bundled.toml").read_text(encoding="utf-8")
    sources = []
    for name, values in tomllib.loads(text).items():
        try:
            source = Source(name=name, **values)
        except TypeError as error:
            raise UserError(f"bundled.toml, {name}: {error}: correct the keys") from error
        if source.labels not in LABEL_SETS or source.precision not in PRECISIONS:
            raise UserError(
                f"bundled.toml, {name}: expected labels of {', '.join(LABEL_SETS)} and a precision "
                f"of {', '.join(PRECISIONS)}, found {source.labels} and {source.precision}"
            )
        sources.append(source)
    return sources


def rebuild(
    folder: Path,
    faces: FaceSet,
    output: Path,
    sources: list[Source] | None = None,
    *,
    guided: bool = False,
) -> Iterator[Rebuilt]:
    """Make the bundled files from the checkpoints below a folder, one after another.

    A file whose figures are those of the card that lies in `output` keeps its dates, so that it
    comes out the same to the last byte. guided: write every graph of guided backpropagation, not
    only those that lie there; a model whose graph cannot be written is left as it is. Raises
    `UserError` where there is none of the checkpoints.
    """
    wanted = bundled_sources() if sources is None else sources
    if not any((folder / source.checkpoint).is_file() for source in wanted):
        raise UserError(
            f"expected checkpoints such as {folder / wanted[0].checkpoint}, found none: give the "
            "folder that holds those of all bundled models"
        )
    for source in wanted:
        checkpoint = folder / source.checkpoint
        if not checkpoint.is_file():
            yield Rebuilt(source, None, f"left as it is: no {source.checkpoint}")
            continue
        file = output / f"{source.name}.onnx"
        known = _known(file)
        try:
            done = export(
                checkpoint,
                output=file,
                label_set=source.labels,
                precision=source.precision,
                faces=faces,
                ten_crop=source.ten_crop,
                guided=guided or guided_file(file).is_file(),
                origin=Origin(source.name, source.begun_from, known),
            )
        except ModelError as error:
            yield Rebuilt(source, None, f"left as it is: {error}")
        else:
            yield Rebuilt(source, done, _outcome(known, done.card))


@dataclass(frozen=True, slots=True)
class Loss:
    """Hold a model at one precision, or in words why there is none of it."""

    name: str
    precision: str
    exported: Exported | None
    reason: str = ""


def compare_precisions(
    checkpoint: Path, name: str, labels: str | None, faces: FaceSet
) -> Iterator[Loss]:
    """Export a checkpoint at every precision into a folder that is thrown away; fp32 first."""
    with tempfile.TemporaryDirectory(prefix="mien-") as folder:
        whole = Path(folder) / "fp32.onnx"
        yield Loss(name, "fp32", export(checkpoint, output=whole, label_set=labels, faces=faces))
        for precision in PRECISIONS[1:]:
            try:
                done = export(
                    checkpoint,
                    output=whole.with_name(f"{precision}.onnx"),
                    label_set=labels,
                    precision=precision,
                    faces=faces,
                    graph=whole,
                )
            except UserError as error:
                yield Loss(name, precision, None, str(error))
            else:
                yield Loss(name, precision, done)


def _known(file: Path) -> Card | None:
    """Return the card beside a file if it describes it."""
    beside = file.with_suffix(".json")
    if not (file.is_file() and beside.is_file()):
        return None
    try:
        card = read_card(beside)
    except ModelError:
        return None
    return card if card.file == file_facts(file) else None


def _outcome(before: Card | None, after: Card) -> str:
    assert after.file is not None
    if before is None:
        return "new"
    assert before.file is not None
    if before.file == after.file:
        return "the same file"
    if before.metrics != after.metrics:
        return "another file with other figures"
    return "another file with the same figures"
