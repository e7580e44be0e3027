"""Words that are not ours are shown as they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel

from app.analysis.inputs import VIDEO, Input
from app.gui.analyse.table import NAME as NAME_COLUMN
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
    assert plain_tip(f"{NAME}\nDrag to move").endswith("<br>Drag to move</span>")


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


def test_the_list_to_analyse_shows_names_as_they_are(
    open_window: Callable[..., MainWindow],
) -> None:
    window = open_window()
    window.show_workspace("analyse")
    path = Path("/data/<b>film.mp4")
    window.analyse.queue.add([Input(VIDEO, path, (path,), 12)])
    window.analyse.refresh()
    window.analyse.table.selectRow(0)
    window.analyse.foot.show_whole(0.5, str(path))
    window.analyse.panel.set_output(path)
    tips = [
        str(window.analyse.model.index(0, NAME_COLUMN).data(Qt.ItemDataRole.ToolTipRole)),
        window.analyse.panel.output.toolTip(),
    ]
    assert all("&lt;b&gt;film" in tip for tip in tips)
    labels = window.analyse.findChildren(QLabel)
    bearing = [label for label in labels if "<b>" in label.text()]
    assert len(bearing) >= 2  # a third where its column leaves it room for so much
    assert {label.textFormat() for label in bearing} == {Qt.TextFormat.PlainText}
