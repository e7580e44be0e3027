"""Triggers in the window: the panel, the markers, what is called and what is said of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.gui.trigger_row import TriggerRow
from app.gui.window import MainWindow
from app.sessions.folder import open_session
from app.settings import Settings, load_settings
from app.streams.base import Marker
from app.streams.switch import StreamSpec
from models.runtime.labels import FER2013_4
from tests.live_program.test_calls import Server, wait_for_calls
from tests.window.studio import Studio, press

if TYPE_CHECKING:
    from tests.window.conftest import Artist, World

pytestmark = pytest.mark.gui

OpenWindow = Callable[..., MainWindow]
SMILE = "happiness,70,0=marker:1"


def choose(row: TriggerRow, *, when: str = "", then: str = "") -> None:
    """Choose in a row's boxes as the user does."""
    for box, wanted in ((row.when, when), (row.then, then)):
        if wanted:
            box.setCurrentIndex(box.findText(wanted))
            box.activated.emit(box.currentIndex())


def write(row: TriggerRow, text: str) -> None:
    """Type into a row's field."""
    row.said.setFocus()
    row.said.selectAll()
    QTest.keyClicks(row.said, text)
    QTest.keyClick(row.said, Qt.Key.Key_Return)


def see(window: MainWindow, world: World, draw: Artist, *, start: int = 0, **face: object) -> None:
    """Let the engine find a face on one frame."""
    found = draw.face(1, (10, 10, 60, 60), **face)  # type: ignore[arg-type]
    for listener in list(world.engine.listeners):
        listener(draw.result(found, index=start))
    window.live.triggers._refreshed_at = float("-inf")
    window.tick(at_once=True)


def test_nothing_happens_by_itself_unless_it_is_wanted(open_window: OpenWindow) -> None:
    window = open_window()
    desk = window.live.triggers
    assert not desk.active()
    assert desk.panel.isHidden()
    press(window.live.menu_actions.triggers)
    assert desk.panel.isVisible()
    assert desk.panel.add.hasFocus()
    assert desk.panel.hint.text().startswith("A trigger does something by itself when a face")
    assert window._privacy.text() == "nothing leaves this computer"
    QTest.keyClick(desk.panel.add, Qt.Key.Key_Escape)
    assert desk.panel.isHidden()


def test_a_trigger_is_added_fires_and_is_removed(
    open_window: OpenWindow, world: World, draw: Artist
) -> None:
    window = open_window()
    desk = window.live.triggers
    press(window.live.menu_actions.triggers)
    QTest.keyClick(desk.panel.add, Qt.Key.Key_Space)
    (row,) = desk.panel.rows
    assert row.when.hasFocus()
    labels = [row.when.itemText(place) for place in range(row.when.count())]
    assert labels[:2] == ["neutral", "happiness"]
    assert labels[-2:] == ["face", "no face"]
    assert (row.state.text(), row.hint.text()) == (
        "not in use", "Type a key from 1 to 9, or the text of a note.",
    )  # fmt: skip
    assert not desk.active()
    row.seconds.setValue(0)
    write(row, "a smile")
    assert [str(trigger) for trigger in desk.acting.in_use] == ["happiness,70,0=marker:a smile"]
    assert desk.active()
    assert row.state.text() == "not yet"
    see(window, world, draw)
    assert row.state.text() == "fired once"
    assert window.notices.texts == []  # nobody pressed a key
    row.percent.setValue(99)
    assert row.state.text() == "not yet"  # it is another now
    QTest.keyClick(row.remove, Qt.Key.Key_Space)
    assert desk.panel.rows == []
    assert desk.panel.add.hasFocus()
    assert not desk.active()


def test_a_marker_goes_where_its_key_puts_it(
    studio: Callable[..., Studio], qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = studio(triggers=(SMILE, "face,,0=marker:here"))
    sent: list[Marker] = []
    monkeypatch.setattr(here.window.live.streaming.streams, "mark", sent.append)
    press(here.actions.record)
    here.see(count=3)
    assert "here at 0:00" in here.desk.bar.text
    press(here.actions.record)
    (folder,) = here.settle(qtbot)
    found = open_session(folder).markers.to_pylist()
    assert [(mark["key"], mark["text"]) for mark in found] == [("1", ""), ("note", "here")]
    assert [(mark.key, mark.text) for mark in sent] == [("1", ""), ("note", "here")]
    assert found[0]["session_time"] == pytest.approx(0, abs=0.001)  # that of its frame


def test_an_address_is_called_and_said_where_it_leads(
    qtbot: QtBot, open_window: OpenWindow, world: World, draw: Artist
) -> None:
    server = Server()
    window = open_window()
    desk = window.live.triggers
    press(window.live.menu_actions.triggers)
    desk.panel.add.click()
    (row,) = desk.panel.rows
    choose(row, when="face", then="call an address")
    assert not row.percent.isEnabled()
    assert row.hint.text().startswith("Type an address, such as http://127.0.0.1")
    row.seconds.setValue(0)
    write(row, f"{server.address}/here")
    see(window, world, draw)
    qtbot.waitUntil(lambda: bool(server.got), timeout=10_000)
    assert server.got[0][2]["label"] == "face"
    assert window._privacy.text() == "calls by triggers on this computer"
    server.close()
    write(row, "http://192.0.2.7/here")
    window.tick(at_once=True)
    assert window._privacy.text() == "calls by triggers: numbers leave this computer"
    desk.acting.use(())


def test_one_that_cannot_be_called_says_so_once(
    open_window: OpenWindow, world: World, draw: Artist
) -> None:
    server = Server()
    server.close()
    window = open_window(Settings(theme="dark", triggers=(f"face,,0={server.address}/",)))
    (row,) = window.live.triggers.panel.rows
    calls = window.live.triggers.acting.calls
    for failed in (1, 2):
        see(window, world, draw)  # number 0 is another source's, so that it fires again
        wait_for_calls(calls, failed)
    see(window, world, draw, start=1)
    assert len(window.notices.texts) == 1
    assert "found that nobody answers there" in window.notices.texts[0]
    assert row.problem.text() == "Its last call failed: nobody answers there."
    assert row.state.text() == "fired 2 times"


def test_what_is_wrong_is_said_beside_the_row_and_not_used(open_window: OpenWindow) -> None:
    window = open_window()
    desk = window.live.triggers
    press(window.live.menu_actions.triggers)
    desk.panel.add.click()
    (row,) = desk.panel.rows
    choose(row, then="call an address")
    write(row, "smile")
    assert 'found "smile"; correct it.' in row.problem.text().replace("\N{ZERO WIDTH SPACE}", "")
    assert row.problem.isVisible()
    assert (row.state.text(), desk.active()) == ("not in use", False)
    choose(row, then="set a marker")
    assert row.problem.isHidden()
    assert desk.active()


def test_a_label_of_another_model_stays_and_is_said(open_window: OpenWindow) -> None:
    window = open_window(Settings(theme="dark", triggers=("contempt,50,1=marker:1",)))
    (row,) = window.live.triggers.panel.rows
    assert row.problem.text() == ""
    row.show_labels(FER2013_4)
    assert row.problem.text().startswith("The model in use never says contempt; choose")
    assert row.when.currentText() == "contempt"
    assert str(row.trigger) == "contempt,50,1=marker:1"


def test_what_stands_there_is_remembered(open_window: OpenWindow, world: World) -> None:
    bad = "joy,70,1=marker:1"
    window = open_window(Settings(theme="dark", triggers=(SMILE, bad, "no face,,3=marker:gone")))
    assert any('found "joy"' in text for text in window.notices.texts)
    desk = window.live.triggers
    assert [str(trigger) for trigger in desk.acting.in_use] == [SMILE, "no face,,3=marker:gone"]
    desk.panel.rows[1].seconds.setValue(2)
    window.close()
    stored = load_settings(world.settings_path)[0]
    assert stored.triggers == (SMILE, "no face,,2=marker:gone")


def test_one_of_the_command_line_is_gone_next_time_unless_it_was_changed(
    open_window: OpenWindow, world: World
) -> None:
    remembered = Settings(theme="dark", triggers=(SMILE,))
    window = open_window(remembered, triggers=("anger,60,1=marker:2", SMILE))
    desk = window.live.triggers
    assert [str(trigger) for trigger in desk.acting.in_use] == [SMILE, "anger,60,1=marker:2"]
    window.close()
    assert load_settings(world.settings_path)[0].triggers == (SMILE,)
    window = open_window(Settings(theme="dark"), triggers=("anger,60,1=marker:2",))
    window.live.triggers.panel.rows[0].percent.setValue(65)
    window.close()
    assert load_settings(world.settings_path)[0].triggers == ("anger,65,1=marker:2",)


def test_a_password_is_neither_shown_nor_stored(open_window: OpenWindow, world: World) -> None:
    window = open_window()
    desk = window.live.triggers
    press(window.live.menu_actions.triggers)
    desk.panel.add.click()
    (row,) = desk.panel.rows
    choose(row, then="call an address")
    write(row, "http://me:s3cret@192.0.2.7/hook?token=t0ken")
    assert desk.acting.in_use[0].address == "http://me:s3cret@192.0.2.7/hook?token=t0ken"
    assert row.said.text() == "http://192.0.2.7/hook?token=t0ken"  # while it is typed
    assert row.hint.text().startswith("Its name and password are neither shown nor stored")
    row.remove.setFocus()
    assert row.said.text() == "http://192.0.2.7/hook/…"
    row.percent.setValue(50)
    assert "s3cret" in desk.acting.in_use[0].address
    write(row, "http://192.0.2.8/hook")  # the password was not for this one
    assert desk.acting.in_use[0].address == "http://192.0.2.8/hook"
    write(row, "http://me:s3cret@192.0.2.7/hook?token=t0ken")
    window.close()
    stored = world.settings_path.read_text(encoding="utf-8")
    assert "http://192.0.2.7/hook?token=t0ken" in stored
    assert "s3cret" not in stored


def test_the_engine_goes_on_for_triggers_while_nobody_looks(
    open_window: OpenWindow, world: World
) -> None:
    window = open_window(Settings(theme="dark", triggers=(SMILE,)))
    window.show_workspace("analyse")
    assert ("paused", True) not in world.engine.asked
    window.live.triggers.panel.rows[0].remove.click()
    window.live._rest_or_run()
    assert ("paused", True) in world.engine.asked


def test_what_leaves_the_computer_is_said_of_streams_and_triggers_together(
    open_window: OpenWindow,
) -> None:
    window = open_window(Settings(theme="dark", triggers=("face,,60=http://127.0.0.1:9/",)))
    window.tick(at_once=True)
    assert window._privacy.text() == "calls by triggers on this computer"
    window.live.streaming.streams._specs["osc"] = StreamSpec("osc", "127.0.0.1", 9000)
    assert window.live.privacy == "streaming osc, calls by triggers on this computer"
    window.live.streaming.streams._specs["osc"] = StreamSpec("osc", "192.0.2.7", 9000)
    said = "streaming osc, calls by triggers: numbers leave this computer"
    assert window.live.privacy == said
    window.live.streaming.streams._specs.clear()
    trigger = replace(window.live.triggers.calls[0], then="http://192.0.2.7/")
    window.live.triggers.acting.use([trigger])
    assert window.live.privacy == "calls by triggers: numbers leave this computer"


def test_every_field_is_reached_by_tab_and_has_a_name(open_window: OpenWindow) -> None:
    window = open_window(Settings(theme="dark", triggers=(SMILE, "face,,1=marker:2")))
    panel = window.live.triggers.panel
    press(window.live.menu_actions.triggers)
    first, second = panel.rows
    wanted: list[QWidget] = [*first.stops, *(stop for stop in second.stops if stop.isEnabled())]
    reached: list[QWidget] = []
    for _ in range(len(wanted) + 2):
        focus = QApplication.focusWidget()
        assert focus is not None
        reached.append(focus)
        QTest.keyClick(focus, Qt.Key.Key_Tab)
    assert reached == [*wanted, panel.add, panel.done]
    assert all(stop.accessibleName() for stop in first.stops)


def test_many_triggers_leave_room_for_the_picture(open_window: OpenWindow, world: World) -> None:
    texts = tuple(f"happiness,{percent},1=marker:1" for percent in range(1, 33))
    window = open_window(Settings(theme="dark", triggers=texts))
    press(window.live.menu_actions.triggers)
    QApplication.processEvents()
    panel = window.live.triggers.panel
    assert panel.height() < window.height() / 2
    assert not panel.add.isEnabled()
    window.close()
    assert load_settings(world.settings_path)[0].triggers == texts
