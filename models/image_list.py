"""Lists of test pictures, in the form of the region attention network's authors.

Wang et al., "Region Attention Networks for Pose and Occlusion Robust Facial Expression
Recognition", arXiv 1905.04075, section IV: their lists of turned and of covered faces of FER+.
A line is `{class}/fer00NNNNN.jpg` or `{class}_fer00NNNNN.png 8 {type}`, the class a number in the
order of FER+ and NNNNN the FER+ picture name; what follows the name is not needed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.data.face_set import FaceSet, Split
from models.data.ferplus import majority
from models.runtime.errors import UserError
from models.runtime.labels import FERPLUS

_LINE = re.compile(r"(\d)[/_](fer\d{7})(?:\.\w+)?(?:\s+\d+)*", re.ASCII)
_NAME = re.compile(r"(fer\d{7})(?:\.\w+)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class ListedImage:
    """Name one picture (such as fer0032226) and the FER+ class that the list gives it."""

    name: str
    label: int


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """Hold which rows of a face set a list chooses, and what did not fit.

    rows: (N,) int64, ascending. listed: lines. repeated: lines that name a picture again.
    elsewhere: names of other splits. unresolved: names the data does not have. compared: chosen
    pictures with a FER+ majority; disagreeing: those of them that the list puts in another class.
    """

    source: str
    rows: NDArray[np.int64]
    listed: int
    repeated: int
    elsewhere: tuple[str, ...]
    unresolved: tuple[str, ...]
    compared: int
    disagreeing: int

    def sentence(self) -> str:
        """Say in words what the list came to."""
        parts = [f"{self.source}: {len(self.rows):,} of {self.listed:,} listed pictures used"]
        if self.repeated:
            parts.append(f"{self.repeated:,} listed again")
        if self.elsewhere:
            parts.append(f"{len(self.elsewhere):,} in another split")
        if self.unresolved:
            parts.append(f"{len(self.unresolved):,} not in the data ({_some(self.unresolved)})")
        if self.compared:
            parts.append(
                f"its class differs from the FER+ majority for {self.disagreeing:,} "
                f"of {self.compared:,} pictures, and the majority is what counts"
            )
        return "; ".join(parts)


def read_image_list(path: Path) -> list[ListedImage]:
    """Read a list; raise `UserError` that names the file and the line (from 1) at fault."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            f"expected a list of pictures at {path}, found none that reads ({error}): give a text "
            "file with a line such as 0/fer0032226.jpg for each"
        ) from error
    listed = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        found = _LINE.fullmatch(line.strip())
        if found is None or int(found[1]) >= len(FERPLUS):
            raise UserError(
                f"{path}, line {number}: expected a class of 0 to {len(FERPLUS) - 1} and a FER+ "
                f"name, such as 0/fer0032226.jpg or 0_fer0032226.png 8 2, found {line.strip()!r}: "
                "correct the line"
            )
        listed.append(ListedImage(name=found[2], label=int(found[1])))
    if not listed:
        raise UserError(f"{path}: expected pictures to be listed, found none: choose another list")
    return listed


def select_listed(
    faces: FaceSet, listed: list[ListedImage], split: Split, source: str
) -> Selection:
    """Return which rows of the faces are listed and in the split.

    Names are compared without their endings. Raises `UserError` if none of them is there.
    """
    places: dict[str, int] = {}
    for row, name in enumerate(faces.names):
        if found := _NAME.fullmatch(str(name)):
            places.setdefault(found[1], row)
    labels = {image.name: image.label for image in reversed(listed)}
    rows = {name: places[name] for name in labels if name in places}
    chosen = {name: row for name, row in rows.items() if faces.splits[row] == split}
    if not chosen:
        raise UserError(
            f"{source}: expected {split} pictures of the data, found none among {len(labels):,} "
            f"names ({_some(tuple(labels))}): " + _advice(bool(places), bool(rows))
        )
    compared = disagreeing = 0
    if faces.votes is not None:
        names, order = list(chosen), np.array(list(chosen.values()))
        truth = majority(faces.votes[order])
        theirs = np.array([labels[name] for name in names])
        compared = int((truth >= 0).sum())
        disagreeing = int(((truth >= 0) & (truth != theirs)).sum())
    return Selection(
        source=source,
        rows=np.array(sorted(chosen.values()), dtype=np.int64),
        listed=len(listed),
        repeated=len(listed) - len(labels),
        elsewhere=tuple(sorted(rows.keys() - chosen.keys())),
        unresolved=tuple(sorted(labels.keys() - rows.keys())),
        compared=compared,
        disagreeing=disagreeing,
    )


def _advice(named: bool, elsewhere: bool) -> str:
    if not named:
        return "the data has no FER+ names, give fer2013new.csv with --ferplus"
    if elsewhere:
        return "they are in another split, choose it with --split"
    return "use the FER2013 file that the list was made for"


def _some(names: tuple[str, ...], count: int = 3) -> str:
    return ", ".join(names[:count]) + (", …" if len(names) > count else "")
