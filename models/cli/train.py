"""fer-train: train a network by a recipe."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from models.cli.shell import note, run
from models.runtime.arguments import Arguments
from models.runtime.errors import UserError

if TYPE_CHECKING:
    from models.training.folds import Protocol

EXAMPLES = """examples:
  fer-train --list
  fer-train mini_xception --data fer2013.csv --out runs/mini_xception
  fer-train mini_xception --data fer2013.csv --out runs/mini_xception --resume
  fer-train cbam_resnet18 --set seed=2 --set network.order=parallel --data fer2013.csv --out runs/2
  fer-train cbam_resnet18.third --from weights/cbam_resnet18.fer2013.onnx --data fer2013.csv \\
    --out runs/3
  fer-train jaffe --folds 5,subjects --from runs/2/best.fer2013.pt --data jaffe --out runs/jaffe
  torchrun --nproc-per-node 4 -m models.cli.train ran --data fer2013.csv --out runs/ran

A data set other than FER2013 is given as its folder; where it has no validation part, a tenth is
held out. With --folds it trains anew on each fold, tests on what the fold leaves out, and writes
folds.json after each: a number for so many folds, subjects for leaving one person out at a time, or
several. What the network is then comes from the file given with --from.
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
    parser = Arguments(
        prog="fer-train",
        description="Train a network by a recipe. Trains on the Training split, chooses on "
        "PublicTest, never uses PrivateTest.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("recipe", nargs="?", help="a bundled recipe by name, or a TOML file")
    parser.add_argument(
        "--data", type=Path, help="fer2013.csv, icml_face_data.csv or a parquet; a folder of faces"
    )
    parser.add_argument("--ferplus", type=Path, help="fer2013new.csv, if not beside the data")
    parser.add_argument("--out", type=Path, help="folder for checkpoints and the log")
    parser.add_argument(
        "--resume", action="store_true", help="go on from OUT/last.pt or folds.json"
    )
    parser.add_argument(
        "--from",
        dest="start",
        type=Path,
        metavar="FILE",
        help="begin with the weights of a checkpoint or of an exported .onnx",
    )
    parser.add_argument("--epochs", type=int, help="another number of epochs than the recipe's")
    parser.add_argument(
        "--set",
        dest="changes",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a key of the recipe to set, such as seed=2 or network.order=parallel; repeatable",
    )
    parser.add_argument(
        "--folds", metavar="WHICH", help="train and test on folds: 5, subjects, or 5,subjects"
    )
    parser.add_argument(
        "--minutes", type=float, help="begin no epoch that would end after so many; resumable"
    )
    parser.add_argument(
        "--every", type=int, default=1, help="measure and write every so many epochs (default: 1)"
    )
    parser.add_argument(
        "--compile", action="store_true", help="try torch.compile, which pays on long runs"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda (default: auto)")
    parser.add_argument("--threads", type=int, help="CPU threads (default: all cores)")
    parser.add_argument("--list", action="store_true", help="show architectures and recipes")
    return parser


def _list() -> None:
    from models.nets.registry import ARCHITECTURES
    from models.training.recipe import all_recipes, bundled_recipes, read_recipe
    from models.training.tasks import task_of

    print("architectures")
    for architecture in ARCHITECTURES.values():
        print(f"  {architecture.name:<31}{architecture.paper}")
    print("recipes")
    for name in bundled_recipes():
        recipe = read_recipe(name)
        labels = " + ".join(recipe.labels)
        print(f"  {name:<31}{recipe.architecture}, {labels}, {recipe.epochs} epochs")
    for name in all_recipes():
        if task := task_of(name):
            print(f"  {name:<31}{task}")


def _train(arguments: argparse.Namespace) -> None:
    from models.training.tasks import task_of

    if arguments.resume and arguments.start is not None and arguments.folds is None:
        raise UserError(
            "expected --resume without --from, found both: a training that is gone on with has its "
            "own weights; leave --from out"
        )
    task = task_of(arguments.recipe)
    if task is not None:
        _train_task(task, arguments)
        return
    if arguments.folds is not None:
        _train_folds(arguments)
        return
    from models.training.run import Pace, train

    train(
        recipe_name=arguments.recipe,
        data=arguments.data,
        votes=arguments.ferplus,
        out=arguments.out,
        resume=arguments.resume,
        start=arguments.start,
        changes=arguments.changes,
        epochs=arguments.epochs,
        device=arguments.device,
        threads=arguments.threads,
        pace=Pace(arguments.every, arguments.minutes, arguments.compile),
    )


def _train_folds(arguments: argparse.Namespace) -> None:
    from models.data.read import read_dataset
    from models.training.device import start_device
    from models.training.folds import Fold, check_protocols, protocols_of, run_protocol
    from models.training.folds_file import FoldsFile, facts_of
    from models.training.recipe import check_teachers, read_recipe
    from models.training.start import network_of
    from models.training.unseen import told_of_seen

    _check_folds(arguments)
    wanted = protocols_of(arguments.folds)
    changes = [*arguments.changes]
    if arguments.epochs is not None:
        changes.append(f"epochs={arguments.epochs}")
    known = None if arguments.start is None else network_of(arguments.start)
    recipe = read_recipe(arguments.recipe, changes, known)
    check_teachers(arguments.recipe, changes)
    device = start_device(arguments.device, arguments.threads)
    reading = read_dataset(arguments.data, votes=arguments.ferplus)
    print(reading.found)
    check_protocols(recipe, reading.faces, wanted)
    seen = told_of_seen(recipe, reading.faces, arguments.start)
    if seen:
        note(seen)
    arguments.out.mkdir(parents=True, exist_ok=True)
    facts = facts_of(recipe, reading.faces, arguments.data, arguments.start, seen)
    file = FoldsFile(arguments.out / "folds.json", facts, resume=arguments.resume)

    def keep(protocol: str, fold: Fold) -> None:
        file.add(protocol, fold)
        less = f", less {fold.copies} copies of these" if fold.copies else ""
        print(
            f"  {fold.name}: {fold.accuracy['none']:.2%} of {fold.tested_on}, "
            f"trained on {fold.trained_on}{less}",
            flush=True,
        )

    done = []
    for which in wanted:
        print(f"{which}:")
        protocol = run_protocol(
            recipe,
            reading.faces,
            which,
            device,
            start=arguments.start,
            known=file.folds_of(which),
            on_fold=partial(keep, which),
        )
        file.finish(protocol)
        done.append(protocol)
    _print_protocols(done)


def _check_folds(arguments: argparse.Namespace) -> None:
    """Raise `UserError` for what goes with a training of epochs and not with folds."""
    from models.training.distributed import check_alone

    check_alone("--folds")
    for name in ("minutes", "compile"):
        if getattr(arguments, name):
            raise UserError(f"expected --{name} without --folds, found both: leave one out")
    if arguments.every != 1:
        raise UserError(f"expected --every 1 with --folds, found {arguments.every}: leave it out")


def _print_protocols(done: list[Protocol]) -> None:
    from models.cli.evaluate_table import print_table

    header = ["folds", "crops", "mean", "sd", "all pictures"]
    rows = [
        [each.name, tta, f"{each.mean[tta]:.2%}", f"{each.sd[tta]:.2%}", f"{each.pooled[tta]:.2%}"]
        for each in done
        for tta in each.mean
    ]
    print_table(header, rows)


def _train_task(task: str, arguments: argparse.Namespace) -> None:
    from models.training.distributed import check_alone
    from models.training.tasks import TaskRun, train_task

    check_alone(task)
    for name in ("ferplus", "folds", "compile"):
        if getattr(arguments, name):
            raise UserError(
                f"expected --{name} with a classifier's recipe only, found {task}: leave it out"
            )
    if arguments.every != 1:
        raise UserError(f"expected --every 1 with {task}, found {arguments.every}: leave it out")
    run_of_task = TaskRun(
        recipe=arguments.recipe,
        data=arguments.data,
        out=arguments.out,
        resume=arguments.resume,
        start=arguments.start,
        epochs=arguments.epochs,
        minutes=arguments.minutes,
        device=arguments.device,
        threads=arguments.threads,
        changes=tuple(arguments.changes),
    )
    train_task(task, run_of_task)


if __name__ == "__main__":
    sys.exit(main())
