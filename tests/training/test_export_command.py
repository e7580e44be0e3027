"""The command that exports: what it writes, and what it refuses in a sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from models.cli.export_onnx import main
from models.explain.guided import guided_file
from models.runtime.classifier import OnnxClassifier
from models.runtime.labels import FER2013
from models.training.checkpoint import load_checkpoint

pytestmark = pytest.mark.train


def sentence(capsys: pytest.CaptureFixture[str]) -> str:
    said = capsys.readouterr().err.strip()
    assert said.startswith("error: ")
    assert "\n" not in said
    return said


def test_the_command_writes_both_files_and_says_the_figures(
    checkpoint: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "mine.onnx"
    guided_file(output).write_bytes(b"of another model")
    arguments = [str(checkpoint), "-o", str(output), "--labels", "fer2013", "--data", str(data)]
    assert main(arguments) == 0
    told = capsys.readouterr()
    assert {path.name for path in tmp_path.iterdir()} == {"mine.onnx", "mine.json"}
    for figure in ("kB", "max |difference|", "same labels", "ms", "PublicTest, mirror crop", "ECE"):
        assert figure in told.out
    said, taken = told.err.splitlines()  # the data have 32 PublicTest pictures
    assert taken.startswith(
        f"note: took away {guided_file(output)}, the backward pass of the model"
    )
    assert said.startswith("note: expected at least 50 pictures to tell below which confidence")
    assert "found 32 in PublicTest: the card has no such rule" in said
    assert OnnxClassifier(output, provider="CPU").unsure_below == 0


def test_without_output_and_data_there_are_a_default_name_and_no_figures(
    checkpoint: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([str(checkpoint), "--labels", "fer2013"]) == 0
    assert "the card has no figures" in capsys.readouterr().err
    assert (tmp_path / "mini_xception.fer2013.json").is_file()
    card = OnnxClassifier(tmp_path / "mini_xception.fer2013.onnx", provider="CPU").card
    assert card.name == "mini_xception.fer2013"
    assert card.labels == FER2013
    assert card.metrics == ()
    assert card.temperature == {"one": 1.0, "mirror": 1.0}


def test_without_arguments_it_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    told = capsys.readouterr().out
    assert "examples:" in told
    assert "--precision" in told


@pytest.mark.parametrize("name", ["missing.pt", "text.pt", ""])
def test_a_file_that_is_no_checkpoint_is_a_sentence(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "text.pt").write_text("no checkpoint")
    assert main([str(tmp_path / name), "-o", str(tmp_path / "out.onnx")]) == 2
    assert "expected a checkpoint" in sentence(capsys)


Change = Callable[[dict[str, Any]], None]


def forget_half(values: dict[str, Any]) -> None:
    values["average"] = dict(list(values["average"].items())[::2])


def widen(values: dict[str, Any]) -> None:
    values["average"]["classifier.weight"] = torch.zeros(99, 128, 3, 3)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda values: values["recipe"].update(architecture="mega_xception"),
            "found 'mega_xception'",
        ),
        (forget_half, "expected the weights of mini_xception, found others"),
        (widen, "expected the weights of mini_xception, found others"),
        (lambda values: values["recipe"].update(colour="gray"), "unknown key 'colour'"),
    ],
)
def test_another_architecture_is_a_sentence(
    change: Change,
    said: str,
    checkpoint: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    values = load_checkpoint(checkpoint)
    change(values)
    torch.save(values, tmp_path / "other.pt")
    output = tmp_path / "out.onnx"
    assert main([str(tmp_path / "other.pt"), "-o", str(output), "--labels", "fer2013"]) == 2
    assert said in sentence(capsys)
    assert not output.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-o", "missing/out.onnx", "--labels", "fer2013"], "found none at missing"),
        (["-o", "out.onnx"], "trained for fer2013 and ferplus: choose with --labels"),
        (["-o", "out.json", "--labels", "fer2013"], "ends in .onnx, found 'out.json'"),
        (["-o", "out.onnx", "--labels", "fer2013", "--opset", "99"], "found 99: give --opset 18"),
        (
            ["-o", "out.onnx", "--labels", "fer2013", "--data", "none.csv"],
            "found no file or folder none.csv",
        ),
    ],
)
def test_a_wrong_argument_is_a_sentence(
    arguments: list[str],
    said: str,
    checkpoint: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([str(checkpoint), *arguments]) == 2
    assert said in sentence(capsys)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--all", ".", "--precision", "fp16"], "no --precision with --all"),
        (["--all", ".", "--ten-crop", "--opset", "17"], "no --ten-crop or --opset with --all"),
        (["model.onnx", "--guided", "-o", "other.onnx"], "no --output with an .onnx"),
        (["finder.pt", "--guided", "--precision", "fp16"], "no --precision or --guided with a"),
        (["whole.pt", "--labels", "fer2013", "--ten-crop"], "no --ten-crop with an export without"),
        (
            ["whole.pt", "--compare", "--guided", "--opset", "3", "--precision", "int8", "-o", "x"],
            "no --output or --precision or --guided or --opset with --compare",
        ),
        (["--all", ".", "--compare", "--labels", "fer2013"], "no --labels with --all"),
    ],
)
def test_an_option_that_would_be_ignored_is_refused(
    arguments: list[str],
    said: str,
    checkpoint: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    values = load_checkpoint(checkpoint)
    torch.save(values, tmp_path / "whole.pt")
    values["recipe"] = {"task": "face_finder"}
    torch.save(values, tmp_path / "finder.pt")
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    assert said in sentence(capsys)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["finder.pt", "whole.pt"]


@pytest.mark.parametrize("arguments", [["--precision", "fp8"], ["--labels", "emotions"]])
def test_an_unknown_choice_names_the_known_ones(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["best.pt", *arguments])
    assert caught.value.code == 2
    assert "choose from" in capsys.readouterr().err
