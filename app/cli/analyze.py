"""fer-analyze: images, videos and folders become session folders."""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from app.analysis.batch import Batch, BatchState
from app.analysis.inputs import find_inputs
from app.analysis.job import FAILED, STOPPED
from app.analysis.parts import TABLES, AnalysisOptions
from app.analysis.plan import MOST_WORKERS, plan, runner
from app.analysis.summary import outcome_line, progress_line, total_line, write_summary
from app.cli.finder import add_finder, asked_finder
from app.errors import SettingsError
from models.cli.shell import exit_status
from models.runtime.arguments import Arguments
from models.runtime.base_rates import HOW, BaseRates

EXAMPLES = """examples:
  fer-analyze interview.mp4 -o results
  fer-analyze photos/ "films/*.mp4" -o results --workers 4 --format csv
  fer-analyze archive/ -o results --resume            goes on after a stop
  fer-analyze archive/ -o /share/results --scheduler tcp://10.0.0.1:8786

Each video becomes a session folder, and so do all images that lie in one folder. Review opens them;
frames.parquet is the table and codebook.md says what its columns mean. Files come out the same
whatever the number of workers. summary.csv lists what came of each input.

exit status: 0 all is done; 1 some inputs could not be analysed; 2 nothing could begin; 130 stopped
by Ctrl-C, --resume goes on.
"""
_LINE_SECONDS = 0.25
_MOST_EVERY = 10**6
_FINDER = AnalysisOptions().finder


def main(argv: list[str] | None = None) -> int:
    """Run `fer-analyze`; return the exit status."""
    arguments = _parser().parse_args(argv)
    try:
        return exit_status(lambda: _analyze(arguments))
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = Arguments(
        prog="fer-analyze",
        description="Read apparent facial expressions in images and videos. Everything stays on "
        "this computer, unless --scheduler names others.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("inputs", nargs="+", metavar="INPUT", help="file, folder or pattern")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="DIR", help="where results go"
    )
    parser.add_argument("--model", metavar="NAME|FILE", help="a bundled model, or an ONNX file")
    add_finder(parser, _FINDER)
    parser.add_argument("--base-rates", default="", metavar="RATES", help=HOW)
    parser.add_argument(
        "--every", type=_number(_MOST_EVERY), default=1, metavar="N", help="only every N-th frame"
    )
    parser.add_argument(
        "--workers", type=_number(MOST_WORKERS), metavar="N", help="processes (half of the cores)"
    )
    parser.add_argument("--scheduler", metavar="URL", help="of Dask, to work on other machines")
    parser.add_argument(
        "--video", action="store_true", help="write videos with the findings drawn on them, too"
    )
    parser.add_argument("--format", choices=TABLES, default="parquet", help="of the table")
    parser.add_argument(
        "--resume", action="store_true", help="keep what is in DIR and add what is missing"
    )
    return parser


def _number(most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not (text.isascii() and text.isdigit() and 1 <= int(text) <= most):
            raise argparse.ArgumentTypeError(f"expected a number from 1 to {most}, found {text!r}")
        return int(text)

    return number


def _analyze(arguments: argparse.Namespace) -> int:
    _check_combination(arguments)
    options = AnalysisOptions(
        model=arguments.model,
        finder=asked_finder(arguments) or _FINDER,
        yunet_file=arguments.yunet,
        base_rates=BaseRates.parse(arguments.base_rates),
        every=arguments.every,
        video=arguments.video,
        table=arguments.format,
    )
    workers = arguments.workers or max(1, (os.cpu_count() or 1) // 2)
    inputs = find_inputs(arguments.inputs, leave_out=arguments.output)
    # Several go to processes even one by one: a decoder that crashes must not take all with it.
    run = runner(workers=workers, scheduler=arguments.scheduler, here=len(inputs) == 1)
    jobs = plan(inputs, arguments.output, options, resume=arguments.resume)
    batch = Batch(jobs, run)
    batch.start()
    interrupted = _follow(batch)
    state = batch.state()
    write_summary(state, arguments.output)
    if state.error:
        raise SettingsError(state.error)
    _say(total_line(state), sys.stdout)
    if interrupted or state.count(STOPPED):
        _say("stopped; the same command with --resume goes on", sys.stderr)
        return 130
    return 1 if state.count(FAILED) else 0


def _check_combination(arguments: argparse.Namespace) -> None:
    if arguments.scheduler is not None and arguments.workers is not None:
        raise SettingsError(
            "--workers counts processes on this machine, and --scheduler has workers of its own: "
            "leave one out."
        )


def _follow(batch: Batch) -> bool:
    """Tell how it goes until it has ended; return whether Ctrl-C ended it.

    The first Ctrl-C asks the workers to stop and waits for them, the second does not.
    """
    teller = _Teller()
    interrupted = False
    while True:
        try:
            while not batch.wait(_LINE_SECONDS):
                teller.tell(batch.state())
        except KeyboardInterrupt:
            if interrupted:
                raise
            interrupted = True
            batch.stop()
        else:
            teller.tell(batch.state())
            return interrupted


def _say(line: str, out: TextIO) -> None:
    """Write a line; what is analysed does not depend on whether somebody reads it."""
    with contextlib.suppress(BrokenPipeError):
        print(line, file=out, flush=True)


class _Teller:
    """Write a line for each input that is through, and on a terminal a last line that changes."""

    def __init__(self) -> None:
        self._told: set[int] = set()
        self._on_terminal = sys.stderr.isatty()

    def tell(self, state: BatchState) -> None:
        self._overwrite("")
        for file in state.files:
            if file.outcome is not None and file.job.number not in self._told:
                self._told.add(file.job.number)
                line = outcome_line(file)
                if line:
                    _say(line, sys.stderr if file.status == FAILED else sys.stdout)
        if state.running:
            self._overwrite(progress_line(state))

    def _overwrite(self, line: str) -> None:
        if self._on_terminal:
            width = shutil.get_terminal_size().columns - 1
            print(f"\r\x1b[K{line[:width]}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
