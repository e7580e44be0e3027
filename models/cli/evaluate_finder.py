"""fer-evaluate face_finder: measure face finders on held-back pictures."""

from __future__ import annotations

import argparse
import json
from importlib import resources
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.cli.evaluate_table import print_table
from models.cli.shell import run
from models.finder_compare import (
    Contender,
    Outcome,
    contender_by_name,
    contender_of_file,
    measure,
    settings_of,
    time_of,
)
from models.finder_sets import SETS, TURNS, HeldBack, read_held_back
from models.finder_sheet import draw_sheet
from models.runtime.arguments import Arguments
from models.runtime.errors import UserError
from models.runtime.face_detector import YUNET, OpenCvDetector
from models.runtime.files import written_whole
from models.runtime.part_card import read_part_card

QUICK = 320
EXAMPLES = """examples:
  fer-evaluate face_finder --data faces/
  fer-evaluate face_finder --data faces/ --yunet face_detection_yunet_2023mar.onnx --json out.json

The truth is what YuNet found at several sizes and mirrored, so that YuNet at one size is measured
against its own better self: it is the mark to reach, not a judge. Boxes of all finders are brought
to FER2013's square before they are compared; half an overlap is a find.
"""


def main(argv: list[str]) -> int:
    """Run the command with what follows its name; return the exit status."""
    arguments = _parser().parse_args(argv)
    return run(lambda: _evaluate(arguments))


def _parser() -> argparse.ArgumentParser:
    parser = Arguments(
        prog="fer-evaluate face_finder",
        description="Measure face finders on people and pictures held back from training.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, required=True, help="a parquet of faces, or a folder")
    parser.add_argument("--file", type=Path, help="another face finder than the bundled one")
    parser.add_argument("--yunet", type=Path, metavar="FILE", help="YuNet's ONNX file, to compare")
    parser.add_argument(
        "--against",
        nargs="*",
        default=["app.faces.haar:HaarFinder", "app.faces.hog:HogFinder"],
        metavar="MODULE:CLASS",
        help="other finders to compare (default: the live program's Haar and HOG)",
    )
    parser.add_argument("--sets", nargs="+", choices=tuple(SETS), default=list(SETS))
    parser.add_argument("--pictures", type=int, default=480, help="of each set (%(default)s)")
    parser.add_argument(
        "--sheet", type=Path, metavar="PNG", help="draw the first finder's worst on the last set"
    )
    parser.add_argument("--json", type=Path, metavar="OUT", help="write every figure as JSON")
    return parser


def _evaluate(arguments: argparse.Namespace) -> None:
    if arguments.pictures < 1:
        raise UserError(f"expected --pictures of at least 1, found {arguments.pictures}")
    for path in (arguments.json, arguments.sheet):
        if path is not None and not path.parent.is_dir():
            raise UserError(f"expected a folder for {path}, found none: make it")
    contenders = _contenders(arguments)
    held = read_held_back(arguments.data)
    written: dict[str, Any] = {"data": arguments.data.name, "sets": {}, "milliseconds": {}}
    for name in arguments.sets:
        outcomes = {
            one.name: measure(one, held.examples(name, arguments.pictures)) for one in contenders
        }
        first = next(iter(outcomes.values()))
        print(f"\n{SETS[name]}: {first.pictures:,} with {first.faces:,} faces")
        print_table(*_table(outcomes))
        written["sets"][name] = {key: one.as_json() for key, one in outcomes.items()}
    if arguments.sheet is not None:
        sheet = draw_sheet(contenders[0], held.examples(arguments.sets[-1], arguments.pictures))
        with written_whole(arguments.sheet) as partial:
            partial.write_bytes(bytes(cv2.imencode(".png", sheet)[1]))
        print(f"wrote {arguments.sheet}")
    written["milliseconds"] = _print_times(contenders, held)
    if arguments.json is not None:
        with written_whole(arguments.json) as partial:
            partial.write_text(json.dumps(written, indent=2) + "\n", encoding="utf-8")
        print(f"wrote {arguments.json}")


def _contenders(arguments: argparse.Namespace) -> list[Contender]:
    file = arguments.file
    if file is None:
        file = Path(str(resources.files("weights"))) / "face_finder.onnx"
    if not file.is_file():
        raise UserError(f"expected a face finder at {file}, found no file: give one with --file")
    settings = settings_of(read_part_card(file.with_suffix(".json"), "finder"))
    contenders = [
        contender_of_file("mien", file, settings, longest=640),
        contender_of_file("mien quick", file, settings, longest=QUICK),
    ]
    if arguments.yunet is not None:
        if not arguments.yunet.is_file():
            raise UserError(f"expected YuNet's file at {arguments.yunet}, found none")
        contenders.append(contender_of_file("yunet", arguments.yunet, YUNET, run_by=OpenCvDetector))
    for path in arguments.against:
        try:
            contenders.append(contender_by_name(path))
        except (ImportError, AttributeError, ValueError) as error:
            raise UserError(
                f"expected a finder named MODULE:CLASS with --against, found {path!r} ({error}): "
                "correct it, or give --against without a name"
            ) from error
    return contenders


def _table(outcomes: dict[str, Outcome]) -> tuple[list[str], list[list[str]]]:
    sizes = list(dict.fromkeys(word for one in outcomes.values() for word in one.by_size))
    header = ["finder", "recall", "false/100", "AP", *sizes, *TURNS]
    rows = []
    for name, one in outcomes.items():
        precision = "-" if one.average_precision is None else f"{one.average_precision:.1%}"
        row = [name, f"{one.recall:.1%}", f"{one.false_alarms:.1f}", precision]
        for group, words in ((one.by_size, sizes), (one.by_turn, TURNS)):
            row += [f"{group[word][0]:.0%}" if word in group else "-" for word in words]
        rows.append(row)
    return header, rows


def _print_times(contenders: list[Contender], held: HeldBack) -> dict[str, float]:
    picture: NDArray[np.uint8] = next(iter(held.examples("films", 1))).pixels
    times = {one.name: time_of(one, picture) for one in contenders}
    print("\nmilliseconds a 640x480 frame, median, one thread")
    print_table(["finder", "ms"], [[name, f"{value:.1f}"] for name, value in times.items()])
    return {name: round(value, 2) for name, value in times.items()}
