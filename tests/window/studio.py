"""A window that may record, on the scripted engine."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtGui import QAction
from pytestqt.qtbot import QtBot

import app.sessions.writer  # noqa: F401 - the first recording of a program waits for it
from app.gui.window import MainWindow
from app.messages import FaceResult, FrameResult

if TYPE_CHECKING:
    from tests.window.conftest import Artist, World


class Studio:
    """Hold a window that may record, and hand results to whoever listens."""

    def __init__(self, window: MainWindow, world: World, draw: Artist) -> None:
        self.window = window
        self.desk = window.live.recording
        self.actions = window.live.menu_actions
        self.folder = world.folder / "Sessions"
        self._world = world
        self._draw = draw
        self._index = 0
        self.taken_at = 0.0

    def see(self, *faces: FaceResult, count: int = 1) -> None:
        """Let the engine make results, and wait until a recording has its folder."""
        recorder = self.desk.recorder
        _until(lambda: recorder._preparing is None)
        for _ in range(count):
            self.taken_at = now = time.monotonic()
            result: FrameResult = self._draw.result(
                *(faces or (self._draw.face(1, (200, 100, 300, 200)),)), index=self._index, at=now
            )
            self._index += 1
            self._world.engine.result = result
            for listener in list(self._world.engine.listeners):
                listener(result)
        writer = recorder._writer
        _until(lambda: writer is None or writer.opened or writer.finished)
        self.tick()

    def tick(self) -> None:
        self.desk._refreshed_at = float("-inf")
        self.window.tick(at_once=True)

    def settle(self, qtbot: QtBot) -> list[Path]:
        """Wait until all is saved and return the sessions."""

        def saved() -> None:
            assert self.desk.recorder.close(0)

        qtbot.waitUntil(saved, timeout=20_000)
        self.tick()
        return sorted(self.folder.iterdir()) if self.folder.is_dir() else []


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.001)


def press(action: QAction) -> None:
    assert action.isEnabled()
    action.trigger()
