"""Every command says in one line what is wrong with its arguments."""

from __future__ import annotations

import importlib
import tomllib
from pathlib import Path

import pytest

from app.cli.finder import add_finder
from models.runtime.arguments import Arguments

PROJECT = Path(__file__).parent.parent
SCRIPTS: dict[str, str] = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"][
    "scripts"
]


@pytest.mark.parametrize("name", SCRIPTS)
def test_an_unknown_argument_is_one_line_and_status_2(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    module, function = SCRIPTS[name].split(":")
    with pytest.raises(SystemExit) as ended:
        getattr(importlib.import_module(module), function)(["--no-such-thing"])
    assert ended.value.code == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("error: ")
    assert said.err.endswith(f"; {name} --help shows what there is\n")
    assert said.err.count("\n") == 1


def test_a_path_may_begin_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    parser = Arguments(prog="any")
    parser.add_argument("files", nargs="*", type=Path)
    add_finder(parser.add_argument_group("what finds faces"))
    found = parser.parse_args(["~/a.png", "b.png", "--yunet=~/yunet.onnx"])
    assert found.files == [tmp_path / "a.png", Path("b.png")]
    assert found.yunet == tmp_path / "yunet.onnx"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("fer-app", ["--review"]),
        ("fer-benchmark", ["--json"]),
        ("fer-explain", ["face.png", "-o"]),
        ("fer-analyze", ["film.mp4", "-o"]),
        ("fer-evaluate", ["all", "--data"]),
        ("fer-average", ["first.pt", "-o"]),
    ],
)
def test_the_home_of_nobody_is_one_line_and_status_2(
    name: str, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    module, function = SCRIPTS[name].split(":")
    with pytest.raises(SystemExit) as ended:
        getattr(importlib.import_module(module), function)([*words, "~no-such-user-here/it"])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith(f"error: argument {words[-1]}")
    assert "'~no-such-user-here/it', whose ~ names no user" in said
    assert said.count("\n") == 1
