from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QPointF, QRect, Qt
from PySide6.QtGui import QColor, QPainter, QRegion
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.gui.face_panel import KEEP_SECONDS, FacePanel
from app.gui.history import SPAN_SECONDS, History
from app.gui.strip_chart import StripChart
from app.gui.theme import Theme
from app.overlays import Shown
from app.palette import UNSURE, display_order
from app.views import CAM
from models.runtime.labels import FER2013, FERPLUS

if TYPE_CHECKING:
    from tests.window.conftest import Artist

pytestmark = pytest.mark.gui

LEFT, RIGHT = (40.0, 100.0, 200.0, 260.0), (440.0, 100.0, 600.0, 260.0)


@pytest.fixture
def theme(qapp: QApplication) -> Theme:
    return Theme(qapp, "dark")


@pytest.fixture
def panel(qtbot: QtBot, theme: Theme) -> Iterator[FacePanel]:
    made = FacePanel(theme)
    qtbot.addWidget(made)
    made.resize(300, 700)
    made.show()
    yield made
    made.close()


def test_cards_keep_their_order_and_bars_theirs(panel: FacePanel, draw: Artist) -> None:
    panel.show_result(draw.result(draw.face(7, LEFT), draw.face(3, RIGHT, "sadness")))
    panel.show_result(
        draw.result(draw.face(3, RIGHT, "fear"), draw.face(7, LEFT), index=1, at=100.1)
    )
    assert [card.track for card in panel.cards] == [7, 3]
    assert all(card.labels == display_order(FERPLUS) for card in panel.cards)


def test_a_card_outlives_its_face_for_a_moment(panel: FacePanel, draw: Artist) -> None:
    panel.show_result(draw.result(draw.face(1, LEFT), draw.face(2, RIGHT), at=100.0))
    panel.show_result(draw.result(draw.face(2, RIGHT), at=100.5))
    first, second = panel.cards
    assert (first.away, second.away) == (True, False)
    panel.show_result(draw.result(draw.face(1, LEFT), draw.face(2, RIGHT), at=100.6))
    assert not first.away
    panel.show_result(draw.result(draw.face(2, RIGHT), at=100.6 + KEEP_SECONDS + 0.1))
    assert [card.track for card in panel.cards] == [2]
    assert panel.chosen == 2


def test_bars_ease_to_their_value(panel: FacePanel, draw: Artist) -> None:
    panel.show_result(draw.result(draw.face(1, LEFT, "happiness", 0.9)))
    panel.show_result(draw.result(draw.face(1, LEFT, "sadness", 0.9), at=100.1))
    card = panel.cards[0]
    panel.advance(0.03)
    assert 0.1 < card.shown_values["sadness"] < 0.8
    for _ in range(6):
        panel.advance(0.03)
    assert card.shown_values["sadness"] == pytest.approx(0.9, abs=0.02)


def test_another_model_changes_the_bars(panel: FacePanel, draw: Artist) -> None:
    panel.show_result(draw.result(draw.face(1, LEFT)))
    tall = panel.cards[0].height()
    panel.show_result(draw.result(draw.face(1, LEFT, labels=FER2013), at=100.1))
    assert panel.cards[0].labels == display_order(FER2013)
    assert panel.cards[0].height() < tall


def test_a_model_with_more_labels_is_painted_at_once(
    panel: FacePanel, draw: Artist, qtbot: QtBot
) -> None:
    few = ("anger", "happiness", "sadness", "neutral")
    panel.show_result(draw.result(draw.face(1, LEFT, labels=few)))
    panel.advance(0.3)
    (card,) = panel.cards
    card.show_face(draw.face(1, LEFT, labels=FERPLUS))
    with qtbot.captureExceptions() as raised:
        card.grab()
    assert not raised


def test_unsure_is_at_best_as_likely_as_the_likeliest(panel: FacePanel, draw: Artist) -> None:
    held = replace(draw.face(1, LEFT, "fear", 0.4), label="anger", confidence=0.2, unsure=True)
    assert held.said_confidence == pytest.approx(0.4)
    assert replace(held, unsure=False).said_confidence == 0.2
    panel.show_result(draw.result(held))
    assert panel.cards[0].accessibleName() == "Face 1: unsure, fear 40 %, in the chart"


def test_unsure_is_said_as_unsure(panel: FacePanel, draw: Artist) -> None:
    unsure = replace(draw.face(1, LEFT, "neutral", 0.52), unsure=True)
    assert (unsure.said, unsure.spoken) == (UNSURE, "unsure · neutral")
    panel.show_result(draw.result(unsure))
    assert panel.cards[0].accessibleName() == "Face 1: unsure, neutral 52 %, in the chart"
    panel.show_result(draw.result(replace(unsure, unsure=False), at=100.1))
    assert panel.cards[0].accessibleName() == "Face 1: neutral 52 %, in the chart"


def test_a_model_without_attention_still_has_a_card(panel: FacePanel, draw: Artist) -> None:
    face = draw.face(1, LEFT)
    face.prediction.attention.clear()
    panel.show_result(draw.result(face))
    panel.advance(0.03)
    assert panel.grab().width() == panel.width()


def test_keys_go_from_card_to_card(panel: FacePanel, draw: Artist, qtbot: QtBot) -> None:
    panel.show_result(draw.result(draw.face(1, LEFT), draw.face(2, RIGHT)))
    panel.activateWindow()
    qtbot.waitUntil(panel.isActiveWindow)
    first, second = panel.cards
    first.setFocus()
    QTest.keyClick(first, Qt.Key.Key_Down)
    assert second.hasFocus()
    with qtbot.waitSignal(panel.chosen_changed) as heard:
        QTest.keyClick(second, Qt.Key.Key_Return)
    assert heard.args == [2]
    assert (first.selected, second.selected) == (False, True)
    QTest.mouseClick(first, Qt.MouseButton.LeftButton)
    assert panel.chosen == 1


def test_a_card_repaints_any_part_as_it_paints_the_whole(panel: FacePanel, draw: Artist) -> None:
    panel.show_result(draw.result(draw.face(1, LEFT, "happiness", 0.7)))
    for _ in range(20):
        panel.advance(0.05)
    (card,) = panel.cards
    QApplication.processEvents()
    whole = card.grab().toImage()
    for part in (QRect(14, 70, 40, 12), QRect(0, 0, card.width(), 30), QRect(12, 200, 200, 120)):
        patched = whole.copy()
        painter = QPainter(patched)
        painter.fillRect(part, QColor("red"))
        card.render(painter, part.topLeft(), QRegion(part))
        painter.end()
        assert patched == whole


def test_a_wide_panel_has_columns(panel: FacePanel, draw: Artist) -> None:
    panel.resize(600, 700)
    panel.show_result(draw.result(draw.face(1, LEFT), draw.face(2, RIGHT)))
    QApplication.processEvents()
    first, second = panel.cards
    assert first.y() == second.y()
    assert second.x() > first.x()


def test_a_lone_card_has_the_width_of_the_panel_and_larger_pictures(
    panel: FacePanel, draw: Artist
) -> None:
    panel.show_result(draw.result(draw.face(1, LEFT)))
    (card,) = panel.cards
    QApplication.processEvents()
    narrow, low = card.width(), card.height()
    panel.resize(560, 700)
    QApplication.processEvents()
    assert card.width() > narrow + 200
    assert card.height() > low + 50


def test_the_mouse_is_told_how_to_read_each_picture(panel: FacePanel, draw: Artist) -> None:
    panel.set_view(Shown(CAM))
    panel.show_result(draw.result(draw.face(1, LEFT)))
    panel.advance(0.3)
    QApplication.processEvents()
    (card,) = panel.cards
    pictures = card.height() - card.foot.height() - 60
    left, middle, right = (
        card.tip_at(QPointF(share * card.width(), pictures)) for share in (0.15, 0.5, 0.85)
    )
    assert "as the model gets it" in left
    assert "happiness" in middle
    assert "two likeliest" in right
    assert "in the chart" in card.tip_at(QPointF(40, 20))


def test_numbers_and_bars_of_a_card_are_those_it_is_told(panel: FacePanel, draw: Artist) -> None:
    panel.show_result(draw.result(draw.face(1, LEFT, "happiness", 0.9)))
    panel.show_result(draw.result(draw.face(1, LEFT, "happiness", 0.6), at=100.1))
    assert "happiness 60 %" in panel.cards[0].accessibleName()


def filled(draw: Artist, seconds: float = 90.0, away: tuple[float, float] = (0, 0)) -> History:
    history = History()
    for index in range(round(seconds * 30)):
        at = 100 + index / 30
        share = 0.5 + 0.4 * np.sin(index / 300)
        there = not away[0] <= at - 100 < away[1]
        faces = [draw.face(1, LEFT, "happiness", float(share))] if there else []
        history.add(draw.result(*faces, index=index, at=at, size=(8, 8)))
    return history


def test_history_keeps_a_minute_in_few_points(draw: Artist) -> None:
    history = filled(draw)
    times, lines = history.lines(1, 200)
    assert set(lines) == set(FERPLUS)
    assert 150 <= len(times) <= 201
    assert times[0] >= -SPAN_SECONDS
    assert times[-1] == pytest.approx(0, abs=0.4)
    assert np.all(np.diff(times) > 0)
    every, exact = history.lines(1, 10_000)
    assert len(every) == pytest.approx(1800, abs=2)
    near = np.interp(every, times, lines["happiness"])
    assert np.abs(near - exact["happiness"]).max() < 0.03


def test_history_parts_the_line_where_the_face_was_away(draw: Artist) -> None:
    times, lines = filled(draw, 30, away=(10, 20)).lines(1, 10_000)
    gaps = np.flatnonzero(np.isnan(lines["happiness"]))
    assert len(gaps) == 1
    assert times[gaps[0] + 1] - times[gaps[0]] == pytest.approx(10, abs=0.1)


def test_a_line_in_few_wide_bins_is_whole(draw: Artist) -> None:
    _, lines = filled(draw, 90).lines(1, 50)
    assert not np.isnan(lines["happiness"]).any()
    _, lines = filled(draw, 50, away=(20, 30)).lines(1, 50)
    assert np.isnan(lines["happiness"]).sum() == 1


def test_history_forgets(draw: Artist) -> None:
    history = filled(draw, 5)
    history.add(draw.result(at=100 + 5 + SPAN_SECONDS + 1))
    assert history.lines(1, 100)[1] == {}
    history.add(draw.result(draw.face(1, LEFT), at=300))
    history.add(draw.result(draw.face(1, LEFT, labels=FER2013), at=300.1))
    assert set(history.lines(1, 100)[1]) == set(FER2013)


def test_the_chart_draws_a_line_for_each_label_in_few_points(
    qtbot: QtBot, theme: Theme, draw: Artist
) -> None:
    chart = StripChart(theme, filled(draw))
    qtbot.addWidget(chart)
    chart.resize(700, 176)
    chart.show()
    chart.advance(1.0)
    assert chart.line_labels == ()
    chart.set_track(1)
    chart.advance(1.0)
    assert set(chart.line_labels) == set(FERPLUS)
    assert 0 < chart.points("happiness") <= 402
    assert chart.grab().width() == 700
    chart.set_track(None)
    chart.advance(1.0)
    assert chart.line_labels == ()
    chart.close()
