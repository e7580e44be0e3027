"""fer-train: train a network by a recipe."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from models.cli.shell import run

EXAMPLES = """examples:
  fer-train --list
  fer-train mini_xception --data fer2013.csv --out runs/mini_xception
  fer-train mini_xception --data fer2013.csv --out runs/mini_xception --resume
"""


def main(argv: list[str] | None = None) -> int:
    parser = _parser()
    arguments = parser.parse_args(argv)
    if arguments.list:
        return run(_list)
    if arguments.recipe is None or arguments.data is None or arguments.out is None:
        parser.error("expected RECIPE, --data and --out; --list shows the recipes")
    return run(lambda: _train(arguments))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="fer-train",
        description="Train a network by a recipe. Trains on the Training split, chooses on "
        "PublicTest, never uses PrivateTest.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("recipe", nargs="?", help="a bundled recipe by name, or a TOML file")
    parser.add_argument("--data", type=Path, help="fer2013.csv, icml_face_data.csv or a parquet")
    parser.add_argument("--ferplus", type=Path, help="fer2013new.csv, if not beside the data")
    parser.add_argument("--out", type=Path, help="folder for checkpoints and the log")
    parser.add_argument("--resume", action="store_true", help="go on from OUT/last.pt")
    parser.add_argument(
        "--from", dest="start", type=Path, metavar="CHECKPOINT", help="begin with its weights"
    )
    parser.add_argument("--epochs", type=int, help="another number of epochs than the recipe's")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda (default: auto)")
    parser.add_argument("--threads", type=int, help="CPU threads (default: all cores)")
    parser.add_argument("--list", action="store_true", help="show architectures and recipes")
    return parser


def _list() -> None:
    from models.nets.registry import ARCHITECTURES
    from models.training.recipe import bundled_recipes, read_recipe

    print("architectures")
    for architecture in ARCHITECTURES.values():
        print(f"  {architecture.name:<26}{architecture.paper}")
    print("recipes")
    for name in bundled_recipes():
        recipe = read_recipe(name)
        labels = " + ".join(recipe.labels)
        print(f"  {name:<26}{recipe.architecture}, {labels}, {recipe.epochs} epochs")


def _train(arguments: argparse.Namespace) -> None:
    from models.training.run import train

    train(
        recipe_name=arguments.recipe,
        data=arguments.data,
        votes=arguments.ferplus,
        out=arguments.out,
        resume=arguments.resume,
        start=arguments.start,
        epochs=arguments.epochs,
        device=arguments.device,
        threads=arguments.threads,
    )


if __name__ == "__main__":
    sys.exit(main())
