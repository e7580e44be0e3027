"""A real engine is recorded: every frame of its source is a row or in the ledger."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from app.errors import CameraLost, SessionError
from app.faces.base import FaceFinder
from app.live.capture import whole_spec
from app.live.engine import Engine, EngineOptions, EngineState
from app.live.parts import FramePipeline, LoadedClassifier, Makers
from app.live.recorder import Recorder, RecordingOptions
from app.live.status import EngineStatus
from app.messages import Calibration, Face, Frame, FrameResult
from app.sessions.folder import Session, open_session
from app.sessions.video import VideoOptions
from app.sources.base import FrameSource
from models.runtime.prediction import Classifier, Prediction
from tests.sessions.conftest import START

Make = Callable[..., Any]


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

    def _classifier(self, name: str) -> LoadedClassifier:
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


@pytest.fixture
def stage() -> Iterator[Stage]:
    stage = Stage()
    yield stage
    if stage.engine is not None:
        stage.engine.stop()


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


def test_every_frame_is_a_row_or_in_the_ledger(stage: Stage, tmp_path: Path) -> None:
    film = Numbered(120)
    stage.sources["film"] = film
    engine = stage.play("film")
    recorder = Recorder(engine)
    recorder.start(RecordingOptions(tmp_path))
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
    recorder = Recorder(engine)
    recorder.start(RecordingOptions(tmp_path))
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
    recorder = Recorder(engine)
    recorder.start(RecordingOptions(tmp_path))
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
    recorder = Recorder(engine)
    recorder.start(RecordingOptions(tmp_path, title="P/07"))
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
    recorder = Recorder(engine)
    options = RecordingOptions(
        tmp_path, title="P07", consent={"text": "I agree.", "answer": "agreed"},
        settings={"overlays": ["boxes"]}, video=VideoOptions(("raw",), blur=True),
    )  # fmt: skip
    recorder.start(options)
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


def test_only_the_writer_s_thread_asks_the_disk_for_room(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: set[str] = set()

    def disk_usage(_: Path) -> SimpleNamespace:
        asked.add(threading.current_thread().name)
        return SimpleNamespace(free=5_000_000_000)

    stage.sources["film"] = film = Numbered(10_000)
    recorder = Recorder(stage.play("film"))
    recorder.start(RecordingOptions(tmp_path))
    monkeypatch.setattr("shutil.disk_usage", disk_usage)
    let_go(film)
    until(lambda: recorder.status().free)
    assert recorder.status().free == 5_000_000_000
    assert recorder.close(30)
    assert asked == {"mien-session"}, "whoever asks may wait for the disk"


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


@pytest.mark.parametrize("ended", [False, True])
def test_nobody_waits_while_what_writes_tables_is_loaded(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ended: bool
) -> None:
    loaded = threading.Event()
    monkeypatch.setattr("app.live.recorder._WRITER", "app.sessions.not_loaded")
    monkeypatch.setattr("app.live.recorder.import_module", lambda _: loaded.wait(20))
    film = Numbered(40)
    stage.sources["film"] = film
    engine = stage.play("film")
    recorder = Recorder(engine)
    recorder.start(RecordingOptions(tmp_path))
    assert recorder.active
    assert recorder.mark("1")
    assert recorder.status().folder is None
    if ended:
        recorder.stop()
    loaded.set()
    loader = [one for one in threading.enumerate() if one.name == "mien-recorder-load"]
    for thread in loader:
        thread.join(20)
    let_go(film)
    until(lambda: engine.status().state is EngineState.ENDED)
    assert recorder.close(30)
    found = sessions(tmp_path)
    assert len(found) == (0 if ended else 1)
    for session in found:
        assert session.markers.to_pylist()[0]["key"] == "1"


def test_a_folder_that_cannot_be_used_is_said_at_once(stage: Stage, tmp_path: Path) -> None:
    recorder = Recorder(stage.play("actor"))
    (tmp_path / "file").write_text("")
    with pytest.raises(SessionError, match="Recordings cannot be kept in"):
        recorder.start(RecordingOptions(tmp_path / "file"))
    assert not recorder.active


def test_markers_of_a_recording_without_a_frame_are_said_to_be_lost(
    stage: Stage, tmp_path: Path
) -> None:
    stage.sources["film"] = Numbered(5)
    recorder = Recorder(stage.play("film"))
    recorder.start(RecordingOptions(tmp_path))
    recorder.mark("note", "nobody there")
    recorder.stop()
    assert recorder.take_notices() == [
        "No frame came, so nothing was recorded and the markers are not kept."
    ]
    assert list(tmp_path.iterdir()) == []


def test_a_neutral_face_is_marked_only_when_it_was_measured(
    tmp_path: Path, face: Make, frame: Make
) -> None:
    listeners: list[Callable[[FrameResult], None]] = []
    engine: Any = SimpleNamespace(
        labels=(),
        card=None,
        generation=1,
        status=lambda: EngineStatus(EngineState.RUNNING),
        source_facts=dict,
        add_listener=listeners.append,
        remove_listener=lambda listener: None,
        add_drop_listener=lambda listener: None,
        remove_drop_listener=lambda listener: None,
    )
    recorder = Recorder(engine)
    recorder.start(RecordingOptions(tmp_path))
    measured = np.array([0.6, 0.3, 0.1], np.float32)
    given_up = Calibration(0.0, "The face was not at rest.", given_up=True)
    stands = [Calibration(0.9), None, Calibration(0.1), given_up, given_up, None]
    for index, calibration in enumerate(stands):
        corrected = measured if index else None
        shown = face(2, corrected=corrected, calibration=calibration)
        listeners[0](frame(index, shown, after=time.monotonic() - START.monotonic))
    assert recorder.close(30)
    (session,) = sessions(tmp_path)
    marks = session.markers.to_pylist()
    assert [(mark["key"], mark["text"]) for mark in marks] == [("neutral", "face 2")]
    at = session.frames["session_time"][1].as_py()
    assert marks[0]["session_time"] == pytest.approx(at, abs=1e-6)


def test_what_keeps_a_session_from_beginning_ends_the_recording(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.sources["film"] = film = Numbered(200)
    recorder = Recorder(stage.play("film"))

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr("app.sessions.writer.SessionWriter._open", broken)
    recorder.start(RecordingOptions(tmp_path))
    let_go(film)
    until(lambda: not recorder.active)
    assert recorder.take_notices() == [
        "The recording could not begin (a defect); try again with another name, folder or source."
    ]
    assert not recorder.status().saving


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere every name is text")
def test_a_source_whose_name_is_not_text_is_recorded(stage: Stage, tmp_path: Path) -> None:
    name = "caf\udce9.mp4"
    stage.sources[name] = film = Numbered(5)
    film.name = name
    recorder = Recorder(stage.play(name))
    recorder.start(RecordingOptions(tmp_path))
    let_go(film)
    until(lambda: recorder.status().frames >= 1)
    assert recorder.close(30)
    (session,) = sessions(tmp_path)
    assert session.info["source"]["name"] == name


def test_a_recording_that_the_disk_ends_is_over_and_said(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.sources["film"] = film = Numbered(10_000)
    recorder = Recorder(stage.play("film"))
    recorder.start(RecordingOptions(tmp_path))
    let_go(film)
    until(lambda: recorder.status().frames > 3)
    monkeypatch.setattr("app.sessions.writer.SessionWriter._check_space", _full)
    until(lambda: not recorder.status().active)
    until(lambda: not recorder.status().saving)
    assert recorder.take_notices() == ["The disk is full."]
    assert sessions(tmp_path)[0].info["why"] == "The disk is full."


def _full(writer: Any) -> None:
    writer._give_up("The disk is full.")


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
