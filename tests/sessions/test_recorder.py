"""A real engine is recorded: every frame of its source is a row or in the ledger."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.live.capture import whole_spec
from app.live.engine import EngineOptions, EngineState
from app.live.recorder import Recorder, RecordingOptions
from app.sessions.video import VideoOptions
from tests.sessions.stage import (
    Numbered,
    Stage,
    begin,
    everything,
    let_go,
    numbers,
    sessions,
    until,
)

Make = Callable[..., Any]


def test_every_frame_is_a_row_or_in_the_ledger(stage: Stage, tmp_path: Path) -> None:
    film = Numbered(120)
    stage.sources["film"] = film
    engine = stage.play("film")
    recorder = begin(engine, RecordingOptions(tmp_path))
    let_go(film)
    until(lambda: engine.status().state is EngineState.ENDED)
    assert recorder.close(30)
    (session,) = sessions(tmp_path)
    kept, dropped = numbers(session)
    assert everything(kept, dropped) == list(range(kept[0], 120))
    assert set(dropped) == {"overtaken", "failed"}
    assert all(index % 10 == 7 for index in dropped["failed"])
    assert not any(index % 10 == 7 for index in kept)
    assert session.frames["session_time"][0].as_py() == 0
    assert session.info["counts"]["dropped"] == {
        reason: len(indices) for reason, indices in dropped.items()
    }


def test_frames_of_a_paused_camera_are_in_the_ledger(stage: Stage, tmp_path: Path) -> None:
    camera = Numbered(80, hold=20)
    stage.sources["camera"] = camera
    engine = stage.play("camera")
    recorder = begin(engine, RecordingOptions(tmp_path))
    let_go(camera)
    until(lambda: (latest := engine.latest()) is not None and latest.frame.index > 15)
    engine.set_paused(True)
    let_go(camera)
    until(lambda: camera.handed_out > 50)
    engine.set_paused(False)
    until(lambda: engine.status().state is EngineState.ENDED)
    assert recorder.close(30)
    kept, dropped = numbers(sessions(tmp_path)[0])
    assert len(dropped["paused"]) >= 20
    assert everything(kept, dropped) == list(range(kept[0], 80))


def test_a_lost_camera_goes_on_in_the_same_session(stage: Stage, tmp_path: Path) -> None:
    stage.sources["camera"] = camera = Numbered(10, lost=True)
    engine = stage.play("camera")
    recorder = begin(engine, RecordingOptions(tmp_path))
    stage.sources["camera"] = again = Numbered(10)
    let_go(again)  # it is played as soon as the first is lost
    let_go(camera)
    until(lambda: engine.status().state is EngineState.ENDED)
    assert recorder.close(30)
    (session,) = sessions(tmp_path)
    kept, dropped = numbers(session)
    assert dropped.pop("camera lost") == dropped.pop("camera back") == [None]
    assert everything(kept, dropped) == list(range(kept[0], 20))


def test_another_source_or_model_begins_another_session(stage: Stage, tmp_path: Path) -> None:
    stage.pipeline.seconds = 0.0
    films = [Numbered(40), Numbered(40), Numbered(40)]
    stage.sources |= dict(zip(("one", "two", "three"), films, strict=True))
    engine = stage.play("one")
    recorder = begin(engine, RecordingOptions(tmp_path, title="P/07"))
    let_go(films[0])
    until(lambda: engine.status().state is EngineState.ENDED)
    engine.use_source("two")
    let_go(films[1])
    until(lambda: films[1].handed_out == 40 and engine.status().state is EngineState.ENDED)
    engine.use_model("rich")
    until(lambda: len(engine.labels) == 3)
    engine.use_source("three")
    let_go(films[2])
    until(lambda: films[2].handed_out == 40 and engine.status().state is EngineState.ENDED)
    assert recorder.close(30)
    found = sessions(tmp_path)
    assert len(recorder.take_saved()) == len(found) == 3
    assert [session.info["source"]["spec"] for session in found] == ["one", "two", "three"]
    assert [len(session.labels) for session in found] == [2, 2, 3]
    assert [session.info["model"]["name"] for session in found] == ["plain", "plain", "rich"]
    for session in found:
        kept, dropped = numbers(session)
        assert session.path.name.endswith((" P_07", " P_07_2", " P_07_3"))
        assert everything(kept, dropped) == list(range(kept[0], 40))
        assert session.frames["session_time"][0].as_py() == 0


def test_what_a_session_says_of_itself(stage: Stage, tmp_path: Path) -> None:
    stage.sources["film"] = film = Numbered(5)
    engine = stage.play("film")
    options = RecordingOptions(
        tmp_path, title="P07", consent={"text": "I agree.", "answer": "agreed"},
        settings={"overlays": ["boxes"]}, video=VideoOptions(("raw",), blur=True),
    )  # fmt: skip
    recorder = begin(engine, options)
    assert recorder.active
    assert recorder.mark("1", "before the first frame")
    let_go(film)
    until(lambda: recorder.status().frames >= 1)
    assert recorder.mark("note", "it begins")
    status = recorder.status()
    assert status.active
    assert status.folder is not None
    before = json.loads((status.folder / "session.json").read_text())
    assert before["state"] == "recording"
    assert recorder.close(30)
    (session,) = sessions(tmp_path)
    info = session.info
    assert info["program"]["name"] == "Mien"
    assert info["source"] | {"name": "numbered", "frame_width": 8, "fps": 200.0} == info["source"]
    assert info["model"]["name"] == "plain"
    assert (info["finder"], info["title"]) == (EngineOptions().finder, "P07")
    assert info["consent"] == {"text": "I agree.", "answer": "agreed"}
    assert info["settings"] == {"overlays": ["boxes"]}
    assert info["landmarks"] == engine.status().landmarks != ""
    assert info["video"]["files"] == {"raw": "video.mkv"}
    assert info["video"]["blur"]
    assert session.markers["text"].to_pylist() == ["before the first frame", "it begins"]
    assert session.markers["session_time"][0].as_py() == 0
    assert recorder.take_saved() == [session.path]
    assert not recorder.status().active


def test_a_recording_can_be_ended_and_begun_again(stage: Stage, tmp_path: Path) -> None:
    stage.sources["film"] = film = Numbered(10_000)
    recorder = Recorder(stage.play("film"))
    let_go(film)
    for count in (1, 2):
        recorder.start(RecordingOptions(tmp_path))
        until(lambda: recorder.status().frames > 3)
        assert recorder.close(30)
        assert len(sessions(tmp_path)) == count
    first, second = sessions(tmp_path)
    assert max(numbers(first)[0]) < min(numbers(second)[0])


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere every name is text")
def test_a_source_whose_name_is_not_text_is_recorded(stage: Stage, tmp_path: Path) -> None:
    name = "caf\udce9.mp4"
    stage.sources[name] = film = Numbered(5)
    film.name = name
    recorder = begin(stage.play(name), RecordingOptions(tmp_path))
    let_go(film)
    until(lambda: recorder.status().frames >= 1)
    assert recorder.close(30)
    (session,) = sessions(tmp_path)
    assert session.info["source"]["name"] == name


def test_a_file_is_named_so_that_it_is_found_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("film.mp4").touch()
    assert whole_spec("film.mp4") == str(tmp_path / "film.mp4")
    assert whole_spec("camera:1") == "camera:1"
    Path("camera").mkdir()
    assert whole_spec("camera") == "camera", "as `open_source` takes it"
    assert whole_spec("./camera") == str(tmp_path / "camera")
