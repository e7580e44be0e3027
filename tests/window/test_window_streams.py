"""Streams in the window: the panel, the markers, what is said of them."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from pytestqt.qtbot import QtBot

from app.gui.window import MainWindow
from app.sessions.folder import open_session
from app.settings import Settings, load_settings
from app.streams.base import Marker, Stream
from app.streams.switch import StreamSpec
from tests.window.studio import Studio, press

if TYPE_CHECKING:
    from tests.window.conftest import Artist, World

pytest.importorskip("websockets")
pytest.importorskip("pythonosc")

from websockets.sync.client import connect

pytestmark = pytest.mark.gui

OpenWindow = Callable[..., MainWindow]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(qtbot: QtBot, window: MainWindow, condition: Callable[[], bool]) -> None:
    def ticked() -> bool:
        window.tick(at_once=True)
        return condition()

    qtbot.waitUntil(ticked, timeout=10_000)


def is_on(window: MainWindow, name: str) -> bool:
    return name in {spec.name for spec in window.live.streaming.streams.specs}


def test_nothing_streams_unless_it_is_switched_on(open_window: OpenWindow) -> None:
    window = open_window()
    desk = window.live.streaming
    assert desk.streams.specs == ()
    assert not desk.active()
    assert desk.privacy(networked=False) == "nothing leaves this computer"
    assert desk.panel.isHidden()
    window.live.menu_actions.streams.trigger()
    assert desk.panel.isVisible()
    assert not any(box.isChecked() for box in desk.panel.boxes.values())


def test_a_stream_is_switched_on_sends_and_is_switched_off(
    qtbot: QtBot, open_window: OpenWindow, world: World, draw: Artist
) -> None:
    window, port = open_window(), free_port()
    desk = window.live.streaming
    desk.panel.addresses["websocket"].setText(f"127.0.0.1:{port}")
    desk.panel.boxes["websocket"].click()
    until(qtbot, window, lambda: is_on(window, "websocket"))
    assert desk.active()
    assert not desk.panel.addresses["websocket"].isEnabled()
    assert window._privacy.text() == "streaming websocket on this computer"
    with connect(f"ws://127.0.0.1:{port}") as client:
        assert json.loads(client.recv(timeout=10))["type"] == "hello"
        until(qtbot, window, lambda: desk.streams.statuses()[0].listeners == 1)
        desk.streams.write(draw.result(draw.face(1, (10, 10, 60, 60)), index=4))
        assert json.loads(client.recv(timeout=10))["frame"] == 4
        window.live.menu_actions.markers[2].trigger()
        assert json.loads(client.recv(timeout=10))["key"] == "3"
        window.live.menu_actions.note.trigger()
        bar = window.live.recording.bar
        assert bar.text == "Note goes to the streams that are on"
        bar._note.setText("she laughs")
        bar._note.returnPressed.emit()
        assert bar.isHidden()
        assert json.loads(client.recv(timeout=10))["text"] == "she laughs"
    assert window.notices.texts == ["Marker 3 was sent.", "she laughs was sent."]
    desk.panel.boxes["websocket"].click()
    assert not is_on(window, "websocket")
    assert desk.privacy(networked=False) == "nothing leaves this computer"


def test_the_window_waits_for_no_stream_that_ends(
    qtbot: QtBot, open_window: OpenWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    closing = Stream.close
    closed_on: list[str] = []

    def close(stream: Stream) -> None:
        closed_on.append(threading.current_thread().name)
        closing(stream)

    monkeypatch.setattr(Stream, "close", close)
    window = open_window()
    desk = window.live.streaming
    desk.panel.addresses["osc"].setText("127.0.0.1:9123")
    for _ in range(2):
        desk.panel.boxes["osc"].click()
        until(qtbot, window, lambda: is_on(window, "osc"))
        desk.panel.boxes["osc"].click()
        assert not is_on(window, "osc")
    desk.panel.boxes["osc"].click()  # on after off
    until(qtbot, window, lambda: is_on(window, "osc"))
    assert desk.panel.boxes["osc"].isChecked()
    assert set(closed_on) == {"mien-window-job"}


def test_an_address_that_is_none_and_a_port_in_use_are_said(
    qtbot: QtBot, open_window: OpenWindow
) -> None:
    window = open_window()
    panel = window.live.streaming.panel
    panel.addresses["osc"].setText("127.0.0.1:many")
    panel.boxes["osc"].click()
    assert "a port from 1 to 65535" in window.notices.texts[-1]
    assert not panel.boxes["osc"].isChecked()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        panel.addresses["websocket"].setText(f"127.0.0.1:{taken.getsockname()[1]}")
        panel.boxes["websocket"].click()
        until(qtbot, window, lambda: not panel.boxes["websocket"].isChecked())
    assert "Expected to serve" in window.notices.texts[-1]
    assert panel.addresses["websocket"].isEnabled()


def test_what_is_on_is_on_again_next_time(
    qtbot: QtBot, open_window: OpenWindow, world: World
) -> None:
    window = open_window(Settings(theme="dark", streams=("osc=127.0.0.1:9123", "pigeon")))
    assert any('found "pigeon"' in text for text in window.notices.texts)
    until(qtbot, window, lambda: is_on(window, "osc"))
    assert window.live.streaming.panel.boxes["osc"].isChecked()
    assert window.live.streaming.panel.addresses["osc"].text() == "127.0.0.1:9123"
    window.close()
    assert load_settings(world.settings_path)[0].streams == ("osc=127.0.0.1:9123",)


def test_one_that_fails_at_the_start_is_tried_again_next_time(
    qtbot: QtBot, open_window: OpenWindow, world: World
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        spec = f"websocket=127.0.0.1:{taken.getsockname()[1]}"
        window = open_window(Settings(theme="dark", streams=(spec,)))
        until(qtbot, window, lambda: bool(window.notices.texts))
        window.close()
    assert load_settings(world.settings_path)[0].streams == (spec,)


def test_an_address_is_remembered_while_its_stream_is_off(
    open_window: OpenWindow, world: World
) -> None:
    window = open_window()
    window.live.streaming.panel.addresses["osc"].setText("192.168.1.20:9000")
    window.live.streaming.panel.addresses["websocket"].setText("nonsense")
    window.close()
    settings = load_settings(world.settings_path)[0]
    assert (settings.streams, settings.stream_addresses) == ((), ("osc=192.168.1.20:9000",))
    again = open_window(settings)
    assert again.live.streaming.panel.addresses["osc"].text() == "192.168.1.20:9000"
    assert not again.live.streaming.active()


def test_what_was_asked_for_once_is_off_next_time(
    qtbot: QtBot, open_window: OpenWindow, world: World
) -> None:
    remembered = Settings(theme="dark", streams=("osc=127.0.0.1:9123",))
    window = open_window(remembered, streams=("osc=127.0.0.1:9124",))
    until(qtbot, window, lambda: is_on(window, "osc"))
    assert [spec.port for spec in window.live.streaming.streams.specs] == [9124]
    window.close()
    assert load_settings(world.settings_path)[0].streams == ("osc=127.0.0.1:9123",)
    window = open_window(Settings(theme="dark"), streams=("osc=127.0.0.1:9124",))
    until(qtbot, window, lambda: is_on(window, "osc"))
    panel = window.live.streaming.panel
    panel.boxes["osc"].click()
    until(qtbot, window, lambda: not is_on(window, "osc"))
    panel.boxes["osc"].click()  # what the user switches on stays
    until(qtbot, window, lambda: is_on(window, "osc"))
    window.close()
    assert load_settings(world.settings_path)[0].streams == ("osc=127.0.0.1:9124",)


@pytest.mark.parametrize("closed", [False, True])
def test_a_marker_of_another_program_just_before_the_end_is_kept(
    studio: Callable[..., Studio], qtbot: QtBot, closed: bool
) -> None:
    here = studio()
    press(here.actions.record)
    here.see()
    heard = here.window.live.streaming.streams._heard
    assert heard is not None
    marker = Marker(time.monotonic(), "lsl", "last trial")
    other = threading.Thread(target=heard, args=(marker,))
    other.start()
    other.join()
    if closed:
        here.window.close_at_once()
    else:
        press(here.actions.record)  # before the window's next tick
    (folder,) = here.settle(qtbot)
    assert open_session(folder).markers["text"].to_pylist() == ["last trial"]


def test_what_leaves_the_computer_is_said(open_window: OpenWindow) -> None:
    assert StreamSpec("osc", "127.0.0.1", 9000).stays_here
    assert StreamSpec("osc", "localhost", 9000).stays_here
    assert not StreamSpec("osc", "10.0.0.7", 9000).stays_here
    assert not StreamSpec("lsl").stays_here
    window = open_window()
    window.live.streaming.streams.switch_on(StreamSpec("osc", "192.0.2.7", 9000))
    window.tick(at_once=True)
    assert window._privacy.text() == "streaming osc: numbers leave this computer"
