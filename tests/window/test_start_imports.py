"""What the live workspace loads, looked at in the real program once it shows a labelled picture."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.gui

# Each is needed by other workspaces or by what is switched on: together 80 MB and half the start.
LATE = (
    "pyarrow",
    "app.review",
    "app.analysis",
    "app.sessions.writer",
    "asyncio",
    "dlib",
    "torch",
    "av",
    "sounddevice",
)

CODE = """
import logging, signal, sys
from app.main import main

class Close(logging.Handler):
    def emit(self, record):
        if "first labelled picture" in record.getMessage():
            signal.raise_signal(signal.SIGTERM)

logging.getLogger("app.gui.video_view").addHandler(Close())
status = main(["--source", "actor", "--verbose"])
print("loaded:", *sys.modules, "end")
sys.exit(status)
"""


DROP = """
import sys
from pathlib import Path
from PySide6.QtWidgets import QApplication
from app.gui.theme import Theme
from app.gui.window import MainWindow, Surroundings
from app.live.engine import Engine, EngineOptions
from app.settings import Settings

application = QApplication([])
engine = Engine(EngineOptions(source="actor"))
around = Surroundings(
    source="actor", models=[], list_cameras=lambda: [], snapshot_folder=Path("."),
    settings_path=Path("settings.json"), notices=(), engine_runs=True,
)
window = MainWindow(engine, Settings(), Theme(application, "dark"), around)
window.open_path("film.mp4")
assert window.workspace is window.live
print("loaded:", *sys.modules, "end")
window.close_at_once()
"""


def test_a_video_dropped_onto_the_live_workspace_loads_nothing_of_sessions(tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_bytes(b"")
    loaded = modules_after(DROP, tmp_path)
    assert "app.gui.live_workspace" in loaded
    assert [name for name in LATE if name in loaded] == []


def modules_after(code: str, folder: Path) -> list[str]:
    """Run a program in a folder and return which modules it had loaded."""
    here = str(Path(__file__).parents[2])
    surroundings = {
        "QT_QPA_PLATFORM": "offscreen", "MIEN_CONFIG_DIR": str(folder), "PYTHONPATH": here
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        cwd=folder,
        env={**os.environ, **surroundings},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.partition("loaded:")[2].split()


def test_the_live_workspace_loads_nothing_it_does_not_use(tmp_path: Path) -> None:
    loaded = modules_after(CODE, tmp_path)
    assert (tmp_path / "settings.json").is_file(), "a logout closes the window as its button does"
    assert "app.gui.live_workspace" in loaded
    assert [name for name in LATE if name in loaded] == []
