"""Results and writers for the tests of sessions."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from app.messages import Box, Face, FaceResult, Frame, FrameResult, Quality, StageTimings
from app.sessions.writer import Clock, SessionWriter
from models.runtime.prediction import Prediction

LABELS = ("anger", "happiness", "neutral")
START = Clock(monotonic=1000.0, wall=1_700_000_000.0)
QUALITY = Quality(1.0, 0.9, 0.8, float("nan"), 0.6, 0.5, 0.5, "Look into the camera.")

if TYPE_CHECKING:
    from tests.sessions.stage import Stage

Make = Callable[..., FrameResult]


def face_result(track: int = 1, *, labels: tuple[str, ...] = LABELS, **values: Any) -> FaceResult:
    """Return a face at 10 times its track, with numbers that can be told apart."""
    x = 10.0 * track
    points = np.arange(136, dtype=np.float32).reshape(68, 2) + x
    known: dict[str, Any] = {
        "face": Face(Box(x, 20.0, x + 30, 60.0), 0.75, points, track),
        "prediction": Prediction(np.array([0.1, 0.2, 0.7], np.float32), labels),
        "probabilities": np.array([0.2, 0.3, 0.5], np.float32),
        "label": labels[2],
        "confidence": 0.5,
        "crop": np.zeros((48, 48), np.uint8),
        "crop_to_frame": np.eye(2, 3),
        "quality": QUALITY,
    }
    return FaceResult(**(known | values))


def frame_result(
    index: int,
    *faces: FaceResult,
    after: float | None = None,
    media_time: float | None = None,
    size: tuple[int, int] = (64, 48),
) -> FrameResult:
    """Return a result; after: seconds from the start, None for thirty frames a second."""
    taken = START.monotonic + (index / 30 if after is None else after)
    image = np.full((size[1], size[0], 3), 90, np.uint8)
    return FrameResult(Frame(image, index, taken, media_time), faces, StageTimings(find=2, total=5))


@pytest.fixture
def make_writer(tmp_path: Path) -> Iterator[Callable[..., SessionWriter]]:
    """Begin sessions in folders of their own and wait for these; what is left open is closed."""
    made: list[SessionWriter] = []

    def make(**options: Any) -> SessionWriter:
        folder = options.pop("folder", tmp_path / f"session{len(made)}")
        info = options.pop("info", {"model": {"name": "test"}})
        labels = options.pop("labels", LABELS)
        writer = SessionWriter(folder, info, labels, **({"clock": START} | options))
        made.append(writer)
        while not (writer.opened or writer.finished):
            time.sleep(0.001)
        return writer

    yield make
    for writer in made:
        writer.close()


@pytest.fixture
def face() -> Callable[..., FaceResult]:
    return face_result


@pytest.fixture
def frame() -> Make:
    return frame_result


@pytest.fixture
def stage() -> Iterator[Stage]:
    """A real engine with scripted parts; it is stopped at the end."""
    from tests.sessions.stage import Stage

    stage = Stage()
    yield stage
    if stage.engine is not None:
        stage.engine.stop()
