"""The table of a study, made of sessions that were recorded with its markers."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.cli.study import main
from app.errors import SessionError
from app.messages import Box, Face, FaceResult, Frame, FrameResult
from app.review.around import events
from app.review.edited import edited
from app.review.edits import EditList, Exclude, Merge, RemoveInterval, Split, write_edits
from app.review.recording import open_recording
from app.sessions.writer import Clock, SessionWriter
from app.study.session import open_study, study_folders
from app.study.table import Row, rows_of, write_table
from models.runtime.prediction import Prediction

LABELS = ("neutral", "happiness")
FPS = 10.0
MARKS = (
    (2.0, "show", "puppy"), (4.0, "over", "puppy"), (4.5, "answer", "puppy: 4"),
    (6.0, "show", "wasp"), (8.0, "over", "wasp"), (9.0, "show", "cut short"),
)  # fmt: skip
STUDY: dict[str, Any] = {
    "title": "Smiles",
    "participant": "P07",
    "variables": {"age": "31", "label": "x"},
    "pause": 1.0,
    "order": [
        {"name": "", "kind": "text", "condition": "", "position": 1},
        {"name": "puppy", "kind": "picture", "condition": "pleasant", "position": 2},
        {"name": "wasp", "kind": "film", "condition": "unpleasant", "position": 3},
    ],
}


def face(track: int, happiness: float, *, unsure: bool = False) -> FaceResult:
    values = np.array([1 - happiness, happiness], np.float32)
    x = 60.0 * track
    return FaceResult(
        face=Face(Box(x, 20, x + 40, 60), 1.0, track_id=track),
        prediction=Prediction(values, LABELS),
        probabilities=values,
        label=LABELS[int(happiness > 0.5)],
        confidence=float(values.max()),
        crop=np.zeros((48, 48), np.uint8),
        crop_to_frame=np.eye(2, 3),
        unsure=unsure,
    )


def faces_at(time: float) -> tuple[FaceResult, ...]:
    """Play: smiles more and more at the puppy, frowns at the wasp; somebody else passes by."""
    if 7.0 <= time < 8.0:
        return ()
    happiness = 0.2
    if 2.0 <= time < 4.0:
        happiness = 0.5 + 0.2 * (time - 2.0)
    seen = [face(1, happiness, unsure=4.0 <= time < 6.0)]
    if time >= 9.0:
        seen.append(face(2, 0.9))
    return tuple(seen)


def record(
    folder: Path,
    study: dict[str, Any] | None = STUDY,
    marks: Sequence[tuple[float, str, str]] = MARKS,
) -> Path:
    clock = Clock(1000.0, 1.7e9)
    info: dict[str, Any] = {"model": {"name": "test"}}
    if study is not None:
        info["study"] = study
    with SessionWriter(folder, info, LABELS, clock=clock, wait=True) as writer:
        for index in range(100):
            at = index / FPS
            image = np.zeros((48, 64, 3), np.uint8)
            writer.add(FrameResult(Frame(image, index, clock.monotonic + at), faces_at(at)))
        for at, key, text in marks:
            writer.mark(clock.monotonic + at, key, text)
    return folder


def study_rows(folder: Path) -> list[Row]:
    return rows_of(open_study(folder))


def row_of(rows: list[Row], stimulus: str, label: str) -> Row:
    (found,) = (one for one in rows if (one["stimulus"], one["label"]) == (stimulus, label))
    return found


def test_each_stimulus_and_label_has_a_row(tmp_path: Path) -> None:
    rows = study_rows(record(tmp_path / "one"))
    assert len(rows) == 2 * 3, "what was cut short has none"
    row = row_of(rows, "puppy", "happiness")
    assert (row["study"], row["participant"], row["model"]) == ("Smiles", "P07", "test")
    assert (row["kind"], row["condition"], row["position"]) == ("picture", "pleasant", 2)
    assert (row["start"], row["seconds"], row["answer"]) == (2.0, 2.0, 4)
    assert row["answer_seconds"] == pytest.approx(0.5)
    assert (row["face"], row["complete"]) == (1, True)
    # 2.0 to 4.0, both included: 0.50, 0.52 … 0.88, and 0.2 at 4.0.
    said = [*(0.5 + 0.02 * step for step in range(20)), 0.2]
    assert row["frames"] == row["rows"] == 21
    assert row["mean"] == pytest.approx(np.mean(said), abs=1e-4)
    assert row["peak"] == pytest.approx(0.88, abs=1e-4)
    assert row["before"] == pytest.approx(0.2, abs=1e-4)
    # At 2.0 it is not more than a half, and at 4.0 the face is unsure.
    assert row["share"] == pytest.approx(19 / 21)
    assert row_of(rows, "puppy", "unsure")["share"] == pytest.approx(1 / 21)
    row = row_of(rows, "wasp", "neutral")
    assert (row["answer"], row["answer_seconds"]) == (None, None)
    assert (row["frames"], row["rows"]) == (21, 11)
    assert row["missing"] == pytest.approx(10 / 21)
    assert row["before"] == pytest.approx(0.8, abs=1e-4)


def test_bins_share_the_frames_of_a_stimulus_among_them(tmp_path: Path) -> None:
    session = open_study(record(tmp_path / "one"))
    rows = rows_of(session, bin_seconds=0.8)
    binned = [row for row in rows if (row["stimulus"], row["label"]) == ("puppy", "happiness")]
    assert [row["bin"] for row in binned] == [1, 2, 3]
    assert [row["bin_start"] for row in binned] == pytest.approx([0, 0.8, 1.6])
    assert [row["bin_seconds"] for row in binned] == pytest.approx([0.8, 0.8, 0.4])
    assert [row["frames"] for row in binned] == [8, 8, 5]
    assert binned[0]["mean"] == pytest.approx(np.mean([0.5 + 0.02 * n for n in range(8)]), abs=1e-4)
    assert [row["peak"] for row in binned] == pytest.approx([0.64, 0.8, 0.88], abs=1e-4)
    assert {row["before"] for row in binned} == {binned[0]["before"]}
    # What a bin holds of the whole is the whole again.
    whole = row_of(rows_of(session), "puppy", "happiness")
    assert sum(row["rows"] * row["mean"] for row in binned) / whole["rows"] == pytest.approx(
        whole["mean"]
    )
    # A stimulus without the face in its second half has bins without a figure.
    lost = [row for row in rows_of(session, 1.0) if row["stimulus"] == "wasp"]
    means = [row["mean"] for row in lost if row["label"] == "neutral"]
    assert means[0] == pytest.approx(0.8)
    assert len(means) == 2
    assert len(rows_of(session, 60.0)) == len(rows_of(session))


def test_the_face_seen_most_counts_after_what_review_changed(tmp_path: Path) -> None:
    folder = record(tmp_path / "one", marks=[(9.0, "show", "late"), (9.8, "over", "late")])
    assert row_of(study_rows(folder), "late", "happiness")["mean"] == pytest.approx(0.2, abs=1e-4)
    write_edits(folder, EditList((Exclude(1),)))
    assert row_of(study_rows(folder), "late", "happiness")["mean"] == pytest.approx(0.9, abs=1e-4)
    write_edits(folder, EditList((Exclude(1, 9.0, 9.9), Merge(2, 1))))
    assert row_of(study_rows(folder), "late", "happiness")["mean"] == pytest.approx(0.9, abs=1e-4)


def test_a_stimulus_whose_interval_was_removed_in_review_is_left_out(tmp_path: Path) -> None:
    folder = record(tmp_path / "one")
    write_edits(folder, EditList((RemoveInterval("s0"),)))
    rows = study_rows(folder)
    assert {row["stimulus"] for row in rows} == {"wasp"}
    assert rows[0]["complete"], "it was shown all the same"


def test_a_text_has_nothing_before_it(tmp_path: Path) -> None:
    order = [{"name": "puppy", "kind": "text", "condition": "", "position": 1}]
    row = row_of(study_rows(record(tmp_path / "one", STUDY | {"order": order})), "puppy", "neutral")
    assert row["before"] is None
    assert row["mean"] is not None


def test_a_study_that_was_stopped_is_not_complete(tmp_path: Path) -> None:
    order = [*STUDY["order"], {"name": "cut short", "kind": "film", "condition": "", "position": 4}]
    assert not study_rows(record(tmp_path / "one", STUDY | {"order": order}))[0]["complete"]


def test_a_session_without_any_face_has_rows_without_values(tmp_path: Path) -> None:
    clock = Clock(1000.0, 1.7e9)
    with SessionWriter(tmp_path / "one", {"study": STUDY}, LABELS, clock=clock, wait=True) as one:
        for index in range(100):
            frame = Frame(np.zeros((48, 64, 3), np.uint8), index, 1000.0 + index / FPS)
            one.add(FrameResult(frame, ()))
        for at, key, text in MARKS:
            one.mark(1000.0 + at, key, text)
    row = row_of(study_rows(tmp_path / "one"), "puppy", "happiness")
    assert (row["frames"], row["rows"], row["missing"]) == (21, 0, 1.0)
    assert row["mean"] is row["peak"] is row["share"] is row["before"] is None


def test_stimuli_are_kept_intervals_in_review_and_events(tmp_path: Path) -> None:
    state = edited(open_recording(record(tmp_path / "one")), EditList())
    assert [(one.name, one.start, one.end) for one in state.intervals] == [
        ("puppy", 2.0, 4.0), ("wasp", 6.0, 8.0)
    ]  # fmt: skip
    assert events(state.markers) == {
        "stimulus “cut short”": [9.0], "stimulus “puppy”": [2.0], "stimulus “wasp”": [6.0]
    }  # fmt: skip
    assert [marker.sign for marker in state.markers] == ["»", "«", "=", "»", "«", "»"]


def test_the_command_writes_one_table_of_all_sessions(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record(tmp_path / "all" / "one")
    other = STUDY | {"participant": "P08", "variables": {"age": "40", "group": "b"}}
    record(tmp_path / "all" / "deep" / "two", other)
    record(tmp_path / "all" / "none", None)
    table = tmp_path / "table.csv"
    assert main(["table", str(tmp_path / "all"), "-o", str(table)]) == 0
    assert capsys.readouterr().out == f"2 sessions, 12 rows: {table}\n"
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["participant"] for row in rows[::6]] == ["P08", "P07"]
    assert (rows[0]["age"], rows[0]["group"], rows[0]["label_"]) == ("40", "b", "")
    assert (rows[6]["age"], rows[6]["group"], rows[6]["label_"]) == ("31", "", "x")
    assert rows[6]["label"] == "neutral"
    assert rows[6]["answer"] == "4"
    assert float(rows[7]["peak"]) == pytest.approx(0.88)
    assert "bin" not in rows[0]
    assert main(["table", str(tmp_path / "all"), "--bin", "1", "-o", str(table)]) == 0
    assert capsys.readouterr().out == f"2 sessions, 24 rows: {table}\n"
    with table.open(encoding="utf-8", newline="") as file:
        header, first = list(csv.reader(file))[:2]
    at = header.index("seconds")
    assert header[at : at + 5] == ["seconds", "bin", "bin_start", "bin_seconds", "answer"]
    assert first[at : at + 4] == ["2", "1", "0", "1"]


def test_a_session_that_cannot_be_read_is_said_and_the_others_are_not_lost(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record(tmp_path / "one")
    (record(tmp_path / "two") / "frames.parquet").write_bytes(b"broken")
    (record(tmp_path / "three") / "edits.json").write_text("broken")
    assert main(["table", str(tmp_path), "-o", str(tmp_path / "table.csv")]) == 1
    said = capsys.readouterr()
    assert said.out.startswith("1 session, 6 rows: ")
    assert [line[:7] for line in said.err.splitlines()] == ["error: "] * 2


def test_what_to_mind_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    marks = [(8.5, "show", "late"), (9.8, "over", "late")]
    folder = record(tmp_path / "one", marks=marks)
    write_edits(folder, EditList((Split(1, 8.8, 3),)))
    record(tmp_path / "two", marks=marks)
    assert main(["table", str(tmp_path), "-o", str(tmp_path / "table.csv")]) == 0
    said = capsys.readouterr().err.splitlines()
    assert said == [
        "mind: one: face 1, which counts, is on 4 of 14 frames of stimuli that have a face; if "
        "the others are the same person, merge them in Review",
        "mind: P07 has 2 sessions of Smiles: one, two",
    ]


def test_nothing_to_read_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SessionError, match="expected a folder of recordings, found none at"):
        study_folders([tmp_path / "none"])
    record(tmp_path / "plain", None)
    with pytest.raises(SessionError, match="expected sessions that were recorded by a study"):
        study_folders([tmp_path])
    folder = record(tmp_path / "empty", marks=[])
    with pytest.raises(SessionError, match="expected stimuli that were shown to their end"):
        write_table([open_study(folder)], tmp_path / "table.csv")
    assert not (tmp_path / "table.csv").exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["table", "none", "-o", "a.csv"], 'expected a folder of recordings, found none at "none"'),
        (["table", ".", "-o", "a.txt"], "expected a file name that ends in .csv, found 'a.txt'"),
        (["check", "none.toml"], "expected a protocol, found nothing to read in"),
    ],
)
def test_a_wrong_command_is_one_line_and_status_2(
    words: list[str],
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"error: {sentence}")
    assert said.count("\n") == 1


def test_check_shows_the_order_of_a_participant(
    smiles: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", str(smiles), "--participant", "P07"]) == 0
    first, *order = capsys.readouterr().out.splitlines()
    assert first.startswith("Smiles: 1 text, 2 pictures, 1 film, ")
    assert order[0].split() == ["1", "text", "a", "text"]
    assert sorted(line.split()[2].rstrip(",") for line in order[1:]) == ["clip", "puppy", "wasp"]
