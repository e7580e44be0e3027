"""fer-evaluate landmarks68: how well the landmarks sit, beside those of other programs."""

from __future__ import annotations

import argparse
import importlib
import json
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from models.cli.evaluate_table import print_table
from models.cli.shell import run
from models.data.faces_parquet import FacePicture, read_face_pictures, validation_part
from models.landmark_scores import (
    CONDITIONS,
    Fitter,
    MarkedFace,
    confidences,
    jitter,
    marked_faces,
    milliseconds,
    score,
)
from models.runtime.arguments import Arguments
from models.runtime.errors import UserError
from models.runtime.files import written_whole
from models.runtime.landmark_model import LandmarkModel, bundled_landmarks

DESCRIPTION = """Measure landmarks on people that were held back from training.

The table has the mean distance from the labels in distances between the outer corners of the eyes,
and the part of the fits for which it is above 0.08: with the box in place, shifted, scaled, and
both. Jitter is how much points tremble, likewise, on a still face with noise of 3 grey levels. ms
is the median time for one face on one thread. The network looks once at a face that is followed
and twice, the second time at its mirror image, at a new one; both are measured.
"""
EXAMPLES = """examples:
  fer-evaluate landmarks68 --data faces/
  fer-evaluate landmarks68 --data faces/ --model landmarks68.onnx --against --json out.json

Faces whose 68 labels are not where five points of another program are do not count.
"""
AGAINST = ("app.faces.landmark_fitters:dlib_once", "app.faces.landmark_fitters:dlib_twice")
_JITTER_FACES = 60
_CONFIDENCES = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)


def main(argv: list[str]) -> int:
    """Run the command with what follows its name; return the exit status."""
    arguments = _parser().parse_args(argv)
    return run(lambda: _evaluate(arguments))


def _parser() -> argparse.ArgumentParser:
    parser = Arguments(
        prog="fer-evaluate landmarks68",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with faces_*.parquet")
    parser.add_argument("--model", type=Path, help="another landmarks68.onnx than the bundled one")
    parser.add_argument(
        "--against",
        nargs="*",
        default=list(AGAINST),
        metavar="MODULE:FUNCTION",
        help="what else to measure (default: the live program's dlib)",
    )
    parser.add_argument("--faces", type=int, help="so many faces (default: all held back)")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write every figure as JSON")
    return parser


def _evaluate(arguments: argparse.Namespace) -> None:
    if arguments.faces is not None and arguments.faces < 1:
        raise UserError(f"expected --faces of at least 1, found {arguments.faces}")
    if arguments.json is not None and not arguments.json.absolute().parent.is_dir():
        raise UserError(f"expected a folder for {arguments.json}, found none: make it")
    model = LandmarkModel(arguments.model or bundled_landmarks())
    name, twice = model.card.name, partial(model.fit, twice=True)
    fitters: dict[str, Fitter] = {name: model.fit, f"{name} twice": twice}
    for path in arguments.against:
        fitters[path.partition(":")[2]] = _fitter(path)
    pictures = validation_part(read_face_pictures(arguments.data))
    faces = marked_faces(pictures)[: arguments.faces]
    if not faces:
        raise UserError(
            f"expected faces with 68 landmarks among the people held back, found none in "
            f"{arguments.data}: give a folder with faces_people.parquet"
        )
    print(f"{len(faces)} faces of people held back from training")
    written = {"landmarks": _print_errors(fitters, faces)}
    written["confidence"] = _print_confidences(twice, pictures)
    if arguments.json is not None:
        with written_whole(arguments.json) as file:
            file.write_text(json.dumps(written, indent=2) + "\n", encoding="utf-8")
        print(f"wrote {arguments.json}")


def _fitter(path: str) -> Fitter:
    module, _, name = path.partition(":")
    try:
        made: Fitter = getattr(importlib.import_module(module), name)()
    except (ImportError, AttributeError, ValueError) as error:
        raise UserError(
            f"expected MODULE:FUNCTION with --against, found {path!r} ({error}): correct it, or "
            "give --against without a name"
        ) from error
    return made


def _print_errors(fitters: dict[str, Fitter], faces: list[MarkedFace]) -> dict[str, Any]:
    """Print the table of all landmarkers and return its figures."""
    still = faces[:: max(1, len(faces) // _JITTER_FACES)]
    rows, figures = [], {}
    for name, fit in fitters.items():
        scores = [score(name, fit, faces, condition, "validation") for condition in CONDITIONS]
        trembling, time = jitter(fit, still), milliseconds(fit, faces)
        errors = [f"{each.mean:.4f} / {each.above_8:.0%}" for each in scores]
        rows.append([name, *errors, f"{scores[0].median:.4f}", f"{trembling:.4f}", f"{time:.2f}"])
        figures[name] = {
            "scores": [asdict(each) for each in scores],
            "jitter": round(trembling, 5),
            "milliseconds": round(time, 3),
        }
    print_table(["error / above 0.08", *CONDITIONS, "median", "jitter", "ms"], rows)
    return figures


def _print_confidences(fit: Fitter, pictures: list[FacePicture]) -> dict[str, Any]:
    """Print how well the confidence tells faces from other squares and return the figures."""
    faces, others = confidences(fit, pictures)
    above = float((faces[:, None] > others).mean())
    passing = {
        f"{limit}": [float((each >= limit).mean()) for each in (faces, others)]
        for limit in _CONFIDENCES
    }
    print(
        f"\nconfidence on {len(faces):,} faces and {len(others):,} squares without one: of "
        f"{above:.2%} of the pairs the face has the higher one"
    )
    rows = [[limit, *(f"{part:.1%}" for part in parts)] for limit, parts in passing.items()]
    print_table(["from", "faces", "others"], rows)
    return {"above": above, "passing": passing, "faces": len(faces), "others": len(others)}
