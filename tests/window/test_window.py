"""The window as a whole: the picture, keys, sizes, snapshots, what is remembered."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.gui.window import MainWindow
from app.messages import FrameResult
from app.settings import Settings, load_settings

if TYPE_CHECKING:
    from tests.window.conftest import Artist, World

pytestmark = pytest.mark.gui

OpenWindow = Callable[..., MainWindow]
BOX = (220.0, 120.0, 420.0, 320.0)


def after_tick(window: MainWindow, condition: Callable[[], bool]) -> bool:
    """Let the window fetch what is ready, then say whether it is so."""
    window.tick()
    return condition()


def show(window: MainWindow, world: World, result: FrameResult) -> None:
    """Let the window fetch a result now."""
    world.engine.result = result
    window.tick(at_once=True)


def pixels(window: MainWindow) -> NDArray[np.uint8]:
    image = window.live.video.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    data = np.frombuffer(image.constBits(), np.uint8)
    return data.reshape(image.height(), image.bytesPerLine() // 4, 4)[:, : image.width(), :3].copy()


def test_a_result_appears_with_its_card(
    open_window: OpenWindow, world: World, draw: Artist
) -> None:
    window = open_window()
    empty = pixels(window)
    show(window, world, draw.result(draw.face(1, BOX)))
    assert not np.array_equal(pixels(window), empty)
    (card,) = window.live.panel.cards
    assert card.label == "happiness"
    assert card.selected
    assert "happiness 92 %" in card.accessibleName()
    assert "30 fps" in window.status_text
    assert "CPU" in window.status_text


@pytest.mark.parametrize(
    ("key", "name"),
    [(Qt.Key.Key_O, "boxes"), (Qt.Key.Key_B, "bars"), (Qt.Key.Key_A, "attention")],
)
def test_a_key_switches_an_overlay(
    open_window: OpenWindow, world: World, draw: Artist, qtbot: QtBot, key: Qt.Key, name: str
) -> None:
    window = open_window(Settings(theme="dark", overlays=()))
    show(window, world, draw.result(draw.face(1, BOX)))
    bare = pixels(window)
    QTest.keyClick(window, key)
    assert window.live.video.overlay_names == (name,)
    assert not np.array_equal(pixels(window), bare)
    QTest.keyClick(window, key)
    assert np.array_equal(pixels(window), bare)


def test_the_picture_is_letterboxed(open_window: OpenWindow, world: World, draw: Artist) -> None:
    window = open_window()
    show(window, world, draw.result(size=(1280, 360)))
    rect = window.live.video.picture_rect()
    assert rect.width() == pytest.approx(window.live.video.width(), abs=1)
    assert rect.height() == pytest.approx(rect.width() * 360 / 1280, abs=1)
    assert rect.center().y() == pytest.approx(window.live.video.height() / 2, abs=1)


def test_the_caption_of_the_source_is_shown_on_the_picture(
    open_window: OpenWindow, world: World, draw: Artist
) -> None:
    window = open_window()
    result = draw.result()
    show(window, world, result)
    bare = pixels(window)
    told = replace(result, frame=replace(result.frame, caption="demo actor: fear", index=1))
    show(window, world, told)
    assert window.live.video.caption == "demo actor: fear"
    rows, columns = np.nonzero((pixels(window) != bare).any(axis=2))
    corner = window.live.video.picture_rect().bottomLeft()
    assert rows.max() <= corner.y()
    assert rows.min() >= corner.y() - 40
    assert columns.max() <= corner.x() + 240


def test_m_mirrors_the_picture_but_no_file_is_mirrored_by_itself(
    open_window: OpenWindow, world: World, draw: Artist, qtbot: QtBot
) -> None:
    window = open_window(Settings(theme="dark", overlays=()))
    shown = []
    for index, media_time in enumerate((None, 1.0)):
        show(window, world, draw.result(index=index, at=100.0 + index, media_time=media_time))
        shown.append(window.live.video.mirrored)
    assert shown == [True, False]
    plain = pixels(window)
    QTest.keyClick(window, Qt.Key.Key_M)
    mirrored = pixels(window)
    middle = plain.shape[0] // 2
    assert (
        plain[middle, plain.shape[1] // 2 - 50].tolist()
        != mirrored[middle, plain.shape[1] // 2 - 50].tolist()
    )
    show(window, world, draw.result(index=2, at=102.0, media_time=None))
    assert window.live.video.mirrored, "the camera keeps its own choice"


def test_a_click_chooses_the_face_also_in_a_mirror(
    open_window: OpenWindow, world: World, draw: Artist, qtbot: QtBot
) -> None:
    window = open_window()
    left, right = draw.face(1, (40, 100, 200, 260)), draw.face(2, (440, 100, 600, 260))
    show(window, world, draw.result(left, right, media_time=None))
    assert window.live.panel.chosen == 1
    rect = window.live.video.picture_rect()
    # Mirrored: the face on the right of the frame is on the left of the screen.
    point = rect.topLeft().toPoint()
    point.setX(round(rect.left() + rect.width() * (1 - 520 / 640)))
    point.setY(round(rect.top() + rect.height() * 180 / 480))
    QTest.mouseClick(window.live.video, Qt.MouseButton.LeftButton, pos=point)
    assert window.live.panel.chosen == 2
    assert window.live.chart.track == 2


def test_space_pauses_unless_a_control_has_the_focus(
    open_window: OpenWindow, world: World, qtbot: QtBot
) -> None:
    window = open_window()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    QTest.keyClick(window.live.video, Qt.Key.Key_Space)
    assert world.engine.asked[-1] == ("paused", True)
    QTest.keyClick(window.live.video, Qt.Key.Key_Space)
    assert world.engine.asked[-1] == ("paused", False)
    count = len(world.engine.asked)
    window.live.choices.toolbar.source.setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(window.live.choices.toolbar.source, Qt.Key.Key_Space)
    assert len(world.engine.asked) == count
    assert window.live.choices.sources.isVisible()
    window.live.choices.sources.close()


def test_every_control_can_be_reached_by_tab_and_has_a_name(
    open_window: OpenWindow, world: World, draw: Artist, qtbot: QtBot
) -> None:
    window = open_window()
    show(window, world, draw.result(draw.face(1, BOX)))
    reached: list[QWidget] = []
    widget = window.focusWidget() or window.live.video
    for _ in range(40):
        QTest.keyClick(widget, Qt.Key.Key_Tab)
        widget = window.focusWidget()
        assert widget is not None
        if widget in reached:
            break
        reached.append(widget)
    names = [widget.accessibleName() for widget in reached]
    assert all(names), reached
    for word in (
        "Source",
        "Model",
        "Finder",
        "Boxes",
        "Mirror",
        "Pause",
        "Save snapshot",
        "Face 1",
    ):
        assert any(word in name for name in names), (word, names)


def test_tooltips_tell_the_shortcut(open_window: OpenWindow) -> None:
    window = open_window()
    actions = [*window.menu_actions.all(), *window.live.menu_actions.all()]
    for action in actions:
        keys = action.shortcut().toString()
        assert action.toolTip()
        if keys:
            assert f"({keys})" in action.toolTip()
    taken = [keys.toString() for action in actions for keys in action.shortcuts()]
    assert len(set(taken)) == len(taken)


@pytest.mark.parametrize("size", [(800, 600), (1280, 800), (3840, 2160)])
def test_it_fits(
    open_window: OpenWindow, world: World, draw: Artist, size: tuple[int, int]
) -> None:
    window = open_window(size=size)
    world.engine.now = replace(world.engine.now, source="a film with a very long name " * 4)
    faces = [draw.face(i, (i * 100.0, 100.0, i * 100.0 + 80, 180.0)) for i in range(1, 6)]
    show(window, world, draw.result(*faces))
    window.live.refresh_status()
    QApplication.processEvents()
    assert (window.width(), window.height()) == size
    assert window.live.video.width() > size[0] * 0.4
    assert window.live.video.height() > size[1] * 0.4
    for child in (
        window.live.choices.toolbar,
        window.live.panel,
        window.live.chart,
        window.statusBar(),
    ):
        area = child.geometry()
        assert child.mapTo(window, area.topLeft() - area.topLeft()).x() >= 0
        assert child.mapTo(window, child.rect().bottomRight()).x() < size[0]
        assert child.mapTo(window, child.rect().bottomRight()).y() < size[1]
    assert window.grab().width() == size[0]


def test_closing_stops_the_engine_and_remembers(
    open_window: OpenWindow, world: World, qtbot: QtBot
) -> None:
    window = open_window()
    QTest.keyClick(window, Qt.Key.Key_L)
    QTest.keyClick(window, Qt.Key.Key_M)
    window.live.menu_actions.chart.trigger()
    window.menu_actions.themes["light"].trigger()
    window.resize(1000, 700)
    window.close()
    assert not world.engine.running
    settings, warnings = load_settings(world.settings_path)
    assert warnings == []
    assert "landmarks" in settings.overlays
    assert settings.theme == "light"
    again = open_window(settings)
    assert again.live.menu_actions.overlays["landmarks"].isChecked()
    assert not again.live.chart.isVisible()
    assert again.live.panel.isVisible()
    again.close()


def test_only_what_the_engine_accepted_is_remembered(open_window: OpenWindow, world: World) -> None:
    window = open_window()
    window.live.commands.use_model("/somewhere/broken.onnx")
    window.live.commands.use_finder("hog")
    window.live.commands.use_landmarks("dlib")
    world.engine.now = replace(world.engine.now, finder="hog", landmarks="dlib")
    window.close()
    settings, _ = load_settings(world.settings_path)
    assert settings.model == "mini_xception.ferplus"
    assert settings.finder == "hog"
    assert settings.landmarks == "dlib"


def test_what_the_command_line_chose_is_not_remembered(
    open_window: OpenWindow, world: World
) -> None:
    window = open_window(source="actor")
    window.close()
    stored = json.loads(world.settings_path.read_text())
    assert not {"source", "model", "finder"} & stored.keys()


def test_settings_that_cannot_be_saved_are_told_in_the_terminal(
    open_window: OpenWindow, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    window = open_window()
    world.settings_path.mkdir()
    window.close()
    said = capsys.readouterr().err
    assert said.startswith("error: The settings cannot be saved in ")
    assert said.count("\n") == 1


def test_a_snapshot_is_a_png_of_what_is_seen(
    open_window: OpenWindow, world: World, draw: Artist, qtbot: QtBot
) -> None:
    window = open_window()
    QTest.keyClick(window, Qt.Key.Key_S)
    assert "no picture" in window.notices.texts[0]
    show(window, world, draw.result(draw.face(1, BOX)))
    for _ in range(2):
        # A file is named by its millisecond.
        QTest.keyClick(window, Qt.Key.Key_S, Qt.KeyboardModifier.NoModifier, 5)
    qtbot.waitUntil(lambda: after_tick(window, lambda: len(saved(window)) == 2))
    files = sorted((world.folder / "Pictures").iterdir())
    assert [file.suffix for file in files] == [".png", ".png"]
    picture = cv2.imread(str(files[0]))
    assert picture is not None
    assert picture.shape == (960, 1280, 3)


def saved(window: MainWindow) -> list[str]:
    return [text for text in window.notices.texts if text.startswith("Saved ")]


def test_a_snapshot_that_cannot_be_written_says_so(
    open_window: OpenWindow, world: World, draw: Artist, qtbot: QtBot
) -> None:
    (world.folder / "Pictures").write_text("in the way")
    window = open_window()
    show(window, world, draw.result())
    QTest.keyClick(window, Qt.Key.Key_S)
    qtbot.waitUntil(lambda: after_tick(window, lambda: bool(window.notices.texts)))
    assert "cannot be saved" in window.notices.texts[0]


def test_the_window_does_not_cut_off_what_is_being_saved_unasked(
    open_window: OpenWindow, world: World, draw: Artist, qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    gate, asked = threading.Event(), list[str]()

    def held(*_: object, path: Path, **__: object) -> Path:
        gate.wait(20)
        return path

    def confirm(_parent: QWidget, _title: str, text: str, _yes: str) -> bool:
        asked.append(text)
        return False

    monkeypatch.setattr("app.gui.commands.save_snapshot", held)
    monkeypatch.setattr("app.gui.dialogs.confirm", confirm)
    window = open_window()
    show(window, world, draw.result())
    QTest.keyClick(window, Qt.Key.Key_S)
    window.close()
    assert len(asked) == 1
    assert '.png" is being saved' in asked[0]
    assert window.isVisible()
    gate.set()
    qtbot.waitUntil(lambda: after_tick(window, lambda: bool(saved(window))))
    window.close()
    assert len(asked) == 1
    assert window.isHidden()


def test_full_screen_and_back(open_window: OpenWindow, qtbot: QtBot) -> None:
    window = open_window()
    QTest.keyClick(window, Qt.Key.Key_F11)
    assert window.isFullScreen()
    QTest.keyClick(window, Qt.Key.Key_Escape)
    assert not window.isFullScreen()
    assert not window.menu_actions.full_screen.isChecked()


@pytest.mark.parametrize("key", [Qt.Key.Key_Escape, Qt.Key.Key_F11])
def test_a_window_that_was_closed_in_full_screen_can_leave_it(
    open_window: OpenWindow, world: World, key: Qt.Key
) -> None:
    window = open_window()
    QTest.keyClick(window, Qt.Key.Key_F11)
    window.close()
    settings, _ = load_settings(world.settings_path)
    again = open_window(settings)
    assert again.isFullScreen()
    assert again.menu_actions.full_screen.isChecked()
    QTest.keyClick(again, key)
    assert not again.isFullScreen()
    assert not again.menu_actions.full_screen.isChecked()
