"""How commands ask for a face finder."""

from __future__ import annotations

import argparse
from pathlib import Path

from app.errors import SettingsError
from app.settings import FINDERS


def add_finder(parser: argparse._ActionsContainer, usual: str = "") -> None:
    """Add --finder and --yunet. usual: says for the help what is used without them."""
    told = f" ({usual})" if usual else ""
    parser.add_argument("--finder", choices=FINDERS, help=f"how faces are found{told}")
    parser.add_argument(
        "--yunet", type=Path, metavar="FILE", help="YuNet's ONNX file; means --finder yunet"
    )


def asked_finder(arguments: argparse.Namespace) -> str | None:
    """Return the finder asked for, None where none was.

    Raises `SettingsError` for YuNet's file with another finder.
    """
    finder: str | None = arguments.finder
    if arguments.yunet is None:
        return finder
    if finder not in (None, "yunet"):
        raise SettingsError(
            f"--yunet goes with --finder yunet, not --finder {finder}: leave one out."
        )
    return "yunet"
