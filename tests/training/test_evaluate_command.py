"""fer-evaluate on drawn faces and a model trained on them a moment ago."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import pytest

from models import scoring
from models.card_file import embed_card, write_card
from models.cli.evaluate import main
from models.data.face_set import FaceSet
from models.export import Exported, export
from models.runtime import store
from models.runtime.card import file_facts
from models.runtime.labels import FER2013, FERPLUS
from models.training.parts import read_held_out

pytestmark = pytest.mark.train

Run = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def exports(
    trained: Path, faces: FaceSet, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Exported]:
    """Return the model of each label set, exported with temperatures and figures in its card."""
    folder = tmp_path_factory.mktemp("evaluated")
    return {
        name: export(
            trained / "last.pt", output=folder / f"mini.{name}.onnx", label_set=name, faces=faces
        )
        for name in ("ferplus", "fer2013")
    }


@pytest.fixture
def evaluated(data: Path, tmp_path: Path) -> Run:
    """Return how to run the command on the drawn faces; it gives its JSON."""

    def run(*arguments: str | Path, of: Path = data) -> dict[str, Any]:
        out = tmp_path / "out.json"
        words = [*map(str, arguments), "--data", str(of), "--json", str(out), "--threads", "1"]
        assert main(words) == 0
        values: dict[str, Any] = json.loads(out.read_text())
        return values

    return run


def refused(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    """Run a command that must fail; return its one sentence."""
    assert main([*map(str, arguments)]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("error: ")
    assert captured.err.count("\n") == 1
    return captured.err


def test_base_rates_come_from_the_card(
    exports: dict[str, Exported], evaluated: Run, capsys: pytest.CaptureFixture[str], data: Path
) -> None:
    path = exports["fer2013"].path
    rates = {"one": (0.94, *[0.01] * 6), "mirror": (0.94, *[0.01] * 6)}
    with_rates = path.with_name("rates.fer2013.onnx")
    with_rates.write_bytes(path.read_bytes())
    card = replace(exports["fer2013"].card, base_rates=rates, file=None)
    embed_card(with_rates, card)
    write_card(with_rates, card)
    plain, even = (
        evaluated(with_rates, *words)["models"]["rates.fer2013"]
        for words in ((), ("--base-rates", "even"))
    )
    said = capsys.readouterr().out
    assert "base rates each expression taken to be as common as any other" in said
    named = [sum(row[0] for row in found["confusion"]) for found in (plain, even)]
    assert named[0] > named[1] == 0, "a label that is common to the model is named less"
    recalls = plain["per_class_recall"].values()
    assert plain["mean_recall"] == pytest.approx(sum(recalls) / len(recalls), abs=1e-4)
    told = refused(capsys, path, "--data", data, "--base-rates", "even")
    assert "mini.fer2013: expected a model that knows how common" in told
    both = (path, "--data", data, "--base-rates", "even", "--robustness")
    assert "found both" in refused(capsys, *both)


@pytest.mark.parametrize(("tta", "crops"), [("none", "one"), ("flip", "mirror")])
@pytest.mark.parametrize("label_set", ["ferplus", "fer2013"])
def test_it_agrees_with_the_card(
    exports: dict[str, Exported], evaluated: Run, label_set: str, tta: str, crops: str
) -> None:
    done = exports[label_set]
    found = evaluated(done.path, "--tta", tta)["models"][f"mini.{label_set}"]
    metric = done.card.metric(crops)
    assert metric is not None
    assert found["n"] == metric.n == 32
    assert found["temperature"] == done.card.temperature[crops]
    for key in ("accuracy", "macro_f1", "nll", "ece"):
        assert found[key] == pytest.approx(getattr(metric, key), abs=2e-5)
    assert found["per_class_recall"] == pytest.approx(metric.recall, abs=1e-4)
    assert found["sha256"] == file_facts(done.path).sha256
    assert (found["split"], found["tta"]) == ("PublicTest", tta)
    assert found["latency_ms"] > 0


def test_one_command_scores_every_bundled_model_on_private_test(
    exports: dict[str, Exported],
    evaluated: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    entries = [store.ModelEntry(done.path.stem, done.path, done.card) for done in exports.values()]
    monkeypatch.setattr(store, "bundled", lambda: entries)
    monkeypatch.setattr(scoring, "bundled", lambda: entries)
    found = evaluated("all", "mini.ferplus", "--split", "PrivateTest")
    assert list(found["models"]) == ["mini.ferplus", "mini.fer2013"]
    for name, labels in (("mini.ferplus", FERPLUS), ("mini.fer2013", FER2013)):
        entry = found["models"][name]
        assert entry["n"] == sum(map(sum, entry["confusion"])) == 16
        assert entry["deduplicated"]["n"] == 16
        assert tuple(entry["labels"]) == labels
        assert entry["accuracy_interval"][0] < entry["accuracy"] <= entry["accuracy_interval"][1]
    # They name different labels, so there is nothing to pair.
    assert found["comparisons"] == []


def test_copies_of_training_pictures_are_counted_apart(
    exports: dict[str, Exported], evaluated: Run
) -> None:
    found = evaluated(exports["ferplus"].path)
    assert found["data"]["copies_of_training"] == 1
    entry = found["models"]["mini.ferplus"]
    assert entry["deduplicated"]["n"] == 31
    assert entry["deduplicated"].keys() == {
        "n",
        "accuracy",
        "accuracy_interval",
        "macro_f1",
        "mean_recall",
        "per_class_recall",
        "ece",
        "nll",
        "confusion",
    }


def test_copies_of_what_was_chosen_on_are_counted_on_the_test_part(
    exports: dict[str, Exported],
    evaluated: Run,
    faces: FaceSet,
    write_data: Callable[[FaceSet, str, Path], Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pixels = faces.pixels.copy()
    pixels[96], pixels[97:99] = pixels[0], pixels[70]
    path = write_data(replace(faces, pixels=pixels), "parquet", tmp_path / "copied")
    found = evaluated(exports["fer2013"].path, "--split", "PrivateTest", of=path)
    assert found["data"]["copies_of_training"] == 1
    assert found["data"]["copies_of_public_test"] == 2
    assert found["models"]["mini.fer2013"]["deduplicated"]["n"] == 13
    told = " ".join(capsys.readouterr().out.split())
    assert (
        "1 of 16 pictures are, pixel for pixel, also in the Training split; 2 of 16 pictures are, "
        "pixel for pixel, also in PublicTest, by which checkpoints and temperatures" in told
    )


@pytest.mark.parametrize("split", ["Training", "PublicTest"])
def test_no_such_figures_without_other_training_pictures(
    exports: dict[str, Exported],
    evaluated: Run,
    faces: FaceSet,
    write_data: Callable[[FaceSet, str, Path], Path],
    tmp_path: Path,
    split: Any,
) -> None:
    alone = write_data(faces.split(split), "parquet", tmp_path / "alone")
    found = evaluated(exports["fer2013"].path, "--split", split, of=alone)
    assert found["models"]["mini.fer2013"]["deduplicated"] is None


def test_a_checkpoint_gives_what_its_export_gives(
    exports: dict[str, Exported], evaluated: Run, trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = evaluated(trained / "last.pt", exports["ferplus"].path, "--labels", "ferplus")
    ours, theirs = found["models"]["last"], found["models"]["mini.ferplus"]
    assert ours["confusion"] == theirs["confusion"]
    assert ours["temperature"] == 1.0
    assert "not calibrated" in ours["temperature_note"]
    (test,) = found["comparisons"]
    assert test["models"] == ["last", "mini.ferplus"]
    assert (test["first_only"], test["second_only"], test["p"]) == (0, 0, 1.0)
    assert "McNemar" in capsys.readouterr().out


def test_ten_crops_say_what_they_are(exports: dict[str, Exported], evaluated: Run) -> None:
    done = exports["fer2013"]
    found = evaluated(done.path, "--tta", "ten-crop")["models"]["mini.fer2013"]
    assert "44 of 48" in found["crops"]
    assert found["temperature"] == done.card.temperature["one"]
    metric = done.card.metric("one")
    assert metric is not None
    assert found["nll"] != pytest.approx(metric.nll, abs=1e-4)


def test_a_list_chooses_pictures(
    exports: dict[str, Exported], evaluated: Run, tmp_path: Path
) -> None:
    images = tmp_path / "turned.txt"
    images.write_text("0/fer0000064.jpg\n1_fer0000065.png 8 2\n5/fer0000070.jpg\n0/fer7777777.jpg")
    found = evaluated(exports["ferplus"].path, "--images", images)
    assert found["models"]["mini.ferplus"]["n"] == 3
    assert found["data"]["images"] == {
        "list": "turned.txt",
        "listed": 4,
        "used": 3,
        "repeated": 0,
        "compared": 3,
        "disagreeing": 1,
        "elsewhere": [],
        "unresolved": ["fer7777777"],
    }


def test_report_and_diagrams_are_written_whole(
    exports: dict[str, Exported], evaluated: Run, tmp_path: Path
) -> None:
    out = tmp_path / "written"
    out.mkdir()
    evaluated(exports["ferplus"].path, "--report", out / "a.html", "--plots", out / "plots" / "new")
    assert "mini.ferplus" in (out / "a.html").read_text(encoding="utf-8")
    written = sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())
    assert written == [
        "a.html",
        "plots/new/mini.ferplus.confusion.png",
        "plots/new/mini.ferplus.reliability.png",
    ]


def test_spoilt_pictures_are_measured_where_that_is_asked_for(
    exports: dict[str, Exported],
    evaluated: Run,
    capsys: pytest.CaptureFixture[str],
    data: Path,
    tmp_path: Path,
) -> None:
    page = tmp_path / "a.html"
    both = [done.path for done in exports.values()]
    values = evaluated(*both, "--robustness", "6", "--report", page)
    for model in values["models"].values():
        found = model["robustness"]
        assert found["n"] == 6
        assert 0 <= found["mean"] <= 1
        assert len(found["spoilt"]["turned"]["accuracy"]) == 3
    said = capsys.readouterr().out
    assert said.count("framing: turned") == page.read_text().count("framing: turned") == 2
    assert "robustness" not in evaluated(both[0])["models"]["mini.ferplus"]
    refusal = refused(capsys, both[0], "--data", data, "--robustness", "0")
    assert "expected --robustness with at least 1 picture, found 0" in refusal


def test_the_tables_line_up(
    exports: dict[str, Exported], evaluated: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    evaluated(*(done.path for done in exports.values()))
    lines = capsys.readouterr().out.splitlines()
    starts = [number for number, line in enumerate(lines) if line.startswith("model")]
    assert len(starts) == 2
    for start in starts:
        header, rule, row = lines[start : start + 3]
        assert header.split()[:3] == ["model", "n", "accuracy"]
        ends = [place for place, mark in enumerate(rule) if rule[place : place + 2] == "- "]
        assert all(row[end] != " " and row[end + 1] == " " for end in ends[1:])
        assert header[ends[2]] == "y"
        assert row[ends[2]] == "%"


def test_models_of_one_file_name_are_told_apart(
    exports: dict[str, Exported], evaluated: Run, tmp_path: Path
) -> None:
    done = exports["ferplus"]
    (tmp_path / "copy").mkdir()
    twin = tmp_path / "copy" / done.path.name
    for suffix in (".onnx", ".json"):
        twin.with_suffix(suffix).write_bytes(done.path.with_suffix(suffix).read_bytes())
    assert set(evaluated(done.path, twin)["models"]) == {str(done.path), str(twin)}


def test_a_split_that_is_not_there_is_said(
    exports: dict[str, Exported],
    capsys: pytest.CaptureFixture[str],
    faces: FaceSet,
    write_data: Callable[[FaceSet, str, Path], Path],
    tmp_path: Path,
) -> None:
    path = write_data(faces.select(faces.splits != "PrivateTest"), "parquet", tmp_path / "part")
    said = refused(capsys, exports["ferplus"].path, "--data", path, "--split", "PrivateTest")
    assert "expected PrivateTest pictures, found none (it holds 64 Training and 32 Publi" in said


def test_what_fer_train_holds_out_of_other_data_is_measured(
    trained: Path,
    faces: FaceSet,
    evaluated: Run,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path / "classes"
    for number, (face, label) in enumerate(zip(faces.pixels, faces.labels, strict=True)):
        (folder / FER2013[label]).mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(folder / FER2013[label] / f"{number:03d}.png"), face)
    chosen, held = read_held_out(folder, None)
    model = (trained / "last.pt", "--labels", "fer2013")
    found = evaluated(*model, of=folder)["models"]
    assert [each["n"] for each in found.values()] == [len(chosen.split("PublicTest"))]
    assert held in capsys.readouterr().out
    assert [
        each["n"] for each in evaluated(*model, "--split", "all", of=folder)["models"].values()
    ] == [112]
    assert "a model that fer-train made of it knows nine tenths" in capsys.readouterr().out


def test_missing_votes_are_said(
    exports: dict[str, Exported],
    capsys: pytest.CaptureFixture[str],
    faces: FaceSet,
    write_data: Callable[[FaceSet, str, Path], Path],
    tmp_path: Path,
) -> None:
    path = write_data(replace(faces, votes=None), "fer2013", tmp_path / "plain")
    assert "--ferplus" in refused(capsys, exports["ferplus"].path, "--data", path)


def test_a_checkpoint_of_two_label_sets_wants_one_chosen(
    capsys: pytest.CaptureFixture[str], trained: Path, data: Path
) -> None:
    assert "choose with --labels" in refused(capsys, trained / "last.pt", "--data", data)


def test_a_label_set_that_a_file_lacks_is_said(
    capsys: pytest.CaptureFixture[str], data: Path, exports: dict[str, Exported]
) -> None:
    file = str(exports["ferplus"].path)
    assert main([file, "--labels", "fer2013", "--data", str(data)]) == 2
    said = capsys.readouterr().err
    assert "expected a model for fer2013, found one for ferplus: leave it or --labels out" in said


def test_an_unknown_model_is_said(capsys: pytest.CaptureFixture[str], data: Path) -> None:
    assert "no_such_model" in refused(capsys, "no_such_model", "--data", data)


def test_all_of_no_bundled_models_is_said(
    capsys: pytest.CaptureFixture[str], data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scoring, "bundled", list)
    assert "found none" in refused(capsys, "bundled", "--data", data)


@pytest.mark.parametrize("option", ["--json", "--report", "--plots"])
def test_a_place_that_cannot_be_written_to_is_said_before_the_work(
    exports: dict[str, Exported],
    capsys: pytest.CaptureFixture[str],
    data: Path,
    tmp_path: Path,
    option: str,
) -> None:
    file = tmp_path / "file"
    file.touch()
    place = file if option == "--plots" else tmp_path / "no" / "out"
    said = refused(capsys, exports["ferplus"].path, "--data", data, option, place)
    assert str(place) in said or str(place.parent) in said
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
