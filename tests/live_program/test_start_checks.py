"""A window that cannot open is answered with the one line that helps."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import app
from app import main as fer_app
from app.cli import start_checks
from app.cli.start_checks import (
    StartError,
    display_problem,
    explain_import_error,
    install_line,
    library_problem,
    opencv_problem,
)

ROOT = Path(app.__file__).parent.parent


def apt(tool: str) -> str | None:
    return f"/usr/bin/{tool}" if tool == "apt-get" else None


def dnf(tool: str) -> str | None:
    return f"/usr/bin/{tool}" if tool == "dnf" else None


def neither(tool: str) -> str | None:
    return None


@pytest.mark.parametrize("name", ["DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"])
def test_any_sign_of_a_display_will_do(name: str) -> None:
    assert display_problem({name: "something"}) == ""
    assert "--headless" in display_problem({name: ""})


def test_all_missing_libraries_go_into_one_line() -> None:
    there = {"libEGL.so.1", "libxcb-cursor.so.0"}
    line = library_problem(
        {"DISPLAY": ":0"}, is_there=lambda soname: soname not in there, which=apt
    )
    assert line.endswith("sudo apt install libegl1 libxcb-cursor0")
    assert "\n" not in line


@pytest.mark.parametrize(
    "environ",
    [{"DISPLAY": ":0", "WAYLAND_DISPLAY": "wayland-0"}, {"QT_QPA_PLATFORM": "offscreen"}],
)
def test_what_only_x11_needs_is_not_asked_of_others(environ: dict[str, str]) -> None:
    def lacks_cursor(soname: str) -> bool:
        return soname != "libxcb-cursor.so.0"

    assert library_problem(environ, is_there=lacks_cursor, which=apt) == ""
    assert library_problem({"DISPLAY": ":0"}, is_there=lacks_cursor, which=apt) != ""
    assert library_problem({"QT_QPA_PLATFORM": "xcb"}, is_there=lacks_cursor, which=apt) != ""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="sonames are those of Linux")
def test_libraries_are_looked_for_in_the_system() -> None:
    assert start_checks._loads("libc.so.6")
    assert not start_checks._loads("libmien-no-such-thing.so.1")


def test_other_systems_get_their_own_command() -> None:
    assert install_line(["libEGL.so.1"], dnf).endswith("sudo dnf install 'libEGL.so.1()(64bit)'")
    assert "libEGL.so.1" in install_line(["libEGL.so.1"], neither)


def test_a_library_missing_on_import_is_named() -> None:
    error = ImportError("libEGL.so.1: cannot open shared object file: No such file or directory")
    assert "libEGL.so.1" in explain_import_error(error)
    assert "reinstall" in explain_import_error(ImportError("undefined symbol: _ZN5Qt"))


def test_an_opencv_with_its_own_qt_is_refused(tmp_path: Path) -> None:
    assert opencv_problem(None) == ""
    assert opencv_problem(tmp_path) == ""
    (tmp_path / "qt" / "plugins").mkdir(parents=True)
    assert "opencv-python-headless" in opencv_problem(tmp_path)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="others always have a display")
def test_without_a_display_the_window_says_so_and_ends(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    assert fer_app.main([]) == 2
    found = capsys.readouterr()
    assert found.err.startswith("error: No display was found")
    assert found.err.count("\n") == 1


def test_a_qt_that_does_not_load_is_one_sentence(tmp_path: Path) -> None:
    # Finds PySide6 and then fails in it, as a Linux without libEGL does.
    (tmp_path / "PySide6").mkdir()
    (tmp_path / "PySide6" / "__init__.py").write_text(
        "raise ImportError('libEGL.so.1: cannot open shared object file', name='PySide6.QtGui')"
    )
    script = "import sys; from app.main import main; sys.exit(main(['--source', 'actor']))"
    environ = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)]),
        "MIEN_CONFIG_DIR": str(tmp_path),
        "QT_QPA_PLATFORM": "offscreen",
    }
    command = [sys.executable, "-c", script]
    found = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=100)
    assert found.returncode == 2
    assert found.stderr.startswith("error: ")
    assert found.stderr.count("\n") == 1
    assert "libEGL.so.1" in found.stderr


def test_a_mistyped_source_is_refused_before_a_window_opens(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(start_checks, "check_window", lambda: None)
    assert fer_app.main(["--source", "nowhere.mp4"]) == 2
    assert "nowhere.mp4" in capsys.readouterr().err


def test_pyside_is_looked_for_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(StartError, match="PySide6"):
        start_checks.check_window()
