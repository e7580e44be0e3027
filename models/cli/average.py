"""fer-average: one network out of several trainings of it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from models.cli.shell import run
from models.runtime.arguments import Arguments
from models.runtime.files import checked_place

EXAMPLES = """example:
  fer-average runs/fourth/best.fer2013.pt runs/fifth/best.fer2013.pt -o runs/mean.pt
  fer-evaluate runs/mean.pt --labels fer2013 --data fer2013.csv --tta flip

The mean is one network, no larger and no slower, and often better than each: where one training
began with the other's weights, or both with the same. Those of strangers have no useful mean.
It can be measured, exported, trained on with --from, and be a teacher, as any checkpoint.
"""


def main(argv: list[str] | None = None) -> int:
    arguments = _parser().parse_args(argv)
    return run(lambda: _average(arguments))


def _parser() -> argparse.ArgumentParser:
    parser = Arguments(
        prog="fer-average",
        description="Write a checkpoint with the mean of the weights of several trainings.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("checkpoints", nargs="+", type=Path, metavar="CHECKPOINT", help="a .pt")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE.pt")
    return parser


def _average(arguments: argparse.Namespace) -> None:
    from models.training.soup import write_soup

    output = checked_place(arguments.output, ".pt")
    done = write_soup(arguments.checkpoints, output)
    print(f"wrote {output}: {done['begun_from']}")


if __name__ == "__main__":
    sys.exit(main())
