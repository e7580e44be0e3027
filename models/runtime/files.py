"""Files that are there, whole or not at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from models.runtime.errors import UserError


def user_path(text: str) -> Path:
    """Return the path that a user wrote; one that begins with ~ lies in a home folder.

    Raises `UserError` where that is nobody's.
    """
    # Not Path("./~name"), which forgets how it was written and would be taken for a home folder.
    if not text.startswith("~"):
        return Path(text)
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise UserError(
            f"expected a path, found {text!r}, whose ~ names no user of this computer: write the "
            "whole path"
        ) from error


def is_file(path: Path) -> bool:
    """Say whether there is such a file; one that nobody here may look at counts as none."""
    try:
        return path.is_file()
    except (OSError, ValueError):  # forbidden, too long, its disk is gone; older Pythons raise it
        return False


def is_folder(path: Path) -> bool:
    """Say whether there is such a folder; one that nobody here may look at counts as none."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def checked_place(path: Path, suffix: str) -> Path:
    """Return the path if a file of that suffix can go there; raise `UserError` otherwise."""
    if path.suffix != suffix:
        raise UserError(f"expected a file name that ends in {suffix}, found {path.name!r}")
    if not path.parent.is_dir():
        raise UserError(f"expected a folder to write to, found none at {path.parent}: make it")
    return path


@contextlib.contextmanager
def written_whole(path: Path, *, durable: bool = False) -> Iterator[Path]:
    """Give a temporary name to write to, and put that file in the place of `path` at the end.

    If the writing fails or is stopped, nothing of it stays and an older file stays as it was.
    durable: not even a loss of power takes it away afterwards; that waits for the disk.
    """
    partial = path.with_name(f"{path.name}.partial")
    try:
        yield partial
        if durable:
            with partial.open("r+b") as file:  # Windows syncs only what can be written
                os.fsync(file.fileno())
        partial.replace(path)
        if durable:
            sync_folder(path.parent)
    except BaseException:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise


def sync_folder(folder: Path) -> None:
    """Have the system put the names in a folder on the disk, where it can be asked to."""
    # Windows knows no such thing, nor do some network shares; what the files hold is on the disk.
    with contextlib.suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
