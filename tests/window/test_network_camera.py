"""A camera in the network, chosen in the window by its address."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit

from app.gui import dialogs
from app.gui.address_dialog import AddressDialog
from app.gui.window import MainWindow
from app.settings import Settings, load_settings
from app.sources.network import why_no_address, without_secrets

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


@pytest.fixture
def question(open_window: OpenWindow) -> AddressDialog:
    shown = AddressDialog(open_window(), SHOWN)
    shown.show()
    return shown


@pytest.mark.parametrize(
    "typed", ["me:sesame@192.168.1.20/stream", "rstp://me:sesame@host/x", "rtsp://me:a/sesame@host"]
)
def test_what_is_no_address_is_said_where_it_was_typed(question: AddressDialog, typed: str) -> None:
    question.place.setText(typed)
    question.accept()
    assert question.isVisible()
    assert "address" in question.problem.text()
    assert "sesame" not in question.problem.text()
    question.place.setText(SHOWN)
    question.accept()
    assert not question.isVisible()


def test_user_and_password_are_written_as_an_address_needs_them(question: AddressDialog) -> None:
    question.user.setText("me")
    question.password.setText("a/b?c#d@e:f")
    assert question.password.echoMode() == QLineEdit.EchoMode.Password
    assert question.address == "rtsp://me:a%2Fb%3Fc%23d%40e%3Af@192.168.1.20/stream"
    assert why_no_address(question.address) == ""
    assert without_secrets(question.address) == SHOWN


def test_a_password_pasted_with_the_address_is_hidden(question: AddressDialog) -> None:
    question.place.setText("rtsp://me:a%2Fb@192.168.1.20/stream")
    question.place.editingFinished.emit()
    assert question.place.text() == SHOWN
    assert (question.user.text(), question.password.text()) == ("me", "a/b")
    assert question.address == "rtsp://me:a%2Fb@192.168.1.20/stream"


def test_no_address_changes_nothing(
    open_window: OpenWindow, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.gui.dialogs.ask_address", lambda *_: "")
    window = open_window(Settings(theme="dark"))
    window.live.menu_actions.open_network.trigger()
    assert world.engine.asked == []


@pytest.mark.parametrize("agrees", [True, False])
def test_the_question_says_what_is_asked_for(open_window: OpenWindow, agrees: bool) -> None:
    window = open_window()
    seen: list[str] = []

    def answer() -> None:
        question = QApplication.activeModalWidget()
        assert isinstance(question, AddressDialog)
        seen.extend(label.text() for label in question.findChildren(QLabel) if label.wordWrap())
        seen.append(question.place.text())
        question.place.setText(f"  {SHOWN} ")
        question.user.setText("me")
        question.password.setText("sesame")
        (question.accept if agrees else question.reject)()

    QTimer.singleShot(0, answer)
    assert dialogs.ask_address(window, SHOWN) == (ADDRESS if agrees else "")
    assert seen[-1] == SHOWN
    assert any(SHOWN in text and "nor stored" in text for text in seen[:-1])
