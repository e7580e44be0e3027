"""Two models side by side in the window: menu, card, chart, settings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from app.gui.eased import Eased
from app.gui.face_card import DIFFERENT, SAME, FaceCard
from app.gui.history import History
from app.gui.strip_chart import StripChart
from app.gui.theme import Theme
from app.gui.window import MainWindow
from app.messages import FaceResult, SecondWord
from app.settings import Settings, load_settings
from models.runtime.labels import FER2013, FERPLUS

if TYPE_CHECKING:
    from tests.window.conftest import Artist, World

pytestmark = pytest.mark.gui

OpenWindow = Callable[..., MainWindow]
SECOND = "mini_xception.fer2013"
BOX = (40.0, 100.0, 200.0, 260.0)


@pytest.fixture
def theme(qapp: QApplication) -> Theme:
    return Theme(qapp, "dark")


@pytest.fixture
def card(qtbot: QtBot, theme: Theme) -> Iterator[FaceCard]:
    made = FaceCard(1, theme)
    qtbot.addWidget(made)
    made.resize(300, made.sizeHint().height())
    made.show()
    yield made
    made.close()


def pair(draw: Artist, first: str, second: str, *, unsure: bool = False) -> FaceResult:
    """Return a face of which two models say these labels, the second one of FER2013's seven."""
    values = np.full(len(FER2013), 0.05, np.float32)
    values[FER2013.index(second)] = 0.7
    word = SecondWord(SECOND, FER2013, values, second, 0.7, unsure)
    return replace(draw.face(1, BOX, first), second=word)


def entry(menu: QMenu, text: str) -> QAction:
    return next(action for action in menu.actions() if action.text() == text)


def test_a_second_model_is_chosen_in_the_menu(
    open_window: OpenWindow, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = open_window()
    menu = window.live.choices.second
    assert entry(menu, "No other model").isChecked()
    assert not entry(menu, "mini-Xception\trecommended").isEnabled()  # it is in use
    entry(menu, "mini-Xception").trigger()
    monkeypatch.setattr("app.gui.dialogs.choose_model", lambda *_: "/own/net.onnx")
    entry(menu, "Model &file…").trigger()
    assert world.engine.asked == [("second", "mini_xception.fer2013"), ("second", "/own/net.onnx")]
    world.engine.now = replace(world.engine.now, second="/own/net.onnx")
    window.live.refresh_status()
    assert entry(menu, "net.onnx").isChecked()
    assert "mini-Xception (FER+) beside net.onnx" in window.live.status_text
    entry(menu, "No other model").trigger()
    assert world.engine.asked[-1] == ("second", "")


def test_the_menu_hangs_below_the_models_and_in_the_menu_bar(open_window: OpenWindow) -> None:
    choices = open_window().live.choices
    for menu in (choices.models, choices.menus[2]):
        assert choices.second.menuAction() in menu.actions()


def test_the_second_model_in_use_is_remembered(open_window: OpenWindow, world: World) -> None:
    window = open_window()
    window.live.commands.use_second("mini_xception.fer2013")
    window.live.commands.use_second("/no/such.onnx")  # refused: the one before stays
    world.engine.now = replace(world.engine.now, second="mini_xception.fer2013")
    window.close()
    settings, warnings = load_settings(world.settings_path)
    assert (settings.second_model, warnings) == ("mini_xception.fer2013", [])
    world.engine.now = replace(world.engine.now, second="")
    again = open_window(settings)
    again.live.commands.use_second("")
    again.close()
    assert load_settings(world.settings_path)[0].second_model is None


def test_one_asked_for_on_the_command_line_is_not_remembered(
    open_window: OpenWindow, world: World
) -> None:
    world.engine.now = replace(world.engine.now, second="mini_xception.fer2013")
    window = open_window(Settings(theme="dark", second_model="mine.onnx"))
    window.close()
    assert load_settings(world.settings_path)[0].second_model == "mine.onnx"


def test_cards_get_the_name_of_one_that_was_there_before_the_window(
    open_window: OpenWindow, world: World, draw: Artist
) -> None:
    world.engine.now = replace(world.engine.now, second="mini_xception.fer2013")
    window = open_window()
    world.engine.result = draw.result(pair(draw, "happiness", "sadness"), at=101.0)
    window.tick(at_once=True)
    (card,) = window.live.panel.cards
    with_both = card.height()
    card.set_second("", "")
    assert card.height() < with_both


@pytest.mark.parametrize(
    ("second", "unsure", "told"),
    [
        ("happiness", False, f"{SAME} happiness 70 %"),
        ("sadness", False, f"{DIFFERENT} sadness 70 %"),
        ("sadness", True, "unsure · sadness 70 %"),
    ],
)
def test_the_card_says_what_the_second_model_says(
    card: FaceCard, draw: Artist, second: str, unsure: bool, told: str
) -> None:
    card.set_second(SECOND, "Other")
    card.show_face(pair(draw, "happiness", second, unsure=unsure))
    card.advance(0.3)
    assert card.second_words == told
    assert card.accessibleName() == f"Face 1: happiness 92 %; Other: {told.replace(' ·', ',')}"
    assert card.grab().height() == card.sizeHint().height()


def test_thin_bars_stand_for_the_labels_that_both_know(card: FaceCard, draw: Artist) -> None:
    card.set_second(SECOND, "Other")
    card.show_face(draw.face(1, BOX))
    assert card.second_values == {}
    card.show_face(pair(draw, "happiness", "sadness"))
    assert set(card.second_values) == set(FERPLUS) & set(FER2013)
    assert "contempt" not in card.second_values
    assert card.second_values["sadness"] == pytest.approx(0.7)  # there at once
    card.show_face(pair(draw, "happiness", "anger"))
    card.advance(0.05)
    assert 0.1 < card.second_values["sadness"] < 0.65  # on the way
    card.advance(1.0)
    assert card.second_values["sadness"] == pytest.approx(0.05, abs=0.01)
    card.show_face(draw.face(1, BOX))
    assert card.second_values == {}


def test_a_card_is_as_high_as_it_was_once_there_is_one_model(card: FaceCard, draw: Artist) -> None:
    card.show_face(draw.face(1, BOX))
    alone = card.height()
    card.set_second(SECOND, "Other")
    assert card.height() > alone
    card.set_second("", "")
    assert card.height() == alone


def test_what_another_second_model_said_is_not_shown_as_this_ones(
    card: FaceCard, draw: Artist
) -> None:
    """So that in a pause, in which nothing new comes, no word stands below a wrong name."""
    card.set_second(SECOND, "Other")
    card.show_face(pair(draw, "happiness", "sadness"))
    card.advance(0.3)
    card.set_second("net.onnx", "net.onnx")
    card.advance(0.3)
    assert card.second_words == "…"
    assert card.second_values == {}
    assert "sadness" not in card.accessibleName()
    card.show_face(pair(draw, "happiness", "sadness"))  # the last result once more
    card.advance(0.3)
    assert card.second_words == "…"
    assert "net.onnx" in card.toolTip()
    card.set_second("", "")
    assert "Compared" not in card.toolTip()


def test_what_only_one_model_is_corrected_for_is_said(card: FaceCard, draw: Artist) -> None:
    card.set_second(SECOND, "Other")
    face = pair(draw, "happiness", "sadness")
    card.show_face(replace(face, corrected=face.probabilities))
    card.advance(0.3)
    assert card.second_words == "not calibrated"


def test_another_second_model_leaves_the_lines_of_the_chart(
    open_window: OpenWindow, world: World, draw: Artist
) -> None:
    world.engine.now = replace(world.engine.now, second=SECOND)
    window = open_window()
    for index in range(5):
        face = pair(draw, "happiness", "happiness")
        world.engine.result = draw.result(face, index=index, at=100 + index / 30)
        window.tick(at_once=True)
    window.live.chart.advance(1.0)
    assert "agree 100 %" in window.live.chart.title
    before = window.live.chart.points("happiness")
    world.engine.now = replace(world.engine.now, second="")
    window.live.refresh_status()
    window.live.chart.advance(1.0)
    assert window.live.chart.points("happiness") == before > 0
    assert "agree" not in window.live.chart.title


def test_eased_values_reach_their_target() -> None:
    eased = Eased()
    eased.aim(np.array([0.0, np.nan]))
    eased.aim(np.array([1.0, 0.5]))
    assert eased.shown.tolist() == [0.0, 0.5]
    assert eased.advance(0.02).tolist() == [True, False]
    assert 0 < eased.shown[0] < 1
    eased.advance(10)
    assert eased.shown.tolist() == pytest.approx([1.0, 0.5], abs=0.003)


def told(draw: Artist, *spans: tuple[float, FaceResult | None]) -> History:
    """Return the history of spans of so many seconds each, 30 frames a second."""
    history, index = History(), 0
    for seconds, face in spans:
        for _ in range(round(30 * seconds)):
            faces = [] if face is None else [face]
            history.add(draw.result(*faces, index=index, at=100 + index / 30, size=(8, 8)))
            index += 1
    return history


def test_history_tells_where_two_models_agree(draw: Artist) -> None:
    same, other = pair(draw, "happiness", "happiness"), pair(draw, "happiness", "sadness")
    doubt = pair(draw, "happiness", "sadness", unsure=True)
    history = told(draw, (6, same), (2, other), (2, doubt), (2, None), (4, same))
    found = history.agreement(1)
    assert found is not None
    assert found.share == pytest.approx(10 / 12, abs=0.01)
    assert found.seconds == pytest.approx(12, abs=0.1)
    assert [stretch[2] for stretch in found.stretches] == [True, False, True]
    places = [place for stretch in found.stretches for place in stretch[:2]]
    assert places == pytest.approx([-16, -10, -10, -8, -4, 0], abs=0.1)


def test_history_knows_of_no_agreement_where_there_is_one_model(draw: Artist) -> None:
    assert told(draw, (2, draw.face(1, BOX))).agreement(1) is None
    assert History().agreement(1) is None
    assert told(draw, (1, pair(draw, "happiness", "fear", unsure=True))).agreement(1) is None


def test_the_chart_says_how_often_two_models_agree(
    qtbot: QtBot, theme: Theme, draw: Artist
) -> None:
    same, other = pair(draw, "happiness", "happiness"), pair(draw, "happiness", "sadness")
    chart = StripChart(theme, told(draw, (3, same), (1, other)))
    qtbot.addWidget(chart)
    chart.resize(700, 176)
    chart.show()
    chart.set_track(1)
    chart.advance(1.0)
    assert chart.title == "Last 60 seconds · face 1"
    alone = chart.grab().toImage()
    chart.set_two(True)
    chart.advance(1.0)
    assert chart.title.endswith("models agree 76 % of the 4 s in which both are sure")
    assert chart.grab().toImage() != alone
    chart.close()
