"""fer-average: one network out of several trainings of it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from models.cli.shell import run, shares_of
from models.runtime.arguments import Arguments
from models.runtime.errors import UserError
from models.runtime.files import checked_place

if TYPE_CHECKING:
    from torch import Tensor

    from models.training.recipe import Recipe

EXAMPLES = """examples:
  fer-average runs/fourth/best.fer2013.pt runs/fifth/best.fer2013.pt -o runs/mean.pt
  fer-evaluate runs/mean.pt --labels fer2013 --data fer2013.csv --tta flip
  fer-average weights/mini_xception.ferplus.onnx runs/second/last.pt --shares 1,3 \\
      --data fer2013.csv -o runs/between.pt

The mean is one network, no larger and no slower, and often better than each: where one training
began with the other's weights, or both with the same. Those of strangers have no useful mean.
It can be measured, exported, trained on with --from, and be a teacher, as any checkpoint.

An exported file counts as the checkpoint it was made of, for a training that began with it. It has
lost what its normalisations knew and gets it back by looking at training pictures: those of --data,
cleaned as the last checkpoint's recipe says. Of the others only the network and labels must agree.
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
    parser.add_argument(
        "checkpoints", nargs="+", type=Path, metavar="CHECKPOINT", help="a .pt or .onnx"
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE.pt")
    parser.add_argument(
        "--shares", default="", metavar="3,1,…", help="how much each counts (default: all alike)"
    )
    parser.add_argument("--data", type=Path, help="what was trained on; with an .onnx only")
    parser.add_argument("--ferplus", type=Path, help="fer2013new.csv, if not beside the data")
    return parser


def _average(arguments: argparse.Namespace) -> None:
    import torch

    from models.training.soup import write_soup

    output = checked_place(arguments.output, ".pt")
    shares = shares_of(arguments.shares, len(arguments.checkpoints), "checkpoint")
    exported = any(path.suffix == ".onnx" for path in arguments.checkpoints)
    if not exported and (arguments.data or arguments.ferplus):
        raise UserError("expected no --data or --ferplus without an .onnx to average: leave it out")

    def pictures(recipe: Recipe) -> Tensor:
        from models.training.examples import make_examples
        from models.training.parts import read_parts

        parts = read_parts(arguments.data, arguments.ferplus, recipe.cleaning)
        return make_examples(parts.training, list(recipe.labels), torch.device("cpu")).pixels

    looked_at = None if arguments.data is None else pictures
    done = write_soup(arguments.checkpoints, output, shares, looked_at)
    print(f"wrote {output}: {done['begun_from']}")


if __name__ == "__main__":
    sys.exit(main())
