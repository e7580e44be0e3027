"""The choice of base rates in the window: what is offered, asked for, shown and remembered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from PySide6.QtGui import QAction

from app.gui.base_rates_menu import AS_MEASURED_WORDS, EVEN_WORDS, BaseRatesMenu
from app.gui.window import MainWindow
from app.settings import Settings, load_settings
from models.runtime.base_rates import AS_MEASURED, BaseRates
from models.runtime.labels import FER2013_4, FERPLUS

if TYPE_CHECKING:
    from tests.window.conftest import Artist, World

pytestmark = pytest.mark.gui

OpenWindow = Callable[..., MainWindow]
EVEN = BaseRates(even=True)


def entry(menu: BaseRatesMenu, text: str) -> QAction:
    return next(action for action in menu.actions() if action.text() == text)


def test_the_engine_is_asked_and_the_mark_follows_it(open_window: OpenWindow, world: World) -> None:
    window = open_window()
    menu = window.live.choices.rates
    assert entry(menu, AS_MEASURED_WORDS).isChecked()
    assert "base rates" not in window.live.status_text
    entry(menu, EVEN_WORDS).trigger()
    assert world.engine.asked == [("base rates", EVEN)]
    assert entry(menu, AS_MEASURED_WORDS).isChecked(), "not before it has been done"
    world.engine.now = replace(world.engine.now, base_rates=EVEN)
    window.live.refresh_status()
    assert entry(menu, EVEN_WORDS).isChecked()
    assert "mini-Xception (FER+), even base rates" in window.live.status_text
    entry(menu, "Contempt").trigger()
    assert world.engine.asked[-1] == ("base rates", BaseRates.parse("even,contempt=0"))
    assert entry(menu, "Contempt").isChecked()


def test_what_is_in_use_is_remembered(open_window: OpenWindow, world: World) -> None:
    window = open_window()
    entry(window.live.choices.rates, EVEN_WORDS).trigger()
    world.engine.now = replace(world.engine.now, base_rates=EVEN)
    window.close()
    assert load_settings(world.settings_path)[0].base_rates == "even"


def test_what_a_command_asked_for_is_not_remembered(open_window: OpenWindow, world: World) -> None:
    world.engine.now = replace(world.engine.now, base_rates=EVEN)
    window = open_window()
    window.close()
    assert load_settings(world.settings_path)[0].base_rates == ""


def test_factors_of_a_command_go_with_the_next_choice(
    open_window: OpenWindow, world: World
) -> None:
    world.engine.now = replace(world.engine.now, base_rates=BaseRates.parse("disgust=3,fear=0"))
    menu = open_window().live.choices.rates
    assert not entry(menu, AS_MEASURED_WORDS).isChecked()
    entry(menu, AS_MEASURED_WORDS).trigger()
    assert world.engine.asked == [("base rates", BaseRates.parse("fear=0"))]


def test_two_labels_stay(open_window: OpenWindow) -> None:
    menu = open_window().live.choices.rates
    assert [entry(menu, label.capitalize()).isChecked() for label in FERPLUS] == [True] * 8
    menu.set_current(BaseRates.parse("anger=0,sadness=0"), FER2013_4)
    assert [entry(menu, label.capitalize()).isChecked() for label in FER2013_4] == [
        False, True, False, True,
    ]  # fmt: skip
    assert [entry(menu, label.capitalize()).isEnabled() for label in FER2013_4] == [
        True, False, True, False,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("stored", "words"),
    [
        ("", "As measured"),
        ("even", "Each expression alike"),
        ("contempt=0", "Without contempt"),
    ],
)
def test_an_analysis_begins_with_those_of_live(
    open_window: OpenWindow, stored: str, words: str
) -> None:
    panel = open_window(Settings(base_rates=stored)).analyse.panel
    assert panel.rates.currentText() == words
    assert str(panel.options(None).base_rates) == stored
    panel.rates.setCurrentIndex(0)
    assert panel.options(None).base_rates == AS_MEASURED


def test_what_is_left_out_is_listed_nowhere(
    open_window: OpenWindow, world: World, draw: Artist
) -> None:
    window = open_window()
    whole = draw.face(1, (40.0, 100.0, 200.0, 260.0))
    world.engine.result = draw.result(whole, at=101.0)
    window.tick(at_once=True)
    (card,) = window.live.panel.cards
    high = card.height()
    assert "contempt" in card.shown_values
    without = replace(whole, prediction=replace(whole.prediction, left_out=("contempt",)))
    for number in range(20):
        world.engine.result = draw.result(without, index=number + 1, at=102.0 + number / 10)
        window.tick(at_once=True)
    assert set(card.shown_values) == set(FERPLUS) - {"contempt"}
    assert card.height() < high
    window.live.chart.advance(10.0)
    assert set(window.live.chart.line_labels) == set(FERPLUS) - {"contempt"}
    assert without.listed == tuple(label for label in FERPLUS if label != "contempt")
