"""fer-teach: write down what teachers say of training pictures, for students to learn from."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.cli.shell import run, shares_of
from models.runtime.arguments import Arguments
from models.runtime.card import file_facts
from models.runtime.errors import UserError
from models.runtime.files import checked_place
from models.runtime.labels import LABEL_SETS

if TYPE_CHECKING:
    from models.training.recipe import Recipe
    from models.training.teaching import TeacherLogits

EXAMPLES = """examples:
  fer-teach mini_xception.distilled runs/*/last.pt --data fer2013.csv -o teachers.npz
  fer-teach mini_xception.distilled weights/cbam_resnet18.fer2013.onnx \\
      weights/cbam_resnet18.ferplus.onnx --data fer2013.csv -o teachers.npz
  fer-train mini_xception.distilled --set distillation.logits=teachers.npz --data fer2013.csv \\
      --out runs/student

RECIPE is the student's: its labels, its cleaning and its [augmentation] decide what the teachers
are asked. Each sees every training picture in the same views, drawn from --seed; the mean of their
logits is written as float16, after every view. An exported file answers for its own labels; two of
one training are one teacher again. The accuracies printed are those on PublicTest, of
each teacher and of their mean. On a CPU large teachers take hours: what is written holds when the
command is stopped, and --resume, with more --views too, asks only for those that are missing.
"""
_MOST_VIEWS = 1000


def main(argv: list[str] | None = None) -> int:
    arguments = _parser().parse_args(argv)
    return run(lambda: _teach(arguments))


def _parser() -> argparse.ArgumentParser:
    parser = Arguments(
        prog="fer-teach",
        description="Write what trained networks say of fixed views of every training picture.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("recipe", metavar="RECIPE", help="the student's, by name or as a file")
    parser.add_argument("teachers", nargs="+", type=Path, metavar="TEACHER", help="a .pt or .onnx")
    parser.add_argument("--data", type=Path, required=True, help="FER2013, as for the student")
    parser.add_argument("--ferplus", type=Path, help="fer2013new.csv, if not beside the data")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE.npz")
    parser.add_argument(
        "--shares", default="", metavar="3,1,…", help="how much each counts (default: all alike)"
    )
    parser.add_argument("--resume", action="store_true", help="ask for what FILE.npz lacks only")
    parser.add_argument("--views", type=int, default=16, help="of each picture (default: 16)")
    parser.add_argument("--seed", type=int, default=1, help="of the views (default: 1)")
    parser.add_argument(
        "--set",
        dest="changes",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a key of the recipe to set; repeatable",
    )
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda (default: auto)")
    parser.add_argument("--threads", type=int, help="CPU threads (default: all cores)")
    return parser


def _teach(arguments: argparse.Namespace) -> None:
    from tqdm import tqdm

    from models.cli.teacher_table import measure_teachers
    from models.training.device import start_device
    from models.training.digest import digest_of
    from models.training.examples import make_examples
    from models.training.parts import read_parts
    from models.training.recipe import read_recipe
    from models.training.teachers import load_teachers
    from models.training.teaching import teach

    _check(arguments)
    recipe = read_recipe(arguments.recipe, arguments.changes)
    device = start_device(arguments.device, arguments.threads)
    sets = list(recipe.labels)
    parts = read_parts(arguments.data, arguments.ferplus, recipe.cleaning)
    print(parts.told)
    training = make_examples(parts.training, sets, device)
    digest = digest_of(training.pixels)
    known = _begun(arguments, recipe, digest) if arguments.resume else None
    if known is not None and known.views >= arguments.views:
        print(f"{arguments.output} has {known.views} views already: nothing to do")
        return
    teachers = load_teachers(arguments.teachers, sets, device, arguments.shares)
    if known is None:
        validation = make_examples(parts.validation, sets, device)
        facts = measure_teachers(teachers, validation, sets)
        known = _nothing_yet(arguments, recipe, digest, len(training), facts)
    before = known
    with tqdm(
        initial=before.views * len(training),
        total=arguments.views * len(training),
        unit="view",
        leave=False,
        disable=None,
    ) as bar:
        logits = teach(
            teachers,
            training.pixels,
            recipe.augmentation,
            label_sets=sets,
            views=arguments.views,
            seed=arguments.seed,
            known=before.logits,
            on_chunk=bar.update,
            on_view=lambda so_far: replace(before, logits=so_far).write(arguments.output),
        )
    print(
        f"wrote {arguments.output} ({arguments.output.stat().st_size / 1e6:.1f} MB): "
        f"{len(training):,} pictures, {arguments.views} views, {logits.shape[2]} logits"
    )


def _nothing_yet(
    arguments: argparse.Namespace,
    recipe: Recipe,
    digest: str,
    pictures: int,
    facts: list[dict[str, Any]],
) -> TeacherLogits:
    """Return a file of no views."""
    import torch

    from models.training.teaching import TeacherLogits, single_view

    return TeacherLogits(
        logits=torch.empty(pictures, 0, sum(len(LABEL_SETS[name]) for name in recipe.labels)),
        label_sets=tuple(recipe.labels),
        digest=digest,
        augmentation=single_view(recipe.augmentation),
        seed=arguments.seed,
        teachers=facts,
    )


def _begun(arguments: argparse.Namespace, recipe: Recipe, digest: str) -> TeacherLogits:
    """Return what the output holds, for --resume.

    Raises `UserError` where other teachers, pictures or views are asked for than it is of.
    """
    from models.training.teaching import TeacherLogits, single_view

    known = TeacherLogits.read(arguments.output)
    hashes = [file_facts(path).sha256 for path in arguments.teachers]
    theirs = [(each.get("sha256"), each.get("share", 1.0)) for each in known.teachers]
    same = {
        # Files that are one network stand beside each other.
        "teachers and --shares": sorted(theirs, key=str)
        == sorted(zip(hashes, arguments.shares, strict=True), key=str),
        "label sets": known.label_sets == tuple(recipe.labels),
        "training pictures": known.digest == digest,
        "[augmentation]": known.augmentation == single_view(recipe.augmentation),
        "--seed": known.seed == arguments.seed,
    }
    others = [what for what, is_same in same.items() if not is_same]
    if others:
        raise UserError(
            f"{arguments.output}: expected the {' and '.join(others)} that it was begun with, "
            "found others: give the same, or choose another -o"
        )
    return known


def _check(arguments: argparse.Namespace) -> None:
    if not 1 <= arguments.views <= _MOST_VIEWS:
        raise UserError(f"expected --views of 1 to {_MOST_VIEWS}, found {arguments.views}")
    if not 0 <= arguments.seed < 2**32:
        raise UserError(f"expected --seed of 0 to 2 to the 32, found {arguments.seed}")
    arguments.shares = shares_of(arguments.shares, len(arguments.teachers), "teacher")
    checked_place(arguments.output, ".npz")
    if arguments.output.exists() and not arguments.resume:
        raise UserError(
            f"expected a new file, found {arguments.output}: add --resume to go on with it, or "
            "choose another -o"
        )


if __name__ == "__main__":
    sys.exit(main())
