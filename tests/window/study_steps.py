"""What tests of studies do again and again: a protocol, and the steps of a participant."""

from __future__ import annotations

import time
from pathlib import Path

import cv2
import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.gui.study.screen import StudyScreen
from app.sessions.folder import Session
from app.stimuli import Stimulus, stimuli
from tests.window.studio import Studio, press

PROTOCOL = """
title = "Smiles"
order = "fixed"
pause = 0.1
variables = ["age"]
[question]
text = "How pleasant was this?"
steps = 5
low = "not at all"
high = "very"
[[show]]
text = "Just look."
[[show]]
picture = "puppy.png"
seconds = 0.2
condition = "pleasant"
[[show]]
film = "clip.mp4"
"""


def write_study(folder: Path) -> Path:
    """Write the protocol and the files that it names into a new folder; return its path."""
    folder.mkdir()
    cv2.imwrite(str(folder / "puppy.png"), np.full((30, 40, 3), (40, 200, 90), np.uint8))
    film = cv2.VideoWriter(
        str(folder / "clip.mp4"), cv2.VideoWriter.fourcc(*"mp4v"), 25.0, (64, 48)
    )
    for _ in range(5):
        film.write(np.full((48, 64, 3), 200, np.uint8))
    film.release()
    path = folder / "smiles.toml"
    path.write_text(PROTOCOL, encoding="utf-8")
    return path


def ready(here: Studio, path: Path, qtbot: QtBot, participant: str = "P07") -> None:
    """Choose a protocol and name a participant."""
    panel = here.window.live.study.panel
    press(here.actions.study)
    assert panel.isVisible()
    panel.file_chosen.emit(str(path))

    def read() -> bool:
        here.tick()
        return panel.protocol is not None

    qtbot.waitUntil(read)
    QTest.keyClicks(panel._participant, participant)


def told(here: Studio, words: str) -> bool:
    return any(words in text for text in here.window.notices.texts)


def screen_of(here: Studio) -> StudyScreen | None:
    return here.window.live.study.screen


def shown(here: Studio, qtbot: QtBot) -> StudyScreen:
    """Begin, let a frame be recorded, and return the participant's screen."""
    desk = here.window.live.study
    desk.panel.begin.click()
    assert screen_of(here) is None, "not before a frame is recorded"
    here.see(count=2)
    here.tick()
    screen = screen_of(here)
    assert screen is not None
    qtbot.waitUntil(lambda: screen._runner._painted_at is not None)
    return screen


def ends(here: Studio, qtbot: QtBot) -> None:
    """Wait until the recording has ended with the study, a moment after it."""

    def over() -> bool:
        here.see()
        return not here.desk.recorder.active

    qtbot.waitUntil(over)


def go_on(screen: StudyScreen, qtbot: QtBot) -> None:
    """Press Space once a text was there for long enough to be read."""
    qtbot.waitUntil(lambda: screen._runner.elapsed(time.monotonic()) > 0.35)
    QTest.keyClick(screen, Qt.Key.Key_Space)


def scene(screen: StudyScreen, kind: str, qtbot: QtBot) -> None:
    """Wait until a scene of a kind is painted."""

    def painted() -> bool:
        now = screen._runner.scene
        return now is not None and now.kind == kind and screen._runner._painted_at is not None

    qtbot.waitUntil(painted)


def stimuli_of(session: Session) -> list[Stimulus]:
    rows = session.marker_lines.to_pylist()
    return stimuli((row["session_time"], row["key"], row["text"]) for row in rows)


def middle(screen: StudyScreen) -> tuple[int, int, int]:
    colour = screen.grab().toImage().pixelColor(screen.width() // 2, screen.height() // 2)
    return colour.red(), colour.green(), colour.blue()
