"""Consent that is asked for before anything is recorded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.gui.consent import ConsentText
from app.sessions.folder import open_session
from tests.window.studio import Studio, press

if TYPE_CHECKING:
    from tests.window.conftest import World

pytestmark = pytest.mark.gui


def test_consent_comes_before_the_recording(studio: Callable[..., Studio], qtbot: QtBot) -> None:
    here = studio(consent_text="I agree to be recorded.")
    sign = here.actions.record.icon().cacheKey()
    press(here.actions.record)
    assert here.desk.bar.text == "Consent I agree to be recorded."
    here.see(count=2)
    assert here.actions.record.icon().cacheKey() == sign, "nothing is to be stopped yet"
    assert not here.folder.exists(), "nothing is kept before the answer"
    here.desk.bar.buttons["decline"].click()
    assert here.desk.bar.isHidden()
    assert not here.actions.record.isChecked()
    assert not here.folder.exists()
    press(here.actions.record)
    qtbot.waitUntil(here.desk.bar.buttons["agree"].isEnabled)
    here.desk.bar.buttons["agree"].click()
    here.see(count=2)
    assert here.actions.record.icon().cacheKey() != sign
    press(here.actions.record)
    (folder,) = here.settle(qtbot)
    consent = open_session(folder).info["consent"]
    assert (consent["text"], consent["answer"]) == ("I agree to be recorded.", "agreed")
    assert consent["wall"]


def test_a_long_text_is_agreed_to_at_its_end(studio: Callable[..., Studio], qtbot: QtBot) -> None:
    here = studio(consent_text="The camera looks at your face.\n" * 80)
    here.window.resize(720, 540)
    press(here.actions.record)
    agree = here.desk.bar.buttons["agree"]
    text = here.window.focusWidget()
    assert isinstance(text, ConsentText)
    qtbot.waitUntil(lambda: text.verticalScrollBar().maximum() > 0)
    assert text.height() < here.window.height() / 2
    assert not agree.isEnabled()
    QTest.keyClick(text, Qt.Key.Key_Space)
    assert not agree.isEnabled()
    QTest.keyClick(text, Qt.Key.Key_End)
    assert agree.isEnabled()
    agree.click()
    assert here.desk.recorder.active


def test_the_question_has_the_room_of_the_panels(
    studio: Callable[..., Studio], world: World, qtbot: QtBot
) -> None:
    here = studio(consent_text="The camera looks at your face.\n" * 80)
    here.window.resize(720, 540)
    world.engine.now = replace(world.engine.now, source_note="No camera was found.")
    here.window.live.refresh_status()
    bar = here.desk.bar
    for panel, opens in (
        (here.desk.panel, here.actions.record_options),
        (here.window.live.streaming.panel, here.actions.streams),
        (here.window.live.triggers.panel, here.actions.triggers),
    ):
        press(opens)
        press(here.actions.record)
        assert not panel.isVisible()
        assert not opens.isEnabled()
        qtbot.waitUntil(lambda: bar.height() >= bar.sizeHint().height())
        assert isinstance(here.window.focusWidget(), ConsentText)
        bar.buttons["decline"].click()
        assert opens.isEnabled()


def test_the_question_stays_while_the_last_recording_is_saved(
    studio: Callable[..., Studio], qtbot: QtBot
) -> None:
    here = studio(consent_text="I agree to be recorded.")
    press(here.actions.record)
    qtbot.waitUntil(here.desk.bar.buttons["agree"].isEnabled)
    here.desk.bar.buttons["agree"].click()
    here.see(count=2)
    press(here.actions.record)
    press(here.actions.record)
    asked = here.desk.bar.text
    assert asked == "Consent I agree to be recorded."
    here.tick()
    assert len(here.settle(qtbot)) == 1
    assert here.desk.bar.text == asked
    assert here.desk.bar.buttons["agree"].isVisible()
    here.desk.bar.buttons["decline"].click()
    assert not here.actions.record.isChecked()


def test_space_gives_no_consent(studio: Callable[..., Studio]) -> None:
    here = studio(consent_text="I agree to be recorded.")
    press(here.actions.record)
    QTest.keyClick(here.window.focusWidget(), Qt.Key.Key_Space)
    here.see()
    assert not here.desk.recorder.active


@pytest.mark.parametrize("listened_to", [False, True])
def test_no_note_takes_the_place_of_the_question(
    studio: Callable[..., Studio], listened_to: bool
) -> None:
    here = studio(consent_text="I agree to be recorded.")
    here.desk.others_listen = lambda: listened_to
    press(here.actions.record)
    press(here.actions.note)
    assert here.desk.bar.text == "Consent I agree to be recorded."
    assert not here.desk.bar._note.isVisible()
    assert here.window.notices.texts == []
    here.desk.bar.buttons["agree"].click()
    assert here.desk.recorder.active
