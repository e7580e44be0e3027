"""A recording that is killed, runs out of disk or is cut anywhere still opens."""

from __future__ import annotations

import errno
import io
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from app.errors import SessionError
from app.sessions import folder as places
from app.sessions import writer as writing
from app.sessions.folder import open_session
from app.sessions.mkv import read_pictures
from app.sessions.stream import StreamBatches

Make = Callable[..., Any]

# Records a face a frame, as fast as it may, until it is killed.
RECORD = """
import sys, time, importlib.util
from pathlib import Path
spec = importlib.util.spec_from_file_location("parts", sys.argv[2])
parts = importlib.util.module_from_spec(spec)
spec.loader.exec_module(parts)
from app.sessions.video import VideoOptions
from app.sessions.writer import Clock, SessionWriter
video = VideoOptions(("raw",)) if "video" in sys.argv else None
writer = SessionWriter(Path(sys.argv[1]), {}, parts.LABELS, clock=parts.START, video=video)
index = 0
while not writer.error and not (index > 3000):
    writer.add(parts.frame_result(index, parts.face_result()))
    writer.mark(parts.START.monotonic + index / 30, "1") if index % 50 == 0 else None
    index += 1
    time.sleep(0.002)
print(writer.error)
writer.close()
print(writer.error)
"""


def recording(folder: Path, *more: str, before: str = "") -> subprocess.Popen[str]:
    parts = str(Path(__file__).with_name("conftest.py"))
    return subprocess.Popen(
        [sys.executable, "-c", before + RECORD, str(folder), parts, *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def rows_in(stream: Path) -> int:
    return sum(batch.num_rows for batch in StreamBatches(stream)) if stream.is_file() else 0


def test_what_was_on_the_disk_at_a_kill_is_there_afterwards(tmp_path: Path) -> None:
    folder = tmp_path / "session"
    process = recording(folder, "video")
    stream = folder / places.STREAM
    try:
        while (seen := rows_in(stream)) < 50:
            assert process.poll() is None, process.communicate()
            time.sleep(0.01)
    finally:
        process.kill()
        process.communicate()
    session = open_session(folder)
    assert session.frames.num_rows >= seen
    assert session.frames["frame"].to_pylist() == list(range(session.frames.num_rows))
    assert session.info["state"] == "recovered"
    assert session.info["ended"]["wall"]
    assert session.finished
    assert session.markers.num_rows > 0
    assert len(read_pictures(session.videos[0]).times) > 0
    assert (folder / places.TABLE).is_file(), "the folder has its final form"
    assert not stream.exists()
    assert not (folder / places.LOCK).exists()
    again = open_session(folder)
    assert again.frames.equals(session.frames)


def test_no_more_than_a_second_waits_for_the_disk() -> None:
    # The time between two writes; the rest of the second is for the writing itself.
    assert writing.FLUSH_SECONDS <= 0.5


@pytest.mark.skipif(sys.platform == "win32", reason="no limit on file sizes there")
def test_a_full_disk_stops_the_recording_and_keeps_what_is_there(tmp_path: Path) -> None:
    limit = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))\n"
    )
    folder = tmp_path / "session"
    process = recording(folder, before=limit)
    said, fault = process.communicate(timeout=60)
    assert process.returncode == 0, fault
    sentence = said.splitlines()[0]
    assert sentence.startswith("The recording stopped, because the disk takes no more (")
    assert sentence.endswith("what was recorded until then is kept: free some space and record "
                             "again.")  # fmt: skip
    session = open_session(folder)
    assert 20 < session.frames.num_rows < 400
    assert session.frames["frame"].to_pylist() == list(range(session.frames.num_rows))


def test_a_disk_that_is_nearly_full_stops_the_recording(make_writer: Make, frame: Make) -> None:
    writer = make_writer(least_free=1 << 60)
    writer.add(frame(0))
    deadline = time.monotonic() + 30
    while not writer.finished:
        assert time.monotonic() < deadline, "it goes on"
        time.sleep(0.01)
    assert "the disk is nearly full (" in writer.error
    session = open_session(writer.path)
    assert session.info["state"] == "stopped"
    assert session.info["why"] == writer.error
    assert session.frames.num_rows == 1


@pytest.mark.skipif(sys.platform == "win32", reason="what is being written cannot be moved there")
def test_a_folder_that_is_moved_away_is_said_and_opens_where_it_is(
    make_writer: Make, frame: Make, tmp_path: Path
) -> None:
    writer = make_writer(flush_seconds=0.02)
    writer.add(frame(0))
    while rows_in(writer.path / places.STREAM) < 1:
        time.sleep(0.005)
    moved = writer.path.rename(tmp_path / "moved")
    deadline = time.monotonic() + 30
    while not writer.finished:
        assert time.monotonic() < deadline, "it goes on"
        time.sleep(0.01)
    assert writer.error == (
        f'The recording stopped, because its folder "{writer.path}" was moved or its disk taken '
        f"out; what was recorded until then is kept in it: open the folder where it is now, and "
        f"record again."
    )
    session = open_session(moved)
    assert session.finished
    assert session.frames["frame"].to_pylist() == [0]
    assert session.info["state"] == "recovered"
    assert not (moved / places.LOCK).exists()


@pytest.fixture
def unfinished(make_writer: Make, frame: Make, face: Make) -> Path:
    """Return a folder as a killed program leaves it: three batches of ten frames."""
    writer = make_writer(flush_seconds=600, capacity=20)
    for index in range(30):
        writer.add(frame(index, face()))
        while index % 10 == 9 and rows_in(writer.path / places.STREAM) <= index:
            time.sleep(0.005)
    content = {
        file.name: file.read_bytes() for file in writer.path.iterdir() if file.suffix != ".partial"
    }
    writer.close()
    folder: Path = writer.path.with_name("unfinished")
    folder.mkdir()
    for name, data in content.items():
        (folder / name).write_bytes(data)
    owner = json.loads(content[places.LOCK]) | {"started": 0.0}  # nobody that still runs
    (folder / places.LOCK).write_text(json.dumps(owner))
    return folder


@pytest.mark.parametrize(
    ("share", "more", "rows"), [(1, -1, 20), (1, -100, 20), (0.6, 0, 10), (0, 100, 0), (0, 0, 0)]
)
def test_a_table_cut_anywhere_keeps_its_whole_batches(
    unfinished: Path, share: float, more: int, rows: int
) -> None:
    stream = unfinished / places.STREAM
    with stream.open("r+b") as file:
        file.truncate(int(share * stream.stat().st_size) + more)
    session = open_session(unfinished)
    assert session.frames["frame"].to_pylist() == list(range(rows))
    assert session.labels == ("anger", "happiness", "neutral")
    assert not (unfinished / places.STREAM).exists()
    assert not (unfinished / places.REST).exists(), "a kill damages nothing"
    assert "why" not in session.info


def batch_starts(stream: Path) -> list[int]:
    """Return where the batches of a stream begin, all alike."""
    data = stream.read_bytes()
    first = pa.ipc.read_message(pa.BufferReader(data)).serialize().size
    return [place for place in range(0, len(data), 8) if data.startswith(data[first:][:8], place)]


def damage(stream: Path, place: int, byte: bytes) -> None:
    with stream.open("r+b") as file:
        file.seek(place)
        file.write(8 * byte)


# Bytes from where a batch begins: its mark, the size of its head, what its head says.
@pytest.mark.parametrize(
    ("batch", "offset", "byte", "kept"),
    [
        (0, 0, b"\x7f", []),
        (1, 0, b"\0", [0]),
        (1, 0, b"\x7f", [0]),
        (1, 4, b"\x7f", [0]),
        (1, 44, b"\0", [0, 2]),
        (2, 0, b"\x7f", [0, 1]),
        (2, 44, b"\0", [0, 1]),
    ],
)
def test_a_damaged_place_costs_nothing_of_what_was_written(
    unfinished: Path, batch: int, offset: int, byte: bytes, kept: list[int]
) -> None:
    stream = unfinished / places.STREAM
    damage(stream, batch_starts(stream)[batch] + offset, byte)
    written = stream.read_bytes()
    session = open_session(unfinished)
    rows = [10 * number + frame for number in kept for frame in range(10)]
    assert session.frames["frame"].to_pylist() == rows
    assert (unfinished / places.REST).read_bytes() == written
    assert not stream.exists()
    assert (session.info["state"], session.info["why"]) == ("recovered", places.DAMAGED)
    assert open_session(unfinished).info == session.info


def test_a_disk_that_cannot_be_read_to_the_end_costs_nothing(
    unfinished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = unfinished / places.STREAM
    written, readable = stream.read_bytes(), batch_starts(stream)[1]

    class Failing(io.FileIO):
        def read(self, count: int | None = -1) -> bytes:
            if self.tell() >= readable:
                raise OSError(errno.EIO, "Input/output error")
            return super().read(count)

    with monkeypatch.context() as failing:
        failing.setattr(pa, "OSFile", lambda path: pa.PythonFile(Failing(path)))
        session = open_session(unfinished)
    assert session.frames.num_rows == 10
    assert session.info["why"] == places.DAMAGED
    assert (unfinished / places.REST).read_bytes() == written
    (unfinished / places.TABLE).unlink()
    (unfinished / places.REST).rename(stream)
    again = open_session(unfinished)
    assert (again.frames.num_rows, again.info["why"]) == (30, "")
    assert not stream.exists()


def test_a_table_that_lacks_rows_of_its_stream_does_not_replace_it(unfinished: Path) -> None:
    stream = unfinished / places.STREAM
    written = stream.read_bytes()
    stream.write_bytes(written[: batch_starts(stream)[2]])
    assert open_session(unfinished).frames.num_rows == 20
    stream.write_bytes(written)  # as after a kill between the last two steps
    assert open_session(unfinished).info["why"] == places.DAMAGED
    assert (unfinished / places.REST).read_bytes() == written


def test_what_a_recording_cannot_read_back_at_its_end_is_kept_and_said(
    make_writer: Make, frame: Make, face: Make
) -> None:
    writer = make_writer(flush_seconds=600, capacity=20)
    stream = writer.path / places.STREAM
    for index in range(30):
        writer.add(frame(index, face()))
        while index % 10 == 9 and rows_in(stream) <= index:
            time.sleep(0.005)
    damage(stream, batch_starts(stream)[1], b"\0")
    written = stream.read_bytes()
    writer.close()
    assert writer.error == places.DAMAGED
    session = open_session(writer.path)
    assert session.frames.num_rows == 10
    assert (session.info["state"], session.info["why"]) == ("stopped", places.DAMAGED)
    assert (writer.path / places.REST).read_bytes() == written
    assert not stream.exists()


def test_a_session_being_recorded_opens_and_is_left_alone(make_writer: Make, frame: Make) -> None:
    writer = make_writer(flush_seconds=600, capacity=20)
    for index in range(10):
        writer.add(frame(index))
    while rows_in(writer.path / places.STREAM) < 10:
        time.sleep(0.005)
    session = open_session(writer.path)
    assert not session.finished
    assert session.frames.num_rows == 10
    assert (writer.path / places.STREAM).is_file()
    writer.add(frame(10))
    writer.close()
    assert open_session(writer.path).frames.num_rows == 11


def test_where_nothing_can_be_written_it_opens_all_the_same(
    unfinished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("read-only")

    monkeypatch.setattr(places, "write_parquet", refuse)
    session = open_session(unfinished)
    assert session.frames.num_rows == 30
    assert (unfinished / places.STREAM).is_file()
    assert open_session(unfinished, columns=["frame"]).frames.column_names == ["frame"]


def test_a_kill_between_the_last_two_steps_costs_nothing(unfinished: Path) -> None:
    stream = (unfinished / places.STREAM).read_bytes()
    first = open_session(unfinished)
    (unfinished / places.STREAM).write_bytes(stream)
    again = open_session(unfinished)
    assert again.frames.equals(first.frames)
    assert not (unfinished / places.STREAM).exists()


def test_what_is_no_session_is_said(tmp_path: Path, unfinished: Path) -> None:
    with pytest.raises(SessionError, match=r"there is no session\.json in it"):
        open_session(tmp_path)
    (tmp_path / places.INFO).write_text('{"format": 99}')
    with pytest.raises(SessionError, match="was expected in format 1, found 99"):
        open_session(tmp_path)
    (tmp_path / places.INFO).write_text('{"form')
    with pytest.raises(SessionError, match="cannot be read"):
        open_session(tmp_path)
    (unfinished / places.STREAM).unlink()
    with pytest.raises(SessionError, match=r"was expected to hold frames\.parquet"):
        open_session(unfinished)
    (unfinished / places.TABLE).write_bytes(b"PAR1nonsense")
    with pytest.raises(SessionError, match="The table of the session"):
        open_session(unfinished)
