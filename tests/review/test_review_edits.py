from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.review.edited import Edited, Marker, check, edited
from app.review.edits import (
    EDITS,
    Edit,
    EditList,
    Exclude,
    Include,
    Merge,
    Name,
    PutInterval,
    PutMarker,
    RemoveInterval,
    RemoveMarker,
    Split,
    read_edits,
    write_edits,
)
from app.review.recording import Recording, ReviewError, open_recording
from app.review.table import write_edited_markers
from app.review.words import interval_title
from app.sessions.folder import open_session
from app.sessions.ledger import read_markers

EVERY_KIND: tuple[Edit, ...] = (
    Name(1, "Ada"),
    Merge(3, 2),
    Split(1, 5.0, 4),
    Exclude(4),
    Include(4),
    Include(1, 0.0, 1.5),
    Exclude(1, 0.0, 1.5),
    PutMarker("m1", 3.0, "2", "größer"),
    RemoveMarker("r0"),
    PutInterval("i1", 1.0, 3.0, "film"),
    RemoveInterval("i1"),
)


@pytest.fixture
def recording(session: Path) -> Recording:
    return open_recording(session)


def after(recording: Recording, *edits: Edit) -> Edited:
    return edited(recording, EditList(edits))


def rows(state: Edited) -> dict[int, int]:
    return {face.number: face.kept for face in state.faces}


def test_faces_are_as_recorded_before_any_edit(recording: Recording) -> None:
    state = after(recording)
    assert rows(state) == {1: 120, 2: 40, 3: 30}
    face = state.face(2)
    assert face is not None
    assert face.title == "Face 2"
    assert face.first == pytest.approx(4.0)
    assert face.last == pytest.approx(7.9)


def test_a_merge_joins_rows_and_keeps_a_name(recording: Recording) -> None:
    state = after(recording, Name(3, "Bo"), Merge(3, 2))
    assert rows(state) == {1: 120, 2: 70}
    assert state.title(2) == "Bo"


def test_two_faces_in_one_frame_are_not_merged(recording: Recording) -> None:
    with pytest.raises(ReviewError, match=r"both in the picture at 0:04\.0 \(40 frames\)"):
        check(after(recording), Merge(2, 1))
    # What is left out does not stand in the way.
    check(after(recording, Exclude(1, 3.0, 8.5)), Merge(2, 1))


def test_a_split_makes_a_face_of_what_follows(recording: Recording) -> None:
    state = after(recording)
    split = Split(1, 6.0, state.next_number)
    check(state, split)
    state = after(recording, split)
    assert rows(state) == {1: 60, 2: 40, 3: 30, 4: 60}
    assert recording.times[state.rows(4)].min() == pytest.approx(6.0)
    assert state.next_number == 5
    with pytest.raises(ReviewError, match=r"from 0:00\.0 to 0:05\.9"):
        check(state, Split(1, 8.0, 5))


def test_exclusions_can_be_whole_or_in_part_and_taken_back(recording: Recording) -> None:
    state = after(recording, Exclude(2), Exclude(1, 1.0, 1.95))
    assert rows(state) == {1: 110, 2: 0, 3: 30}
    face = state.face(2)
    assert face is not None
    assert face.excluded
    assert face.rows == 40
    assert state.left_out(1, None, None)
    assert state.left_out(1, 1.85, 3.0)
    assert not state.left_out(1, 2.0, 3.0)
    assert rows(after(recording, Exclude(2), Include(2))) == {1: 120, 2: 40, 3: 30}
    assert rows(after(recording, Exclude(2), Include(2, 4.0, 4.95)))[2] == 10


def test_nobody_is_taken_back_in_twice_on_a_frame(recording: Recording) -> None:
    merged = after(recording, Exclude(2), Merge(2, 1))
    with pytest.raises(ReviewError, match=r"Face 1 would be .* twice at 0:04\.0 \(40 frames\)"):
        check(merged, Include(1))
    assert not merged.left_out(1, None, None), "nothing of it can be taken back"
    check(merged, Include(1, 0.0, 3.95))
    # Where neither counts, one would still stand beside the other.
    neither = after(recording, Exclude(2), Merge(2, 1), Exclude(1))
    with pytest.raises(ReviewError, match=r"twice at 0:07\.0 \(10 frames\)"):
        check(neither, Include(1, 7.0, 9.0))
    assert neither.left_out(1, None, None)
    check(neither, Include(1, 8.0, 9.0))


def test_markers_are_set_moved_changed_and_removed(recording: Recording) -> None:
    state = after(
        recording, PutMarker("m1", 1.0, "3"), PutMarker("r0", 2.5, "1", "late"), RemoveMarker("r1")
    )
    assert [(m.id, m.time, m.title) for m in state.markers] == [
        ("m1", 1.0, "marker 3"), ("r0", 2.5, "late"), ("r2", pytest.approx(7.05), "the door"),
    ]  # fmt: skip


def test_a_late_marker_leaves_the_others_their_edits(session: Path) -> None:
    edits = EditList((PutMarker("r1", 5.0, "1", "moved"), RemoveMarker("r2")))
    with (session / "markers.csv").open("a", encoding="utf-8") as file:
        file.write("1.000000,,lsl,told late\n")
    assert open_session(session).markers["session_time"].to_pylist() == [1.0, 2.0, 6.0, 7.05]
    state = edited(open_recording(session), edits)
    assert [(m.id, m.time, m.title) for m in state.markers] == [
        ("r3", 1.0, "told late"), ("r0", 2.0, "marker 1"), ("r1", 5.0, "moved"),
    ]  # fmt: skip


def test_intervals_are_kept_by_name(recording: Recording) -> None:
    state = after(recording, PutInterval("i1", 3.0, 4.0), PutInterval("i2", 1.0, 2.0, "film"))
    titles = [interval_title(recording, one) for one in state.intervals]
    assert titles == ["film", "0:03.0 to 0:04.0"]
    assert not after(recording, PutInterval("i1", 3.0, 4.0), RemoveInterval("i1")).intervals


def test_undo_and_redo_go_step_by_step(recording: Recording) -> None:
    start = EditList()
    assert start.undo() is start
    assert start.redo() is start
    two = start.add(Merge(3, 2)).add(Name(2, "Bo"))
    one = two.undo()
    assert one.done == (Merge(3, 2),)
    assert one.redo() == two
    assert one.add(Name(1, "Ada")).undone == ()
    np.testing.assert_array_equal(edited(recording, two.undo().undo()).owners, recording.tracks)


def test_edits_come_back_from_their_file_and_the_table_stays(session: Path) -> None:
    before = (session / "frames.parquet").read_bytes()
    edits = EditList(EVERY_KIND).undo()
    write_edits(session, edits)
    again = read_edits(session)
    assert again.done == EVERY_KIND[:-1]
    assert again.undone == ()
    assert (session / "frames.parquet").read_bytes() == before
    assert not list(session.glob("*.partial"))


def test_no_file_is_no_edit(tmp_path: Path) -> None:
    assert read_edits(tmp_path) == EditList()


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        '{"format": 9, "edits": []}',
        '{"format": 1, "edits": [{"do": "dance"}]}',
        '{"format": 1, "edits": [{"do": "merge", "face": 1}]}',
        '{"format": 1, "edits": [{"do": "merge", "face": 1, "into": "two"}]}',
        '{"format": 1, "edits": [{"do": "split", "face": 1, "time": true, "new": 3}]}',
        '{"format": 1, "edits": [{"do": "include", "face": 1, "start": "now"}]}',
    ],
)
def test_a_damaged_file_of_edits_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / EDITS).write_text(content)
    with pytest.raises(ReviewError, match=r"edits\.json.*move that file away"):
        read_edits(tmp_path)


def test_a_whole_number_of_seconds_is_a_time(tmp_path: Path) -> None:
    edits = {"format": 1, "edits": [{"do": "split", "face": 1, "time": 5, "new": 3}]}
    (tmp_path / EDITS).write_text(json.dumps(edits))
    assert read_edits(tmp_path).done == (Split(1, 5.0, 3),)


def test_an_inclusion_without_times_is_of_the_whole_session(tmp_path: Path) -> None:
    (tmp_path / EDITS).write_text('{"format": 1, "edits": [{"do": "include", "face": 2}]}')
    assert read_edits(tmp_path).done == (Include(2),)


def test_edits_about_faces_that_are_gone_do_nothing(recording: Recording) -> None:
    assert rows(after(recording, Merge(9, 8), Exclude(7), Name(6, "nobody"))) == rows(
        after(recording)
    )
    with pytest.raises(ReviewError, match="no face 9"):
        check(after(recording), Exclude(9))


def test_markers_are_written_as_they_are_now(session: Path, tmp_path: Path) -> None:
    recording = open_recording(session)
    added = PutMarker("new", 3.5, "2", "she laughs")
    write_edited_markers(edited(recording, EditList((added,))), tmp_path / "out.csv")
    found = read_markers(tmp_path / "out.csv").to_pylist()
    assert [(one["session_time"], one["key"], one["text"]) for one in found] == [
        (2.0, "1", ""), (3.5, "2", "she laughs"), (6.0, "1", ""), (7.05, "note", "the door"),
    ]  # fmt: skip
    assert found[1]["wall_time"].timestamp() == pytest.approx(1.7e9 + 3.5)
    bare = replace(recording, info={})
    write_edited_markers(edited(bare, EditList()), tmp_path / "bare.csv")
    assert read_markers(tmp_path / "bare.csv")["wall_time"].null_count == 3
    analysed = replace(recording, info={**recording.info, "analysis": {}})
    write_edited_markers(edited(analysed, EditList()), tmp_path / "film.csv")
    assert read_markers(tmp_path / "film.csv")["wall_time"].null_count == 3
    with pytest.raises(ReviewError, match="cannot be written"):
        write_edited_markers(edited(recording, EditList()), tmp_path / "none" / "out.csv")


def test_each_key_has_a_sign_of_one_letter() -> None:
    signs = [Marker("m", 0.0, key).sign for key in ("1", "9", "note", "neutral", "lsl")]
    assert signs == ["1", "9", "¶", "○", "→"]
    assert Marker("m", 0.0, "neutral", "face 1").title == "neutral face of face 1"
