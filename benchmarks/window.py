"""Measure what the window costs: start the program on a screen and watch it from outside.

    python benchmarks/window.py [--seconds 30] [--size 1280x800] [--runs 3]
    xvfb-run -s "-screen 0 1600x1000x24" python benchmarks/window.py      # without a screen

It plays the demo actor with the settings of a first start; the user's own are left alone. Processor
time is of the program alone, in per cent of one core: what the screen's server does is not in it.
"""

from __future__ import annotations

import argparse
import base64
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from app.cli.start_checks import display_problem
from app.settings import Settings, save_settings

PROGRAM = Path(__file__).parents[1] / "run_app.py"
_FIRST = re.compile(r"the first labelled picture is painted, window (\d+x\d+)")
_COUNT = re.compile(r"([\d.]+) pictures a second were painted")
_PATIENCE = 60.0
_HEAD = (
    "| run | window | first labelled picture, s | pictures a second | % of one core "
    "| RSS, MB, at most | PSS, MB |"
)


class CannotMeasure(Exception):  # noqa: N818 - said as one sentence
    """Say in one sentence why nothing was measured."""


@dataclass
class Told:
    """Hold what the program said. first_at: `time.monotonic` seconds, 0 before."""

    first_at: float = 0.0
    size: str = ""
    rate: str = "not said"
    last: str = ""


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=30, help="watched (default: 30)")
    parser.add_argument("--settle", type=float, default=15, help="before that (default: 15)")
    parser.add_argument("--size", type=_size, default=(1280, 800), help="WIDTHxHEIGHT")
    parser.add_argument("--runs", type=int, default=1)
    arguments = parser.parse_args()
    problem = display_problem(os.environ) if sys.platform.startswith("linux") else ""
    if problem:
        print(f"error: {problem.partition(':')[0]}: run this in a desktop session, or under "
              "xvfb-run.", file=sys.stderr)  # fmt: skip
        return 2
    print(_HEAD, "|---" * 7 + "|", sep="\n")
    try:
        for run in range(1, arguments.runs + 1):
            with tempfile.TemporaryDirectory() as folder:
                row = measure(Path(folder), arguments.size, arguments.settle, arguments.seconds)
            print(f"| {run} | {row} |", flush=True)
    except CannotMeasure as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def measure(folder: Path, size: tuple[int, int], settle: float, seconds: float) -> str:
    """Return the cells of one run. folder: for the settings. settle, seconds: before and while."""
    save_settings(Settings(window=geometry(size)), folder / "settings.json")
    begun = time.monotonic()
    program = subprocess.Popen(  # noqa: S603 - the program itself
        [sys.executable, str(PROGRAM), "--source", "actor", "--verbose"],
        env={**os.environ, "MIEN_CONFIG_DIR": str(folder)},
        stderr=subprocess.PIPE,
        text=True,
    )
    told = Told()
    reader = threading.Thread(target=listen, args=(program, told), daemon=True)
    reader.start()
    try:
        while not told.first_at:
            if program.poll() is not None or time.monotonic() - begun > _PATIENCE:
                raise CannotMeasure(
                    f"expected a labelled picture within {_PATIENCE:.0f} s, found none; the "
                    f"program last said: {told.last or 'nothing'}"
                )
            time.sleep(0.01)
        time.sleep(settle)
        share, most, proportional = watch(psutil.Process(program.pid), seconds)
    except psutil.NoSuchProcess as error:
        raise CannotMeasure("the window was closed before its time; let it run") from error
    finally:
        program.send_signal(signal.SIGINT)  # the window closes as if by hand
        program.wait(_PATIENCE)
    reader.join(_PATIENCE)
    return (
        f"{told.size} | {told.first_at - begun:.2f} | {told.rate} | {share:.0f} | "
        f"{most:.0f} | {proportional}"
    )


def watch(process: psutil.Process, seconds: float) -> tuple[float, float, str]:
    """Return the per cent of one core, the most resident MB, and the proportional ones."""
    before, begun = sum(process.cpu_times()[:2]), time.monotonic()
    most = 0
    while time.monotonic() - begun < seconds:
        time.sleep(0.5)
        most = max(most, process.memory_info().rss)
    share = 100 * (sum(process.cpu_times()[:2]) - before) / (time.monotonic() - begun)
    proportional = getattr(process.memory_full_info(), "pss", None)
    return share, most / 2**20, f"{proportional / 2**20:.0f}" if proportional else "not known"


def listen(program: subprocess.Popen[str], told: Told) -> None:
    """Note what the program says, as it says it."""
    assert program.stderr is not None
    for line in program.stderr:
        told.last = line.strip()
        if first := _FIRST.search(line):
            told.size, told.first_at = first[1], time.monotonic()
        elif count := _COUNT.search(line):
            told.rate = count[1]


def geometry(size: tuple[int, int]) -> str:
    """Return a window of this size as the settings keep it, in pixels of the desktop."""
    code = (
        "import sys\n"
        "from PySide6.QtWidgets import QApplication, QMainWindow\n"
        "application, window = QApplication([]), QMainWindow()\n"
        "window.resize(int(sys.argv[1]), int(sys.argv[2]))\n"
        "sys.stdout.buffer.write(window.saveGeometry().data())\n"
    )
    made = subprocess.run(  # noqa: S603 - the code above
        [sys.executable, "-c", code, *map(str, size)], stdout=subprocess.PIPE, check=False
    )
    if made.returncode:
        raise CannotMeasure("expected a screen that Qt can use, found none; see what Qt says above")
    return base64.b64encode(made.stdout).decode("ascii")


def _size(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{3,5})x(\d{3,5})", text)
    if not found:
        raise argparse.ArgumentTypeError(f"expected WIDTHxHEIGHT such as 1280x800, found {text!r}")
    return int(found[1]), int(found[2])


if __name__ == "__main__":
    sys.exit(main())
