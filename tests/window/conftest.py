"""A scripted engine and drawn results, so that the window is tested without camera or model."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.analysis.inputs import IMAGES, VIDEO, Input
from app.gui import analyse_workspace
from app.gui.analyse_workspace import AnalyseWorkspace
from app.gui.theme import Theme
from app.gui.window import MainWindow, Surroundings
from app.live.capture import Dropped
from app.live.engine import EngineState, EngineStatus
from app.live.offers import Offer, Offers
from app.messages import Box, Face, FaceResult, Frame, FrameResult
from app.settings import Settings
from app.sources import CameraInfo
from app.views import VIEWS
from models.runtime.base_rates import BaseRates
from models.runtime.card import Card, InputSpec
from models.runtime.labels import FERPLUS
from models.runtime.prediction import Prediction
from models.runtime.store import ModelEntry
from tests.window.analyse_works import Works
from tests.window.studio import Studio
from tests.window.study_steps import write_study

# Before the first QApplication: tests need no screen and open nothing on one.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

RUNNING = EngineStatus(
    state=EngineState.RUNNING,
    source="demo actor",
    fps=30.0,
    latency_ms=6.0,
    provider="CPU",
    model="mini_xception.ferplus",
    finder="haar",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the offscreen platform say what it cannot do: it is no fault of the window."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.qt_log_ignore("^This plugin does not support"))


class FakeEngine:
    """Say what the test wants, remember what the window asks."""

    def __init__(self) -> None:
        self.now = RUNNING
        self.result: FrameResult | None = None
        self.notices: list[str] = []
        self.asked: list[tuple[Any, ...]] = []
        self.running = True
        self.view = ""
        self.offered = Offers(
            None, tuple(Offer(view, "" if view.name == "cam" else "no") for view in VIEWS.values())
        )
        self.known_card: Card | None = None
        self.listeners: list[Callable[[FrameResult], None]] = []
        self.drop_listeners: list[Dropped] = []

    def start(self) -> None:
        self.asked.append(("start",))

    def stop(self) -> None:
        self.running = False

    def latest(self) -> FrameResult | None:
        return self.result

    def status(self) -> EngineStatus:
        return self.now

    def take_notices(self) -> list[str]:
        taken, self.notices = self.notices, []
        return taken

    def use_source(self, spec: str) -> None:
        self.asked.append(("source", spec))

    def try_again(self, spec: str) -> None:
        self.asked.append(("again", spec))

    def use_model(self, name_or_path: str) -> None:
        self.asked.append(("model", name_or_path))

    def use_second(self, name_or_path: str) -> None:
        self.asked.append(("second", name_or_path))

    def use_finder(self, name: str, yunet_file: Path | None = None) -> None:
        self.asked.append(("finder", name, yunet_file))

    def use_base_rates(self, rates: BaseRates) -> None:
        self.asked.append(("base rates", rates))

    def use_landmarks(self, name: str) -> None:
        self.asked.append(("landmarks", name))

    @property
    def labels(self) -> tuple[str, ...]:
        return FERPLUS

    @property
    def card(self) -> Card | None:
        return self.known_card

    @property
    def generation(self) -> int:
        return 0

    def source_facts(self) -> dict[str, Any]:
        return {"name": self.now.source}

    def add_listener(self, listener: Callable[[FrameResult], None]) -> None:
        self.listeners.append(listener)

    def remove_listener(self, listener: Callable[[FrameResult], None]) -> None:
        if listener in self.listeners:
            self.listeners.remove(listener)

    def add_drop_listener(self, listener: Dropped) -> None:
        self.drop_listeners.append(listener)

    def remove_drop_listener(self, listener: Dropped) -> None:
        if listener in self.drop_listeners:
            self.drop_listeners.remove(listener)

    def calibrate(self, track_id: int) -> None:
        self.asked.append(("calibrate", track_id))

    def forget_baseline(self, track_id: int) -> None:
        self.asked.append(("forget", track_id))

    def use_view(self, name: str) -> None:
        self.view = name

    def offers(self) -> Offers:
        return self.offered

    def set_paused(self, paused: bool) -> None:
        self.asked.append(("paused", paused))
        state = EngineState.PAUSED if paused else EngineState.RUNNING
        self.now = replace(self.now, state=state)


class Artist:
    """Draw results."""

    def face(
        self,
        track: int,
        box: tuple[float, float, float, float],
        label: str = "happiness",
        confidence: float = 0.92,
        labels: tuple[str, ...] = FERPLUS,
    ) -> FaceResult:
        """Return a face of which `label` is said."""
        rest = (1 - confidence) / (len(labels) - 1)
        values = np.full(len(labels), rest, np.float32)
        if label in labels:
            values[labels.index(label)] = confidence
        maps = np.zeros((len(labels), 6, 6), np.float32)
        maps[:, 3:5, 1:5] = 1.0
        x1, y1, x2, _ = box
        scale = (x2 - x1) / 48
        return FaceResult(
            face=Face(Box(*box), 1.0, track_id=track),
            prediction=Prediction(values, labels, {"cam": maps}),
            probabilities=values,
            label=label,
            confidence=confidence,
            crop=np.tile(np.linspace(60, 200, 48).astype(np.uint8), (48, 1)),
            crop_to_frame=np.array([[scale, 0, x1], [0, scale, y1]]),
        )

    def result(
        self,
        *faces: FaceResult,
        index: int = 0,
        at: float = 100.0,
        size: tuple[int, int] = (640, 480),
        media_time: float | None = 0.0,
    ) -> FrameResult:
        """Return a result: left half dark, right half light, so that mirroring shows."""
        width, height = size
        image = np.full((height, width, 3), 40, np.uint8)
        image[:, width // 2 :] = (120, 140, 150)
        for face in faces:
            box = face.face.box
            centre = round(box.centre[0]), round(box.centre[1])
            axes = round(box.width * 0.4), round(box.height * 0.5)
            cv2.ellipse(image, centre, axes, 0, 0, 360, (150, 175, 215), -1, cv2.LINE_AA)
        frame = Frame(image, index, at, media_time)
        return FrameResult(frame, faces)


MODELS = [
    ModelEntry(name, Path(f"{name}.onnx"), card)
    for name, card in (
        (
            f"mini_xception.{tag}",
            Card(
                name=f"mini_xception.{tag}",
                title="mini-Xception",
                architecture="mini_xception",
                paper="arXiv 1710.07557",
                label_set=tag,
                labels=FERPLUS,
                input=InputSpec(48, 0.5, 0.25),
                outputs={"logits": "logits"},
                precision="fp32",
                parameters=1,
                trainable=1,
                temperature={"one": 1.0, "mirror": 1.0},
                metrics=(),
                recipe={},
                training={},
                data=("FER2013",),
                licence="MIT",
                limits=("Frontal faces only.",),
            ),
        )
        for tag in ("ferplus", "fer2013")
    )
]


@dataclass
class World:
    """Hold what surrounds the window under test."""

    engine: FakeEngine
    cameras: list[CameraInfo]
    folder: Path
    windows: list[MainWindow] = field(default_factory=list)
    yunet_file: Path | None = None

    @property
    def settings_path(self) -> Path:
        return self.folder / "settings.json"


@pytest.fixture
def draw() -> Artist:
    return Artist()


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(FakeEngine(), [], tmp_path)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the time of the live workspace, to be put on by hand."""
    now = [1000.0]
    monkeypatch.setattr("app.gui.live_workspace.time.monotonic", lambda: now[0])
    return now


@pytest.fixture
def open_window(
    qtbot: QtBot, qapp: QApplication, world: World, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., MainWindow]]:
    """Open windows on the scripted engine; the timer stands still, tests call `tick`.

    A question that nobody answers fails at once instead of waiting for ever.
    """

    def unanswered(_parent: object, title: str, *_: object) -> bool:
        raise AssertionError(f"nobody answers {title!r}")

    monkeypatch.setattr("app.gui.dialogs.confirm", unanswered)

    def opened(
        settings: Settings | None = None,
        *,
        source: str = "camera",
        notices: tuple[str, ...] = (),
        size: tuple[int, int] = (1280, 800),
        engine_runs: bool = True,
        streams: tuple[str, ...] = (),
        triggers: tuple[str, ...] = (),
    ) -> MainWindow:
        chosen = settings or Settings(theme="dark")
        around = Surroundings(
            source=source,
            models=MODELS,
            list_cameras=lambda: list(world.cameras),
            snapshot_folder=world.folder / "Pictures",
            settings_path=world.settings_path,
            notices=notices,
            engine_runs=engine_runs,
            streams=streams,
            triggers=triggers,
            yunet_file=world.yunet_file,
        )
        theme = Theme(qapp, chosen.theme)
        window = MainWindow(world.engine, chosen, theme, around)
        world.windows.append(window)
        window.resize(*size)
        with qtbot.waitExposed(window):
            window.show()
        window.live.video.setFocus()
        window.tick(at_once=True)
        return window

    before = {id(widget) for widget in qapp.topLevelWidgets()}
    yield opened
    for window in world.windows:
        window.close_at_once()
        window.deleteLater()
    world.windows.clear()
    qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    qapp.processEvents()
    left = [w for w in qapp.topLevelWidgets() if id(w) not in before and w.isVisible()]
    assert not left, left
    assert not [t for t in threading.enumerate() if t.name.startswith("mien-window")]


@pytest.fixture
def studio(
    open_window: Callable[..., MainWindow], world: World, draw: Artist
) -> Callable[..., Studio]:
    """Open windows that record into a folder of the test's own."""

    def opened(**settings: Any) -> Studio:
        chosen = Settings(theme="dark", recording_folder=str(world.folder / "Sessions"))
        return Studio(open_window(replace(chosen, **settings)), world, draw)

    return opened


@pytest.fixture
def protocol(tmp_path: Path) -> Path:
    """Return a study's protocol, beside its picture and its film."""
    return write_study(tmp_path / "study")


@pytest.fixture
def works(monkeypatch: pytest.MonkeyPatch) -> Works:
    """Return what stands in for the workers of the analyse workspace."""
    works = Works()
    monkeypatch.setattr(analyse_workspace, "plan", works.plan)
    monkeypatch.setattr(analyse_workspace, "runner", works.runner)
    return works


@pytest.fixture
def analyse(
    open_window: Callable[..., MainWindow], works: Works, tmp_path: Path
) -> AnalyseWorkspace:
    """Return the workspace, shown, with three inputs in its list."""
    settings = Settings(theme="dark", results_folder=str(tmp_path / "results"), analysis_workers=2)
    window = open_window(settings)
    window.show_workspace("analyse")
    stills = tuple(Path(f"/data/stills/{number}.png") for number in range(12))
    window.analyse.queue.add(
        [
            Input(VIDEO, Path("/data/one.mp4"), (Path("/data/one.mp4"),), 1500),
            Input(VIDEO, Path("/data/two.mp4"), (Path("/data/two.mp4"),), 0),
            Input(IMAGES, Path("/data/stills"), stills, 12),
        ]
    )
    window.analyse.refresh()
    return window.analyse
