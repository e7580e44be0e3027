"""How a part of the screen is drawn and then plays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QGuiApplication, QPixmap
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.gui.screen_picker import ScreenPicker, ScreenSheet, area_of
from app.gui.theme import Theme
from app.gui.window import MainWindow
from app.sources.screen import Area

if TYPE_CHECKING:
    from tests.window.conftest import Artist, World

pytestmark = pytest.mark.gui

OpenWindow = Callable[..., MainWindow]
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def theme(qapp: QApplication) -> Theme:
    return Theme(qapp, "dark")


@pytest.fixture
def picked() -> list[str]:
    return []


@pytest.fixture
def picker(theme: Theme, picked: list[str]) -> Iterator[ScreenPicker]:
    made = ScreenPicker(theme, picked.append)
    made.show()
    yield made
    made.close()


def sheet_of(picker: ScreenPicker) -> ScreenSheet:
    return picker.sheets[0]


def drag(sheet: ScreenSheet, begin: tuple[int, int], end: tuple[int, int]) -> None:
    QTest.mousePress(sheet, LEFT, pos=QPoint(*begin))
    QTest.mouseMove(sheet, QPoint((begin[0] + end[0]) // 2, end[1]))
    QTest.mouseMove(sheet, QPoint(*end))
    QTest.mouseRelease(sheet, LEFT, pos=QPoint(*end))


def test_the_frame_that_is_drawn_is_picked(picker: ScreenPicker, picked: list[str]) -> None:
    drag(sheet_of(picker), (300, 200), (100, 80))  # from any corner
    ratio = QGuiApplication.screens()[0].devicePixelRatio()
    assert ratio == 1
    assert picked == ["screen:100,80,200x120"]
    assert picker.sheets == []


def test_one_too_small_is_not_and_can_be_drawn_again(
    picker: ScreenPicker, picked: list[str]
) -> None:
    sheet = sheet_of(picker)
    drag(sheet, (100, 80), (120, 300))
    assert picked == []
    assert sheet.isVisible()
    drag(sheet, (100, 80), (200, 300))
    assert len(picked) == 1


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Enter])
def test_enter_takes_the_whole_screen(key: Qt.Key, picker: ScreenPicker, picked: list[str]) -> None:
    size = sheet_of(picker).of.geometry().size()
    QTest.keyClick(sheet_of(picker), key)
    assert picked == [f"screen:0,0,{size.width()}x{size.height()}"]


def test_a_frame_can_be_drawn_with_keys_alone(picker: ScreenPicker, picked: list[str]) -> None:
    sheet = sheet_of(picker)
    wide, tall = sheet.width(), sheet.height()
    for key in (Qt.Key.Key_Left, Qt.Key.Key_Left, Qt.Key.Key_Up):  # the first one begins
        QTest.keyClick(sheet, key)
    shift = Qt.KeyboardModifier.ShiftModifier
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_Down):
        QTest.keyClick(sheet, key, shift)
    for _ in range(1 + wide // 16):  # no further than to the edge
        QTest.keyClick(sheet, Qt.Key.Key_Left)
    QTest.keyClick(sheet, Qt.Key.Key_Return)
    area = Area.parse(picked[0].removeprefix("screen:"))
    assert area is not None
    assert 0 <= area.left < 16
    assert abs(area.top - (tall / 4 - 16)) <= 1
    assert (area.width, area.height) == (wide // 2 + 16, tall // 2 + 32)


def test_escape_and_closing_take_none(
    picker: ScreenPicker, picked: list[str], qtbot: QtBot
) -> None:
    QTest.keyClick(sheet_of(picker), Qt.Key.Key_Escape)
    assert picker.sheets == []
    picker.show()
    sheet_of(picker).close()
    assert picker.sheets == []
    assert picked == []


def test_the_frame_shows_the_screen_as_it_was_and_all_else_is_dimmed(
    theme: Theme, qtbot: QtBot
) -> None:
    screen = QGuiApplication.screens()[0]
    shot = QPixmap(screen.geometry().size())
    shot.fill(Qt.GlobalColor.white)
    sheet = ScreenSheet(screen, shot, theme, lambda _: None)
    qtbot.addWidget(sheet)
    sheet.lay()
    blank = sheet.grab().toImage()
    QTest.mousePress(sheet, LEFT, pos=QPoint(100, 200))
    QTest.mouseMove(sheet, QPoint(300, 400))
    drawn = sheet.grab().toImage()
    assert blank.pixelColor(200, 300).lightness() < 150
    assert drawn.pixelColor(200, 300).lightness() == 255
    assert drawn.pixelColor(50, 500).lightness() < 150
    middle = screen.geometry().width() // 2
    plate = QRect(middle - 100, 20, 200, 40)
    assert blank.copy(plate) != drawn.copy(plate), "the hint gives way to the frame"
    QTest.mouseRelease(sheet, LEFT, pos=QPoint(300, 400))


def test_pixels_are_those_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    class Sharp:
        def geometry(self) -> QRect:
            return QRect(1920, -40, 1280, 720)

        def devicePixelRatio(self) -> float:
            return 1.5

    part = QRect(100, 10, 400, 200)
    assert area_of(Sharp(), part).spec == "screen:2070,-25,600x300"  # type: ignore[arg-type]
    monkeypatch.setattr("app.gui.screen_picker.sys.platform", "darwin")
    assert area_of(Sharp(), part).spec == "screen:2020,-30,400x200"  # type: ignore[arg-type]


def test_p_lets_a_part_be_drawn_which_then_plays(
    open_window: OpenWindow, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.gui.commands.why_unreadable", lambda: "")
    window = open_window()
    QTest.keyClick(window.live.video, Qt.Key.Key_P)
    (sheet, *_) = window.live.commands.screen_picker.sheets
    drag(sheet, (10, 10), (210, 110))
    assert world.engine.asked[-1] == ("source", "screen:10,10,200x100")
    world.engine.now = replace(world.engine.now, source="screen", spec="screen:10,10,200x100")
    window.live.refresh_status()
    assert window.live.commands.settings.source == "screen:10,10,200x100"


def test_where_no_screen_can_be_read_a_notice_says_so(
    open_window: OpenWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.gui.commands.why_unreadable", lambda: "Nobody may see it.")
    window = open_window()
    window.live.menu_actions.open_screen.trigger()
    assert window.live.commands.screen_picker.sheets == []
    assert window.notices.texts == ["Nobody may see it."]


def test_the_screen_is_checked_in_the_menu_and_not_mirrored(
    open_window: OpenWindow, world: World, draw: Artist
) -> None:
    window = open_window()
    world.engine.result = draw.result(draw.face(1, (200, 100, 300, 200)), media_time=None)
    window.tick(at_once=True)
    mirrored = [window.live.video.mirrored]
    world.engine.now = replace(
        world.engine.now, source="Part of the screen, 200 x 100", spec="screen:10,10,200x100"
    )
    window.live.refresh_status()
    world.engine.result = draw.result(draw.face(1, (200, 100, 300, 200)), index=1, media_time=None)
    window.tick(at_once=True)
    mirrored.append(window.live.video.mirrored)
    assert mirrored == [True, False]
    checked = [
        action.text() for action in window.live.choices.sources.actions() if action.isChecked()
    ]
    assert checked == ["Part of the screen, 200 x 100"]
