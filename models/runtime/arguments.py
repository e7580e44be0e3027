"""The one way in which every command reads its arguments."""

from __future__ import annotations

import argparse
from typing import NoReturn

__all__ = ["Arguments"]


class Arguments(argparse.ArgumentParser):
    """Say in one line what is wrong with the arguments: the whole usage would bury it."""

    def error(self, message: str) -> NoReturn:
        """End the program with status 2."""
        self.exit(2, f"error: {message}; {self.prog} --help shows what there is\n")
