"""Kill recordings and count what is lost.

    python benchmarks/kill.py --times 10

Each time a program of its own records thirty frames a second with one face, writing down when each
was added, and is killed with SIGKILL after a random time. What is lost is the time between the last
frame that was added and the last one that the session has when it is opened afterwards.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from app.messages import Box, Face, FaceResult, Frame, FrameResult
from app.sessions.folder import open_session
from app.sessions.video import VideoOptions
from app.sessions.writer import SessionWriter
from models.runtime.prediction import Prediction

LABELS = ("anger", "happiness", "neutral")
FPS = 30


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        record(arguments.child)
        return
    lost = [kill_one() for _ in range(arguments.times)]
    seconds = [each[1] for each in lost]
    for rows, late, opening in lost:
        print(f"lost {rows:>3} frames, {late:.3f} s; opening took {opening:.2f} s")
    print(f"median {np.median(seconds):.3f} s, most {max(seconds):.3f} s")


def record(folder: Path) -> None:
    writer = SessionWriter(folder, {}, LABELS, video=VideoOptions(("raw",)))
    start = writer.clock.monotonic
    values = np.array([0.1, 0.2, 0.7], np.float32)
    points = np.zeros((68, 2), np.float32)
    face = FaceResult(
        Face(Box(0, 0, 9, 9), 1.0, points, 1), Prediction(values, LABELS), values, "neutral", 0.7,
        np.zeros((48, 48), np.uint8), np.eye(2, 3),
    )  # fmt: skip
    index = 0
    while True:
        taken = time.monotonic()
        writer.add(FrameResult(Frame(np.zeros((480, 640, 3), np.uint8), index, taken), (face,)))
        print(f"{index} {taken - start:.6f}", flush=True)
        index += 1
        time.sleep(max(0.0, start + index / FPS - time.monotonic()))


def kill_one() -> tuple[int, float, float]:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "session"
        command = [sys.executable, __file__, "--child", str(folder)]
        with subprocess.Popen(  # noqa: S603 (this very file)
            command, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(random.uniform(2.0, 4.0))  # noqa: S311
            process.kill()
            last = [line for line in process.stdout.read().splitlines() if line.count(" ") == 1][-1]
        index, added = last.split()
        began = time.perf_counter()
        session = open_session(folder)
        opening = time.perf_counter() - began
        kept = session.frames["frame"].to_pylist()
        assert kept == list(range(len(kept)))
        return int(index) - kept[-1], float(added) - session.duration, opening


if __name__ == "__main__":
    main()
