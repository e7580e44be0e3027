from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from app.errors import SessionError
from app.review.decimate import AWAY, ribbon
from app.review.recording import LandmarkReader, open_recording
from app.sessions.folder import open_session

if TYPE_CHECKING:
    from tests.review.conftest import Record

LABELS = ("neutral", "happiness", "anger")


def test_a_session_comes_as_columns(session: Path) -> None:
    recording = open_recording(session)
    assert recording.labels == LABELS
    assert len(recording.frame_times) == 120
    assert recording.duration == pytest.approx(11.9)
    assert recording.spacing == pytest.approx(0.1)
    assert len(recording.tracks) == 120 + 40 + 30
    assert np.all(np.diff(recording.times) >= 0)
    row = int(np.flatnonzero(recording.tracks == 2)[0])
    assert recording.times[row] == pytest.approx(4.0)
    assert LABELS[recording.decided[row]] == "anger"
    np.testing.assert_allclose(recording.shown[:, row], [0.1, 0.1, 0.8], atol=1e-6)
    np.testing.assert_allclose(recording.boxes[row], [20, 30, 40, 40])
    assert [m[1:] for m in recording.markers] == [("1", ""), ("1", ""), ("note", "the door")]
    assert recording.dropped == pytest.approx([3.05, 3.1])
    assert recording.unsure.sum() == 10
    assert recording.quality[row] == pytest.approx(0.8)


def test_the_lines_of_markers_are_read_once(session: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    read_text = Path.read_text

    def counted(path: Path, *args: Any, **options: Any) -> str:
        read.append(path.name)
        return read_text(path, *args, **options)

    monkeypatch.setattr(Path, "read_text", counted)
    assert len(open_recording(session).markers) == 3
    assert read.count("markers.csv") == 1


def test_what_has_a_row_was_not_passed_over(record: Record, tmp_path: Path) -> None:
    folder = record(tmp_path / "session", lambda _: [(1, "anger")], 5, drops=[0.15])
    with (folder / "dropped.csv").open("a", encoding="utf-8") as file:
        for reason in ("video queue full", "camera lost", "camera back", "failed"):
            file.write(f"0.250000,,{reason}\n")
    assert open_recording(folder).dropped == pytest.approx([0.15, 0.25])


def test_the_last_of_images_lasts_a_second_too(record: Record, tmp_path: Path) -> None:
    info = {"source": {"kind": "images"}}
    folder = record(tmp_path / "one", lambda _: [(1, "anger")], 1, info=info)
    recording = open_recording(folder)
    assert (recording.duration, recording.spacing) == (1.0, 1.0)
    assert recording.shown_until(np.array([0])).tolist() == [1.0]


def test_a_time_leads_to_its_frame_and_a_frame_to_its_rows(session: Path) -> None:
    recording = open_recording(session)
    assert recording.frame_at(-1) == 0
    assert recording.frame_at(4.05) == 40
    assert recording.frame_at(99) == 119
    assert recording.tracks[recording.rows_of_frame(40)].tolist() == [1, 2]
    assert recording.tracks[recording.rows_of_frame(85)].tolist() == [1]


def test_a_face_that_is_missing_on_a_frame_is_away_there(tmp_path: Path, record: Record) -> None:
    def blinks(frame: int) -> list[tuple[int, str]]:
        return [] if frame == 3 else [(1, "neutral")]

    recording = open_recording(record(tmp_path / "s", blinks, 6))
    frames = recording.row_frames[recording.tracks == 1]
    until = recording.shown_until(frames)
    np.testing.assert_allclose(until, [0.1, 0.2, 0.3, 0.5, 0.6], atol=1e-6)
    decided = np.zeros(len(frames), np.int16)
    shown = ribbon(recording.frame_times[frames], until, decided, 1, 0.0, 0.6, 60)
    assert (shown == AWAY).sum() == pytest.approx(10, abs=1)  # of the ends of a column


def test_landmarks_are_read_row_by_row(session: Path) -> None:
    recording = open_recording(session)
    reader = LandmarkReader(recording)
    row = int(np.flatnonzero(recording.tracks == 2)[3])
    points = reader.of_row(row)
    assert points is not None
    assert points[0].tolist() == [20, 30]
    assert points[-1].tolist() == [60, 70]
    reader.close()


def test_frames_without_faces_are_frames(tmp_path: Path, record: Record) -> None:
    folder = record(tmp_path / "s", lambda i: [(1, "anger")] if i == 3 else [], 6)
    recording = open_recording(folder)
    assert len(recording.frame_times) == 6
    assert recording.row_frames.tolist() == [3]


def test_an_empty_session_opens(tmp_path: Path, record: Record) -> None:
    recording = open_recording(record(tmp_path / "s", lambda _: [], 0))
    assert recording.duration == 0
    assert recording.frame_at(3) == 0
    assert not len(recording.tracks)


def test_corrected_probabilities_are_the_ones_shown(session: Path) -> None:
    table = open_session(session).frames
    values = np.full(table.num_rows, 1 / 3, np.float32)
    for label in LABELS:
        place = table.column_names.index(f"corrected_{label}")
        table = table.set_column(place, f"corrected_{label}", [values])
    pq.write_table(table, session / "frames.parquet")
    recording = open_recording(session)
    assert recording.corrected
    np.testing.assert_allclose(recording.shown, 1 / 3, atol=1e-6)
    assert recording.raw.max() == pytest.approx(0.8)


def test_rows_out_of_order_are_put_in_order(session: Path) -> None:
    table = open_session(session).frames
    backwards = table.take(list(range(table.num_rows))[::-1])
    pq.write_table(backwards, session / "frames.parquet")
    recording = open_recording(session)
    assert np.all(np.diff(recording.frame_times) > 0)
    row = int(np.flatnonzero(recording.tracks == 2)[0])
    points = LandmarkReader(recording).of_row(row)
    assert points is not None
    assert points[0].tolist() == [20, 30]


def test_what_is_no_session_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SessionError, match=r"session\.json"):
        open_recording(tmp_path)
