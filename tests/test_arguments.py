"""Every command says in one line what is wrong with its arguments."""

from __future__ import annotations

import importlib
import tomllib
from pathlib import Path

import pytest

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
