"""The one way in which every command reads its arguments."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, NoReturn

from models.runtime.errors import UserError
from models.runtime.files import user_path

__all__ = ["Arguments", "checked_threads"]

_MOST_THREADS = 1024


class Arguments(argparse.ArgumentParser):
    """Say in one line what is wrong with the arguments: the whole usage would bury it.

    A path (`type=Path`) may begin with ~, which a shell leaves as it is in --output=~/results.
    """

    def __init__(self, **what: Any) -> None:
        super().__init__(**what)
        self.register("type", Path, _path)

    def error(self, message: str) -> NoReturn:
        """End the program with status 2."""
        self.exit(2, f"error: {message}; {self.prog} --help shows what there is\n")


def _path(text: str) -> Path:
    try:
        return user_path(text)
    except UserError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def checked_threads(threads: int) -> int:
    """Return a number of CPU threads that a machine can start; raise `UserError` for another."""
    if not 1 <= threads <= _MOST_THREADS:
        raise UserError(f"expected --threads of 1 to {_MOST_THREADS}, found {threads}")
    return threads
