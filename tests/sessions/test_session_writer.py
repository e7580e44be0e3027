"""What was recorded can be read again, and nobody waits for the disk."""

from __future__ import annotations

import errno
import json
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.messages import FaceResult, FrameResult
from app.sessions import folder as places
from app.sessions import ledger
from app.sessions.codebook import codebook
from app.sessions.folder import open_session
from app.sessions.schema import columns, frames_schema, labels_of
from app.sessions.stream import TableStream
from app.sessions.writer import SessionWriter

LABELS = ("anger", "happiness", "neutral")
Make = Callable[..., Any]


class SlowDisk:
    """Hold every write of the table back until `free` is set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reached = threading.Event()
        self.free = threading.Event()
        write = TableStream.write

        def slow(stream: TableStream, batch: Any) -> None:
            self.reached.set()
            self.free.wait(30)
            write(stream, batch)

        monkeypatch.setattr(TableStream, "write", slow)


@pytest.fixture
def slow_disk(monkeypatch: pytest.MonkeyPatch) -> SlowDisk:
    return SlowDisk(monkeypatch)


def rows(writer: SessionWriter) -> list[dict[str, Any]]:
    writer.close()
    found: list[dict[str, Any]] = open_session(writer.path).frames.to_pylist()
    return found


def test_each_face_has_a_row_and_a_frame_without_has_one(
    make_writer: Make, frame: Make, face: Make
) -> None:
    writer = make_writer()
    writer.add(frame(0))
    writer.add(frame(1, face(1), face(2)))
    found = rows(writer)
    assert [(row["frame"], row["face_id"]) for row in found] == [(0, None), (1, 1), (1, 2)]
    empty = {name for name, value in found[0].items() if value is None}
    timings = {name for name in found[0] if name.startswith("ms_")}
    always = {"frame", "session_time", "wall_time"} | timings
    assert empty == set(found[0]) - always
    assert found[0]["ms_find"] == 2


def test_every_value_comes_back(make_writer: Make, frame: Make, face: Make) -> None:
    corrected = np.array([0.6, 0.3, 0.1], np.float32)
    writer = make_writer()
    writer.add(frame(7, face(3, corrected=corrected, unsure=True), after=2.5, media_time=9.25))
    (row,) = rows(writer)
    assert row["session_time"] == 2.5
    assert row["wall_time"] == datetime.fromtimestamp(1_700_000_002.5, UTC)
    assert row["media_time"] == 9.25
    assert [row[f"box_{name}"] for name in ("x", "y", "width", "height")] == [30, 20, 30, 40]
    assert row["finder_score"] == 0.75
    assert row["landmarks"] == [float(value) + 30 for value in range(136)]
    for kind, values in {
        "raw": (0.1, 0.2, 0.7), "smooth": (0.2, 0.3, 0.5), "corrected": (0.6, 0.3, 0.1),
    }.items():  # fmt: skip
        assert [row[f"{kind}_{label}"] for label in LABELS] == pytest.approx(values)
    assert (row["label"], row["confidence"], row["unsure"]) == ("neutral", 0.5, True)
    assert row["quality_size"] == 1
    assert row["quality_turn"] is None, "what was not measured is empty, not a number"
    assert row["quality"] == 0.5


def test_a_face_without_68_landmarks_has_none(make_writer: Make, frame: Make, face: Make) -> None:
    five = replace(face().face, landmarks=np.zeros((5, 2), np.float32))
    bare = replace(face().face, landmarks=None)
    writer = make_writer()
    writer.add(frame(0, face(1), face(1, face=five), face(1, face=bare)))
    assert [row["landmarks"] is None for row in rows(writer)] == [False, True, True]


def test_the_table_has_the_columns_that_the_codebook_explains(make_writer: Make) -> None:
    writer = make_writer()
    writer.close()
    session = open_session(writer.path)
    assert session.frames.schema.names == [column.name for column in columns(LABELS)]
    assert session.frames.schema.equals(frames_schema(LABELS))
    assert labels_of(session.frames.schema) == session.labels == LABELS
    page = (writer.path / places.CODEBOOK).read_text(encoding="utf-8")
    assert page == codebook(LABELS)
    for name in session.frames.schema.names:
        assert f"| {name} |" in page
    for reason in (
        "overtaken", "failed", "paused", "queue full", "not written", "video queue full",
    ):  # fmt: skip
        assert f"`{reason}`" in page


def test_what_the_session_is_stands_beside_it(make_writer: Make, frame: Make, face: Make) -> None:
    writer = make_writer(info={"model": {"sha256": "abc"}, "consent": {"answer": "agreed"}})
    before = json.loads((writer.path / places.INFO).read_text())
    assert (before["state"], before["labels"]) == ("recording", list(LABELS))
    assert before["started"] == {"wall": "2023-11-14T22:13:20.000000+00:00", "monotonic": 1000.0}
    writer.add(frame(0, face(1), face(2)))
    writer.drop(1, 1000.5, "overtaken")
    writer.close()
    info = open_session(writer.path).info
    assert info["state"] == "finished"
    assert info["model"] == {"sha256": "abc"}
    assert info["consent"] == {"answer": "agreed"}
    assert info["counts"] == {
        "frames": 1, "rows": 2, "dropped": {"overtaken": 1}, "dropped_unlisted": 0,
        "markers_unlisted": 0,
    }  # fmt: skip
    left = {file.name for file in writer.path.iterdir()}
    assert left == {
        places.INFO, places.TABLE, places.MARKERS, places.DROPPED, places.CODEBOOK,
    }  # fmt: skip


def test_markers_and_passed_over_frames_are_kept(make_writer: Make) -> None:
    writer = make_writer()
    writer.mark(1003.25, "2")
    writer.mark(1001.0, "note", 'he said "so", then\nleft')
    writer.drop(4, 1000.125, "overtaken")
    writer.drop(None, 1002.0, "camera lost")
    writer.close()
    session = open_session(writer.path)
    marks = session.markers.to_pylist()
    assert [(mark["session_time"], mark["key"], mark["text"]) for mark in marks] == [
        (1.0, "note", 'he said "so", then\nleft'),
        (3.25, "2", ""),
    ]
    assert marks[1]["wall_time"] == datetime.fromtimestamp(1_700_000_003.25, UTC)
    assert session.dropped.to_pylist() == [
        {"session_time": 0.125, "frame": 4, "reason": "overtaken"},
        {"session_time": 2.0, "frame": None, "reason": "camera lost"},
    ]


def test_a_marker_from_before_the_start_stands_at_it(make_writer: Make) -> None:
    writer = make_writer()
    writer.mark(998.5, "note", "begun early")
    writer.close()
    (mark,) = open_session(writer.path).markers.to_pylist()
    assert (mark["session_time"], mark["text"]) == (0.0, "begun early")
    assert mark["wall_time"] == datetime.fromtimestamp(1_700_000_000, UTC)


def test_a_marker_is_on_the_disk_while_the_recording_goes_on(make_writer: Make) -> None:
    writer = make_writer(flush_seconds=600)
    writer.mark(1001.0, "1")
    file = writer.path / places.MARKERS
    until(lambda: file.read_text().count("\n") == 2)  # the mark wakes the thread


def test_nobody_waits_for_a_slow_disk_and_what_is_dropped_is_listed(
    make_writer: Make, frame: Make, slow_disk: SlowDisk
) -> None:
    writer = make_writer(capacity=8)
    writer.add(frame(0))
    assert slow_disk.reached.wait(30)
    for index in range(1, 21):  # would hang here if it waited
        writer.add(frame(index))
    assert writer.status().dropped == {"queue full": 12}
    slow_disk.free.set()
    writer.close()
    session = open_session(writer.path)
    kept = session.frames["frame"].to_pylist()
    dropped = session.dropped["frame"].to_pylist()
    assert kept == list(range(9))
    assert sorted(kept + dropped) == list(range(21)), "every frame is in one of the two"


def test_what_a_failing_disk_did_not_take_is_listed_and_not_counted_as_there(
    make_writer: Make, frame: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = make_writer(flush_seconds=600, capacity=20)
    for index in range(10):
        writer.add(frame(index))
    until(lambda: writer._files.stream.rows == 10)

    def full(stream: TableStream, batch: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(TableStream, "write", full)
    for index in range(10, 20):
        writer.add(frame(index))
    until(lambda: writer.error)
    writer.close()
    session = open_session(writer.path)
    assert session.frames["frame"].to_pylist() == list(range(10))
    lost = session.dropped.to_pylist()
    assert [(row["frame"], row["reason"]) for row in lost] == [
        (index, "not written") for index in range(10, 20)
    ]
    assert session.info["state"] == "stopped"
    assert session.info["counts"] == {
        "frames": 10, "rows": 10, "dropped": {"not written": 10}, "dropped_unlisted": 0,
        "markers_unlisted": 0,
    }  # fmt: skip
    status = writer.status()
    assert (status.frames, status.passed_over) == (10, 10)


def test_a_marker_that_cannot_be_written_costs_no_row(
    make_writer: Make, frame: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(file: ledger.Ledger, lines: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    writer = make_writer(flush_seconds=600)
    monkeypatch.setattr(ledger.Ledger, "append", full)
    for index in range(5):
        writer.add(frame(index))
    writer.drop(5, 1000.5, "overtaken")
    writer.mark(1000.0, "1")
    until(lambda: writer.error)
    writer.close()
    session = open_session(writer.path)
    assert session.frames["frame"].to_pylist() == list(range(5))
    counts = session.info["counts"]
    assert (counts["frames"], counts["dropped"]) == (5, {"overtaken": 1})
    assert counts["dropped_unlisted"] == 1


class FailingMarkers:
    """Let so many writes of markers fail, and no other."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, times: int) -> None:
        self.left = times
        append = ledger.Ledger.append

        def fails(file: ledger.Ledger, lines: Any) -> None:
            lines = [list(line) for line in lines]
            if self.left and len(lines[0]) == len(ledger.MARKERS.names):
                self.left -= 1
                raise OSError(errno.EIO, "Input/output error")
            append(file, lines)

        monkeypatch.setattr(ledger.Ledger, "append", fails)


def marked(writer: SessionWriter, frame: Make) -> SessionWriter:
    """Add a frame and three markers, and close after the disk has failed."""
    writer.add(frame(0))
    assert [writer.mark(1000.0 + at, "note", text) for at, text in enumerate("abc")] == [True] * 3
    writer.drop(1, 1000.5, "overtaken")
    until(lambda: writer.error)
    assert not writer.mark(1009.0, "note", "too late")
    writer.close()
    return writer


def test_markers_that_a_failing_disk_did_not_take_are_tried_again(
    make_writer: Make, frame: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    FailingMarkers(monkeypatch, times=1)
    writer = marked(make_writer(flush_seconds=600), frame)
    session = open_session(writer.path)
    assert session.markers["text"].to_pylist() == ["a", "b", "c"]
    assert session.info["counts"]["markers_unlisted"] == 0
    assert writer.error.endswith("(Input/output error); what was recorded until then is kept: "
                                 "free some space and record again.")  # fmt: skip


def test_markers_that_are_lost_are_counted_and_said(
    make_writer: Make, frame: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    FailingMarkers(monkeypatch, times=9)
    writer = marked(make_writer(flush_seconds=600), frame)
    session = open_session(writer.path)
    assert session.markers.num_rows == 0
    assert session.dropped["frame"].to_pylist() == [1], "its own file takes it"
    assert session.info["counts"]["markers_unlisted"] == 3
    assert session.info["why"] == writer.error
    assert writer.error.endswith(" Not kept: 3 markers.")


def test_a_character_that_was_cut_in_two_ends_no_recording(make_writer: Make, frame: Make) -> None:
    writer = make_writer()
    writer.mark(1000.0, "note", "well \ud83d")
    writer.add(frame(0))
    writer.close()
    assert writer.error == ""
    (mark,) = open_session(writer.path).markers.to_pylist()
    assert mark["text"] == "well ?"


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.002)


def test_where_each_frame_counts_none_is_dropped(
    make_writer: Make, frame: Make, slow_disk: SlowDisk
) -> None:
    writer = make_writer(capacity=8, wait=True)

    def add_all() -> None:
        for index in range(50):
            writer.add(frame(index))

    adder = threading.Thread(target=add_all)
    adder.start()
    assert slow_disk.reached.wait(30)
    slow_disk.free.set()
    adder.join(30)
    assert [row["frame"] for row in rows(writer)] == list(range(50))


def test_results_of_another_model_are_refused(make_writer: Make, frame: Make, face: Make) -> None:
    writer = make_writer()
    with pytest.raises(ValueError, match="expected"):
        writer.add(frame(0, face(1, labels=("a", "b", "c"))))


def test_only_an_empty_folder_is_taken(make_writer: Make, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("all of it")
    refused = make_writer(folder=tmp_path / "mine")
    assert "there is something in that folder already" in refused.error
    assert not refused.opened
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "all of it"
    (tmp_path / "file").write_text("")
    assert "cannot begin" in make_writer(folder=tmp_path / "file" / "session").error


def test_after_the_end_nothing_more_is_taken(make_writer: Make, frame: Make) -> None:
    writer = make_writer()
    writer.add(frame(0))
    writer.stop()
    writer.add(frame(1))
    writer.mark(1001.0, "1")
    writer.drop(2, 1001.0, "overtaken")
    writer.close()
    writer.close()
    session = open_session(writer.path)
    assert session.frames.num_rows == 1
    assert session.markers.num_rows == session.dropped.num_rows == 0


def test_many_frames_make_more_than_one_batch_and_keep_their_order(
    make_writer: Make, frame: Make, face: Make
) -> None:
    def result(index: int) -> FrameResult:
        faces: list[FaceResult] = [face(1)] if index % 3 else []
        outcome: FrameResult = frame(index, *faces)
        return outcome

    writer = make_writer(wait=True, capacity=64)
    for index in range(3000):
        writer.add(result(index))
    writer.close()
    session = open_session(writer.path)
    assert session.frames["frame"].to_pylist() == list(range(3000))
    assert session.duration == pytest.approx(2999 / 30)


def test_some_columns_can_be_read_alone(make_writer: Make, frame: Make, face: Make) -> None:
    writer = make_writer()
    writer.add(frame(0, face(1)))
    writer.close()
    session = open_session(writer.path, columns=["session_time", "label"])
    assert session.frames.column_names == ["session_time", "label"]
    assert session.labels == LABELS
