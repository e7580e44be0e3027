"""Measure how long after its marker a study's picture is on the screen.

    python benchmarks/study_onset.py --pictures 60

Shows white pictures on a study's grey ground, and reads one point of the screen as often as it can
meanwhile. The moment in which that point is white for the first time is held against the
moment that the marker has. It needs a screen that programs may read (not Wayland), and says what
the system shows, not when the panel lights up.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication
from screen_eye import Eye

from app.gui.study.screen import StudyScreen
from app.stimuli import SHOWN
from app.study.protocol import Protocol, read_protocol
from app.study.runner import Runner, scenes_of
from models.cli.shell import run

_PAUSE, _SECONDS = 0.2, 0.3
_BESIDE = 80
"""Pixels from the middle: there is the cross, which is white as well."""


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--pictures", type=int, default=60)
    arguments = parser.parse_args(argv)
    return run(lambda: _measure(arguments.pictures))


def _measure(pictures: int) -> None:
    application = QApplication([])
    with tempfile.TemporaryDirectory() as folder:
        protocol = _protocol(Path(folder), pictures)
        marked: list[float] = []

        def mark(key: str, _text: str, at: float) -> None:
            if key == SHOWN:
                marked.append(at)

        screen = StudyScreen(Runner(scenes_of(protocol, "P1"), 0, mark), None)
        shown_on = QGuiApplication.primaryScreen()
        middle = shown_on.geometry().center() * shown_on.devicePixelRatio()
        eye = Eye(middle.x() + _BESIDE, middle.y() + _BESIDE)
        screen.finished.connect(application.quit)
        eye.start()
        began = time.monotonic()
        screen.begin(shown_on)
        application.exec()
        eye.done = True
        eye.join()
        screen.end()
        each = (time.monotonic() - began) / max(eye.looks, 1)
    _tell(np.array(marked), np.array(eye.onsets), each)


def _protocol(folder: Path, pictures: int) -> Protocol:
    lines = [f"pause = {_PAUSE}"]
    for number in range(pictures):
        name = f"{number}.png"
        cv2.imwrite(str(folder / name), np.full((400, 600, 3), 255, np.uint8))
        lines += ["[[show]]", f'picture = "{name}"', f"seconds = {_SECONDS}"]
    path = folder / "onset.toml"
    path.write_text("\n".join(lines), encoding="utf-8")
    return read_protocol(path)


def _tell(marked: np.ndarray, seen: np.ndarray, each: float) -> None:
    print(f"{len(marked)} pictures marked, {len(seen)} seen; a look every {1000 * each:.1f} ms")
    if len(marked) != len(seen) or not len(marked):
        print("not as many were seen as marked: something lay over the screen, or it is too slow")
        return
    late = 1000 * (seen - marked)
    spread = np.percentile(late, [0, 50, 95, 100])
    least, median, high, most = spread.tolist()
    print(
        f"seen after the marker, ms: least {least:.1f}, median {median:.1f}, 95 % {high:.1f}, "
        f"most {most:.1f}"
    )


if __name__ == "__main__":
    sys.exit(main())
