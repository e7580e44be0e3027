"""The programs that lie in the folder of `make standalone`."""

from __future__ import annotations

import runpy
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LAUNCHER = runpy.run_path(str(ROOT / "packaging" / "launch.py"))


def test_each_does_what_the_command_of_its_name_does() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    programs = dict(LAUNCHER["PROGRAMS"])
    assert programs.pop("Mien") == project["scripts"]["fer-app"]
    assert programs.items() <= project["scripts"].items()


@pytest.mark.parametrize(
    ("program", "said"),
    [("fer-study", "usage: fer-study"), ("fer-app.exe", "usage: fer-app"), ("Mine", "fer-app")],
)
def test_it_is_found_by_the_name_of_the_executable(
    program: str, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "executable", f"/opt/Mien/{program}")
    monkeypatch.setattr(sys, "argv", [program, "--help"])
    with pytest.raises(SystemExit) as ended:
        LAUNCHER["main"]()
    assert ended.value.code == 0
    assert said in capsys.readouterr().out


def test_a_window_without_a_console_can_print(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "executable": "fer-study",
        "argv": ["fer-study", "check", "nothing.toml"],
        "stdout": None,
        "stderr": None,
    }.items():
        monkeypatch.setattr(sys, name, value)
    assert LAUNCHER["main"]() == 2
    assert sys.stdout is not None
    for stream in (sys.stdout, sys.stderr):
        stream.close()
