"""A real engine whose sources, model and pipeline are scripted, for recording."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.errors import CameraLost
from app.faces.base import FaceFinder
from app.live.engine import Engine, EngineOptions
from app.live.parts import FramePipeline, LoadedClassifier, Makers
from app.live.recorder import Recorder, RecordingOptions
from app.messages import Face, Frame, FrameResult
from app.sessions.folder import Session, open_session
from app.sources.base import FrameSource
from models.runtime.base_rates import BaseRates
from models.runtime.prediction import Classifier, Prediction


class Numbered(FrameSource):
    """Hand out frames from 0 on; wait for `gate` before the first and after `hold`."""

    fps = 200.0

    def __init__(
        self, count: int = 60, *, live: bool = True, hold: int | None = None, lost: bool = False
    ) -> None:
        self.name = "numbered"
        self.live = live
        self.gate = threading.Event()
        self.closed = threading.Event()
        self.handed_out = 0
        self._count = count
        self._hold = hold
        self._lost = lost

    def read(self) -> Frame | None:
        if self.handed_out in (0, self._hold):
            self.gate.wait(30)
            self.gate.clear()
        if self.closed.wait(0.002):
            return None
        if self.handed_out == self._count:
            if self._lost:
                raise CameraLost("It is gone.")
            return None
        index = self.handed_out
        self.handed_out += 1
        return Frame(np.zeros((8, 8, 3), np.uint8), index, time.monotonic())

    def close(self) -> None:
        self.closed.set()
        self.gate.set()


class Two:
    """Know two labels, or the three of a richer model."""

    provider = "CPU"
    input_size = input_field = 48

    def __init__(self, labels: tuple[str, ...]) -> None:
        self.labels = labels

    def classify(self, crops: Sequence[NDArray[np.uint8]]) -> list[Prediction]:
        return [Prediction(np.ones(len(self.labels), np.float32), self.labels) for _ in crops]


class Nobody:
    name = "nobody"

    def find(self, image: NDArray[np.uint8]) -> list[Face]:
        return []


class Plain:
    """Find nothing, slowly, and fail on frames whose number ends in 7."""

    def __init__(self) -> None:
        self.seconds = 0.005

    def process(self, frame: Frame) -> FrameResult:
        time.sleep(self.seconds)
        if frame.index % 10 == 7:
            raise ValueError("a bad frame")
        return FrameResult(frame)

    def reset(self) -> None: ...
    def set_finder(self, finder: FaceFinder) -> None: ...
    def set_landmarker(self, landmarker: object) -> None: ...
    def set_classifier(self, classifier: Classifier) -> None: ...
    def set_second(self, *_: object) -> None: ...
    def calibrate(self, track_id: int) -> None: ...
    def forget_baseline(self, track_id: int) -> None: ...


class Stage:
    """Hold sources by name and the engine that plays them."""

    def __init__(self) -> None:
        self.sources: dict[str, FrameSource] = {"actor": Numbered()}
        self.pipeline = Plain()
        self.engine: Engine | None = None

    def play(self, spec: str) -> Engine:
        makers = Makers(
            source=lambda spec, camera: self.sources[spec],
            classifier=self._classifier,
            finder=lambda name, yunet: Nobody(),
            landmarker=lambda _name: None,
            pipeline=lambda finder, landmarker, classifier: self._pipeline(),
            default_model=lambda: "plain",
        )
        self.engine = Engine(EngineOptions(source=spec, retry_seconds=0.02), makers)
        self.engine.start()
        until(lambda: self.engine is not None and self.engine.labels)
        return self.engine

    def _classifier(self, name: str, base_rates: BaseRates) -> LoadedClassifier:
        rich = ("contempt",) if name == "rich" else ()
        return Two(("neutral", "happiness", *rich))

    def _pipeline(self) -> FramePipeline:
        return self.pipeline


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.002)


def let_go(source: Numbered) -> None:
    source.gate.set()


def sessions(folder: Path) -> list[Session]:
    return [open_session(path) for path in sorted(folder.iterdir())]


def numbers(session: Session) -> tuple[list[int], dict[str, list[int]]]:
    """Return the frames that have rows, and those that have none by reason."""
    dropped: dict[str, list[int]] = {}
    for row in session.dropped.to_pylist():
        dropped.setdefault(row["reason"], []).append(row["frame"])
    return session.frames["frame"].to_pylist(), dropped


def everything(kept: list[int], dropped: dict[str, list[int]]) -> list[int]:
    return sorted([*kept, *(index for indices in dropped.values() for index in indices)])


def begin(engine: Engine, options: RecordingOptions) -> Recorder:
    """Begin to record and wait until the next frame will be recorded."""
    recorder = Recorder(engine)
    recorder.start(options)
    until_ready(recorder)
    return recorder


def until_ready(recorder: Recorder) -> None:
    until(lambda: recorder._preparing is None)
