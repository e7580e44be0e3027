"""Files that are there, whole or not at all."""

from __future__ import annotations

import contextlib
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
def written_whole(path: Path) -> Iterator[Path]:
    """Give a temporary name to write to, and put that file in the place of `path` at the end.

    If the writing fails or is stopped, nothing of it stays and an older file stays as it was.
    """
    partial = path.with_name(f"{path.name}.partial")
    try:
        yield partial
        partial.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise
