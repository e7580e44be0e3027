"""How the engine opens, loses, changes and closes sources."""

from __future__ import annotations

import threading

from app.errors import CameraLost, SourceError
from app.live.engine import EngineState
from app.sources.base import FrameSource
from tests.live_program.scripted import ScriptedSource, Stage, wait_for_state, wait_until


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
