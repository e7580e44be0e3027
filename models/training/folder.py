"""The folder of a training, and the table of its epochs."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from models.runtime.errors import UserError
from models.runtime.files import written_whole


@contextmanager
def training_folder(out: Path, *, resume: bool) -> Iterator[None]:
    """Make the folder of a training; what ends before anything is written leaves none behind.

    Raises `UserError` where another training would be written over.
    """
    if (out / "last.pt").exists() and not resume:
        raise UserError(
            f"expected a folder without a training, found {out / 'last.pt'}: "
            "add --resume to go on with it, or choose another --out"
        )
    made = not out.exists()
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"expected a folder to write to, found {out}: {error.strerror}") from error
    try:
        yield
    except BaseException:
        if made:
            with suppress(OSError):  # it has something in it, or another process removed it
                out.rmdir()
        raise


def write_log(path: Path, history: list[dict[str, float]]) -> None:
    """Write the figures of all epochs as a table."""
    # Epochs between two measurements have fewer figures, as has a run of an older version.
    names = dict.fromkeys(name for entry in history for name in entry)
    with written_whole(path) as partial, partial.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(names), restval="")
        writer.writeheader()
        writer.writerows(history)
