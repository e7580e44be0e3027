"""fer-analyze from the arguments to the tables."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pyarrow.compute as pc
import pytest

from app.sessions.folder import open_session
from app.sources.video import VideoSource
from models.runtime.store import DEFAULT_MODEL, load_model
from tests.analysis.conftest import run

Run = Callable[..., int]


def test_each_film_becomes_a_session_that_opens(results: Path) -> None:
    session = open_session(results / "one")
    assert session.frames["frame"].to_pylist() == list(range(12))
    assert session.frames["media_time"].to_pylist() == session.frames["session_time"].to_pylist()
    assert session.frames["session_time"][1].as_py() == pytest.approx(0.04)
    assert session.frames["face_id"].to_pylist() == [1] * 12
    raw = np.array([session.frames[f"raw_{label}"].to_pylist() for label in session.labels])
    assert raw.sum(0) == pytest.approx(np.ones(12), abs=1e-5)
    assert len(session.frames["landmarks"][0].as_py()) == 136
    assert session.info["source"]["name"] == "one.mp4"
    assert session.info["source"]["frame_width"] == 320
    assert session.info["model"]["sha256"] == session.info["analysis"]["model_sha256"]
    assert session.info["counts"] == {
        "frames": 12, "faces": 12, "rows": 12, "dropped": {}, "dropped_unlisted": 0,
    }  # fmt: skip
    assert "Analysed from files" in (results / "one" / "codebook.md").read_text("utf-8")


def test_clocks_that_differ_from_run_to_run_are_left_empty(results: Path) -> None:
    frames = open_session(results / "two").frames
    for name in ("wall_time", "ms_find", "ms_total"):
        assert frames[name].null_count == frames.num_rows


def test_the_images_of_a_folder_become_one_table_with_their_names(results: Path) -> None:
    session = open_session(results / "photos")
    assert session.frames["file"].to_pylist() == ["face 1.png", "face 10.png"]
    assert session.frames["frame"].to_pylist() == [0, 2]
    assert session.frames["face_id"].to_pylist() == [1, 2]  # nobody is followed between photos
    assert session.dropped.to_pylist() == [
        {"session_time": 1.0, "frame": 1, "reason": "unreadable"}
    ]


def test_a_session_names_all_that_read_it(results: Path) -> None:
    info = open_session(results / "two").info
    assert info["finder"] == "mien"
    assert info["landmarks"] == "landmarks68"
    for name in ("model", "card", "finder", "landmarks", "cover"):
        assert len(info["analysis"][f"{name}_sha256"]) == 64


def test_base_rates_are_gone_by_and_written_down(
    films: Path, results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert run(films / "two.mp4", "-o", out, "--base-rates", "even,contempt=0") == 0
    even, plain = open_session(out / "two"), open_session(results / "two")
    assert even.info["model"]["base_rates"] == "even,contempt=0"
    assert plain.info["model"]["base_rates"] == ""
    rates = load_model(DEFAULT_MODEL).card.base_rates["mirror"]
    for session in (even, plain):
        assert session.frames["raw_contempt"].null_count == 0
    assert set(even.frames["raw_contempt"].to_pylist()) == {0.0}
    odds = [
        session.frames["raw_disgust"][0].as_py() / session.frames["raw_neutral"][0].as_py()
        for session in (even, plain)
    ]
    place = {label: rates[number] for number, label in enumerate(even.labels)}
    assert odds[0] / odds[1] == pytest.approx(place["neutral"] / place["disgust"], rel=1e-3)
    capsys.readouterr()
    assert run(films / "two.mp4", "-o", out, "--resume") == 0
    assert "two-2" in {folder.name for folder in out.iterdir()}, "other rates are another analysis"
    assert run(films / "two.mp4", "-o", tmp_path / "no", "--base-rates", "joy=1") == 2
    assert "expected base rates such as" in capsys.readouterr().err


def test_a_film_with_a_colon_in_its_name_is_played(
    films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(films / "one.mp4", "P01:take.mp4")
    assert run("P01:take.mp4", "-o", "out") == 0
    assert open_session(tmp_path / "out" / "P01_take").frames.num_rows >= 12


def test_other_forms_come_beside_the_table(films: Path, tmp_path: Path) -> None:
    assert run(films / "photos", "-o", tmp_path / "a", "--format", "csv") == 0
    with (tmp_path / "a" / "photos" / "frames.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["file"] for row in rows] == ["face 1.png", "face 10.png"]
    assert 0 < float(rows[0]["confidence"]) <= 1
    assert run(films / "photos", "-o", tmp_path / "b", "--format", "jsonl") == 0
    lines = (tmp_path / "b" / "photos" / "frames.jsonl").read_text("utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    assert [record["frame"] for record in records] == [0, 2]
    assert records[0]["wall_time"] is None
    assert [record["file"] for record in records] == ["face 1.png", "face 10.png"]
    assert records[0]["faces"][0]["id"] == 1


def test_a_video_with_the_findings_has_the_times_of_the_table(films: Path, tmp_path: Path) -> None:
    assert run(films / "one.mp4", "-o", tmp_path / "out", "--video") == 0
    session = open_session(tmp_path / "out" / "one")
    (video,) = session.videos
    with VideoSource(video, paced=False) as source, VideoSource(
        films / "one.mp4", paced=False
    ) as original:  # fmt: skip
        times, drawn = [], []
        while (frame := source.read()) is not None:
            before = original.read()
            assert before is not None
            times.append(frame.media_time)
            drawn.append(abs(frame.image.astype(int) - before.image).mean())
    assert times == pytest.approx(session.frames["session_time"].to_pylist(), abs=1e-3)
    assert min(drawn) > 2  # JPEG alone changes less than one


def test_a_broken_file_is_said_and_skipped(
    films: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"not a film" * 50)
    assert run(broken, films / "photos", "-o", tmp_path / "out") == 1
    found = capsys.readouterr()
    assert found.err.startswith("error: ")
    assert "broken.mp4" in found.err
    assert "photos: 2 images" in found.out
    assert "1 done, 1 failed" in found.out
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["photos", "summary.csv"]


@pytest.mark.skipif(sys.platform == "win32", reason="a closed pipe is another error there")
def test_a_reader_that_leaves_changes_no_status(films: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"not a film" * 50)
    reader, writer = os.pipe()
    os.close(reader)
    words = ("--workers", "1", films / "photos", broken, "-o", tmp_path / "out")
    with open(writer, "w") as left:
        done = subprocess.run(
            [sys.executable, "-m", "app.cli.analyze", *map(str, words)],
            stdout=left, stderr=subprocess.PIPE, text=True, check=False, timeout=60,
        )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert (tmp_path / "out" / "photos").is_dir()


def test_an_empty_file_is_said_to_be_empty(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty.mts").write_bytes(b"")  # found in the folder, as a camcorder's film
    assert run(tmp_path, "-o", tmp_path / "out") == 1
    assert 'empty.mts" is empty; copy the file again' in capsys.readouterr().err


def test_a_folder_of_which_no_image_can_be_read_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "unreadable"
    folder.mkdir()
    for name in ("a.png", "b.png"):
        (folder / name).write_bytes(b"nothing")
    assert run(folder, "-o", tmp_path / "out") == 1
    assert "None of the images" in capsys.readouterr().err


def test_a_frame_without_a_face_keeps_its_row(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    cv2.imwrite(str(empty / "gray.png"), np.full((120, 160, 3), 90, np.uint8))
    assert run(empty, "-o", tmp_path / "out") == 0
    frames = open_session(tmp_path / "out" / "empty").frames
    assert frames.num_rows == 1
    assert pc.all(pc.is_null(frames["face_id"])).as_py()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "INPUT"),
        (["photos"], "-o"),
        (["nowhere.mp4", "-o", "out"], "nowhere.mp4"),
        (["empty", "-o", "out"], "found none"),
        (["photos", "-o", "out", "--every", "0"], "from 1"),
        (["photos", "-o", "out", "--workers", "many"], "from 1"),
        (["photos", "-o", "out", "--format", "xlsx"], "parquet"),
        (["photos", "-o", "out", "--model", "nobody"], "nobody"),
        (["photos", "-o", "out", "--finder", "eyes"], "haar"),
        (["photos", "-o", "out", "--finder", "haar", "--yunet", "x.onnx"], "--finder yunet"),
        (["photos", "-o", "out", "--yunet", "nowhere.onnx"], "nowhere.onnx"),
        (["photos", "-o", "out", "--workers", "2", "--scheduler", "tcp://h:1"], "leave one out"),
        (["photos", "-o", "photos/face 1.png/out"], "cannot be made"),
        (["photos", "-o", "taken"], "--resume"),
        (["photos", "-o", "~no-such-user-here/results"], "names no user"),
        (["photos", "-o", "out", "--yunet", "~no-such-user-here/y.onnx"], "names no user"),
        (["~no-such-user-here/photos", "-o", "out"], "names no user"),
    ],
)
def test_what_cannot_begin_is_one_sentence_and_status_2(
    words: list[str],
    said: str,
    films: Path,
    results: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "photos").symlink_to(films / "photos")
    (tmp_path / "taken").symlink_to(results)
    monkeypatch.chdir(tmp_path)
    assert run(*words) == 2
    found = capsys.readouterr()
    assert found.out == ""
    assert found.err.startswith("error: ")
    assert found.err.count("\n") == 1
    assert said in found.err
    assert not (tmp_path / "out").exists() or not any((tmp_path / "out").iterdir())


def test_results_may_go_home(films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert run(films / "photos", "--output=~/results") == 0
    names = sorted(path.name for path in (tmp_path / "results").iterdir())
    assert names == ["photos", "summary.csv"]


def test_names_that_the_terminal_has_no_letters_for_are_told(
    films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = tmp_path / "\u6620\u753b.mp4"
    film.write_bytes((films / "one.mp4").read_bytes())
    written = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(written, encoding="cp1252"))
    assert run(film, "-o", tmp_path / "out") == 0
    assert b"\\u6620\\u753b" in written.getvalue()
