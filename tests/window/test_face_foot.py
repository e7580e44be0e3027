"""The foot of a face's card: quality in dots, a word of advice, and the neutral face."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.gui.face_panel import FacePanel
from app.gui.quality import FaceFoot
from app.gui.theme import Theme
from app.messages import Calibration, FaceResult, Quality

if TYPE_CHECKING:
    from tests.window.conftest import Artist

pytestmark = pytest.mark.gui

GOOD = Quality(1, 1, 1, float("nan"), 1, 1, 1)


@pytest.fixture
def panel(qtbot: QtBot, qapp: QApplication) -> FacePanel:
    panel = FacePanel(Theme(qapp, "dark"))
    qtbot.addWidget(panel)
    panel.resize(280, 700)
    panel.show()
    return panel


@pytest.fixture
def plain(draw: Artist) -> FaceResult:
    return replace(draw.face(1, (100, 100, 200, 200)), quality=GOOD)


def shown(panel: FacePanel, draw: Artist, face: FaceResult) -> FaceFoot:
    panel.show_result(draw.result(face))
    panel.advance(1.1)
    return panel.cards[0].foot


@pytest.mark.parametrize(("overall", "dots"), [(1, 4), (0.8, 3), (0.5, 2), (0.2, 1), (0, 0)])
def test_dots_tell_the_quality(
    panel: FacePanel, draw: Artist, plain: FaceResult, overall: float, dots: int
) -> None:
    foot = shown(panel, draw, replace(plain, quality=replace(GOOD, overall=overall)))
    assert foot.dots == dots
    assert foot.accessibleName().startswith(f"Quality {dots} of 4")


def test_advice_is_said_and_stays_long_enough_to_be_read(
    panel: FacePanel, draw: Artist, plain: FaceResult
) -> None:
    assert shown(panel, draw, plain).words == ""
    dark = replace(plain, quality=replace(GOOD, overall=0.3, advice="More light from the front."))
    foot = shown(panel, draw, dark)
    assert foot.words == "More light from the front."
    assert "More light from the front." in foot.accessibleName()
    panel.show_result(draw.result(plain))
    panel.advance(0.5)
    assert foot.words == "More light from the front."
    panel.advance(0.6)
    assert foot.words == ""


def test_the_row_of_advice_comes_when_it_is_needed_and_stays(
    panel: FacePanel, draw: Artist, plain: FaceResult
) -> None:
    shown(panel, draw, plain)
    card = panel.cards[0]
    low = card.height()
    shown(panel, draw, replace(plain, quality=replace(GOOD, overall=0.3, advice="More light.")))
    high = card.height()
    assert high > low
    QApplication.processEvents()
    assert card.foot.geometry().bottom() < high
    assert shown(panel, draw, plain).words == ""
    assert card.height() == high, "it does not jump with each word"


def test_each_measure_can_be_read(panel: FacePanel, draw: Artist, plain: FaceResult) -> None:
    foot = shown(panel, draw, replace(plain, quality=replace(GOOD, light=0.42, overall=0.42)))
    assert "light: 42 %" in foot.toolTip()
    assert "turned to the camera: not measured" in foot.toolTip()


def test_a_face_without_measures_has_no_dots(
    panel: FacePanel, draw: Artist, plain: FaceResult
) -> None:
    assert shown(panel, draw, replace(plain, quality=None)).dots == 0


def test_the_button_begins_cancels_and_resets(
    panel: FacePanel, draw: Artist, plain: FaceResult
) -> None:
    asked: list[tuple[str, int]] = []
    panel.calibrate.connect(lambda track: asked.append(("calibrate", track)))
    panel.forget.connect(lambda track: asked.append(("forget", track)))
    foot = shown(panel, draw, plain)
    assert foot.button.text() == "Calibrate"
    QTest.mouseClick(foot.button, Qt.MouseButton.LeftButton)
    foot = shown(panel, draw, replace(plain, calibration=Calibration(0.4)))
    assert (foot.button.text(), foot.words) == ("Cancel", "Hold it, 3 s more")
    foot = shown(panel, draw, replace(plain, calibration=Calibration(0.4, "Look into the camera.")))
    assert foot.words == "Look into the camera."
    foot.button.click()
    foot = shown(panel, draw, replace(plain, corrected=plain.probabilities))
    assert (foot.button.text(), foot.words) == ("Reset", "Relative to this neutral face")
    foot.button.click()
    assert asked == [("calibrate", 1), ("forget", 1), ("forget", 1)]


def test_a_measure_that_failed_is_said(panel: FacePanel, draw: Artist, plain: FaceResult) -> None:
    gave_up = Calibration(0.0, "The face was not at rest for long enough.", given_up=True)
    foot = shown(panel, draw, replace(plain, calibration=gave_up))
    assert (foot.button.text(), foot.words) == ("Calibrate", gave_up.note)
    shown(panel, draw, plain)
    assert foot.words == gave_up.note
    panel.advance(10)
    assert foot.words == ""


def test_a_model_without_neutral_faces_offers_no_calibration(
    panel: FacePanel, draw: Artist, plain: FaceResult
) -> None:
    panel.set_can_calibrate(False)
    foot = shown(panel, draw, plain)
    assert not foot.button.isEnabled()
    assert "no neutral faces" in foot.button.toolTip()
    panel.set_can_calibrate(True)
    assert foot.button.isEnabled()


def test_an_unsure_face_says_so_and_keeps_its_bars(
    panel: FacePanel, draw: Artist, plain: FaceResult
) -> None:
    panel.show_result(draw.result(replace(plain, unsure=True)))
    panel.advance(1.1)
    card = panel.cards[0]
    assert card.accessibleName().startswith("Face 1: unsure")
    assert card.shown_values["happiness"] == pytest.approx(0.92, abs=0.01)


def test_bars_follow_the_corrected_values(
    panel: FacePanel, draw: Artist, plain: FaceResult
) -> None:
    corrected = plain.probabilities[::-1].copy()
    panel.show_result(draw.result(replace(plain, corrected=corrected)))
    panel.advance(1.1)
    labels = plain.prediction.labels
    values = panel.cards[0].shown_values
    for label, value in zip(labels, corrected.tolist(), strict=True):
        assert values[label] == pytest.approx(value, abs=0.01)


def test_a_click_beside_the_button_chooses_the_card(
    panel: FacePanel, draw: Artist, plain: FaceResult
) -> None:
    other = replace(plain, face=replace(plain.face, track_id=2))
    panel.show_result(draw.result(plain, other))
    panel.advance(1.1)
    assert panel.chosen == 1
    QTest.mouseClick(panel.cards[1].foot, Qt.MouseButton.LeftButton)
    assert panel.chosen == 2
