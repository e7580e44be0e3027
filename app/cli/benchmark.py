"""fer-benchmark: how long each stage of the live program takes on this machine."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from app.cli.finder import add_finder, asked_finder
from app.errors import SettingsError
from app.settings import FINDERS, LANDMARKERS
from models.cli.shell import run
from models.runtime.arguments import Arguments
from models.runtime.files import written_whole

DESCRIPTION = """Measure every stage of the live program on frames read as fast as possible.

One thread does, frame after frame, what the app does in two and a timer:
  capture     read or decode the frame
  find        look for faces; only on key frames, so its median may be 0
  landmarks   follow the faces, fit 68 landmarks, keep the tracks
  align       cut the aligned crops
  classify    run the model on all crops, with their mirror images
  overlay     draw what a new window draws (boxes, bars, attention) onto a copy of the frame
  total       all of it, from before reading to after drawing
"""
EXAMPLES = """examples:
  fer-benchmark
  fer-benchmark --source film.mp4 --frames 1000 --json film.json
"""


def main(argv: list[str] | None = None) -> int:
    """Run `fer-benchmark`; return the exit status."""
    arguments = _parser().parse_args(argv)
    return run(lambda: _benchmark(arguments))


def _parser() -> argparse.ArgumentParser:
    parser = Arguments(
        prog="fer-benchmark",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--source", default="actor", help="actor (default), a video, an image or a folder"
    )
    parser.add_argument("--frames", type=int, default=300, help="how many to measure (300)")
    parser.add_argument("--model", metavar="NAME|FILE", help="a bundled model, or an ONNX file")
    add_finder(parser, FINDERS[0])
    parser.add_argument(
        "--landmarks", choices=LANDMARKERS, default=LANDMARKERS[0], help="(%(default)s)"
    )
    parser.add_argument(
        "--launches", type=int, default=3, help="how often to time a launch; 0 for never (3)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    return parser


def _benchmark(arguments: argparse.Namespace) -> None:
    from app.cli.measure import as_table, measure
    from app.live.options import EngineOptions

    if arguments.frames < 1 or arguments.launches < 0:
        raise SettingsError(
            f"expected at least 1 for --frames and 0 for --launches, found {arguments.frames} and "
            f"{arguments.launches}."
        )
    if arguments.json is not None and not arguments.json.absolute().parent.is_dir():
        raise SettingsError(
            f'expected a folder for --json, found no "{arguments.json.absolute().parent}": make '
            f"it first."
        )
    options = EngineOptions(
        source=arguments.source,
        model=arguments.model,
        finder=asked_finder(arguments) or FINDERS[0],
        yunet_file=arguments.yunet,
        landmarks=arguments.landmarks,
    )
    figures = measure(options, frames=arguments.frames, launches=arguments.launches)
    print(as_table(figures))
    if arguments.json is not None:
        _write(arguments.json, json.dumps(figures, indent=2) + "\n")
        print(f"\nwritten to {arguments.json}")


def _write(path: Path, text: str) -> None:
    """Write whole or not at all."""
    try:
        with written_whole(path) as partial:
            partial.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SettingsError(
            f'The figures cannot be written to "{path}" ({error.strerror}): choose another file.'
        ) from error


if __name__ == "__main__":
    sys.exit(main())
