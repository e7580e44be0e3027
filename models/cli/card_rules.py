"""Write into cards when a face is unsure, what a neutral face looks like, and the base rates.

`python -m models.cli.card_rules --data FILE [MODEL ...]` measures models that are exported already
and writes all three into their cards, beside and inside the file; nothing else in them changes.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from models.cli.shell import run
from models.runtime.arguments import Arguments


def main(argv: list[str] | None = None) -> int:
    parser = Arguments(
        prog="python -m models.cli.card_rules",
        description="Measure on PublicTest how faces are to be read, and write it into the cards.",
    )
    parser.add_argument("models", nargs="*", help="names or files; by default all bundled ones")
    parser.add_argument("--data", type=Path, required=True, help="FER2013")
    parser.add_argument("--ferplus", type=Path, help="fer2013new.csv, if not beside the data")
    arguments = parser.parse_args(argv)
    return run(lambda: _refresh_all(arguments))


def _refresh_all(arguments: argparse.Namespace) -> None:
    from models.card_rules import refresh
    from models.data.fer2013 import read_fer2013
    from models.runtime.store import bundled, find_model

    faces = read_fer2013(arguments.data, arguments.ferplus)
    for name in arguments.models or [entry.name for entry in bundled()]:
        card = refresh(find_model(name), faces)
        for crops, rule in card.unsure.items():
            print(
                f"{card.name}, {crops}: at {rule.threshold:.4f} and above {rule.precision:.1%} of "
                f"the labels are right, {rule.coverage:.1%} of {rule.n:,} faces are labelled"
            )


if __name__ == "__main__":
    sys.exit(main())
