"""The engine's threads, on scripted parts."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from app.errors import CameraLost, FinderError, SourceError
from app.faces.base import FaceFinder
from app.live.engine import Engine, EngineOptions, EngineState
from app.live.parts import FramePipeline, LoadedClassifier, Makers
from app.messages import Face, Frame, FrameResult
from app.sources.base import FrameSource
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


class ScriptedClassifier:
    provider = "CPU"
    input_size = 48
    input_field = 48

    def __init__(self, labels: tuple[str, ...] = ("neutral", "happiness")) -> None:
        self.labels = labels

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

    def _source(self, spec: str) -> FrameSource:
        self.opened.append(spec)
        if spec not in self.sources:
            raise SourceError(f"There is no {spec}.")
        return self.sources[spec]()

    def _classifier(self, name: str) -> LoadedClassifier:
        if name == "plain":
            return ScriptedClassifier()
        if name == "rich":
            return ScriptedClassifier(("neutral", "happiness", "contempt"))
        raise ModelError(f"There is no model {name}.")

    def _finder(self, name: str, yunet_file: Path | None) -> FaceFinder:
        if name not in ("haar", "hog"):
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


@pytest.fixture
def stage() -> Iterator[Stage]:
    stage = Stage()
    yield stage
    stage.stop()


def wait_until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.002)


def wait_for_state(engine: Engine, state: EngineState) -> None:
    wait_until(lambda: engine.status().state is state)


def test_starts_at_once_and_names_the_steps(stage: Stage) -> None:
    may_open = threading.Event()

    def slow() -> FrameSource:
        may_open.wait(30)
        return ScriptedSource(live=True)

    stage.sources["camera"] = slow
    engine = stage.engine("camera")
    wait_until(lambda: engine.labels)
    assert engine.status().state is EngineState.STARTING
    wait_until(lambda: engine.status().step == "Opening camera")
    assert engine.latest() is None
    may_open.set()
    wait_until(engine.latest)
    status = engine.status()
    assert status.state is EngineState.RUNNING
    assert (status.step, status.source, status.error) == ("", "scripted", "")
    assert (status.model, status.finder, status.provider) == ("plain", "haar", "CPU")
    assert engine.labels == ("neutral", "happiness")


def test_the_newest_frame_wins_and_the_others_are_counted(stage: Stage) -> None:
    stage.pipeline.gate.clear()
    stage.sources["film"] = lambda: ScriptedSource(20)
    engine = stage.engine("film")
    assert stage.pipeline.reached.wait(10)
    wait_until(lambda: engine.status().dropped >= 15)
    stage.pipeline.gate.set()
    wait_for_state(engine, EngineState.ENDED)
    assert stage.pipeline.processed[-1] == 19
    assert engine.status().dropped == 20 - len(stage.pipeline.processed)


def test_neutral_faces_are_asked_of_the_pipeline(stage: Stage) -> None:
    engine = stage.engine("actor")
    wait_until(engine.latest)
    generation = engine.generation
    engine.calibrate(3)
    engine.forget_baseline(4)
    wait_until(lambda: len(stage.pipeline.asked) == 2)
    assert stage.pipeline.asked == [("calibrate", 3), ("forget", 4)]
    assert engine.generation == generation, "the same source, model and finder go on"


def test_another_part_makes_another_generation(stage: Stage) -> None:
    stage.sources["film"] = lambda: ScriptedSource(live=True)
    engine = stage.engine("actor")
    wait_until(engine.latest)
    seen = [engine.generation]
    changes: tuple[Callable[[], None], ...] = (
        lambda: engine.use_model("rich"),
        lambda: engine.use_finder("hog"),
        lambda: engine.use_source("film"),
    )
    for change in changes:
        change()
        wait_until(lambda: engine.generation > seen[-1])
        seen.append(engine.generation)


def test_no_frame_of_an_unpaced_file_is_lost(stage: Stage) -> None:
    stage.sources["film"] = lambda: ScriptedSource(50, pause=0)
    engine = stage.engine("film", paced=False)
    indices: list[int] = []
    while len(indices) < 50 and (result := engine.take(10)) is not None:
        indices.append(result.frame.index)
        assert result.timings.capture > 0
    assert indices == list(range(50))
    wait_for_state(engine, EngineState.ENDED)
    assert engine.status().dropped == 0
    assert engine.take(0) is None


def test_a_bad_frame_is_counted_and_the_rest_goes_on(stage: Stage) -> None:
    stage.pipeline.bad = lambda index: index == 3
    stage.sources["film"] = lambda: ScriptedSource(10)
    engine = stage.engine("film", paced=False)
    results = [engine.take(10) for _ in range(10)]
    assert [result.frame.index for result in results if result] == list(range(10))
    assert engine.status().failed == 1
    (notice,) = engine.take_notices()
    assert "a bad frame" in notice
    assert engine.take_notices() == []


def test_one_fault_on_every_frame_is_said_twice_at_most(stage: Stage) -> None:
    stage.pipeline.bad = lambda index: True
    stage.sources["film"] = lambda: ScriptedSource(100, pause=0)
    engine = stage.engine("film", paced=False)
    for _ in range(100):
        assert engine.take(10) is not None
    wait_until(lambda: engine.status().failed == 100)
    notices = engine.take_notices()
    assert len(notices) == 2
    assert "in a row" in notices[1]


def test_a_lost_camera_comes_back_by_itself(stage: Stage) -> None:
    back = threading.Event()
    sources = [ScriptedSource(5, live=True, fault=CameraLost("The camera is gone."))]

    def camera() -> FrameSource:
        if sources:
            return sources.pop()
        if not back.is_set():
            raise SourceError("There is no camera.")
        return ScriptedSource(live=True)

    stage.sources["camera:0"] = camera
    engine = stage.engine("camera:0")
    wait_for_state(engine, EngineState.LOST)
    status = engine.status()
    assert status.source_note == "The camera is gone."
    assert status.retry_in is not None
    assert 0 <= status.retry_in <= 0.05
    wait_until(lambda: len(stage.opened) >= 4)
    last = engine.latest()
    back.set()
    wait_for_state(engine, EngineState.RUNNING)
    assert engine.status().retry_in is None
    assert engine.status().source_note == ""
    wait_until(lambda: len(stage.pipeline.resets) == 2)
    wait_until(lambda: engine.latest() is not last)
    latest = engine.latest()
    assert latest is not None
    assert latest.frame.index >= 5  # the count goes on
    assert engine.take_notices() == []


def test_choosing_a_lost_camera_again_tries_at_once(stage: Stage) -> None:
    sources: list[FrameSource] = [
        ScriptedSource(live=True),
        ScriptedSource(2, live=True, fault=CameraLost("The camera is gone.")),
    ]
    stage.sources["camera"] = lambda: sources.pop()
    engine = stage.engine("camera", retry_seconds=3600.0)
    wait_for_state(engine, EngineState.LOST)
    engine.use_source("camera")
    wait_for_state(engine, EngineState.RUNNING)
    assert sources == []


def test_the_actor_plays_where_there_is_no_camera(stage: Stage) -> None:
    engine = stage.engine("camera")
    wait_until(engine.latest)
    status = engine.status()
    assert status.state is EngineState.RUNNING
    assert (status.source, status.source_note) == ("demo actor", "There is no camera.")
    engine.use_source("camera")
    wait_until(engine.take_notices)
    assert engine.status().source_note == "There is no camera."
    assert engine.status().source == "demo actor"
    stage.sources["camera"] = lambda: ScriptedSource(name="webcam", live=True)
    engine.use_source("camera")
    wait_until(lambda: engine.status().source == "webcam")
    assert engine.status().source_note == ""


def test_without_fallback_a_missing_source_fails(stage: Stage) -> None:
    engine = stage.engine("camera", fallback_to_actor=False)
    wait_for_state(engine, EngineState.FAILED)
    assert engine.status().error == "There is no camera."
    assert stage.opened == ["camera"]


def test_a_refused_source_leaves_the_old_one_playing(stage: Stage) -> None:
    engine = stage.engine("actor")
    wait_until(engine.latest)
    engine.use_source("nothing")
    wait_until(lambda: engine.status().notices)
    assert engine.take_notices() == ["There is no nothing."]
    before = len(stage.pipeline.processed)
    wait_until(lambda: len(stage.pipeline.processed) > before)
    assert engine.status().source == "demo actor"


def test_another_source_takes_over_with_new_tracks(stage: Stage) -> None:
    actors: list[ScriptedSource] = []

    def actor() -> FrameSource:
        actors.append(ScriptedSource(name="demo actor", live=True))
        return actors[-1]

    stage.sources |= {"actor": actor, "film": lambda: ScriptedSource(name="film")}
    engine = stage.engine("actor")
    wait_until(engine.latest)
    engine.use_source("film")
    wait_until(lambda: engine.status().source == "film")
    wait_until(lambda: len(stage.pipeline.resets) == 2)
    wait_until(actors[0].closed.is_set)


def test_one_camera_is_given_back_before_the_next_is_opened(stage: Stage) -> None:
    first = ScriptedSource(name="first", live=True)
    closed_in_time = []

    def second() -> FrameSource:
        closed_in_time.append(first.closed.is_set())
        return ScriptedSource(name="second", live=True)

    stage.sources |= {"camera:0": lambda: first, "camera:1": second}
    engine = stage.engine("camera:0")
    wait_until(engine.latest)
    engine.use_source("camera:1")
    wait_until(lambda: engine.status().source == "second")
    assert closed_in_time == [True]


def test_a_refused_camera_gives_way_to_the_one_before(stage: Stage) -> None:
    stage.sources["camera:0"] = lambda: ScriptedSource(name="first", live=True)
    engine = stage.engine("camera:0")
    wait_until(engine.latest)
    engine.use_source("camera:1")
    wait_until(lambda: stage.opened == ["camera:0", "camera:1", "camera:0"])
    wait_for_state(engine, EngineState.RUNNING)
    assert engine.status().source == "first"
    assert engine.take_notices() == ["There is no camera:1."]


def test_the_camera_that_plays_is_not_opened_twice(stage: Stage) -> None:
    stage.sources["camera:0"] = lambda: ScriptedSource(live=True)
    engine = stage.engine("camera:0")
    wait_for_state(engine, EngineState.RUNNING)
    engine.use_source("camera:0")
    before = len(stage.pipeline.processed)
    wait_until(lambda: len(stage.pipeline.processed) > before)
    assert stage.opened == ["camera:0"]


def test_a_file_ends_and_plays_again(stage: Stage) -> None:
    stage.sources["film"] = lambda: ScriptedSource(3)
    engine = stage.engine("film")
    wait_for_state(engine, EngineState.ENDED)
    assert engine.latest() is not None
    engine.use_source("film")
    wait_until(lambda: len(stage.pipeline.resets) == 2)
    wait_for_state(engine, EngineState.ENDED)


def test_a_source_that_breaks_off_fails_with_its_sentence(stage: Stage) -> None:
    stage.sources["film"] = lambda: ScriptedSource(3, fault=SourceError("The film is cut."))
    engine = stage.engine("film")
    wait_for_state(engine, EngineState.FAILED)
    assert engine.status().error == "The film is cut."
    engine.use_source("actor")
    wait_for_state(engine, EngineState.RUNNING)


def test_a_source_that_raises_anything_else_is_no_end_of_the_engine(stage: Stage) -> None:
    stage.sources["film"] = lambda: ScriptedSource(3, name="film", fault=KeyError("inside"))
    engine = stage.engine("film")
    wait_for_state(engine, EngineState.FAILED)
    assert engine.status().error.startswith("film stopped unexpectedly (KeyError: 'inside')")


def test_what_a_source_notices_is_passed_on_once(stage: Stage) -> None:
    film = ScriptedSource(10)
    film.notice = "The end is missing."
    stage.sources["film"] = lambda: film
    engine = stage.engine("film")
    wait_for_state(engine, EngineState.ENDED)
    assert engine.take_notices() == ["The end is missing."]


def test_model_and_finder_change_while_it_runs(stage: Stage) -> None:
    engine = stage.engine("actor")
    wait_until(engine.latest)
    engine.use_model("rich")
    engine.use_finder("hog")
    engine.use_landmarks("dlib")
    wait_until(lambda: ("landmarks", "dlib") in stage.pipeline.asked)
    assert engine.status().landmarks == "dlib"
    wait_until(lambda: stage.pipeline.finder is not None and stage.pipeline.finder.name == "hog")
    assert stage.pipeline.classifier is not None
    assert stage.pipeline.classifier.labels == engine.labels
    assert "contempt" in engine.labels
    assert (engine.status().model, engine.status().finder) == ("rich", "hog")


def test_a_refused_model_or_finder_leaves_the_old_one(stage: Stage) -> None:
    engine = stage.engine("actor")
    wait_until(engine.latest)
    engine.use_model("none")
    engine.use_finder("none")
    engine.use_landmarks("none")
    wait_until(lambda: len(engine.status().notices) == 3)
    assert engine.take_notices() == [
        "There is no model none.",
        "There is no finder none.",
        "There are no landmarks none.",
    ]
    assert engine.status().landmarks == "landmarks68"
    assert (engine.status().model, engine.status().finder) == ("plain", "haar")
    assert engine.status().state is EngineState.RUNNING
    assert engine.labels == ("neutral", "happiness")


def test_at_the_start_safe_parts_stand_in_for_refused_ones(stage: Stage) -> None:
    engine = stage.engine("actor", model="none", finder="none", landmarks="none")
    wait_until(engine.latest)
    assert (engine.status().model, engine.status().finder) == ("plain", "haar")
    model, finder, landmarks = engine.take_notices()
    assert model == "There is no model none; meanwhile plain is used."
    assert finder == "There is no finder none; meanwhile haar is used."
    assert landmarks == "There are no landmarks none; meanwhile landmarks68 is used."


def test_without_fallback_a_refused_model_fails(stage: Stage) -> None:
    engine = stage.engine("actor", model="none", fallback_to_actor=False)
    wait_for_state(engine, EngineState.FAILED)
    assert engine.status().error == "There is no model none."


def test_pausing_freezes_the_result_and_the_film(stage: Stage) -> None:
    film = ScriptedSource()
    stage.sources["film"] = lambda: film
    engine = stage.engine("film")
    wait_until(engine.latest)
    engine.set_paused(True)
    wait_for_state(engine, EngineState.PAUSED)
    time.sleep(0.3)  # what was under way arrives
    frozen, position = engine.latest(), film.handed_out
    time.sleep(0.2)
    assert engine.latest() is frozen
    assert film.handed_out == position
    engine.set_paused(False)
    wait_until(lambda: engine.latest() is not frozen)
    assert engine.status().state is EngineState.RUNNING


def test_speed_is_measured(stage: Stage) -> None:
    engine = stage.engine("actor")
    wait_until(lambda: engine.status().fps > 0)
    assert engine.status().latency_ms > 0


def test_stop_ends_every_thread(stage: Stage) -> None:
    engine = stage.engine("actor")
    wait_until(engine.latest)
    engine.stop()
    engine.stop()
    wait_until(lambda: not [t for t in threading.enumerate() if t.name.startswith("mien")])
    assert engine.latest() is not None


def test_stop_does_not_wait_for_a_read_that_hangs(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.live.engine.STOP_SECONDS", 0.2)
    camera = ScriptedSource(3, live=True, hangs=True)
    stage.sources["camera"] = lambda: camera
    engine = stage.engine("camera")
    wait_until(lambda: camera.handed_out == 3)
    engine.stop()
    assert not camera.closed.is_set()
    camera.released.set()
    wait_until(lambda: not [t for t in threading.enumerate() if t.name.startswith("mien")])
