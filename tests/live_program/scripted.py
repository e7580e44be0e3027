"""Parts that do what a test says, to stand in for the engine's."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.errors import FinderError, SourceError
from app.faces.base import FaceFinder
from app.live.capture import Capture
from app.live.engine import Engine, EngineOptions, EngineState
from app.live.parts import FramePipeline, LoadedClassifier, Makers
from app.messages import Face, Frame, FrameResult
from app.sources.base import FrameSource
from models.runtime.base_rates import AS_MEASURED, BaseRates
from models.runtime.card import ModelError
from models.runtime.prediction import Classifier, Prediction


class ScriptedSource(FrameSource):
    """Hand out numbered frames: so many, then end, raise, or hang until `released`."""

    fps = None

    def __init__(
        self,
        count: int = 1_000_000,
        *,
        name: str = "scripted",
        live: bool = False,
        fault: Exception | None = None,
        pause: float = 0.001,
        hangs: bool = False,
    ) -> None:
        self.name = name
        self.live = live
        self.released = threading.Event()
        self.closed = threading.Event()
        self.handed_out = 0
        self._count = count
        self._fault = fault
        self._pause = pause
        self._hangs = hangs

    def read(self) -> Frame | None:
        if self.closed.wait(self._pause):
            return None
        if self.handed_out == self._count:
            if self._hangs:
                self.released.wait(30)
                return None
            if self._fault is not None:
                raise self._fault
            return None
        index = self.handed_out
        self.handed_out += 1
        return Frame(np.zeros((8, 8, 3), np.uint8), index, time.monotonic(), index / 100)

    def close(self) -> None:
        if self._hangs:  # as a camera does, whose `close` waits for the read
            self.released.wait(30)
        self.closed.set()


class Deaf:
    """Hear of a capture and do nothing."""

    def opened(self, capture: Capture) -> None: ...
    def refused(self, capture: Capture, sentence: str) -> None: ...
    def noticed(self, sentence: str) -> None: ...


class ScriptedClassifier:
    provider = "CPU"
    input_size = 48
    input_field = 48

    def __init__(
        self,
        labels: tuple[str, ...] = ("neutral", "happiness"),
        base_rates: BaseRates = AS_MEASURED,
    ) -> None:
        self.labels = labels
        self.base_rates = base_rates

    def classify(self, crops: Sequence[NDArray[np.uint8]]) -> list[Prediction]:
        probabilities = np.zeros(len(self.labels), np.float32)
        probabilities[-1] = 1
        return [Prediction(probabilities, self.labels) for _ in crops]


class ScriptedFinder:
    def __init__(self, name: str) -> None:
        self.name = name

    def find(self, image: NDArray[np.uint8]) -> list[Face]:
        return []


class ScriptedPipeline:
    """Say nothing of a frame; fail on those in `bad`, and wait for `gate` before each."""

    def __init__(self) -> None:
        self.bad: Callable[[int], bool] = lambda index: False
        self.gate = threading.Event()
        self.gate.set()
        self.reached = threading.Event()
        self.processed: list[int] = []
        self.resets: list[int] = []
        self.asked: list[tuple[str, object]] = []
        self.finder: FaceFinder | None = None
        self.classifier: Classifier | None = None
        self.second: Classifier | None = None
        self.second_name = ""
        self.second_failed: Callable[[str], None] = print

    def process(self, frame: Frame) -> FrameResult:
        self.reached.set()
        self.gate.wait(30)
        self.processed.append(frame.index)
        if self.bad(frame.index):
            raise ValueError("a bad frame")
        return FrameResult(frame)

    def reset(self) -> None:
        self.resets.append(len(self.processed))

    def set_finder(self, finder: FaceFinder) -> None:
        self.finder = finder

    def set_landmarker(self, landmarker: str) -> None:
        self.asked.append(("landmarks", landmarker))

    def calibrate(self, track_id: int) -> None:
        self.asked.append(("calibrate", track_id))

    def forget_baseline(self, track_id: int) -> None:
        self.asked.append(("forget", track_id))

    def set_classifier(self, classifier: Classifier) -> None:
        self.classifier = classifier

    def set_second(
        self, classifier: Classifier | None, name: str, failed: Callable[[str], None]
    ) -> None:
        self.second, self.second_name, self.second_failed = classifier, name, failed


class Stage:
    """Set up engines on scripted parts and stop them in the end."""

    def __init__(self) -> None:
        self.pipeline = ScriptedPipeline()
        self.sources: dict[str, Callable[[], FrameSource]] = {
            "actor": lambda: ScriptedSource(name="demo actor", live=True)
        }
        self.opened: list[str] = []
        self.log: list[str] = []
        self._engines: list[Engine] = []

    def engine(self, source: str, **options: Any) -> Engine:
        """Return an engine that is started."""
        options.setdefault("retry_seconds", 0.05)
        engine = Engine(EngineOptions(source=source, **options), self.makers())
        self._engines.append(engine)
        engine.start()
        return engine

    def makers(self) -> Makers:
        return Makers(
            source=self._source,
            classifier=self._classifier,
            finder=self._finder,
            landmarker=self._landmarker,
            pipeline=self._pipeline,
            default_model=lambda: "plain",
        )

    def stop(self) -> None:
        self.pipeline.gate.set()
        for engine in self._engines:
            engine.stop()

    def _source(self, spec: str, _camera: str) -> FrameSource:
        self.opened.append(spec)
        if spec not in self.sources:
            raise SourceError(f"There is no {spec}.")
        return self.sources[spec]()

    def _classifier(self, name: str, base_rates: BaseRates) -> LoadedClassifier:
        if name == "plain":
            if base_rates.even:
                raise ModelError("The plain model does not know its base rates.")
            return ScriptedClassifier(base_rates=base_rates)
        if name == "rich":
            return ScriptedClassifier(("neutral", "happiness", "contempt"), base_rates)
        raise ModelError(f"There is no model {name}.")

    def _finder(self, name: str, yunet_file: Path | None) -> FaceFinder:
        if name not in ("mien", "haar", "hog"):
            raise FinderError(f"There is no finder {name}.")
        return ScriptedFinder(name)

    def _landmarker(self, name: str) -> str:
        if name not in ("landmarks68", "dlib"):
            raise FinderError(f"There are no landmarks {name}.")
        return name

    def _pipeline(
        self, finder: FaceFinder, landmarker: Any, classifier: Classifier
    ) -> FramePipeline:
        self.pipeline.finder = finder
        self.pipeline.classifier = classifier
        return self.pipeline


def wait_until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.002)


def wait_for_state(engine: Engine, state: EngineState) -> None:
    wait_until(lambda: engine.status().state is state)
