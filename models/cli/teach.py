"""fer-teach: write down what teachers say of training pictures, for students to learn from."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.cli.shell import run
from models.runtime.arguments import Arguments
from models.runtime.card import file_facts
from models.runtime.errors import UserError
from models.runtime.files import checked_place
from models.runtime.labels import LABEL_SETS

if TYPE_CHECKING:
    from torch import Tensor

    from models.nets.network import Network
    from models.training.examples import Examples
    from models.training.recipe import Recipe
    from models.training.teaching import TeacherLogits

EXAMPLES = """example:
  fer-teach mini_xception.distilled runs/*/last.pt --data fer2013.csv -o teachers.npz
  fer-train mini_xception.distilled --set distillation.logits=teachers.npz --data fer2013.csv \\
      --out runs/student

RECIPE is the student's: its labels, its cleaning and its [augmentation] decide what the teachers
are asked. Each sees every training picture in the same views, drawn from --seed; the mean of their
logits is written as float16, after every view. The accuracies printed are those on PublicTest, of
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
    parser.add_argument("teachers", nargs="+", type=Path, metavar="TEACHER", help="a .pt")
    parser.add_argument("--data", type=Path, required=True, help="FER2013, as for the student")
    parser.add_argument("--ferplus", type=Path, help="fer2013new.csv, if not beside the data")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE.npz")
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
    import torch
    from tqdm import tqdm

    from models.training.distillation import load_teacher
    from models.training.examples import make_examples
    from models.training.parts import read_parts
    from models.training.recipe import read_recipe
    from models.training.run import start_device
    from models.training.teaching import TeacherLogits, digest_of, single_view, teach

    _check(arguments)
    recipe = read_recipe(arguments.recipe, arguments.changes)
    device = start_device(arguments.device, arguments.threads)
    sets = list(recipe.labels)
    teachers = [load_teacher(path, sets, device) for path in arguments.teachers]
    parts = read_parts(arguments.data, arguments.ferplus, recipe.cleaning)
    print(parts.told)
    training = make_examples(parts.training, sets, device)
    digest = digest_of(training.pixels)
    if arguments.resume:
        known = _begun(arguments, recipe, digest)
    else:
        validation = make_examples(parts.validation, sets, device)
        known = TeacherLogits(
            logits=torch.empty(len(training), 0, sum(len(LABEL_SETS[name]) for name in sets)),
            label_sets=tuple(sets),
            digest=digest,
            augmentation=single_view(recipe.augmentation),
            seed=arguments.seed,
            teachers=_measured(arguments.teachers, teachers, validation, sets),
        )
    if known.views >= arguments.views:
        print(f"{arguments.output} has {known.views} views already: nothing to do")
        return
    with tqdm(
        initial=known.views * len(training),
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
            known=known.logits,
            on_chunk=bar.update,
            on_view=lambda so_far: replace(known, logits=so_far).write(arguments.output),
        )
    print(
        f"wrote {arguments.output} ({arguments.output.stat().st_size / 1e6:.1f} MB): "
        f"{len(training):,} pictures, {arguments.views} views, {logits.shape[2]} logits"
    )


def _begun(arguments: argparse.Namespace, recipe: Recipe, digest: str) -> TeacherLogits:
    """Return what the output holds, for --resume.

    Raises `UserError` where other teachers, pictures or views are asked for than it is of.
    """
    from models.training.teaching import TeacherLogits, single_view

    known = TeacherLogits.read(arguments.output)
    hashes = [file_facts(path).sha256 for path in arguments.teachers]
    same = {
        "teachers": [each.get("sha256") for each in known.teachers] == hashes,
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
    checked_place(arguments.output, ".npz")
    if arguments.output.exists() and not arguments.resume:
        raise UserError(
            f"expected a new file, found {arguments.output}: add --resume to go on with it, or "
            "choose another -o"
        )


def _measured(
    paths: list[Path],
    teachers: list[tuple[Network, Recipe]],
    validation: Examples,
    sets: list[str],
) -> list[dict[str, Any]]:
    """Print how good the teachers are; return what the file is to say of each."""
    from models.training.distillation import teacher_facts

    facts = [teacher_facts(path) for path in paths]
    accuracies = _measure([each["file"] for each in facts], teachers, validation, sets)
    return [{**each, "accuracy": scores} for each, scores in zip(facts, accuracies, strict=True)]


def _measure(
    names: list[str],
    teachers: list[tuple[Network, Recipe]],
    validation: Examples,
    sets: list[str],
) -> list[dict[str, float]]:
    """Print and return the PublicTest accuracies of each teacher; print those of their mean."""
    import torch

    from models.cli.evaluate_table import print_table
    from models.training.distillation import mean_logits
    from models.training.metrics import accuracy
    from models.training.predict import split_arrays

    def said(teacher: tuple[Network, Recipe], pixels: Tensor) -> Tensor:
        parts = torch.split(pixels, 256)
        return torch.cat([mean_logits([teacher], part / 255, sets).cpu() for part in parts])

    def scores(logits: Tensor) -> dict[str, float]:
        heads = split_arrays(logits.numpy(), sets)
        used = {name: validation.truth[name] >= 0 for name in sets}
        return {
            name: accuracy(heads[name][used[name]], validation.truth[name][used[name]])
            for name in sets
        }

    pixels = validation.pixels
    plain = [said(teacher, pixels) for teacher in teachers]
    mirror = [said(teacher, pixels.flip(3)) for teacher in teachers]
    plain.append(torch.stack(plain).mean(0))
    mirror.append(torch.stack(mirror).mean(0))
    known, rows = [], []
    for name, ours, mirrored in zip([*names, "their mean"], plain, mirror, strict=True):
        one, both = scores(ours), scores(ours + mirrored)
        known.append(one)
        rows.append([name, *(f"{found[each]:.2%}" for each in sets for found in (one, both))])
    crops = (f"{each} {crop}" for each in sets for crop in ("one", "mirror"))
    print_table(["PublicTest", *crops], rows)
    return known[:-1]


if __name__ == "__main__":
    sys.exit(main())
