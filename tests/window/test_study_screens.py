"""Which screen a study is shown on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QRect
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.window.studio import Studio, press
from tests.window.study_steps import (
    ready,
    screen_of,
    told,
)

pytestmark = pytest.mark.gui


class Screen:
    """Stand in for a screen that may be connected."""

    def __init__(self, name: str) -> None:
        self._name = name

    def name(self) -> str:
        return self._name

    def serialNumber(self) -> str:
        return ""

    def geometry(self) -> QRect:
        return QRect(0, 0, 1920, 1080)

    def devicePixelRatio(self) -> float:
        return 1.0


@pytest.fixture
def connect(qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Connect screens besides the one that there is; those that are not named go."""
    own = qapp.primaryScreen()

    def connected(*others: Screen) -> None:
        monkeypatch.setattr(QGuiApplication, "screens", lambda: [own, *others])
        qapp.screenAdded.emit(own)

    return connected


def test_the_screen_that_comes_is_the_participants(
    studio: Callable[..., Studio], connect: Callable[..., None]
) -> None:
    here = studio()
    panel = here.window.live.study.panel
    press(here.actions.study)
    assert not panel._screen.isVisible()
    projector: Any = Screen("projector")
    connect(projector)
    assert panel._screen.isVisible()
    assert panel.screen_chosen is projector
    connect()
    assert panel.screen_chosen is here.window.screen()
    assert not panel._screen.isVisible()


def test_a_screen_that_was_chosen_stays_chosen_or_nothing_begins(
    studio: Callable[..., Studio], protocol: Path, qtbot: QtBot, connect: Callable[..., None]
) -> None:
    here = studio()
    panel = here.window.live.study.panel
    desktop: Any = Screen("desktop")
    projector: Any = Screen("projector")
    connect(desktop, projector)
    ready(here, protocol, qtbot)
    assert panel.screen_chosen is desktop
    panel._screen.setCurrentIndex(2)
    panel._screen.activated.emit(2)
    connect(projector)
    assert panel.screen_chosen is projector
    connect(desktop)
    assert panel.screen_chosen is None
    assert not panel.begin.isEnabled()
    assert "The screen chosen is gone" in panel._missing.text()
    connect()
    assert panel._screen.isVisible(), "the only one has to be chosen, too"
    again: Any = Screen("projector")
    connect(desktop, again)
    assert panel.screen_chosen is again
    assert panel.begin.isEnabled()


def test_a_study_whose_screen_goes_before_its_first_picture_does_not_begin(
    studio: Callable[..., Studio], protocol: Path, qtbot: QtBot, connect: Callable[..., None]
) -> None:
    here = studio()
    connect(Screen("projector"))
    ready(here, protocol, qtbot)
    here.window.live.study.panel.begin.click()
    connect()
    here.see(count=2)
    here.tick()
    assert screen_of(here) is None
    assert not here.desk.recorder.active
    assert told(here, "The screen chosen for the participant is gone")
    here.settle(qtbot)
