"""The small tables, and the large one in other forms."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from app.errors import SessionError
from app.sessions.codebook import codebook
from app.sessions.export import FORMS, export_table
from app.sessions.folder import Session, open_session
from app.sessions.ledger import (
    DROPPED,
    MARKERS,
    Ledger,
    read_dropped,
    read_markers,
    write_markers,
)

LABELS = ("anger", "happiness", "neutral")
Make = Callable[..., Any]


@pytest.fixture
def session(make_writer: Make, frame: Make, face: Make) -> Session:
    """Return three frames: none, one and two faces, the last of them calibrated."""
    writer = make_writer()
    writer.add(frame(0))
    writer.add(frame(1, face(1, unsure=True)))
    corrected = np.array([0.6, 0.3, 0.1], np.float32)
    writer.add(frame(2, face(1), face(2, corrected=corrected), media_time=7.0))
    writer.close()
    return open_session(writer.path)


def lines(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def exported(session: Session, form: str, folder: Path) -> Path:
    path = folder / f"out{FORMS[form].suffix}"
    export_table(session.frames, session.labels, form, path)
    return path


def test_a_line_cut_off_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "dropped.csv"
    ledger = Ledger(path, DROPPED.names)
    ledger.append([("0.100000", 3, "overtaken"), ("0.2", "", "camera lost")])
    ledger.close()
    assert read_dropped(path).num_rows == 2
    path.write_bytes(path.read_bytes() + b"0.300000,5,over")
    assert read_dropped(path)["frame"].to_pylist() == [3, None]
    assert read_dropped(tmp_path / "none.csv").num_rows == 0


def test_markers_are_written_anew(tmp_path: Path) -> None:
    path = tmp_path / "markers.csv"
    marks: list[dict[str, Any]] = [
        {"session_time": 1.5, "wall_time": datetime(2026, 1, 2, 3, 4, 5, 678, UTC), "key": "1",
         "text": ""},
        {"session_time": 0.5, "wall_time": datetime(2026, 1, 2, 3, 4, 4, 678, UTC), "key": "note",
         "text": "a, b"},
    ]  # fmt: skip
    write_markers(path, marks)
    assert read_markers(path).to_pylist() == marks
    assert read_markers(path).schema.equals(MARKERS)


def test_texts_of_other_programs_come_back(tmp_path: Path) -> None:
    path = tmp_path / "markers.csv"
    ledger = Ledger(path, MARKERS.names)
    ledger.append([("1.0", "", "lsl", "one\rtwo\r\nthree"), ("2.0", "", "lsl", "four")])
    ledger.close()
    assert read_markers(path)["text"].to_pylist() == ["one\ntwo\nthree", "four"]
    ledger = Ledger(path, MARKERS.names)
    ledger.append([("1.0", "", "lsl", "x" * 200_000)])
    ledger.close()
    before = csv.field_size_limit(131_072)  # Python's own; the reader of FER2013 raises it
    try:
        with pytest.raises(SessionError, match="cannot be read"):
            read_markers(path)
    finally:
        csv.field_size_limit(before)


def test_the_wide_form_has_a_row_a_face(session: Session, tmp_path: Path) -> None:
    found = lines(exported(session, "csv", tmp_path))
    assert [(row["frame"], row["face_id"]) for row in found] == [
        ("0", ""), ("1", "1"), ("2", "1"), ("2", "2"),
    ]  # fmt: skip
    assert found[0]["label"] == found[0]["x_0"] == ""
    assert found[3]["corrected_anger"] == "0.6"
    assert found[2]["corrected_anger"] == ""
    assert [float(found[3][name]) for name in ("x_0", "y_0", "x_67", "y_67")] == [
        20, 21, 154, 155,
    ]  # fmt: skip
    assert found[1]["unsure"] == "true"
    assert found[1]["wall_time"].startswith("2023-11-14 22:13:20.03")


def test_the_long_form_has_a_row_a_label(session: Session, tmp_path: Path) -> None:
    found = lines(exported(session, "csv-long", tmp_path))
    assert [(row["frame"], row["face_id"], row["label"]) for row in found] == [
        ("0", "", ""),
        *[("1", "1", label) for label in LABELS],
        *[("2", face, label) for face in "12" for label in LABELS],
    ]
    assert [row["decided"] for row in found[1:4]] == ["false", "false", "true"]
    assert found[-3]["corrected"] == "0.6"
    assert float(found[-3]["smooth"]) == pytest.approx(0.2)


def test_json_lines_have_an_object_a_frame(session: Session, tmp_path: Path) -> None:
    text = exported(session, "jsonl", tmp_path).read_text(encoding="utf-8")
    found = [json.loads(line) for line in text.splitlines()]
    assert [len(one["faces"]) for one in found] == [0, 1, 2]
    assert found[2]["media_time"] == 7.0
    one, two = found[2]["faces"]
    assert "corrected" not in one
    assert two["corrected"] == {"anger": 0.6, "happiness": 0.3, "neutral": 0.1}
    assert two["box"] == [20, 20, 30, 40]
    assert two["landmarks"][0] == [20, 21]
    assert len(two["landmarks"]) == 68
    assert two["quality"]["turn"] is None


def test_openface_names_its_columns_so(session: Session, tmp_path: Path) -> None:
    path = exported(session, "openface", tmp_path)
    header = path.read_text().splitlines()[0].split(",")
    assert header[:5] == ["frame", "face_id", "timestamp", "confidence", "success"]
    assert header[5:8] == ["x_0", "x_1", "x_2"]
    assert header[73:75] == ["y_0", "y_1"]
    found = lines(path)
    assert [(row["frame"], row["success"], row["confidence"]) for row in found] == [
        ("1", "0", "0"), ("2", "1", "0.5"), ("3", "1", "0.5"), ("3", "1", "0.5"),
    ]  # fmt: skip
    assert found[2]["timestamp"] == "7"
    assert [found[3][f"p_{label}"] for label in LABELS] == ["0.6", "0.3", "0.1"]
    assert float(found[2]["p_anger"]) == pytest.approx(0.2)


def test_names_of_images_and_of_faces_are_in_every_form(session: Session, tmp_path: Path) -> None:
    table = session.frames.append_column("file", [["a.png", "b.png", "c.png", "c.png"]])
    table = table.append_column("face_name", [[None, "Ada", "Ada", None]])
    for form in ("csv", "csv-long", "openface"):
        export_table(table, LABELS, form, tmp_path / form)
        header = (tmp_path / form).read_text().splitlines()[0]
        assert header.endswith(",file,face_name"), "after the columns that were always there"
        found = {(row["frame"], row["file"], row["face_name"]) for row in lines(tmp_path / form)}
        first = 1 if form == "openface" else 0
        assert found == {
            (str(first), "a.png", ""), (str(first + 1), "b.png", "Ada"),
            (str(first + 2), "c.png", "Ada"), (str(first + 2), "c.png", ""),
        }  # fmt: skip
    export_table(table, LABELS, "jsonl", tmp_path / "jsonl")
    said = [json.loads(line) for line in (tmp_path / "jsonl").read_text().splitlines()]
    assert [one["file"] for one in said] == ["a.png", "b.png", "c.png"]
    assert [face["name"] for face in said[2]["faces"]] == ["Ada", None]


def test_parquet_stays_what_it_was(session: Session, tmp_path: Path) -> None:
    path = exported(session, "parquet", tmp_path)
    assert pq.ParquetFile(path).read().equals(session.frames)


@pytest.mark.parametrize("form", FORMS)
def test_a_part_of_a_table_and_an_empty_one_can_be_written(
    session: Session, form: str, tmp_path: Path
) -> None:
    path = tmp_path / "part"
    export_table(session.frames.slice(1, 1), session.labels, form, path)
    whole = path.read_bytes()
    export_table(session.frames.slice(0, 0), session.labels, form, path)
    assert path.read_bytes() != whole
    assert not list(tmp_path.glob("*.partial"))


def test_what_cannot_be_written_is_said(session: Session, tmp_path: Path) -> None:
    with pytest.raises(SessionError, match="expected one of parquet, csv"):
        export_table(session.frames, session.labels, "xlsx", tmp_path / "x")
    with pytest.raises(SessionError, match="cannot be written"):
        export_table(session.frames, session.labels, "csv", tmp_path / "none" / "x.csv")


def explained(page: str) -> set[str]:
    """Return every column that a codebook's tables name; "x_0 to x_2" names three."""
    names: set[str] = set()
    for row in re.findall(r"^\| ([^|]+) \|", page, re.MULTILINE):
        for part in row.split(", "):
            if found := re.fullmatch(r"(\w+_)(\d+) to \1(\d+)", part):
                first, last = int(found[2]), int(found[3])
                names |= {f"{found[1]}{number}" for number in range(first, last + 1)}
            names.add(part)
    return names


@pytest.mark.parametrize("form", ["csv", "csv-long", "openface"])
def test_the_codebook_explains_every_column_of_every_form(
    session: Session, form: str, tmp_path: Path
) -> None:
    header = exported(session, form, tmp_path).read_text().splitlines()[0].split(",")
    assert set(header) <= explained(codebook(LABELS))


def test_the_codebook_explains_columns_and_words_of_the_small_tables(session: Session) -> None:
    page = codebook(LABELS)
    assert {*MARKERS.names, *DROPPED.names, "file", "face_name"} <= explained(page)
    for key in ("note", "neutral", "lsl"):
        assert f"`{key}`" in page, "a key that markers.csv may hold"
