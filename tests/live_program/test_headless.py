"""fer-app without a window."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import app
from app import main as fer_app
from app.cli.headless import run_headless
from app.errors import CameraLost, SourceError
from app.faces.landmarks import Landmarker, make_landmarker
from app.live import engine as engine_module
from app.live.engine import EngineOptions
from app.live.makers import real_makers
from app.live.parts import LoadedClassifier, Makers
from app.live.pipeline import Pipeline
from app.messages import Frame, FrameResult
from app.sources.base import FrameSource
from models.runtime.base_rates import BaseRates
from models.runtime.card import ModelError
from models.runtime.prediction import Prediction
from tests.live_program.test_calls import Server

ROOT = Path(app.__file__).parent.parent


class CertainClassifier:
    """Call every face happy, so that no bundled model is needed."""

    provider = "CPU"
    input_size = 48
    input_field = 48
    labels = ("neutral", "happiness")

    def classify(self, crops: Sequence[NDArray[np.uint8]]) -> list[Prediction]:
        return [Prediction(np.array([0.25, 0.75], np.float32), self.labels) for _ in crops]


def load_classifier(name: str, _: BaseRates) -> LoadedClassifier:
    if name == "missing":
        raise ModelError("expected a model, found none under missing")
    return CertainClassifier()


@cache
def landmarker(_name: str) -> Landmarker:
    """Return the one landmarker of these tests."""
    return make_landmarker()


def makers_for_tests(options: EngineOptions) -> Makers:
    return replace(real_makers(options), classifier=load_classifier, landmarker=landmarker)


@pytest.fixture(autouse=True)
def one_certain_classifier(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "real_makers", makers_for_tests)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of five gray images."""
    for number in range(5):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((120, 160, 3), 90, np.uint8))
    return tmp_path


def records(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_every_image_of_a_folder_gives_one_object(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fer_app.main(["--source", str(folder), "--headless", "--json"]) == 0
    found = capsys.readouterr()
    assert found.err == ""
    lines = records(found.out)
    assert [line["frame"] for line in lines] == [0, 1, 2, 3, 4]
    assert [line["caption"] for line in lines] == [f"{number}.png" for number in range(5)]
    assert all(line["faces"] == [] for line in lines)
    assert set(lines[0]["ms"]) >= {"capture", "find", "landmarks", "classify", "total"}
    assert lines[0]["ms"]["capture"] > 0


def test_a_frame_that_failed_has_no_line_and_is_noted(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    process = Pipeline.process

    def failing(pipeline: Pipeline, frame: Frame) -> FrameResult:
        if frame.index == 2:
            raise ValueError("a bad frame")
        return process(pipeline, frame)

    monkeypatch.setattr(Pipeline, "process", failing)
    assert fer_app.main(["--source", str(folder), "--headless", "--json"]) == 0
    found = capsys.readouterr()
    assert [line["frame"] for line in records(found.out)] == [0, 1, 3, 4]
    assert found.err.startswith("note: A frame could not be processed (ValueError: a bad frame)")


def test_the_actor_gets_label_box_and_landmarks(capsys: pytest.CaptureFixture[str]) -> None:
    assert fer_app.main(["--source", "actor", "--headless", "--json", "--frames", "3"]) == 0
    lines = records(capsys.readouterr().out)
    assert len(lines) == 3
    (face,) = lines[-1]["faces"]
    assert (face["label"], face["confidence"]) == ("happiness", 0.75)
    assert face["probabilities"]["smooth"] == {"neutral": 0.25, "happiness": 0.75}
    assert len(face["landmarks"]) == 68
    left, top, width, height = face["box"]
    assert 0 < left < left + width < 640
    assert 0 < top < top + height < 480
    assert face["id"] == 1


def test_frames_stops_early_and_lines_are_for_people_without_json(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fer_app.main(["--source", str(folder), "--headless", "--frames", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[1].split()[0] == "1"
    assert lines[1].endswith("no face")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--json"], "--headless"),
        (["--frames", "3"], "--headless"),
        (["--headless", "--frames", "0"], "from 1 up"),
        (["--headless", "--frames", "many"], "from 1 up"),
        (["--finder", "eyes"], "haar"),
        (["--headless", "--finder", "haar", "--yunet", "x.onnx"], "--finder yunet"),
        (["--headless", "--finder", "yunet", "--source", "actor"], "yunet"),
        (["--headless", "--yunet", "nowhere.onnx", "--source", "actor"], "nowhere.onnx"),
        (["--headless", "--source", "nowhere.mp4"], "nowhere.mp4"),
        (["--headless", "--source", "camera:"], "camera:"),
        (["--headless", "--source", "~no-such-user-here/x.mp4"], "is no usable path"),
        (["--headless", "--source", "x" * 5000], "is no usable path"),
        (["--headless", "--source", ""], "No source was given"),
        (["--headless", "--source", "actor", "--model", "missing"], "missing"),
        (["--nonsense"], "--nonsense"),
    ],
)
def test_what_cannot_run_is_one_sentence_and_status_2(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        status: object = fer_app.main(arguments)
    except SystemExit as ended:
        status = ended.code
    found = capsys.readouterr()
    assert status == 2
    assert found.out == ""
    assert found.err.startswith("error: ")
    assert found.err.count("\n") == 1
    assert words in found.err


def test_a_folder_without_images_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fer_app.main(["--headless", "--source", str(tmp_path)]) == 2
    assert "has no images" in capsys.readouterr().err


def test_a_skipped_image_is_a_note_beside_the_lines(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "2.png").write_bytes(b"no picture")
    assert fer_app.main(["--source", str(folder), "--headless", "--json"]) == 0
    found = capsys.readouterr()
    assert len(records(found.out)) == 4
    assert found.err.startswith('note: "2.png"')


class ClosedPipe(io.StringIO):
    def write(self, text: str) -> int:
        raise BrokenPipeError


def test_a_reader_that_leaves_ends_the_run_quietly(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = EngineOptions(source=str(folder), paced=False)
    assert run_headless(options, as_json=True, out=ClosedPipe()) == 0
    assert capsys.readouterr().err == ""


def test_of_an_unsure_face_the_likeliest_label_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(CertainClassifier, "unsure_below", 0.9, raising=False)
    out = io.StringIO()
    options = EngineOptions(source="actor", paced=False)
    assert run_headless(options, frames=3, out=out) == 0
    assert out.getvalue().count("#1 unsure · happiness 75 %") == 3


class Interrupted(io.StringIO):
    def write(self, text: str) -> int:
        raise KeyboardInterrupt


def test_ctrl_c_is_quiet_and_leaves_no_thread(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = EngineOptions(source=str(folder), paced=False)
    assert run_headless(options, out=Interrupted()) == 130
    assert capsys.readouterr().err == ""
    assert not [t for t in threading.enumerate() if t.name.startswith("mien")]


class FlakyCamera(FrameSource):
    name = "flaky"
    live = True
    fps = None

    def __init__(self, count: int = 3) -> None:
        self._left = self._count = count

    def read(self) -> Frame | None:
        if not self._left:
            raise CameraLost("The camera is gone.")
        self._left -= 1
        time.sleep(0.01)
        index = self._count - 1 - self._left
        return Frame(np.zeros((120, 160, 3), np.uint8), index, time.monotonic())

    def close(self) -> None:
        pass


def test_a_lost_camera_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def makers(options: EngineOptions) -> Makers:
        return replace(makers_for_tests(options), source=lambda spec, camera: FlakyCamera())

    monkeypatch.setattr(engine_module, "real_makers", makers)
    out = io.StringIO()
    options = EngineOptions(source="camera", fallback_to_actor=False, retry_seconds=0.01)
    assert run_headless(options, frames=8, as_json=True, out=out) == 0
    indices = [line["frame"] for line in records(out.getvalue())]
    assert len(indices) == 8
    assert indices == sorted(set(indices))


def test_losing_a_camera_and_having_it_back_are_each_said_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    err = io.StringIO()
    cameras = [FlakyCamera(1000), FlakyCamera(3)]
    deadline = time.monotonic() + 10

    def source(_spec: str, _camera: str) -> FrameSource:
        if len(cameras) == 1 and not err.getvalue() and time.monotonic() < deadline:
            raise SourceError("It is not there.")
        return cameras.pop()

    def makers(options: EngineOptions) -> Makers:
        return replace(makers_for_tests(options), source=source)

    monkeypatch.setattr(engine_module, "real_makers", makers)
    monkeypatch.setattr(sys, "stderr", err)
    options = EngineOptions(source="camera", fallback_to_actor=False, retry_seconds=0.01)
    assert run_headless(options, frames=12, out=io.StringIO()) == 0
    assert err.getvalue().splitlines() == ["note: The camera is gone.", "note: flaky is back."]


def test_a_trigger_calls_an_address(capsys: pytest.CaptureFixture[str]) -> None:
    server = Server()
    words = ["--source", "actor", "--headless", "--frames", "3"]
    triggers = [f"happiness,70,0={server.address}/smile", "happiness,80,0=marker:1"]
    for trigger in triggers:
        words += ["--trigger", trigger]
    assert fer_app.main(words) == 0
    server.close()
    ((path, _, body),) = server.got
    assert (path, body["label"], body["face_id"], body["confidence"]) == (
        "/smile", "happiness", 1, 0.75,
    )  # fmt: skip
    said = capsys.readouterr().err.splitlines()
    assert f"note: {triggers[0]} calls an address, and what it sends stays on this computer" in said
    assert f"note: {triggers[1]} sets a marker, which reaches nobody: no stream is on" in said
    assert "note: happiness,70,0 fired 1 time" in said
    assert not [line for line in said if line.startswith("note: calls")]


def test_an_address_where_nobody_is_is_said_and_stops_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    server = Server()
    server.close()
    trigger = f"face,,0=http://me:s3cret@127.0.0.1:{server.port}/"
    words = ["--source", "actor", "--headless", "--frames", "3", "--trigger", trigger]
    assert fer_app.main(words) == 0
    found = capsys.readouterr()
    assert len(found.out.splitlines()) == 3
    assert found.err.count("nobody answers there") == 1
    assert "note: calls: 0 sent, 1 failed, 0 dropped" in found.err.splitlines()
    assert "s3cret" not in found.err


def test_what_is_no_trigger_is_one_sentence_and_status_2(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert fer_app.main(["--source", "actor", "--headless", "--trigger", "joy,70,1=marker:1"]) == 2
    assert 'found "joy"; choose one of them.' in capsys.readouterr().err


def test_without_a_window_neither_qt_nor_torch_is_needed(folder: Path) -> None:
    script = """
import runpy, sys
for name in ("PySide6", "torch"):
    sys.modules[name] = None  # an import of it fails from here on
from app.live import engine
stub = runpy.run_path(sys.argv[1])
engine.real_makers = stub["makers_for_tests"]
from app.main import main
sys.exit(main(["--headless", "--json", "--source", sys.argv[2]]))
"""
    command = [sys.executable, "-c", script, __file__, str(folder)]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert found.returncode == 0, found.stderr
    assert len(records(found.stdout)) == 5


@pytest.mark.parametrize("option", ["--version", "--list-cameras", "--list-models", "--help"])
def test_what_only_shows_exits_with_0(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        status: object = fer_app.main([option])
    except SystemExit as ended:
        status = ended.code
    assert status == 0
