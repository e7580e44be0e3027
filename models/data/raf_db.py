"""Read RAF-DB, its single-label part: 12,271 training and 3,068 test pictures from the web.

Li, Deng and Du, "Reliable Crowdsourcing and Deep Locality-Preserving Learning for Expression
Recognition in the Wild", CVPR 2017. Layout: `basic/EmoLabel/list_patition_label.txt` (spelt so)
with rows such as `train_00001.jpg 5`, and `basic/Image/aligned/train_00001_aligned.jpg`.
"""

from __future__ import annotations

from pathlib import Path

from models.data.face_set import Split
from models.data.labels_map import RAF_DB
from models.data.pictures import Entry, Reading, read_entries
from models.runtime.errors import UserError

_LIST = Path("EmoLabel") / "list_patition_label.txt"
_SPLITS: dict[str, Split] = {"train": "Training", "test": "PrivateTest"}


def is_raf_db(path: Path) -> bool:
    """Say whether a folder, or the `basic` in it, holds RAF-DB's list of labels."""
    return (_root(path) / _LIST).is_file()


def read_raf_db(path: Path, label_set: str | None = None) -> Reading:
    """Read RAF-DB from its folder; the aligned pictures are used as they are.

    Its training part is Training and its test part PrivateTest: there is no validation part, so
    cut one from Training. Raises `UserError` that names the file, and the row and column.
    """
    root = _root(path)
    file = root / _LIST
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{file}: expected a readable list, found: {error}") from error
    entries = [_entry(root, file, row, line) for row, line in enumerate(lines) if line.strip()]
    faces, told = read_entries(entries, path, label_set, source="raf_db")
    return Reading(faces, f"RAF-DB: {told}; aligned pictures used as they are")


def _root(path: Path) -> Path:
    inner = path / "basic"
    return inner if inner.is_dir() else path


def _entry(root: Path, file: Path, row: int, line: str) -> Entry:
    name, *rest = line.split()
    number = " ".join(rest)
    stem, part = Path(name).stem, name.partition("_")[0]
    if part not in _SPLITS:
        raise UserError(
            f"{file}, row {row}, column 0: expected a name such as train_00001.jpg, found {name!r}"
        )
    if not number.isdecimal() or int(number) not in RAF_DB:
        raise UserError(f"{file}, row {row}, column 1: expected 1 to 7, found {number!r}")
    picture = root / "Image" / "aligned" / f"{stem}_aligned.jpg"
    if not picture.is_file():
        raise UserError(
            f"{file}, row {row}, column 0: expected the picture {picture}, found none: "
            "unpack aligned.zip of RAF-DB there"
        )
    return Entry(
        file=picture, expression=RAF_DB[int(number)], name=picture.name, split=_SPLITS[part]
    )
