from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

from app.review.around import events
from app.review.charts import stretches
from app.review.edited import edited
from app.review.edits import EditList, Exclude, Merge, Name, PutInterval, PutMarker, RemoveMarker
from app.review.recording import ReviewError, open_recording
from app.review.report import report_page, write_report
from app.review.second import Second
from app.review.table import edited_table
from app.sessions.export import export_table
from app.sessions.folder import open_session
from app.sessions.schema import FACE_NAME
from app.words import per_cent
from models.runtime.store import load_model

if TYPE_CHECKING:
    from tests.review.conftest import Record

EDITS = EditList(
    (
        Name(1, "Ada <script>alert(1)</script>"),
        Merge(3, 2),
        Exclude(1, 0.0, 0.95),
        PutInterval("i1", 2.0, 6.0, "the film"),
        PutMarker("m1", 3.0, "2", "a & b"),
    )
)


class Reader(HTMLParser):
    """Check that what is opened is closed, and gather the text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += attrs
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.text.append(data)


def read(page: str) -> tuple[str, Reader]:
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return " ".join(" ".join(reader.text).split()), reader


def test_a_report_says_what_was_found_and_needs_no_other_file(
    session: Path, tmp_path: Path
) -> None:
    state = edited(open_recording(session), EDITS)
    card = load_model("mini_xception.ferplus", provider="CPU").card
    path = tmp_path / "report.html"
    write_report(path, state, card=card)
    page = path.read_text(encoding="utf-8")
    text, reader = read(page)
    names = {name for name, _ in reader.attributes}
    assert not names & {"src", "href", "onload", "onclick"}
    assert "http://" not in page
    assert "https://" not in page
    assert "url(" not in page
    assert "<script" not in page
    assert "Ada <script>alert(1)</script>" in text
    for words in (
        "120 frames in 11.9 s",
        "2 faces count",
        "2 frames were passed over",
        "the film",
        "a & b",
        "95 % interval",
        "the range in which the share would lie in the long run",
        "Means around markers 1",
        "apparent expressions",
        "mini-Xception",
        "Limits of this model",
        "10 frames of 120 are left out",
        "1 recorded track was merged",
        "Not feelings",
    ):
        assert words in text, words
    # Face 1 counts on 110 frames, of which 60 smile.
    assert per_cent(60 / 110) in text


def test_a_report_of_a_film_says_what_read_it_and_what_was_amiss(
    tmp_path: Path, record: Record
) -> None:
    info = {
        "source": {"name": "film.mp4", "notice": '"film.mp4" ended after 3 of 20 seconds.'},
        "model": {"name": "a.model", "sha256": "0123456789abcdef"},
        "landmarks": "landmarks68",
        "program": {"name": "Mien", "version": "9.9"},
        "analysis": {"every": 3},
    }
    folder = record(tmp_path / "s", lambda _: [(1, "anger")], 20, info=info)
    text, _ = read(report_page(edited(open_recording(folder), EditList())))
    for words in (
        "a.model (SHA-256 0123456789ab…)", "Landmarks landmarks68", "Read by Mien 9.9",
        '"film.mp4" ended after 3 of 20 seconds.', "One frame in 3 was to be read.",
        "No frame was passed over.",
    ):  # fmt: skip
        assert words in text, words
    assert "Analysed" in text
    assert "Recorded 2" not in text


def test_a_report_does_not_describe_another_version_of_the_model(
    tmp_path: Path, record: Record
) -> None:
    card = load_model("mini_xception.ferplus", provider="CPU").card
    assert card.file is not None
    said = []
    for number, known in enumerate((card.file.sha256, None, "0123456789abcdef")):
        info = {"model": {"name": card.name, "sha256": known}}
        folder = record(tmp_path / f"s{number}", lambda _: [(1, "anger")], 5, info=info)
        text, _ = read(report_page(edited(open_recording(folder), EditList()), card=card))
        said.append("Limits of this model" in text)
    assert said == [True, True, False]
    assert "The model of this name on this computer is another version" in text


def test_a_report_says_how_much_is_corrected_by_a_neutral_face(session: Path) -> None:
    recording = open_recording(session)
    edits = EditList((Name(1, "Ada"), PutInterval("i", 4.0, 5.95, "both"), Exclude(2), Exclude(3)))

    def said(relative: NDArray[np.bool_]) -> str:
        state = edited(replace(recording, corrected=True, relative=relative), edits)
        return read(report_page(state))[0]

    mixed = said((recording.tracks == 1) & (recording.times >= 5.0) | (recording.tracks == 2))
    assert "Probabilities 58.3 % of the rows corrected by a neutral face (Ada)" in mixed
    assert "58.3 % of these frames are corrected" in mixed
    assert "Ada: 50.0 % of these frames are corrected" in mixed
    whole = said(recording.tracks == 1)
    assert "Probabilities corrected by each person's neutral face" in whole
    assert "of these frames are corrected" not in whole
    # What was left out says nothing of what counts.
    assert "Probabilities smoothed, not corrected" in said(recording.tracks == 2)


def test_a_report_compares_readings(session: Path) -> None:
    state = edited(open_recording(session), EditList())
    count = len(state.owners)
    second = Second(
        "other.model",
        ("anger", "neutral"),
        np.full((2, count), 0.5, np.float32),
        np.zeros(count, np.int16),
        np.ones(count, bool),
    )
    text, _ = read(report_page(state, second=second))
    assert "Read again with other.model" in text
    assert "The same label on 100 % of the 40 frames" in text
    assert "Its card is not on this computer" in text


def test_a_report_says_what_became_of_markers(session: Path) -> None:
    edits = EditList(
        (
            PutMarker("new", 3.5, "2"), PutMarker("r0", 2.5, "1", "late"), RemoveMarker("r1"),
            PutInterval("i", 1.0, 2.0, "calm"),
        )
    )  # fmt: skip
    text, _ = read(report_page(edited(open_recording(session), edits)))
    assert "Markers: 1 added, 1 moved or reworded, 1 removed." in text
    assert "1 interval kept." in text


def test_a_report_averages_what_another_program_sent_by_its_text(
    tmp_path: Path, record: Record
) -> None:
    marks = [
        (1.0, "lsl", "a < b"), (2.0, "lsl", "rest"), (3.0, "neutral", "face 1"),
        (4.0, "lsl", "a < b"), (5.0, "note", "door"),
    ]  # fmt: skip
    folder = record(tmp_path / "s", lambda _: [(1, "anger")], 60, marks=marks)
    state = edited(open_recording(folder), EditList())
    assert events(state.markers) == {"markers “a < b”": [1, 4], "markers “rest”": [2], "notes": [5]}
    text, _ = read(report_page(state))
    assert "Means around markers “a < b” Face 1, 2 markers" in text
    assert "Means around markers “rest” Face 1, 1 marker" in text
    many = EditList(tuple(PutMarker(f"m{n}", 1.0, "lsl", f"trial {n}") for n in range(20)))
    text, _ = read(report_page(edited(open_recording(folder), many)))
    assert text.count("Means around markers “") == 12
    assert "Means around markers “a < b”" in text, "of which there are most"
    assert "Kinds of which there are fewer markers are not averaged" in text


def test_a_report_of_an_empty_session(tmp_path: Path, record: Record) -> None:
    recording = open_recording(record(tmp_path / "s", lambda _: [], 0))
    text, _ = read(report_page(edited(recording, EditList())))
    assert "0 frames in 0.0 s" in text
    assert "Faces are as they were recorded" in text


def test_a_report_that_cannot_be_written_says_so(session: Path, tmp_path: Path) -> None:
    state = edited(open_recording(session), EditList())
    with pytest.raises(ReviewError, match="cannot be written"):
        write_report(tmp_path / "no" / "such" / "place.html", state)


def test_the_edited_table_has_the_columns_of_the_recording(session: Path, tmp_path: Path) -> None:
    recording = open_recording(session)
    state = edited(recording, EDITS)
    table, labels = edited_table(state)
    before = open_session(session).frames
    assert table.column_names == [*before.column_names, FACE_NAME]
    ids = np.array(table["face_id"].to_pylist(), float)
    assert sorted(set(ids[np.isfinite(ids)].astype(int))) == [1, 2]
    # Frames 0 to 9 lost their only face and keep a row each.
    assert np.isnan(ids[:10]).all()
    assert np.isfinite(ids[10:]).all()
    assert table["frame"].to_pylist()[:12] == list(range(12))
    assert table["label"].to_pylist()[:10] == [None] * 10
    assert table["session_time"].to_pylist()[9] == pytest.approx(0.9)
    assert table["landmarks"].to_pylist()[0] is None
    names = set(zip(ids[10:].tolist(), table[FACE_NAME].to_pylist()[10:], strict=True))
    assert names == {(1.0, "Ada <script>alert(1)</script>"), (2.0, None)}
    assert table.num_rows == before.num_rows
    for form, suffix in (("csv", "csv"), ("jsonl", "jsonl"), ("parquet", "parquet")):
        export_table(table, labels, form, tmp_path / f"t.{suffix}")
    head = (tmp_path / "t.csv").read_text(encoding="utf-8").splitlines()
    assert head[0].endswith(FACE_NAME)
    assert len(head) == before.num_rows + 1


def test_an_unedited_table_is_the_recorded_one(session: Path) -> None:
    table, _ = edited_table(edited(open_recording(session), EditList()))
    assert table.equals(open_session(session).frames)


def test_what_was_recorded_after_the_opening_is_not_exported(session: Path) -> None:
    whole = open_session(session).frames
    pq.write_table(whole.slice(0, 100), session / "frames.parquet")
    state = edited(open_recording(session), EditList((Exclude(1, 0.0, 0.95),)))
    before, _ = edited_table(state)
    pq.write_table(whole, session / "frames.parquet")
    after, _ = edited_table(state)
    assert after.num_rows == 100
    assert after.equals(before)


def test_lines_break_where_nothing_is_known() -> None:
    there = np.array([False, True, True, False, False, True])
    assert [piece.tolist() for piece in stretches(there)] == [[1, 2], [5]]
    assert stretches(np.zeros(3, bool)) == []
