"""Measure how far a film's sound is from its pictures, in a study as it runs.

    python benchmarks/film_sound.py --films 8

Each film flashes white once a second, and clicks at the same moments. One point of the screen is
read as often as possible meanwhile, and what goes to the device for sound is recorded by parec.
It needs a screen that programs may read (not Wayland), PulseAudio or PipeWire with pactl and
parec, and the extra `sound`. It says what the system shows and plays, not what panel and
loudspeaker do after that.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import av
import numpy as np
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication
from screen_eye import Eye

from app.gui.study.screen import StudyScreen
from app.stimuli import SHOWN
from app.study.protocol import read_protocol
from app.study.runner import Runner, scenes_of
from models.cli.shell import run

_RATE, _FPS, _SIZE = 44100, 25, (640, 360)
_FLASH_FRAMES, _CLICK_SECONDS = 3, 0.02
_LOUD = 0.2
_NEAREST_SECONDS = 0.4
_FIRST_SECONDS = 4
"""Until the first film: while a text is read, the device for sound is opened."""


class Ear(threading.Thread):
    """Record what the system plays, with the moments at which it came."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        command = ["parec", "--device=@DEFAULT_MONITOR@", "--format=float32le", "--channels=1"]
        command += [f"--rate={_RATE}", "--latency-msec=5", "--raw"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, bufsize=0)  # noqa: S603
        self._parts: list[np.ndarray] = []
        self._came: list[tuple[float, int]] = []

    def run(self) -> None:
        count, rest = 0, b""
        assert self._process.stdout is not None
        while data := self._process.stdout.read(4096):
            now, data = time.monotonic(), rest + data
            whole = len(data) // 4 * 4
            rest = data[whole:]
            self._parts.append(np.frombuffer(data[:whole], np.float32))
            self._came.append((now, count))
            count += whole // 4

    def onsets(self) -> list[float]:
        """End, and return when clicks began, monotonic s.

        Some samples come late, none early: within ten seconds the earliest tell when they were
        played.
        """
        self._process.terminate()
        self.join()
        samples = np.concatenate(self._parts)
        loud = np.flatnonzero(np.abs(samples) > _LOUD)
        first = loud[np.diff(loud, prepend=-_RATE) > _RATE / 4]
        came = np.array(self._came)
        starts = came[:, 0] - came[:, 1] / _RATE
        found = []
        for place in first.tolist():
            near = np.abs(came[:, 1] - place) < 5 * _RATE
            found.append(float(starts[near].min()) + place / _RATE)
        return found


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--films", type=int, default=8)
    parser.add_argument("--seconds", type=int, default=10, help="of each film")
    parser.add_argument("--pause", type=float, default=1.0, help="seconds of the cross before it")
    arguments = parser.parse_args(argv)
    return run(lambda: _measure(arguments.films, arguments.seconds, arguments.pause))


def _measure(films: int, seconds: int, pause: float) -> None:
    application = QApplication([])
    with tempfile.TemporaryDirectory() as folder:
        lines = [f"pause = {pause}", "[[show]]", 'text = "Soon"', f"seconds = {_FIRST_SECONDS}"]
        for number in range(films):
            name = f"{number}.mp4"
            _write_film(Path(folder) / name, seconds)
            lines += ["[[show]]", f'film = "{name}"']
        path = Path(folder) / "sound.toml"
        path.write_text("\n".join(lines), encoding="utf-8")
        protocol = read_protocol(path)
        shown: list[float] = []

        def mark(key: str, _text: str, at: float) -> None:
            if key == SHOWN:
                shown.append(at)

        screen = StudyScreen(Runner(scenes_of(protocol, "P1"), 0, mark), None)
        shown_on = QGuiApplication.primaryScreen()
        middle = shown_on.geometry().center() * shown_on.devicePixelRatio()
        eye, ear = Eye(middle.x() + 80, middle.y() + 80, rest=0.0005), Ear()
        screen.finished.connect(application.quit)
        eye.start()
        ear.start()
        screen.begin(shown_on)
        application.exec()
        eye.done = True
        eye.join()
        heard = np.array(ear.onsets())
        for sentence in screen.notes:
            print(sentence)
        screen.end()
    _tell(shown, np.array(eye.onsets), heard, seconds)


def _write_film(path: Path, seconds: int) -> None:
    """Write a film of black that flashes and clicks at the beginning of each second."""
    with av.open(path, "w") as file:
        pictures = file.add_stream("mpeg4", rate=_FPS)
        pictures.width, pictures.height, pictures.pix_fmt = *_SIZE, "yuv420p"
        sound = file.add_stream("aac", rate=_RATE, layout="stereo")
        click = np.zeros((2, _RATE), np.float32)
        times = np.arange(int(_CLICK_SECONDS * _RATE)) / _RATE
        click[:, : len(times)] = 0.8 * np.sin(2 * np.pi * 1000 * times)
        for second in range(seconds):
            for index in range(_FPS):
                grey = 255 if index < _FLASH_FRAMES else 0
                image = np.full((_SIZE[1], _SIZE[0], 3), grey, np.uint8)
                frame = av.VideoFrame.from_ndarray(image, "bgr24")
                frame.pts = second * _FPS + index
                file.mux(pictures.encode(frame))
            heard = av.AudioFrame.from_ndarray(click, "fltp", "stereo")
            heard.rate, heard.pts = _RATE, second * _RATE
            file.mux(sound.encode(heard))
        file.mux(pictures.encode(None))
        file.mux(sound.encode(None))


def _tell(shown: list[float], seen: np.ndarray, heard: np.ndarray, each: int) -> None:
    due = np.array([at + second for at in shown for second in range(each)])
    print(f"{len(due)} flashes and clicks; {len(seen)} seen, {len(heard)} heard")
    if not len(seen) or not len(heard):
        return
    late = {"seen": _nearest(due, seen), "heard": _nearest(due, heard)}
    late["heard after seen"] = late["heard"] - late["seen"]
    for what, seconds in late.items():
        spread = 1000 * np.nanpercentile(seconds, [0, 5, 50, 95, 100])
        least, low, median, high, most = spread.tolist()
        print(
            f"{what:16} ms: least {least:.1f}, 5 % {low:.1f}, median {median:.1f}, "
            f"95 % {high:.1f}, most {most:.1f}"
        )
    firsts = 1000 * late["heard after seen"][::each]
    print(f"the first of each film, ms: {', '.join(f'{one:.1f}' for one in firsts)}")


def _nearest(due: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Return how much later than each moment the nearest found was, s; NaN where none was near."""
    late = found[np.abs(found - due[:, None]).argmin(axis=1)] - due
    return np.where(np.abs(late) < _NEAREST_SECONDS, late, np.nan)


if __name__ == "__main__":
    sys.exit(main())
