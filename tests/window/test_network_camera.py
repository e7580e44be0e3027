"""A camera in the network, chosen in the window by its address."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QInputDialog, QLabel
from pytestqt.qtbot import QtBot

from app.gui import dialogs
from app.gui.window import MainWindow
from app.settings import Settings, load_settings

if TYPE_CHECKING:
    from tests.window.conftest import World

pytestmark = pytest.mark.gui

OpenWindow = Callable[..., MainWindow]
ADDRESS = "rtsp://me:sesame@192.168.1.20/stream"
SHOWN = "rtsp://192.168.1.20/stream"


def test_an_address_is_watched_and_kept_without_its_password(
    open_window: OpenWindow, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def ask(_parent: object, last: str) -> str:
        asked.append(last)
        return ADDRESS

    monkeypatch.setattr("app.gui.dialogs.ask_address", ask)
    window = open_window()
    window.live.menu_actions.open_network.trigger()
    assert world.engine.asked == [("source", ADDRESS)]
    world.engine.now = replace(world.engine.now, source="Network camera", spec=ADDRESS)
    window.live.refresh_status()
    checked = [one.text() for one in window.live.choices.sources.actions() if one.isChecked()]
    assert checked == ["Network camera"]
    window.tick()
    assert window._privacy.text() == (
        "a network camera is asked for its pictures; nothing else leaves this computer"
    )
    window.live.menu_actions.open_network.trigger()
    assert asked == ["", SHOWN]
    window.close()
    settings, warnings = load_settings(world.settings_path)
    assert (settings.source, settings.recent, warnings) == (SHOWN, (), [])
    assert "sesame" not in world.settings_path.read_text()


@pytest.mark.parametrize(
    "typed", ["me:sesame@192.168.1.20/stream", "rstp://me:sesame@host/x", "rtsp://me:a/sesame@host"]
)
def test_what_is_no_address_is_said_and_kept_nowhere(
    open_window: OpenWindow, world: World, monkeypatch: pytest.MonkeyPatch, typed: str
) -> None:
    monkeypatch.setattr("app.gui.dialogs.ask_address", lambda *_: typed)
    window = open_window()
    window.live.menu_actions.open_network.trigger()
    assert world.engine.asked == []
    shown = [label.text() for label in window.findChildren(QLabel) if label.isVisible()]
    assert any("address" in text for text in shown)
    assert not any("sesame" in text for text in shown)
    window.close()
    assert not world.settings_path.exists() or "sesame" not in world.settings_path.read_text()


def test_no_address_changes_nothing(
    open_window: OpenWindow, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.gui.dialogs.ask_address", lambda *_: "")
    window = open_window(Settings(theme="dark"))
    window.live.menu_actions.open_network.trigger()
    assert world.engine.asked == []


@pytest.mark.parametrize("agrees", [True, False])
def test_the_question_says_what_is_asked_for(
    open_window: OpenWindow, qtbot: QtBot, agrees: bool
) -> None:
    window = open_window()
    seen: list[str] = []

    def answer() -> None:
        question = QApplication.activeModalWidget()
        assert isinstance(question, QInputDialog)
        seen.extend(label.text() for label in question.findChildren(QLabel))
        seen.append(question.textValue())
        question.setTextValue(f"  {ADDRESS} ")
        (question.accept if agrees else question.reject)()

    QTimer.singleShot(0, answer)
    assert dialogs.ask_address(window, SHOWN) == (ADDRESS if agrees else "")
    assert SHOWN in seen
    assert "rtsp://192.168.1.20/stream" in seen[0]
