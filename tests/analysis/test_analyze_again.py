"""fer-analyze, once more into a folder: what is there stays, what is missing is added."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from app.analysis.inputs import find_inputs
from app.analysis.job import DONE, Outcome, Progress, run_job
from app.analysis.parts import AnalysisOptions
from app.analysis.plan import plan
from app.cli import analyze
from app.errors import SettingsError
from app.sessions.folder import open_session
from models.runtime.store import find_model
from tests.analysis.conftest import run

Run = Callable[..., int]


def test_the_summary_says_what_came_of_each(results: Path, films: Path) -> None:
    with (results / "summary.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["status"], row["folder"], row["frames"], row["faces"]) for row in rows] == [
        ("done", "one", "12", "12"), ("done", "two", "12", "12"), ("done", "photos", "2", "2"),
    ]  # fmt: skip
    assert rows[2]["note"].startswith('"face 2.png" cannot be read')
    assert Path(rows[0]["input"]) == films / "one.mp4"


def test_the_same_again_is_the_same_to_the_byte_and_resume_leaves_it(
    films: Path, results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(films / "two.mp4", "-o", tmp_path / "out") == 0
    tables = [folder / "two" / "frames.parquet" for folder in (results, tmp_path / "out")]
    assert tables[0].read_bytes() == tables[1].read_bytes()
    before = tables[1].stat().st_mtime_ns
    capsys.readouterr()
    assert run(films / "one.mp4", films / "two.mp4", "-o", tmp_path / "out", "--resume") == 0
    said = capsys.readouterr().out
    assert "two.mp4: already in" in said
    assert "1 done, 1 already there" in said
    assert tables[1].stat().st_mtime_ns == before
    with (tmp_path / "out" / "summary.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["status"], row["frames"], row["faces"]) for row in rows] == [
        ("done", "12", "12"), ("skipped", "12", "12"),
    ]  # fmt: skip


def test_a_resumed_summary_keeps_the_notes(films: Path, tmp_path: Path) -> None:
    notes = []
    for _ in range(2):
        assert run(films / "photos", "-o", tmp_path / "out", "--resume") == 0
        with (tmp_path / "out" / "summary.csv").open(encoding="utf-8") as file:
            notes += [row["note"] for row in csv.DictReader(file)]
    assert notes[0]
    assert notes[0] == notes[1]


def test_a_summary_keeps_the_lines_of_other_inputs(films: Path, tmp_path: Path) -> None:
    for part in ("photos", "."):
        assert run(films / part, "-o", tmp_path / "out", "--resume") in (0, 1)
    rows = (tmp_path / "out" / "summary.csv").read_text(encoding="utf-8").splitlines()
    names = [row.split(",")[0] for row in rows]
    assert len(names) == len(set(names)) > 2, "each input once"
    assert run(films / "photos", "-o", tmp_path / "out", "--resume") == 0
    again = (tmp_path / "out" / "summary.csv").read_text(encoding="utf-8").splitlines()
    assert sorted(row.split(",")[0] for row in again) == sorted(names)


def test_a_run_that_cannot_begin_leaves_the_summary(
    films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> None:
        raise SettingsError("No scheduler answers.")

    assert run(films / "photos", "-o", tmp_path / "out") == 0
    summary = tmp_path / "out" / "summary.csv"
    before = summary.read_bytes()
    monkeypatch.setattr(analyze, "runner", lambda **_: refuse)
    assert run(films / "photos", "-o", tmp_path / "out", "--resume") == 2
    assert "No scheduler answers." in capsys.readouterr().err
    assert summary.read_bytes() == before
    assert run(films / "photos", "-o", tmp_path / "new") == 2
    assert list((tmp_path / "new").iterdir()) == []


def test_what_is_there_is_told_by_content_and_never_replaced(
    films: Path, results: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    clip = tmp_path / "clip.mp4"
    clip.write_bytes((films / "one.mp4").read_bytes())
    assert run(clip, "-o", out) == 0
    renamed = clip.rename(tmp_path / "renamed.mp4")
    assert run(renamed, "-o", out, "--resume") == 0
    assert sorted(path.name for path in out.iterdir()) == ["clip", "summary.csv"]
    clip.write_bytes((films / "two.mp4").read_bytes())  # another film by the old name
    assert run(clip, "-o", out, "--resume") == 0
    first, second = (open_session(out / name) for name in ("clip", "clip-2"))
    assert not first.frames.equals(second.frames)
    # Another way of analysing is another result, too.
    assert run(clip, "-o", out, "--resume", "--every", "5") == 0
    assert open_session(out / "clip-3").frames["frame"].to_pylist() == [0, 5, 10]


def test_images_under_other_names_are_another_table(films: Path, tmp_path: Path) -> None:
    for name in ("anna.png", "bert.png"):
        (tmp_path / "photos").mkdir(exist_ok=True)
        shutil.copy(films / "photos" / "face 1.png", tmp_path / "photos" / name)
        assert run(tmp_path / "photos", "-o", tmp_path / "out", "--resume") == 0
        (tmp_path / "photos" / name).unlink()
    second = open_session(tmp_path / "out" / "photos-2")
    assert second.frames["file"].to_pylist() == ["bert.png"]


def test_a_model_exported_anew_is_loaded_anew_and_another_result(
    films: Path, tmp_path: Path
) -> None:
    own = tmp_path / "mine.onnx"
    for name in ("mini_xception.ferplus", "mini_xception.fer2013"):
        for suffix in (".onnx", ".json"):
            shutil.copy(find_model(name).with_suffix(suffix), own.with_suffix(suffix))
        assert run(films / "one.mp4", "-o", tmp_path / "out", "--resume", "--model", own) == 0
    sessions = [open_session(tmp_path / "out" / name) for name in ("one", "one-2")]
    assert [len(session.labels) for session in sessions] == [8, 7]
    hashes = {session.info["model"]["sha256"] for session in sessions}
    assert len(hashes) == 2


def test_a_folder_left_by_one_that_was_killed_is_done_anew(films: Path, tmp_path: Path) -> None:
    left = tmp_path / "out" / ".one.0f3a51c2.partial"
    left.mkdir(parents=True)
    (left / "frames.parquet").write_bytes(b"half")
    assert run(films / "one.mp4", "-o", tmp_path / "out", "--resume") == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["one", "summary.csv"]


def test_results_inside_the_inputs_are_not_analysed_again(films: Path, tmp_path: Path) -> None:
    (tmp_path / "one.mp4").write_bytes((films / "one.mp4").read_bytes())
    out = tmp_path / "results"
    assert run(tmp_path, "-o", out) == 0
    (out / "one" / "video.mp4").write_bytes((films / "two.mp4").read_bytes())
    assert run(tmp_path, "-o", out, "--resume") == 0
    assert sorted(path.name for path in out.iterdir()) == ["one", "summary.csv"]


def test_a_folder_of_recordings_is_no_folder_of_results(films: Path, tmp_path: Path) -> None:
    recorded = tmp_path / "out" / "one"
    recorded.mkdir(parents=True)
    (recorded / "session.json").write_text('{"format": 1, "state": "finished"}', "utf-8")
    (job,) = plan(
        find_inputs([str(films / "one.mp4")]), tmp_path / "out", AnalysisOptions(), resume=False
    )
    assert job.name == "one-2"  # and what was recorded stays untouched


def test_two_at_work_on_one_name_do_not_meet(films: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (job,) = plan(find_inputs([str(films / "one.mp4")]), out, AnalysisOptions(), resume=False)
    within: list[Outcome] = []

    def begun(_: Progress) -> None:
        if not within:
            within.append(run_job(job, lambda _: None, lambda: False))

    outer = run_job(job, begun, lambda: False)
    assert [outcome.status for outcome in (outer, *within)] == [DONE, DONE]
    assert [outcome.folder for outcome in (*within, outer)] == [out / "one", out / "one-2"]
    assert sorted(path.name for path in out.iterdir()) == ["one", "one-2"]
    assert open_session(out / "one").frames.equals(open_session(out / "one-2").frames)
