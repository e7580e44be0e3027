"""What is done to a session while it is reviewed: a list of edits beside it.

The recording itself is never changed. Edits are small and plain, so that the list can be read,
undone step by step and handed on.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

from app.review.recording import ReviewError
from models.runtime.files import written_whole

__all__ = [
    "EDITS",
    "Edit",
    "EditList",
    "Exclude",
    "Include",
    "Merge",
    "Name",
    "PutInterval",
    "PutMarker",
    "RemoveInterval",
    "RemoveMarker",
    "Split",
    "read_edits",
    "write_edits",
]

EDITS = "edits.json"
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Name:
    """Call a face something; an empty name takes the name away."""

    kind: ClassVar[str] = "name"
    face: int
    name: str

    @property
    def words(self) -> str:
        return f"naming of face {self.face}"


@dataclass(frozen=True, slots=True)
class Merge:
    """Say that two faces are the same person: all rows of `face` become rows of `into`."""

    kind: ClassVar[str] = "merge"
    face: int
    into: int

    @property
    def words(self) -> str:
        return f"merge of face {self.face} into {self.into}"


@dataclass(frozen=True, slots=True)
class Split:
    """Say that from `time` (s) on it is somebody else, with the number `new`."""

    kind: ClassVar[str] = "split"
    face: int
    time: float
    new: int

    @property
    def words(self) -> str:
        return f"split of face {self.face}"


@dataclass(frozen=True, slots=True)
class Exclude:
    """Leave a face out, or only from `start` to `end` (s)."""

    kind: ClassVar[str] = "exclude"
    face: int
    start: float | None = None
    end: float | None = None

    @property
    def words(self) -> str:
        return f"exclusion of face {self.face}"


@dataclass(frozen=True, slots=True)
class Include:
    """Take back what was left out of a face, or only from `start` to `end` (s)."""

    kind: ClassVar[str] = "include"
    face: int
    start: float | None = None
    end: float | None = None

    @property
    def words(self) -> str:
        return f"inclusion of face {self.face}"


@dataclass(frozen=True, slots=True)
class PutMarker:
    """Set a marker, or change the one of that id. time: s. key: 1 to 9, or "note"."""

    kind: ClassVar[str] = "marker"
    id: str
    time: float
    key: str
    text: str = ""

    @property
    def words(self) -> str:
        return "marker"


@dataclass(frozen=True, slots=True)
class RemoveMarker:
    """Take a marker away."""

    kind: ClassVar[str] = "remove marker"
    id: str

    @property
    def words(self) -> str:
        return "removal of a marker"


@dataclass(frozen=True, slots=True)
class PutInterval:
    """Keep an interval (s) under a name, or change the one of that id."""

    kind: ClassVar[str] = "interval"
    id: str
    start: float
    end: float
    name: str = ""

    @property
    def words(self) -> str:
        return "interval"


@dataclass(frozen=True, slots=True)
class RemoveInterval:
    """Take an interval away."""

    kind: ClassVar[str] = "remove interval"
    id: str

    @property
    def words(self) -> str:
        return "removal of an interval"


Edit = (
    Name
    | Merge
    | Split
    | Exclude
    | Include
    | PutMarker
    | RemoveMarker
    | PutInterval
    | RemoveInterval
)
_KINDS: dict[str, Callable[..., Edit]] = {
    kind.kind: kind
    for kind in (
        Name, Merge, Split, Exclude, Include, PutMarker, RemoveMarker, PutInterval, RemoveInterval
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class EditList:
    """Hold the edits that count, oldest first, and those undone, the next to redo last."""

    done: tuple[Edit, ...] = ()
    undone: tuple[Edit, ...] = ()

    def add(self, edit: Edit) -> EditList:
        """Return the list with one more edit; what was undone is gone."""
        return EditList((*self.done, edit))

    def undo(self) -> EditList:
        """Return the list without its last edit."""
        if not self.done:
            return self
        return EditList(self.done[:-1], (*self.undone, self.done[-1]))

    def redo(self) -> EditList:
        """Return the list with the edit that was undone last."""
        if not self.undone:
            return self
        return EditList((*self.done, self.undone[-1]), self.undone[:-1])


def read_edits(folder: Path) -> EditList:
    """Return the edits beside a session, none where there is no file. Raises `ReviewError`."""
    path = folder / EDITS
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return EditList()
    except (OSError, ValueError) as error:
        raise _unreadable(path, str(error)) from error
    if not isinstance(stored, dict) or stored.get("format") != _FORMAT:
        raise _unreadable(path, f"expected format {_FORMAT}")
    try:
        return EditList(tuple(_edit(values) for values in stored["edits"]))
    except (KeyError, TypeError, ValueError) as error:
        raise _unreadable(path, f"an edit is not as expected: {error}") from error


def write_edits(folder: Path, edits: EditList) -> None:
    """Write the edits that count beside a session, whole or not at all. Raises `ReviewError`."""
    content = {
        "format": _FORMAT,
        "edits": [{"do": edit.kind, **asdict(edit)} for edit in edits.done],
    }
    path = folder / EDITS
    try:
        with written_whole(path) as partial:
            partial.write_text(
                json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
            )
    except OSError as error:
        raise ReviewError(
            f'The edits cannot be saved in "{path}" ({error.strerror or error}); free some space '
            f"there or let it be written to, and the next edit saves them all; until then they are "
            f"in this window only."
        ) from error


def _edit(values: dict[str, Any]) -> Edit:
    kind = _KINDS[values["do"]]
    read = {name: value for name, value in values.items() if name != "do"}
    for name, kinds in _TYPES.items():
        value = read.get(name)
        if name in read and (not isinstance(value, kinds) or isinstance(value, bool)):
            raise TypeError(f"{name} is {value!r}")
        if isinstance(value, int) and float in kinds:
            read[name] = float(value)
    return kind(**read)


_TIME: tuple[type, ...] = (float, int)
_TYPES: dict[str, tuple[type, ...]] = {
    "face": (int,),
    "into": (int,),
    "new": (int,),
    "time": _TIME,
    "start": (*_TIME, type(None)),
    "end": (*_TIME, type(None)),
    "id": (str,),
    "key": (str,),
    "text": (str,),
    "name": (str,),
}


def _unreadable(path: Path, why: str) -> ReviewError:
    return ReviewError(
        f'The edits in "{path}" cannot be read ({why}); move that file away to review the session '
        f"without them."
    )
