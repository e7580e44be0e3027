"""The engine's threads, on scripted parts."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from app.live.capture import Capture
from app.live.engine import Engine, EngineOptions, EngineState
from app.live.parts import LoadedClassifier
from app.messages import Frame
from app.sources.base import FrameSource
from models.runtime.base_rates import AS_MEASURED, BaseRates
from models.runtime.card import ModelError
from tests.live_program.scripted import (
    Deaf,
    ScriptedClassifier,
    ScriptedSource,
    Stage,
    wait_for_state,
    wait_until,
)


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
    assert (status.model, status.finder) == ("plain", EngineOptions().finder)
    assert status.provider == "CPU"
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
        lambda: engine.use_base_rates(BaseRates.parse("neutral=2")),
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
    results = [engine.take(10) for _ in range(9)]
    indices = [result.frame.index for result in results if result]
    assert indices == [0, 1, 2, 4, 5, 6, 7, 8, 9], "it has no result, not one without a face"
    assert engine.status().failed == 1
    (notice,) = engine.take_notices()
    assert "a bad frame" in notice
    assert engine.take_notices() == []


def test_a_bad_frame_of_a_camera_is_a_picture_all_the_same(stage: Stage) -> None:
    stage.pipeline.bad = lambda index: True
    engine = stage.engine("actor")
    wait_until(engine.latest)


def test_a_listener_that_fails_at_a_dropped_frame_ends_nothing(stage: Stage) -> None:
    def failing(index: int | None, time: float, reason: str) -> None:
        raise ValueError("no room")

    heard: list[int | None] = []
    stage.pipeline.bad = lambda index: index == 1
    stage.sources["film"] = lambda: ScriptedSource(3)
    stage.pipeline.gate.clear()
    engine = stage.engine("film", paced=False)
    engine.add_drop_listener(failing)
    engine.add_drop_listener(lambda index, time, reason: heard.append(index))
    stage.pipeline.gate.set()
    assert [result.frame.index for _ in range(2) if (result := engine.take(10))] == [0, 2]
    assert heard == [1]
    assert any("failed at a frame (ValueError: no room)" in said for said in engine.take_notices())


def test_a_change_that_fails_is_said_and_the_picture_goes_on(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_track: int) -> None:
        raise ValueError("nobody there")

    monkeypatch.setattr(stage.pipeline, "calibrate", broken)
    engine = stage.engine("actor")
    wait_until(engine.latest)
    engine.calibrate(1)
    wait_until(lambda: engine.status().notices)
    assert "could not be processed (ValueError: nobody there)" in engine.take_notices()[0]
    seen = engine.latest()
    assert seen is not None
    wait_until(lambda: (now := engine.latest()) and now.frame.index > seen.frame.index)


def test_one_fault_on_every_frame_is_said_twice_at_most(stage: Stage) -> None:
    stage.pipeline.bad = lambda index: True
    stage.sources["film"] = lambda: ScriptedSource(100, pause=0)
    engine = stage.engine("film", paced=False)
    wait_until(lambda: engine.status().failed == 100)
    assert engine.take(0) is None
    notices = engine.take_notices()
    assert len(notices) == 2
    assert "in a row" in notices[1]


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
    assert (engine.status().model, engine.status().finder) == ("plain", "mien")
    assert engine.status().state is EngineState.RUNNING
    assert engine.labels == ("neutral", "happiness")


def rates_of(classifier: object) -> object:
    return getattr(classifier, "base_rates", None)


def test_base_rates_change_while_it_runs_and_hold_for_other_models(stage: Stage) -> None:
    rates = BaseRates.parse("happiness=2")
    engine = stage.engine("actor", base_rates=rates)
    wait_until(engine.latest)
    assert engine.status().base_rates == rates
    assert rates_of(stage.pipeline.classifier) == rates
    engine.use_second("rich")
    wait_until(lambda: rates_of(stage.pipeline.second) == rates)
    engine.use_base_rates(AS_MEASURED)
    wait_until(lambda: rates_of(stage.pipeline.second) == AS_MEASURED)
    assert rates_of(stage.pipeline.classifier) == AS_MEASURED
    engine.use_base_rates(BaseRates(even=True))
    wait_until(lambda: engine.status().notices)
    assert engine.take_notices() == ["The plain model does not know its base rates."]
    assert engine.status().base_rates == AS_MEASURED
    engine.use_model("rich")
    wait_until(lambda: engine.status().model == "rich")
    assert engine.status().base_rates == AS_MEASURED, "what was refused is not wanted any more"


def test_at_the_start_safe_parts_stand_in_for_refused_ones(stage: Stage) -> None:
    engine = stage.engine("actor", model="none", finder="none", landmarks="none")
    wait_until(engine.latest)
    assert (engine.status().model, engine.status().finder) == ("plain", "haar")
    model, finder, landmarks = engine.take_notices()
    assert model == "There is no model none; meanwhile plain is used."
    assert finder == "There is no finder none; meanwhile haar is used."
    assert landmarks == "There are no landmarks none; meanwhile landmarks68 is used."


def test_a_model_that_refuses_the_base_rates_goes_by_its_own(stage: Stage) -> None:
    engine = stage.engine("actor", model="plain", base_rates=BaseRates(even=True))
    wait_until(engine.latest)
    assert (engine.status().model, engine.status().base_rates) == ("plain", AS_MEASURED)
    assert engine.take_notices() == [
        "The plain model does not know its base rates; meanwhile the base rates as measured are "
        "used."
    ]
    engine.use_model("rich")
    wait_until(lambda: engine.status().model == "rich")
    assert engine.status().base_rates == AS_MEASURED


def test_without_fallback_a_refused_model_fails(stage: Stage) -> None:
    engine = stage.engine("actor", model="none", fallback_to_actor=False)
    wait_for_state(engine, EngineState.FAILED)
    assert engine.status().error == "There is no model none."


@pytest.mark.parametrize(
    ("refused", "choose"),
    [
        ({"model": "none"}, lambda engine: engine.use_model("rich")),
        ({"finder": "none"}, lambda engine: engine.use_finder("hog")),
        ({"landmarks": "none"}, lambda engine: engine.use_landmarks("dlib")),
    ],
)
def test_another_part_helps_where_one_was_refused_at_the_start(
    stage: Stage, refused: dict[str, str], choose: Callable[[Engine], None]
) -> None:
    engine = stage.engine("actor", fallback_to_actor=False, **refused)
    wait_for_state(engine, EngineState.FAILED)
    choose(engine)
    wait_for_state(engine, EngineState.RUNNING)
    wait_until(engine.latest)
    assert engine.status().error == ""


def test_what_was_refused_at_the_start_is_tried_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    sentences = ["It is damaged.", "It is damaged still."]

    def classifier(_name: str, _rates: BaseRates) -> LoadedClassifier:
        if sentences:
            raise ModelError(sentences.pop(0))
        return ScriptedClassifier()

    monkeypatch.setattr(stage, "_classifier", classifier)
    engine = stage.engine("actor")
    wait_until(lambda: engine.status().error == "It is damaged.")
    engine.try_again("actor")
    wait_until(lambda: engine.status().error == "It is damaged still.")
    engine.try_again("actor")
    wait_for_state(engine, EngineState.RUNNING)
    assert engine.status().error == ""


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


class LetGo(ScriptedSource):
    """Hand out each frame when it is let go, and note for how long it was held back."""

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self.go = threading.Semaphore(0)
        self.delays: list[float] = []

    def read(self) -> Frame | None:
        self.go.acquire(timeout=30)
        return super().read()

    def delay(self, seconds: float) -> None:
        self.delays.append(seconds)


def test_a_picture_that_is_read_as_a_pause_begins_comes_after_it(stage: Stage) -> None:
    film = LetGo(2)
    stage.sources["film"] = lambda: film
    engine = stage.engine("film")
    dropped: list[str] = []
    engine.add_drop_listener(lambda index, time, reason: dropped.append(reason))
    film.go.release()
    wait_until(engine.latest)
    engine.set_paused(True)
    film.go.release(2)
    wait_until(lambda: film.handed_out == 2)
    time.sleep(0.1)  # in which it would be thrown away
    assert stage.pipeline.processed == [0]
    engine.set_paused(False)
    wait_for_state(engine, EngineState.ENDED)
    assert (stage.pipeline.processed, dropped) == ([0, 1], [])


def test_a_file_hears_for_how_long_its_frame_was_held_back(stage: Stage) -> None:
    film, going = LetGo(1), Waited()
    film.go.release(2)
    capture = Capture("film", lambda spec, camera: film, Deaf(), going=going)
    capture.start()
    wait_until(going.asked.is_set)
    shown = time.monotonic()
    going.set()
    wait_until(lambda: capture.over)
    captured = capture.frames.take(0)
    assert captured is not None
    assert captured.frame.captured_at >= shown, "it is taken when it is shown"
    assert len(film.delays) == 1


class Waited(threading.Event):
    """Note that somebody waits."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = threading.Event()

    def wait(self, timeout: float | None = None) -> bool:
        self.asked.set()
        return super().wait(timeout)


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
