"""What the live workspace loads, looked at in the real program once it shows a labelled picture."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.gui

# Each is needed by other workspaces or by what is switched on: together 80 MB and half the start.
LATE = ("pyarrow", "app.review", "app.analysis", "app.sessions.writer", "asyncio", "dlib", "torch")

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


def test_the_live_workspace_loads_nothing_it_does_not_use(tmp_path: Path) -> None:
    surroundings = {"QT_QPA_PLATFORM": "offscreen", "MIEN_CONFIG_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", CODE],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, **surroundings},
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "settings.json").is_file(), "a logout closes the window as its button does"
    loaded = done.stdout.partition("loaded:")[2].split()
    assert "app.gui.live_workspace" in loaded
    assert [name for name in LATE if name in loaded] == []
