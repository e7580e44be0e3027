"""Record many frames and watch memory, disk and time.

    python benchmarks/soak.py --frames 100000

The demo actor is read, found and classified once; its results are then recorded over and over with
new numbers and times, in batches as small as a live recording makes them. Nothing is paced: the
whole takes a minute or two, and stands for frames / 30 seconds of a camera.
"""

from __future__ import annotations

import argparse
import gc
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil

from app.faces import make_finder
from app.faces.landmarks import make_landmarker
from app.live.pipeline import Pipeline
from app.messages import FaceResult, Frame, FrameResult
from app.sessions.folder import open_session
from app.sessions.writer import Clock, SessionWriter
from app.sources.actor import ActorSource
from models.runtime.store import load_model

FPS = 30
# Rows that a camera makes within one interval of the writer.
BATCH = 15


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--frames", type=int, default=100_000)
    parser.add_argument("--faces", type=int, default=1, help="on each frame")
    parser.add_argument("--folder", type=Path, help="where; a temporary one by default")
    arguments = parser.parse_args()
    results, labels = actor_results(600)
    with tempfile.TemporaryDirectory() as place:
        folder = (arguments.folder or Path(place)) / "soak"
        record(folder, results, labels, arguments.frames, arguments.faces)
        reopen(folder)


def actor_results(count: int) -> tuple[list[FrameResult], tuple[str, ...]]:
    """Return so many results of the actor without their pictures, and the labels."""
    model = load_model("mini_xception.ferplus")
    pipeline = Pipeline(make_finder("haar"), make_landmarker(), model)
    results = []
    nothing = np.zeros((1, 1, 3), np.uint8)
    with ActorSource(paced=False) as source:
        for _ in range(count):
            frame = source.read()
            assert frame is not None
            result = pipeline.process(frame)
            results.append(replace(result, frame=replace(frame, image=nothing)))
    return results, model.labels


def replayed(
    results: list[FrameResult], count: int, faces: int, start: float
) -> Iterator[FrameResult]:
    random = np.random.default_rng(0)
    for index in range(count):
        known = results[index % len(results)]
        frame = Frame(known.frame.image, index, start + index / FPS)
        seen = tuple(varied(face, random) for face in known.faces[:1] * faces)
        yield replace(known, frame=frame, faces=seen)


def varied(face: FaceResult, random: np.random.Generator) -> FaceResult:
    """Return a face whose numbers were never there before: repeated ones compress too well."""
    landmarks = face.face.landmarks
    if landmarks is not None:
        landmarks = landmarks + random.normal(0, 0.5, landmarks.shape).astype(np.float32)
    noise = random.uniform(0.9, 1.1, face.probabilities.shape).astype(np.float32)
    return replace(
        face,
        face=replace(face.face, landmarks=landmarks),
        probabilities=face.probabilities * noise,
        prediction=replace(face.prediction, probabilities=face.prediction.probabilities * noise),
    )


def record(
    folder: Path, results: list[FrameResult], labels: tuple[str, ...], count: int, faces: int
) -> None:
    process, clock = psutil.Process(), Clock.now()
    writer = SessionWriter(folder, {}, labels, clock=clock, wait=True, capacity=2 * BATCH)
    stream = folder / "frames.arrows"
    began, spent, memory = time.perf_counter(), 0.0, []
    every = max(1, count // 10)
    print("   frames  memory MB   disk MB")
    for index, result in enumerate(replayed(results, count, faces, clock.monotonic), 1):
        before = time.perf_counter()
        writer.add(result)
        spent += time.perf_counter() - before
        if index % every == 0:
            gc.collect()
            memory.append(process.memory_info().rss / 1e6)
            print(f"{index:>9,}  {memory[-1]:>9.1f}  {stream.stat().st_size / 1e6:>8.1f}")
    speed = count / (time.perf_counter() - began)
    while_recording = stream.stat().st_size
    began = time.perf_counter()
    peak = memory[-1]
    writer.stop()
    while not writer.finished:
        peak = max(peak, process.memory_info().rss / 1e6)
        time.sleep(0.01)
    print(f"{speed:,.0f} frames/s, {1e6 * spent / count:.0f} us a frame in add and waiting")
    print(f"memory from the first tenth to the last: {memory[-1] - memory[0]:+.1f} MB")
    print(
        f"closing took {time.perf_counter() - began:.1f} s and at most {peak - memory[-1]:.0f} MB"
    )
    final = sum(file.stat().st_size for file in folder.iterdir())
    print(f"{while_recording / count:.0f} bytes a frame while recording, {final / count:.0f} after")
    status = writer.status()
    print(f"{status.frames:,} frames, {status.rows:,} rows, dropped {status.dropped or 'none'}")


def reopen(folder: Path) -> None:
    began = time.perf_counter()
    session = open_session(folder)
    whole = time.perf_counter() - began
    names = [name for name in session.frames.column_names if name != "landmarks"]
    began = time.perf_counter()
    open_session(folder, columns=names)
    rest = time.perf_counter() - began
    print(
        f"opening {session.frames.num_rows:,} rows: {whole:.2f} s, without landmarks {rest:.2f} s"
    )
    frames = np.asarray(session.frames["frame"])
    assert (np.diff(frames) <= 1).all(), "a frame is missing"


if __name__ == "__main__":
    main()
