"""Recordings that begin, or cannot, while nobody waits for the disk."""

from __future__ import annotations

import sys
import threading
import time
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app.live.engine import EngineState
from app.live.recorder import Recorder, RecordingOptions, _name, folder_title
from app.sessions.mkv import read_pictures
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
    until_ready,
)


def test_only_the_writer_s_thread_asks_the_disk_for_room(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: set[str] = set()

    def disk_usage(_: Path) -> SimpleNamespace:
        asked.add(threading.current_thread().name)
        return SimpleNamespace(free=5_000_000_000)

    stage.sources["film"] = film = Numbered(10_000)
    recorder = begin(stage.play("film"), RecordingOptions(tmp_path))
    monkeypatch.setattr("shutil.disk_usage", disk_usage)
    let_go(film)
    until(lambda: recorder.status().free)
    assert recorder.status().free == 5_000_000_000
    assert recorder.close(30)
    assert asked == {"mien-session"}, "whoever asks may wait for the disk"


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
    until_ready(recorder)
    let_go(film)
    until(lambda: engine.status().state is EngineState.ENDED)
    assert recorder.close(30)
    found = sessions(tmp_path)
    assert len(found) == (0 if ended else 1)
    for session in found:
        assert session.markers.to_pylist()[0]["key"] == "1"


def test_a_folder_that_cannot_be_used_is_said_at_once(stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    recorder = begin(stage.play("actor"), RecordingOptions(tmp_path / "file"))
    assert not recorder.active
    (notice,) = recorder.take_notices()
    assert notice.startswith(f'Recordings cannot be kept in "{tmp_path / "file"}" (')
    assert notice.endswith("); choose another folder.")


def test_a_disk_without_room_is_said_before_there_is_a_folder(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=3_000_000))
    recorder = begin(stage.play("actor"), RecordingOptions(tmp_path))
    assert not recorder.active
    assert "There are only 3 MB left" in recorder.take_notices()[0]
    assert list(tmp_path.iterdir()) == []


class HungDisk:
    """Let a function wait until `free` is set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        self.reached, self.free = threading.Event(), threading.Event()
        module, function = name.rsplit(".", 1)
        works = getattr(sys.modules[module], function)

        def hangs(*given: Any, **named: Any) -> Any:
            self.reached.set()
            assert self.free.wait(30)
            return works(*given, **named)

        monkeypatch.setattr(name, hangs)


def test_nobody_waits_while_the_folder_is_looked_at(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = HungDisk(monkeypatch, "shutil.disk_usage")
    stage.sources["film"] = film = Numbered(10_000)
    recorder = Recorder(stage.play("film"))
    let_go(film)
    begun = time.monotonic()
    options = RecordingOptions(tmp_path)
    for _ in range(3):  # R, R, R
        recorder.start(options)
        assert recorder.mark("1")
        assert recorder.status().active
        recorder.stop()
    recorder.start(options)
    assert time.monotonic() - begun < 1
    disk.free.set()
    until(lambda: recorder.status().frames > 3)
    assert recorder.close(30)
    (session,) = sessions(tmp_path)
    found = everything(*numbers(session))
    assert found == list(range(found[0], found[-1] + 1)), "each of them once"


def test_nobody_waits_while_a_session_is_made_and_its_first_frame_is_kept(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = HungDisk(monkeypatch, "app.sessions.folder.write_info")
    stage.sources["film"] = film = Numbered(120)
    engine = stage.play("film")
    recorder = begin(engine, RecordingOptions(tmp_path, video=VideoOptions(("raw",))))
    let_go(film)
    assert disk.reached.wait(30)
    begun = time.monotonic()
    assert recorder.mark("note", "meanwhile")
    status = recorder.status()
    assert time.monotonic() - begun < 1
    assert (status.active, status.folder, status.sessions) == (True, None, 0)
    until(lambda: engine.status().state is EngineState.ENDED)  # all of it played on
    recorder.stop()
    assert recorder.status().saving
    disk.free.set()
    assert recorder.close(30)
    (session,) = sessions(tmp_path)
    kept, dropped = numbers(session)
    # A frame that a newer one overtook on its way was never the recorder's.
    assert set(range(kept[0])) <= set(dropped.get("overtaken", []))
    assert everything(kept, dropped) == list(range(120))
    assert session.markers["text"].to_pylist() == ["meanwhile"]
    assert len(read_pictures(session.videos[0]).times) == len(kept)
    assert recorder.status().folder == session.path


def test_a_session_of_that_name_is_left_alone(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.live.recorder._name", lambda *_: "taken")
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken_2").write_text("")
    stage.sources["film"] = film = Numbered(5)
    recorder = begin(stage.play("film"), RecordingOptions(tmp_path))
    let_go(film)
    until(lambda: recorder.status().folder)
    assert recorder.status().folder == tmp_path / "taken_3"
    assert recorder.close(30)
    assert list((tmp_path / "taken").iterdir()) == []


@pytest.mark.parametrize(
    "broken_part", ["app.sessions.writer.SessionFiles", "app.live.recorder.session_info"]
)
def test_what_keeps_a_session_from_beginning_ends_the_recording(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken_part: str
) -> None:
    stage.sources["film"] = film = Numbered(200)

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(broken_part, broken)
    recorder = begin(stage.play("film"), RecordingOptions(tmp_path))
    let_go(film)
    until(lambda: not recorder.status().active)
    assert not recorder.status().saving, "the strip says so while it is"
    assert recorder.close(30)
    assert recorder.take_notices() == [
        "The recording could not begin (a defect); try again with another name, folder or source."
    ]
    assert recorder.take_saved() == []
    assert recorder.status().folder is None


def test_a_recording_that_the_disk_ends_is_over_and_said(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.sources["film"] = film = Numbered(10_000)
    recorder = begin(stage.play("film"), RecordingOptions(tmp_path))
    let_go(film)
    until(lambda: recorder.status().frames > 3)
    monkeypatch.setattr("app.sessions.writer.SessionWriter._check_space", _full)
    until(lambda: not recorder.status().active)
    until(lambda: not recorder.status().saving)
    assert recorder.take_notices() == ["The disk is full."]
    assert sessions(tmp_path)[0].info["why"] == "The disk is full."


def _full(writer: Any) -> None:
    writer._give_up("The disk is full.")


@pytest.mark.parametrize(
    ("title", "kept"),
    [
        ("P07", "P07"),
        ("P/07", "P_07"),
        (" P 7. ", "P 7"),
        ("...", ""),
        ("a" * 59 + " b", "a" * 59),
        ("a" * 59 + ".b", "a" * 59),
        ("a" * 70, "a" * 60),
    ],
)
def test_the_name_of_a_folder_ends_in_what_every_system_keeps(title: str, kept: str) -> None:
    assert folder_title(title) == kept
    stamp = "2026-03-01_12-00-00"
    name = _name(title, datetime(2026, 3, 1, 12, 0, 0))
    assert name == (f"{stamp} {kept}" if kept else stamp)
