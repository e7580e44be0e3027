"""A study run from the window: the participant's screen and what is recorded."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.gui.study.desk import _FRAME_SECONDS, _LAST_SECONDS, _STILL_SECONDS
from app.gui.study.screen import END_WORDS
from app.sessions.folder import open_session
from tests.window.studio import Studio, press
from tests.window.study_steps import (
    ends,
    go_on,
    middle,
    ready,
    scene,
    screen_of,
    shown,
    stimuli_of,
    told,
)

pytestmark = pytest.mark.gui


def test_a_study_is_shown_recorded_and_marked(
    studio: Callable[..., Studio], protocol: Path, qtbot: QtBot
) -> None:
    here = studio()
    ready(here, protocol, qtbot)
    panel = here.window.live.study.panel
    QTest.keyClicks(panel._fields["age"], "31")
    assert "1 text, 1 picture, 1 film, always in order" in panel._words.text()
    screen = shown(here, qtbot)
    assert screen.isFullScreen()
    assert here.window.live.unfinished == "A study goes on. What it has so far is saved."
    scene(screen, "text", qtbot)
    assert screen.accessibleName() == "Just look."
    go_on(screen, qtbot)
    scene(screen, "cross", qtbot)
    assert screen.cursor().shape() == Qt.CursorShape.BlankCursor
    scene(screen, "picture", qtbot)
    assert middle(screen) == (90, 200, 40)
    scene(screen, "question", qtbot)
    QTest.keyClick(screen, Qt.Key.Key_9)  # there are five
    scene(screen, "question", qtbot)
    QTest.keyClick(screen, Qt.Key.Key_4)
    scene(screen, "film", qtbot)
    qtbot.waitUntil(lambda: screen._image is not None)
    assert min(middle(screen)) > 180
    scene(screen, "question", qtbot)
    place = screen._buttons[1].center().toPoint()
    QTest.mouseClick(screen, Qt.MouseButton.LeftButton, pos=QPoint(place.x(), place.y()))
    qtbot.waitUntil(lambda: screen.accessibleName() == END_WORDS)
    ends(here, qtbot)
    assert screen.isVisible(), "the last words stay"
    QTest.keyClick(screen, Qt.Key.Key_Space)
    assert not screen.isVisible()

    (folder,) = here.settle(qtbot)
    assert folder.name.endswith(" P07")
    session = open_session(folder)
    study = session.info["study"]
    assert (study["title"], study["participant"]) == ("Smiles", "P07")
    assert study["variables"] == {"age": "31"}
    assert [one["name"] for one in study["order"]] == ["", "puppy", "clip"]
    found = stimuli_of(session)
    assert [(one.name, one.answer) for one in found] == [("puppy", 4), ("clip", 2)]
    puppy, clip = found
    assert 0.2 <= puppy.end - puppy.start < 1.0
    assert 0.2 <= clip.end - clip.start < 1.5
    assert panel.participant == "", "ready for the next one"
    assert panel.variables == {"age": ""}
    assert not panel.begin.isEnabled()


def test_consent_is_asked_for_first_and_refusing_shows_nothing(
    studio: Callable[..., Studio], protocol: Path, qtbot: QtBot
) -> None:
    here = studio(consent_text="I agree to be recorded.")
    ready(here, protocol, qtbot)
    desk = here.window.live.study
    desk.panel.begin.click()
    here.see(count=2)
    assert here.desk.bar.text == "Consent I agree to be recorded."
    here.desk.bar.buttons["decline"].click()
    here.see(count=2)
    assert desk.screen is None
    press(here.actions.record)  # a recording of another kind
    qtbot.waitUntil(here.desk.bar.buttons["agree"].isEnabled)
    here.desk.bar.buttons["agree"].click()
    here.see(count=2)
    here.tick()
    assert desk.screen is None
    press(here.actions.record)
    (folder,) = here.settle(qtbot)
    assert "study" not in open_session(folder).info


def test_esc_pressed_twice_stops_it_and_keeps_what_was_recorded(
    studio: Callable[..., Studio], protocol: Path, qtbot: QtBot
) -> None:
    here = studio()
    ready(here, protocol, qtbot)
    screen = shown(here, qtbot)
    go_on(screen, qtbot)
    scene(screen, "picture", qtbot)
    QTest.keyClick(screen, Qt.Key.Key_Escape)
    assert here.desk.recorder.active
    assert screen.isVisible()
    QTest.keyClick(screen, Qt.Key.Key_Escape)
    assert not screen.isVisible()
    assert not here.window.live.study.running
    assert told(here, "The study was stopped")
    (folder,) = here.settle(qtbot)
    rows = open_session(folder).marker_lines.to_pylist()
    assert [(row["key"], row["text"]) for row in rows] == [
        ("show", "puppy"), ("note", "study stopped")
    ]  # fmt: skip
    assert here.window.live.study.panel.participant == "P07", "who may begin again"


def test_keys_that_go_to_the_window_are_the_participants(
    studio: Callable[..., Studio], protocol: Path, qtbot: QtBot
) -> None:
    here = studio()
    ready(here, protocol, qtbot)
    screen = shown(here, qtbot)
    go_on(screen, qtbot)
    scene(screen, "question", qtbot)
    video = here.window.live.video
    here.window.activateWindow()  # somebody clicked into it
    qtbot.waitUntil(here.window.isActiveWindow)
    for key in (Qt.Key.Key_R, Qt.Key.Key_Space):  # no end of the recording, no pause
        QTest.keyClick(video, key)
    assert here.desk.recorder.active
    assert not here.actions.pause.isChecked()
    QTest.keyClick(video, Qt.Key.Key_3)
    scene(screen, "film", qtbot)
    QTest.keyClick(video, Qt.Key.Key_Escape)
    QTest.keyClick(video, Qt.Key.Key_Escape)
    assert not screen.isVisible()
    here.window.activateWindow()
    qtbot.waitUntil(here.window.isActiveWindow)
    QTest.keyClick(video, Qt.Key.Key_Space)
    assert here.actions.pause.isChecked(), "they are the window's again"
    (folder,) = here.settle(qtbot)
    assert [(one.name, one.answer) for one in stimuli_of(open_session(folder))] == [("puppy", 3)]


def test_a_study_stops_when_no_picture_comes_any_more(
    studio: Callable[..., Studio], protocol: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = studio()
    ready(here, protocol, qtbot)
    screen = shown(here, qtbot)
    here.tick()
    now = time.monotonic()
    monkeypatch.setattr("app.gui.window.time.monotonic", lambda: now + _STILL_SECONDS - 1)
    here.tick()
    assert screen.isVisible()
    monkeypatch.setattr("app.gui.window.time.monotonic", lambda: now + _STILL_SECONDS + 1)
    here.tick()
    assert not screen.isVisible()
    assert not here.desk.recorder.active
    assert told(here, "No picture came for five seconds")
    here.settle(qtbot)


def test_a_recording_that_ended_before_its_first_frame_begins_no_study_later(
    studio: Callable[..., Studio], protocol: Path, qtbot: QtBot
) -> None:
    here = studio()
    ready(here, protocol, qtbot)
    here.window.live.study.panel.begin.click()
    here.tick()
    press(here.actions.record)
    here.tick()
    press(here.actions.record)
    here.see(count=2)
    here.tick()
    assert screen_of(here) is None
    press(here.actions.record)
    (folder,) = here.settle(qtbot)
    assert "study" not in open_session(folder).info


def test_the_next_participant_may_begin_while_the_last_words_stand(
    studio: Callable[..., Studio], protocol: Path, qtbot: QtBot
) -> None:
    here = studio()
    text = '[[show]]\ntext = "Think of something sad."\nname = "sad"\nseconds = 0.2\n'
    protocol.write_text(text, encoding="utf-8")
    ready(here, protocol, qtbot)
    first = shown(here, qtbot)
    panel = here.window.live.study.panel
    panel._participant.setText("P08")  # typed meanwhile
    qtbot.waitUntil(lambda: first.accessibleName() == END_WORDS)
    ends(here, qtbot)
    assert panel.participant == "P08"
    here.settle(qtbot)
    second = shown(here, qtbot)
    assert second is not first
    qtbot.waitUntil(lambda: second.accessibleName() == END_WORDS)
    ends(here, qtbot)
    QTest.keyClick(second, Qt.Key.Key_Space)
    one, two = here.settle(qtbot)
    assert (one.name[-3:], two.name[-3:]) == ("P07", "P08")
    press(here.actions.study)
    QTest.keyClicks(panel._participant, "P08")
    panel.begin.click()

    def said() -> bool:
        here.tick()
        return told(here, "P08 was recorded before")

    qtbot.waitUntil(said)
    press(here.actions.record)


@pytest.mark.parametrize("ticks_between", [True, False])
def test_a_recording_begun_right_after_a_study_goes_on(
    studio: Callable[..., Studio],
    protocol: Path,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
    ticks_between: bool,
) -> None:
    here = studio()
    text = '[[show]]\ntext = "Think of something sad."\nname = "sad"\nseconds = 0.2\n'
    protocol.write_text(text, encoding="utf-8")
    ready(here, protocol, qtbot)
    screen = shown(here, qtbot)
    qtbot.waitUntil(lambda: screen.accessibleName() == END_WORDS)
    assert here.desk.recorder.active
    press(here.actions.record)
    if ticks_between:
        here.tick()
    press(here.actions.record)
    here.see()
    now = time.monotonic()
    monkeypatch.setattr("app.gui.window.time.monotonic", lambda: now + _LAST_SECONDS + 1)
    here.tick()
    assert here.desk.recorder.active
    press(here.actions.record)
    here.settle(qtbot)


def test_a_recording_that_ends_takes_the_study_with_it(
    studio: Callable[..., Studio], protocol: Path, qtbot: QtBot
) -> None:
    here = studio()
    ready(here, protocol, qtbot)
    screen = shown(here, qtbot)
    here.desk.bar.buttons["stop"].click()
    here.tick()
    assert not screen.isVisible()
    assert not here.window.live.study.running
    assert told(here, "the study with it")
    here.settle(qtbot)


def test_without_a_picture_it_does_not_begin(
    studio: Callable[..., Studio], protocol: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = studio()
    ready(here, protocol, qtbot)
    desk = here.window.live.study
    desk.panel.begin.click()
    here.tick()
    assert here.desk.active()
    now = time.monotonic()
    monkeypatch.setattr("app.gui.window.time.monotonic", lambda: now + _FRAME_SECONDS + 1)
    here.tick()
    assert screen_of(here) is None
    assert not here.desk.recorder.active
    assert told(here, "No picture came within ten seconds")


def test_a_file_that_is_gone_is_told_and_noted(
    studio: Callable[..., Studio], protocol: Path, qtbot: QtBot
) -> None:
    here = studio()
    ready(here, protocol, qtbot)
    (protocol.parent / "puppy.png").unlink()
    (protocol.parent / "clip.mp4").unlink()
    screen = shown(here, qtbot)
    go_on(screen, qtbot)
    scene(screen, "cross", qtbot)
    qtbot.waitUntil(lambda: screen.accessibleName() == END_WORDS)  # with nothing to ask about
    ends(here, qtbot)
    QTest.keyClick(screen, Qt.Key.Key_Space)
    (folder,) = here.settle(qtbot)
    notes = [
        row["text"] for row in open_session(folder).marker_lines.to_pylist() if row["key"] == "note"
    ]
    assert len(notes) == 2
    assert notes[0].startswith("puppy could not be shown: ")
    assert notes[1].startswith("clip could not be shown: ")
    assert told(here, "clip could not be shown")
    assert stimuli_of(open_session(folder)) == []


def test_closing_the_window_ends_a_study(
    studio: Callable[..., Studio], protocol: Path, qtbot: QtBot
) -> None:
    here = studio()
    ready(here, protocol, qtbot)
    screen = shown(here, qtbot)
    here.window.close_at_once()
    assert not screen.isVisible()
    (folder,) = here.settle(qtbot)
    assert open_session(folder).info["study"]["participant"] == "P07"
