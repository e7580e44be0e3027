"""Words that are not ours are shown as they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel

from app.gui.plain import plain_label, plain_tip
from app.gui.window import MainWindow
from app.live.engine import EngineState

if TYPE_CHECKING:
    from tests.window.conftest import World

pytestmark = pytest.mark.gui

NAME = '<img src="//elsewhere/x.png"><b>film</b>.mp4'


@pytest.mark.usefixtures("qapp")
def test_a_label_shows_what_looks_like_html_as_it_is() -> None:
    assert plain_label(NAME).textFormat() == Qt.TextFormat.PlainText


def test_a_tooltip_does_so_too() -> None:
    assert plain_tip("film < 3 & more") == "film < 3 & more"
    shown = plain_tip(NAME)
    assert "<img" not in shown
    assert "&lt;img" in shown


def test_no_label_of_the_window_takes_a_files_name_for_html(
    open_window: Callable[..., MainWindow], world: World
) -> None:
    window = open_window()
    world.engine.now = replace(world.engine.now, state=EngineState.ENDED, source=NAME, spec=NAME)
    window.live.refresh_status()
    window.notices.say(f"Saved {NAME}.")
    bearing = [label for label in window.findChildren(QLabel) if "elsewhere" in label.text()]
    assert len(bearing) >= 2
    assert {label.textFormat() for label in bearing} == {Qt.TextFormat.PlainText}
