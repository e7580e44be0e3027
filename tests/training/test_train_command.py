from __future__ import annotations

import csv
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from models.cli.train import main
from models.data.face_set import FaceSet, clean_training
from models.training.checkpoint import load_checkpoint, save_checkpoint
from models.training.digest import digest_of
from models.training.examples import make_examples
from models.training.loop import Trainer
from models.training.recipe import Recipe, bundled_recipes

pytestmark = pytest.mark.train

Start = Callable[..., int]


@pytest.fixture
def start(
    recipe: Recipe,
    data: Path,
    write_recipe: Callable[[Recipe, Path], str],
    tmp_path: Path,
) -> Start:
    """Return how to call fer-train on the drawn faces, into tmp_path / "run"."""

    def call(*more: str, epochs: int = 2, **changes: Any) -> int:
        name = write_recipe(replace(recipe, epochs=epochs, **changes), tmp_path)
        common = ["--data", str(data), "--out", str(tmp_path / "run"), "--device", "cpu"]
        return main([name, *common, "--threads", "1", *more])

    return call


def sentence(capsys: pytest.CaptureFixture[str]) -> str:
    """Return the one line of error that was printed."""
    said = capsys.readouterr().err.strip()
    assert said.startswith("error: ")
    assert "\n" not in said
    assert "Traceback" not in said
    return said


@pytest.mark.parametrize("recipe", ["mini_xception", "face_finder", "landmarks68"])
def test_a_training_that_cannot_begin_leaves_no_folder(
    recipe: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged = tmp_path / "faces.parquet"
    damaged.write_bytes(b"PAR1 and no more")
    out = tmp_path / "deep" / "run"
    assert main([recipe, "--data", str(damaged), "--out", str(out), "--device", "cpu"]) == 2
    assert "faces.parquet" in sentence(capsys)
    assert not out.exists()


def test_a_folder_that_was_there_stays(tmp_path: Path) -> None:
    damaged, out = tmp_path / "faces.parquet", tmp_path / "run"
    damaged.write_bytes(b"PAR1 and no more")
    out.mkdir()
    assert main(["mini_xception", "--data", str(damaged), "--out", str(out)]) == 2
    assert out.is_dir()


def test_a_run_leaves_checkpoints_and_a_log(
    start: Start, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert start() == 0
    run = tmp_path / "run"
    assert {path.name for path in run.iterdir()} == {
        "last.pt",
        "best.fer2013.pt",
        "best.ferplus.pt",
        "log.csv",
        "tensorboard",
    }
    with (run / "log.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert list(rows[0]) == [
        "epoch",
        "loss",
        "seconds",
        "fer2013",
        "ferplus",
        "validation_loss",
    ]
    values = load_checkpoint(run / "last.pt")
    assert values["epoch"] == 2
    assert values["environment"]["torch"] == torch.__version__
    told = capsys.readouterr().out
    assert (
        "dropped from training: 1 copies of test pictures, 0 that are nearly one, 1 blank" in told
    )
    assert "62 training and 32 validation pictures" in told
    assert "epoch 2/2" in told


def test_best_is_the_epoch_with_the_highest_accuracy(start: Start, tmp_path: Path) -> None:
    assert start(epochs=4) == 0
    for name in ("fer2013", "ferplus"):
        best = load_checkpoint(tmp_path / "run" / f"best.{name}.pt")
        history = load_checkpoint(tmp_path / "run" / "last.pt")["history"]
        scores = [entry[name] for entry in history]
        assert best["history"][-1][name] == max(scores)
        assert best["epoch"] == len(scores) - scores[::-1].index(max(scores))


def test_epochs_on_the_command_line_are_kept_for_resuming(start: Start, tmp_path: Path) -> None:
    assert start("--epochs", "1", epochs=7) == 0
    assert load_checkpoint(tmp_path / "run" / "last.pt")["recipe"]["epochs"] == 1


def test_ctrl_c_loses_no_whole_epoch_and_resume_continues_exactly(
    start: Start,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert start(epochs=3) == 0
    unbroken = load_checkpoint(tmp_path / "run" / "last.pt")
    (tmp_path / "run").rename(tmp_path / "unbroken")

    with monkeypatch.context() as patch:
        whole = Trainer._step
        steps = iter(range(1000))

        def interrupted(trainer: Trainer, *arguments: Any) -> torch.Tensor | float:
            if next(steps) == 6:  # of four an epoch
                raise KeyboardInterrupt
            return whole(trainer, *arguments)

        patch.setattr(Trainer, "_step", interrupted)
        assert start(epochs=3) == 130
    assert "stopped" in capsys.readouterr().err
    assert load_checkpoint(tmp_path / "run" / "last.pt")["epoch"] == 1

    assert start("--resume", epochs=3) == 0
    resumed = load_checkpoint(tmp_path / "run" / "last.pt")
    for part in ("network", "average"):
        for name, value in unbroken[part].items():
            assert torch.equal(resumed[part][name], value), name
    assert [entry["loss"] for entry in resumed["history"]] == [
        entry["loss"] for entry in unbroken["history"]
    ]


@pytest.mark.parametrize("at", ["best.fer2013.pt", "best.ferplus.pt", "last.pt"])
def test_a_stop_while_writing_costs_neither_last_nor_best(
    at: str, start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = torch.save

    def cut_short(values: Any, path: Path) -> None:
        if Path(path).name.startswith(at):
            Path(path).write_bytes(b"the first half")
            raise KeyboardInterrupt
        whole(values, path)

    with monkeypatch.context() as patch:
        patch.setattr(torch, "save", cut_short)
        assert start(epochs=1) == 130
    assert not (tmp_path / "run" / "last.pt").exists()
    assert start(epochs=1) == 0
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert {"last.pt", "best.fer2013.pt", "best.ferplus.pt"} <= names
    assert not any(name.endswith(".partial") for name in names)


def test_a_killed_run_leaves_a_whole_checkpoint(
    recipe: Recipe, data: Path, write_recipe: Callable[[Recipe, Path], str], tmp_path: Path
) -> None:
    long = replace(recipe, epochs=10_000)
    out = tmp_path / "run"
    command = [sys.executable, "-m", "models.cli.train", write_recipe(long, tmp_path)]
    command += ["--data", str(data), "--out", str(out), "--device", "cpu", "--threads", "1"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while not (out / "log.csv").exists():
            assert process.poll() is None
            time.sleep(0.02)
        process.kill()
    trainer = Trainer(long, torch.device("cpu"))
    trainer.restore(load_checkpoint(out / "last.pt"))
    assert trainer.epoch >= 1
    assert len(trainer.history) == trainer.epoch


@pytest.mark.parametrize("recipe", ["mini_xception", "face_finder", "landmarks68"])
def test_a_training_that_is_gone_on_with_begins_with_no_other_weights(
    recipe: str, capsys: pytest.CaptureFixture[str]
) -> None:
    common = ["--data", "x", "--out", "run", "--resume", "--from", "start.pt"]
    assert main([recipe, *common]) == 2
    assert "expected --resume without --from, found both" in sentence(capsys)


@pytest.mark.parametrize(
    ("arguments", "what"),
    [(["face_finder"], "face_finder"), (["landmarks68"], "landmarks68"), (["jaffe"], "--folds")],
)
def test_what_one_process_does_is_refused_to_several(
    arguments: list[str],
    what: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    folds = ["--folds", "5"] if what == "--folds" else []
    assert main([*arguments, *folds, "--data", "x", "--out", str(tmp_path / "run")]) == 2
    assert f"expected one process for {what}, found 2 started by torchrun" in sentence(capsys)


def test_a_folder_with_a_training_is_not_overwritten(
    start: Start, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert start(epochs=1) == 0
    before = (tmp_path / "run" / "last.pt").read_bytes()
    capsys.readouterr()
    assert start(epochs=1) == 2
    assert "add --resume to go on with it" in sentence(capsys)
    assert (tmp_path / "run" / "last.pt").read_bytes() == before


def test_resume_without_a_training_says_what_is_missing(
    start: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    assert start("--resume") == 2
    assert "expected a checkpoint, found no file" in sentence(capsys)


def test_other_pictures_are_not_gone_on_with(
    start: Start,
    faces: FaceSet,
    write_data: Callable[[FaceSet, str, Path], Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert start("--minutes", "1e-9") == 0
    other = write_data(faces.select(np.arange(1, 112)), "parquet", tmp_path / "other")
    assert start("--resume", "--data", str(other)) == 2
    assert "some that are not the same: resume with the same data" in sentence(capsys)
    # A checkpoint of a version without fingerprints does not tell.
    last = tmp_path / "run" / "last.pt"
    state = load_checkpoint(last)
    del state["pictures"]
    save_checkpoint(last, state)
    assert start("--resume", "--data", str(other)) == 0


def test_other_labels_or_pictures_to_choose_on_are_not_gone_on_with(
    start: Start,
    faces: FaceSet,
    write_data: Callable[[FaceSet, str, Path], Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert start("--minutes", "1e-9") == 0
    assert faces.votes is not None
    voted, shown = faces.votes.copy(), faces.pixels.copy()
    voted[0] = np.roll(voted[0], 1)
    shown[64:96] = shown[64:96].transpose(0, 2, 1)
    shown[8] = shown[64]  # a copy still, so that as many are trained on
    for name, others in (
        ("votes", replace(faces, votes=voted)),
        ("shown", replace(faces, pixels=shown)),
    ):
        other = write_data(others, "parquet", tmp_path / name)
        assert start("--resume", "--data", str(other)) == 2
        assert "expected the pictures and labels that the training began with" in sentence(capsys)
    # An older version's fingerprint was of the training pictures alone.
    last = tmp_path / "run" / "last.pt"
    kept = make_examples(clean_training(faces)[0], ["fer2013"], torch.device("cpu"))
    state = load_checkpoint(last)
    save_checkpoint(last, {**state, "pictures": digest_of(kept.pixels)})
    assert start("--resume") == 0
    assert load_checkpoint(last)["pictures"] == state["pictures"]


def test_resume_with_another_recipe_names_the_difference(
    start: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    assert start(epochs=1) == 0
    capsys.readouterr()
    assert start("--resume", epochs=1, batch_size=32) == 2
    assert "differs in batch_size" in sentence(capsys)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nonsense", "--data", "x.csv", "--out", "out"], "found neither under 'nonsense'"),
        (["mini_xception", "--data", "x.csv", "--out", "out"], "found no file or folder x.csv"),
        (["mini_xception", "--data", "x.csv", "--out", "out", "--epochs", "0"], "at least 1"),
        (["mini_xception", "--data", "x.csv", "--out", "out", "--threads", "0"], "--threads of"),
        (
            ["mini_xception", "--data", "x.csv", "--out", "out", "--threads", "99999999999999"],
            "expected --threads of 1 to 1024, found 99999999999999",
        ),
        (["mini_xception", "--data", "x.csv", "--out", "out", "--device", "tpu"], "--device auto"),
    ],
)
def test_a_wrong_argument_is_answered_with_a_sentence(
    arguments: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    assert said in sentence(capsys)


@pytest.mark.parametrize(
    "arguments", [[], ["mini_xception"], ["mini_xception", "--data", "x.csv"], ["--epochs", "two"]]
)
def test_arguments_that_are_missing_are_named(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    said = capsys.readouterr().err
    assert "expected RECIPE, --data and --out" in said or "--epochs" in said


def test_a_file_where_the_folder_should_be_is_named(
    start: Start, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run").write_text("a file")
    assert start() == 2
    assert "expected a folder to write to, found" in sentence(capsys)


def test_data_without_a_part_is_refused(
    faces: FaceSet,
    write_data: Callable[[FaceSet, str, Path], Path],
    start: Start,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = write_data(faces.split("Training"), "parquet", tmp_path / "part")
    assert start("--data", str(path)) == 2
    assert "expected Training and PublicTest rows, found 64 and 0" in sentence(capsys)


def test_data_without_votes_is_refused_by_a_recipe_that_needs_them(
    faces: FaceSet,
    write_data: Callable[[FaceSet, str, Path], Path],
    start: Start,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = write_data(replace(faces, votes=None), "parquet", tmp_path / "bare")
    assert start("--data", str(path)) == 2
    assert "expected FER+ votes with the data, found none" in sentence(capsys)
    path = write_data(replace(faces, votes=np.zeros((112, 10), np.uint8)), "parquet", tmp_path)
    assert start("--data", str(path)) == 2
    assert "pictures that ferplus has a label for, found none" in sentence(capsys)


def test_cleaning_thins_out_what_is_trained_on_and_nothing_else(
    start: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = {"fer2013-4": 1.0}
    assert start(epochs=1, labels=labels, cleaning="four") == 0
    told = capsys.readouterr().out
    assert (
        "1 copies of test pictures, 0 that are nearly one, 1 blank, 24 of other expressions, "
        "0 blurred, 0 without a face, 6 contested" in told
    )
    # 64 pictures less a copy, a blank one and those.
    assert "32 training and 32 validation pictures" in told


def test_cleaning_needs_votes(
    faces: FaceSet,
    write_data: Callable[[FaceSet, str, Path], Path],
    start: Start,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = write_data(replace(faces, votes=None), "parquet", tmp_path / "bare")
    assert start("--data", str(path), labels={"fer2013-4": 1.0}, cleaning="four") == 2
    assert "expected FER+ votes to see which pictures are contested" in sentence(capsys)


def test_a_run_of_a_version_without_validation_loss_is_gone_on_with(
    start: Start, tmp_path: Path
) -> None:
    assert start(epochs=2) == 0
    last = tmp_path / "run" / "last.pt"
    state = load_checkpoint(last)
    for entry in state["history"]:
        del entry["validation_loss"]
    state["recipe"]["epochs"] = 3
    save_checkpoint(last, state)
    assert start("--resume", epochs=3) == 0
    with (tmp_path / "run" / "log.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["validation_loss"] == "" for row in rows] == [True, True, False]


def test_list_shows_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    told = capsys.readouterr().out
    for name in bundled_recipes():
        assert name in told
    assert "arXiv 1710.07557" in told
