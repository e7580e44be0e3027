from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QAction, QColor, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from app.errors import SourceError
from app.gui.camera_watch import CameraWatch
from app.gui.jobs import Jobs
from app.gui.menus import FINDER_NAMES, FINDER_WORDS, LANDMARK_WORDS
from app.gui.window import MainWindow
from app.settings import Settings, load_settings
from app.sources import CameraInfo

if TYPE_CHECKING:
    from tests.window.conftest import World

pytestmark = pytest.mark.gui

OpenWindow = Callable[..., MainWindow]
LENS, OTHER = CameraInfo(0, "Lens"), CameraInfo(2, "Other lens")


def after_tick(window: MainWindow, condition: Callable[[], bool]) -> bool:
    """Let the window fetch what is ready, then say whether it is so."""
    window.tick()
    return condition()


def entry(menu: QMenu, text: str) -> QAction:
    return next(action for action in menu.actions() if action.text() == text)


def texts(menu: QMenu) -> list[str]:
    return [action.text() for action in menu.actions() if not action.isSeparator()]


def refresh_cameras(window: MainWindow, world: World, qtbot: QtBot) -> None:
    window.live.cameras.ask()
    wanted = tuple(world.cameras)
    qtbot.waitUntil(
        lambda: after_tick(window, lambda: window.live.choices.sources.cameras == wanted)
    )


def test_cameras_come_and_go(open_window: OpenWindow, world: World, qtbot: QtBot) -> None:
    window = open_window()
    qtbot.waitUntil(
        lambda: after_tick(window, lambda: "No camera found" in texts(window.live.choices.sources))
    )
    world.cameras = [LENS, OTHER]
    refresh_cameras(window, world, qtbot)
    assert texts(window.live.choices.sources)[:3] == ["Lens", "Other lens", "Demo actor"]
    world.engine.now = replace(world.engine.now, source="Other lens")
    window.live.refresh_status()
    assert entry(window.live.choices.sources, "Other lens").isChecked()
    assert not entry(window.live.choices.sources, "Demo actor").isChecked()
    assert window.live.choices.toolbar.source.value == "Other lens"
    entry(window.live.choices.sources, "Lens").trigger()
    assert world.engine.asked == [("source", "camera:0")]
    assert not entry(window.live.choices.sources, "Lens").isChecked(), "not before it plays"
    world.cameras = []
    refresh_cameras(window, world, qtbot)
    assert "Lens" not in texts(window.live.choices.sources)


class Hanging(list[CameraInfo]):
    """Be a list of cameras that takes long to answer."""

    def __init__(self) -> None:
        super().__init__([LENS])
        self.may_answer = threading.Event()
        self.asked = 0

    def __iter__(self) -> Iterator[CameraInfo]:
        self.asked += 1
        self.may_answer.wait(30)
        return super().__iter__()


def test_a_camera_list_that_hangs_is_not_asked_once_more(
    open_window: OpenWindow, world: World, qtbot: QtBot
) -> None:
    window = open_window()
    sources = window.live.choices.sources
    qtbot.waitUntil(lambda: after_tick(window, lambda: "No camera found" in texts(sources)))
    world.cameras = cameras = Hanging()
    later = time.monotonic() + 10
    for seconds in range(0, 20, 2):
        window.live.tick(later + seconds)
    qtbot.waitUntil(lambda: cameras.asked > 0)
    cameras.may_answer.set()
    qtbot.waitUntil(lambda: after_tick(window, lambda: "Lens" in texts(sources)))
    assert cameras.asked == 1
    window.live.tick(later + 20)
    qtbot.waitUntil(lambda: after_tick(window, lambda: cameras.asked == 2))


@pytest.mark.parametrize("error", [SourceError("There is none."), OSError("driver")])
def test_a_camera_list_that_fails_is_asked_for_again(error: Exception) -> None:
    heard: list[object] = []

    def ask() -> list[CameraInfo]:
        raise error

    jobs = Jobs()
    watch = CameraWatch(jobs, ask, heard.append, heard.append)
    for now in (0, 2):
        watch.tick(now)
        jobs.close()
        jobs.poll()
    assert len(heard) == 2


def test_an_open_menu_does_not_change_under_the_hand(
    open_window: OpenWindow, world: World, qtbot: QtBot
) -> None:
    window = open_window()
    window.live.choices.toolbar.source.open_menu()
    qtbot.waitUntil(window.live.choices.sources.isVisible)
    world.cameras = [LENS]
    refresh_cameras(window, world, qtbot)
    assert "Lens" not in texts(window.live.choices.sources)
    window.live.choices.sources.close()
    assert "Lens" in texts(window.live.choices.sources)


def test_c_goes_round_the_cameras(open_window: OpenWindow, world: World, qtbot: QtBot) -> None:
    window = open_window()
    QTest.keyClick(window, Qt.Key.Key_C)
    assert world.engine.asked == []
    assert "No camera" in window.notices.texts[0]
    world.cameras = [LENS, OTHER]
    refresh_cameras(window, world, qtbot)
    for playing, spec in (
        ("demo actor", "camera:0"),
        ("Lens", "camera:2"),
        ("Other lens", "camera:0"),
    ):
        world.engine.now = replace(world.engine.now, source=playing)
        window.live.refresh_status()
        QTest.keyClick(window, Qt.Key.Key_C)
        assert world.engine.asked[-1] == ("source", spec)


def test_an_opened_file_is_recent_once_it_plays(
    open_window: OpenWindow, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    film, broken = str(world.folder / "film.mp4"), str(world.folder / "broken.mp4")
    window = open_window()
    for path in (broken, film):
        monkeypatch.setattr("app.gui.dialogs.choose_media", lambda _parent, path=path: path)
        window.live.menu_actions.open_file.trigger()
    assert world.engine.asked == [("source", broken), ("source", film)]
    world.engine.now = replace(world.engine.now, source="film.mp4", spec=film)
    window.live.refresh_status()
    assert entry(window.live.choices.sources, "film.mp4").isChecked()
    assert window.live.choices.toolbar.source.value == "film.mp4"
    assert "broken.mp4" not in texts(window.live.choices.sources)
    window.close()
    settings, _ = load_settings(world.settings_path)
    assert settings.recent == (film,)
    assert settings.source == "camera", "the next start opens no film"


def test_recent_files_can_be_opened(open_window: OpenWindow, world: World) -> None:
    window = open_window(Settings(theme="dark", recent=("/films/one & two.mp4",)))
    entry(window.live.choices.sources, "one && two.mp4").trigger()
    assert world.engine.asked == [("source", "/films/one & two.mp4")]


def test_recent_files_of_one_name_are_told_apart(open_window: OpenWindow, world: World) -> None:
    recent = ("/monday/1/film.mp4", "/tuesday/film.mp4", "/friday/1/film.mp4", "/monday/1/talk.mp4")
    window = open_window(Settings(theme="dark", recent=recent))
    world.engine.now = replace(world.engine.now, source="film.mp4", spec=recent[1])
    window.live.refresh_status()
    named = {action.toolTip(): action for action in window.live.choices.sources.actions()}
    assert [named[path].text() for path in window.live.commands.settings.recent] == [
        "film.mp4 in tuesday",
        f"film.mp4 in {Path('/monday/1')}",
        f"film.mp4 in {Path('/friday/1')}",
        "talk.mp4",
    ]
    assert [path for path, action in named.items() if action.isChecked()] == [recent[1]]


def test_models_are_listed_and_chosen(
    open_window: OpenWindow, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = open_window()
    assert texts(window.live.choices.models)[:4] == [
        "Which of 8 expressions? · FER+\tagrees with its labels",
        "mini-Xception\trecommended",
        "Which of 8 expressions? · FER2013\tagrees with its labels",
        "mini-Xception",
    ]
    assert not window.live.choices.models.actions()[0].isEnabled()
    assert entry(window.live.choices.models, "mini-Xception\trecommended").isChecked()
    assert window.live.choices.toolbar.model.value == "mini-Xception (FER+)"
    entry(window.live.choices.models, "mini-Xception").trigger()
    monkeypatch.setattr("app.gui.dialogs.choose_model", lambda *_: "/own/net.onnx")
    window.live.menu_actions.open_model.trigger()
    assert world.engine.asked == [("model", "mini_xception.fer2013"), ("model", "/own/net.onnx")]
    world.engine.now = replace(world.engine.now, model="/own/net.onnx")
    window.live.refresh_status()
    assert entry(window.live.choices.models, "net.onnx").isChecked()


def test_no_part_is_called_as_the_program_is() -> None:
    for words in (FINDER_NAMES, FINDER_WORDS, LANDMARK_WORDS):
        assert not [text for text in words.values() if "Mien" in text]


@pytest.mark.parametrize(("width", "words"), [(800, False), (1280, True)])
def test_every_choice_in_the_toolbar_has_its_caption(
    open_window: OpenWindow, width: int, words: bool
) -> None:
    window = open_window(size=(width, 700))
    toolbar = window.live.choices.toolbar
    beside = Qt.ToolButtonStyle.ToolButtonTextBesideIcon
    assert {button.toolButtonStyle() == beside for button in toolbar._switches} == {words}
    quiet = QColor(window._theme.tokens.quiet)
    for chooser in (toolbar.source, toolbar.model, toolbar.finder):
        image = chooser.grab().toImage()
        above = [image.pixelColor(x, y) for x in range(10, 60) for y in range(6, 16)]
        assert sum(abs(ink.lightness() - quiet.lightness()) < 30 for ink in above) > 10


def test_yunet_asks_for_its_file_once(
    open_window: OpenWindow, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = ["", str(world.folder / "yunet.onnx")]
    monkeypatch.setattr("app.gui.dialogs.choose_model", lambda *_: answers.pop(0))
    (world.folder / "yunet.onnx").write_bytes(b"")
    window = open_window()
    yunet = entry(window.live.choices.finders, FINDER_WORDS["yunet"])
    yunet.trigger()
    assert world.engine.asked == []
    path = world.folder / "yunet.onnx"
    for _ in range(2):
        entry(window.live.choices.finders, FINDER_WORDS["yunet"]).trigger()
        for finder in ("yunet", "haar"):
            world.engine.now = replace(world.engine.now, finder=finder)
            window.live.refresh_status()
    assert world.engine.asked == [("finder", "yunet", path)] * 2
    assert window.live.commands.settings.yunet_file == str(path)
    entry(window.live.choices.finders, FINDER_WORDS["hog"]).trigger()
    assert world.engine.asked[-1] == ("finder", "hog", None)


def test_a_yunet_file_that_was_given_is_not_asked_for(
    open_window: OpenWindow, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask(*_: object) -> str:
        raise AssertionError("it is known")

    monkeypatch.setattr("app.gui.dialogs.choose_model", ask)
    path = world.folder / "given.onnx"
    path.write_bytes(b"")
    world.yunet_file = path
    window = open_window()
    entry(window.live.choices.finders, FINDER_WORDS["yunet"]).trigger()
    world.engine.now = replace(world.engine.now, finder="yunet")
    window.live.refresh_status()
    assert world.engine.asked == [("finder", "yunet", path)]
    assert window.live.commands.settings.yunet_file is None, "for this once"


def test_a_camera_is_remembered_by_its_name(open_window: OpenWindow, world: World) -> None:
    world.cameras += [CameraInfo(0, "Built in"), CameraInfo(1, "USB")]
    window = open_window()
    window.live.commands.use_source("camera:1")
    world.engine.now = replace(world.engine.now, source="USB", spec="camera:1")
    window.live.refresh_status()
    assert window.settings_now().source == "camera:USB"
    # Another that plays by other means, as by --source, is not, nor one that was refused.
    world.engine.now = replace(world.engine.now, source="Built in", spec="camera:0")
    window.live.refresh_status()
    window.live.commands.use_source("rtsp://nowhere/video")
    window.live.refresh_status()
    assert window.settings_now().source == "camera:USB"
    # The one that plays already is remembered by its name when it is chosen, too.
    window.live.commands.use_source("camera:0")
    assert window.settings_now().source == "camera:Built in"


def test_a_yunet_file_that_was_refused_is_asked_for_again(
    open_window: OpenWindow, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [world.folder / name for name in ("wrong.onnx", "right.onnx")]
    for path in paths:
        path.write_bytes(b"")
    answers = [str(path) for path in paths]
    monkeypatch.setattr("app.gui.dialogs.choose_model", lambda *_: answers.pop(0))
    window = open_window()
    for _ in paths:
        entry(window.live.choices.finders, FINDER_WORDS["yunet"]).trigger()
        window.live.refresh_status()  # the engine goes on with Haar
        assert not window.live.commands.settings.yunet_file
    assert [asked[-1] for asked in world.engine.asked] == paths


def test_another_source_ends_a_pause(open_window: OpenWindow) -> None:
    window = open_window()
    pause = window.live.menu_actions.pause
    pause.setChecked(True)
    window.live.commands.use_source("actor")
    assert not pause.isChecked()


@pytest.mark.parametrize(
    ("name", "asked"), [("film.mp4", "source"), ("pictures", "source"), ("net.ONNX", "model")]
)
def test_things_can_be_dropped(
    open_window: OpenWindow, world: World, tmp_path: Path, name: str, asked: str
) -> None:
    window = open_window()
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path / name))])
    window.dropEvent(
        QDropEvent(
            QPointF(10, 10),
            Qt.DropAction.CopyAction,
            data,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
    )
    ((kind, path),) = world.engine.asked
    assert kind == asked
    assert Path(path) == tmp_path / name
