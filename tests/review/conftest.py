"""Sessions drawn by code, so that a review is tested without camera or model."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication, QMainWindow
from pytestqt.qtbot import QtBot

from app.gui.actions import make_window_actions
from app.gui.banner import Notices
from app.gui.jobs import Jobs
from app.gui.review.model import ReviewModel
from app.gui.review.workspace import ReviewWorkspace
from app.gui.theme import Theme
from app.gui.workspace import Host, Surroundings
from app.messages import Box, Face, FaceResult, Frame, FrameResult, Quality
from app.sessions.writer import Clock, SessionWriter
from app.settings import Settings
from models.runtime.prediction import Prediction
from models.runtime.store import bundled

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

LABELS = ("neutral", "happiness", "anger")
FPS = 10.0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the offscreen platform say what it cannot do: it is no fault of the window."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.qt_log_ignore("^This plugin does not support"))


_IMAGE = np.zeros((120, 160, 3), np.uint8)

Script = Callable[[int], Sequence[tuple[int, str]]]


def face_result(
    track: int, label: str, *, unsure: bool = False, quality: float = 0.8
) -> FaceResult:
    """Return a face of which `label` is said with 0.8."""
    values = np.full(len(LABELS), 0.1, np.float32)
    values[LABELS.index(label)] = 0.8
    x = 20.0 + 60 * (track % 2)
    grid = np.stack(np.meshgrid(np.linspace(0, 1, 17), np.linspace(0, 1, 4)), -1).reshape(-1, 2)
    points = (np.array([x, 30.0]) + 40 * grid).astype(np.float32)
    return FaceResult(
        face=Face(Box(x, 30, x + 40, 70), 1.0, points, track),
        prediction=Prediction(values, LABELS),
        probabilities=values.copy(),
        label=label,
        confidence=0.8,
        crop=np.zeros((48, 48), np.uint8),
        crop_to_frame=np.eye(2, 3),
        quality=Quality(0.9, quality, 0.9, 0.9, 1.0, 1.0, quality),
        unsure=unsure,
    )


def record(
    folder: Path,
    script: Script,
    frames: int,
    *,
    marks: Sequence[tuple[float, str, str]] = (),
    drops: Sequence[float] = (),
    info: dict[str, object] | None = None,
) -> Path:
    """Record what the script says of each frame: (track, label) pairs."""
    clock = Clock(1000.0, 1.7e9)
    with SessionWriter(folder, info or {}, LABELS, clock=clock, wait=True) as writer:
        for index in range(frames):
            faces = tuple(
                face_result(track, label.rstrip("?"), unsure=label.endswith("?"))
                for track, label in script(index)
            )
            time = clock.monotonic + index / FPS
            writer.add(FrameResult(Frame(_IMAGE.copy(), index, time), faces))
        for at, key, text in marks:
            writer.mark(clock.monotonic + at, key, text)
        for at in drops:
            writer.drop(None, clock.monotonic + at, "overtaken")
    return folder


def two_people(index: int) -> list[tuple[int, str]]:
    """Play: face 1 smiles every other 2 s; face 2 comes at 4 s, leaves at 8 s and returns as 3."""
    said = [(1, "happiness" if index // 20 % 2 else "neutral")]
    if 40 <= index < 80:
        said.append((2, "anger"))
    if index >= 90:
        said.append((3, "anger?" if index >= 110 else "neutral"))
    return said


Record = Callable[..., Path]


@pytest.fixture(name="record")
def record_fixture() -> Record:
    """Return `record`: tests import nothing from here."""
    return record


@pytest.fixture(scope="session")
def recorded_session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Record once; recording takes longer than copying."""
    return record(
        tmp_path_factory.mktemp("recorded") / "session",
        two_people,
        120,
        marks=[(2.0, "1", ""), (6.0, "1", ""), (7.05, "note", "the door")],
        drops=[3.05, 3.1],
    )


@pytest.fixture
def session(recorded_session: Path, tmp_path: Path) -> Path:
    """Return a session of one's own."""
    return Path(shutil.copytree(recorded_session, tmp_path / "session"))


@dataclass
class Desk:
    """Hold a review workspace in a window, and let its time pass."""

    host: Host
    review: ReviewWorkspace
    now: float = 0.0

    @property
    def model(self) -> ReviewModel:
        return self.review.model

    def tick(self, seconds: float = 0.01) -> None:
        self.now += seconds
        self.host.jobs.poll()
        self.review.tick(self.now)

    def wait(self, qtbot: QtBot, ready: Callable[[], bool], seconds: float = 20.0) -> None:
        """Let time pass until something is so."""

        def passed() -> bool:
            self.tick()
            return ready()

        qtbot.waitUntil(passed, timeout=round(1000 * seconds))


@pytest.fixture(scope="session")
def theme(qapp: QApplication) -> Theme:
    """Dress the application once: each time takes a while."""
    return Theme(qapp, "dark")


def _shown_desk(theme: Theme, settings: Settings) -> Desk:
    window = QMainWindow()
    notices = Notices(theme, window)
    around = Surroundings("actor", bundled(), list, Path())
    host = Host(
        window=window, theme=theme, jobs=Jobs(), notices=notices,
        actions=make_window_actions(window), around=around, show=lambda _name: None,
        open_path=lambda _path: None, settings=lambda: settings,
    )  # fmt: skip
    desk = Desk(host, ReviewWorkspace(settings, host))
    window.setCentralWidget(desk.review)
    window.resize(1280, 800)
    window.show()
    desk.review.use_usual_sizes(1280, 800, settings)
    desk.review.enter()
    return desk


@pytest.fixture
def desk(qtbot: QtBot, qapp: QApplication, theme: Theme) -> Iterator[Desk]:
    """Show an empty review workspace."""
    made = _shown_desk(theme, Settings(theme="dark", overlays=("boxes",)))
    yield made
    made.review.close_down()
    made.host.jobs.close()
    made.host.window.close()
    made.host.window.deleteLater()
    qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert not [t for t in threading.enumerate() if t.name.startswith("mien-window")]


@pytest.fixture
def opened(desk: Desk, session: Path, qtbot: QtBot) -> Desk:
    """Show a session."""
    desk.review.open_session(session)
    desk.wait(qtbot, lambda: desk.review.video.result is not None)
    return desk
