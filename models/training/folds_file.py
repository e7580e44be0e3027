"""What folds came to, as JSON: written after each of them, and gone on with."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from models.data.face_set import FaceSet
from models.runtime.card import file_facts
from models.runtime.errors import UserError
from models.runtime.files import written_whole
from models.training.checkpoint import environment
from models.training.digest import digest_of
from models.training.folds import Fold, Protocol
from models.training.recipe import Recipe

_DECIDING = {"recipe": "recipe", "pictures": "--data", "begun_from_sha256": "--from"}
"""Facts that decide what a fold comes to, and what a user gives them by."""


def facts_of(
    recipe: Recipe, faces: FaceSet, data: Path, start: Path | None, note: str = ""
) -> dict[str, Any]:
    """Return what folds are made of and with.

    data, start: the files that the faces and the first weights were read from. note: what whoever
    reads the figures has to know.
    """
    pixels, labels = torch.from_numpy(faces.pixels), torch.from_numpy(faces.labels)
    return {
        "data": data.name,
        "pictures": digest_of(pixels, labels),
        "begun_from": None if start is None else start.name,
        "begun_from_sha256": None if start is None else file_facts(start).sha256,
        "recipe": recipe.as_dict(),
        "date": datetime.now(UTC).date().isoformat(),
        "environment": environment(),
        **({"note": note} if note else {}),
    }


class FoldsFile:
    """Hold the folds of a file, and write it anew with each that is added.

    facts: `facts_of` what is to be run. resume: go on with the file. Raises `UserError` where it is
    there and is not to be gone on with, or was made of something else.
    """

    def __init__(self, path: Path, facts: dict[str, Any], *, resume: bool) -> None:
        self._path, self._facts = path, facts
        self._protocols: dict[str, dict[str, Any]] = {}
        if resume:
            self._read()
        elif path.exists():
            raise UserError(
                f"expected a folder without folds, found {path}: add --resume to go on with them, "
                "or choose another --out"
            )

    def _read(self) -> None:
        try:
            values = json.loads(self._path.read_text(encoding="utf-8"))
            self._protocols = {each["name"]: each for each in values.pop("protocols")}
            for name in self._protocols:
                self.folds_of(name)
            others = [word for key, word in _DECIDING.items() if values[key] != self._facts[key]]
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            raise UserError(
                f"{self._path}: expected folds to go on with, found none that this version reads "
                f"({type(error).__name__}): leave --resume out and choose another --out"
            ) from error
        if others:
            raise UserError(
                f"{self._path}: expected the {' and '.join(others)} that it was begun with, found "
                "others: give the same, or choose another --out"
            )
        self._facts = values

    def folds_of(self, protocol: str) -> list[Fold]:
        """Return the folds of a way to cut that are there."""
        known = self._protocols.get(protocol, {"folds": []})
        return [Fold(**fold) for fold in known["folds"]]

    def add(self, protocol: str, fold: Fold) -> None:
        """Write one fold more."""
        folds = [asdict(each) for each in (*self.folds_of(protocol), fold)]
        self._protocols[protocol] = {"name": protocol, "folds": folds}
        self._write()

    def finish(self, protocol: Protocol) -> None:
        """Write what all folds of a way to cut came to."""
        self._protocols[protocol.name] = asdict(protocol)
        self._write()

    def _write(self) -> None:
        values = {**self._facts, "protocols": list(self._protocols.values())}
        text = json.dumps(values, indent=2, ensure_ascii=False)
        with written_whole(self._path) as partial:
            partial.write_text(text + "\n", encoding="utf-8")
