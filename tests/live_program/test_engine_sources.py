"""How the engine opens, loses, changes and closes sources."""

from __future__ import annotations

import threading
import time
from typing import Any

import numpy as np
import pytest

from app.errors import CameraLost, SourceError
from app.live.capture import Capture
from app.live.engine import EngineOptions, EngineState
from app.live.makers import real_makers
from app.sources.base import CameraInfo, FrameSource
from tests.live_program.scripted import Deaf, ScriptedSource, Stage, wait_for_state, wait_until


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


def test_a_lost_camera_is_tried_at_once_when_asked_for(stage: Stage) -> None:
    sources: list[FrameSource] = [
        ScriptedSource(live=True),
        ScriptedSource(2, live=True, fault=CameraLost("The camera is gone.")),
    ]
    stage.sources["camera"] = lambda: sources.pop()
    engine = stage.engine("camera", retry_seconds=3600.0)
    wait_for_state(engine, EngineState.LOST)
    wait_until(engine.latest)
    generation = engine.generation
    engine.try_again("film")
    wait_for_state(engine, EngineState.RUNNING)
    assert sources == []
    assert (engine.generation, stage.opened) == (generation, ["camera", "camera"])
    engine.try_again("film")
    wait_until(lambda: stage.opened[-1] == "film")


class Plugged:
    """Be an open camera that sends pictures while it is listed."""

    def __init__(self, index: int, cameras: list[CameraInfo]) -> None:
        self._index = index
        self._cameras = cameras

    def isOpened(self) -> bool:
        return True

    def read(self) -> tuple[bool, Any]:
        time.sleep(0.001)
        there = any(camera.index == self._index for camera in self._cameras)
        return there, np.zeros((8, 8, 3), np.uint8)

    def get(self, prop: int, /) -> float:
        return 0.0

    def set(self, prop: int, value: float, /) -> bool:
        return True

    def release(self) -> None: ...


def test_no_other_camera_takes_the_place_of_a_lost_one(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    lens, built_in = CameraInfo(0, "Lens"), CameraInfo(1, "Built-in")
    cameras = [lens, built_in]
    asked: list[int] = []

    def listed() -> list[CameraInfo]:
        asked.append(len(cameras))
        return list(cameras)

    monkeypatch.setattr("app.sources.camera.system_cameras", listed)
    monkeypatch.setattr("cv2.VideoCapture", lambda index, _: Plugged(index, cameras))
    monkeypatch.setattr(stage, "_source", real_makers(EngineOptions()).source)
    engine = stage.engine("camera", retry_seconds=0.01)
    wait_until(engine.latest)
    generation = engine.generation
    cameras.remove(lens)
    wait_for_state(engine, EngineState.LOST)
    tries = len(asked) + 5
    wait_until(lambda: len(asked) >= tries)
    assert engine.status().state is EngineState.LOST
    cameras.append(CameraInfo(4, "Lens"))
    last = engine.latest()
    wait_until(lambda: engine.latest() is not last)
    assert (engine.status().source, engine.generation) == ("Lens", generation)


def test_another_camera_chosen_for_a_lost_one_is_another_source(stage: Stage) -> None:
    lost = ScriptedSource(2, name="Lens", live=True, fault=CameraLost("The camera is gone."))
    sources: list[FrameSource] = [ScriptedSource(name="Built-in", live=True), lost]

    def camera() -> FrameSource:
        if len(sources) != 1 or chosen.is_set():
            return sources.pop()
        raise SourceError("It is not there.")

    chosen = threading.Event()
    stage.sources["camera:0"] = camera
    engine = stage.engine("camera:0", retry_seconds=3600.0)
    wait_for_state(engine, EngineState.LOST)
    generation = engine.generation
    engine.use_source("camera:0")
    wait_until(engine.take_notices)
    assert engine.status().state is EngineState.LOST, "one that is refused ends no waiting"
    chosen.set()
    engine.use_source("camera:0")
    wait_until(lambda: engine.generation > generation)
    assert engine.status().source == "Built-in"


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


def test_a_camera_that_was_given_up_while_it_waited_is_not_opened() -> None:
    hanging, going = ScriptedSource(0, live=True, hangs=True), threading.Event()
    opened: list[str] = []

    def camera(spec: str, _camera: str) -> FrameSource:
        opened.append(spec)
        return hanging if spec == "camera:0" else ScriptedSource(live=True)

    first = Capture("camera:0", camera, Deaf(), going=going)
    second = Capture("camera:1", camera, Deaf(), going=going, predecessors=[first])
    first.start()
    wait_until(lambda: opened)
    second.start()
    wait_until(lambda: first.stopping)
    second.stop()
    wait_until(lambda: not second.alive)
    assert opened == ["camera:0"]
    hanging.released.set()
    assert first.join(10)


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
