"""Markers and notes that are set while the live workspace records."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.live.engine import EngineState
from app.messages import Calibration
from app.sessions.folder import open_session
from app.settings import Settings
from tests.window.studio import Studio, press

if TYPE_CHECKING:
    from tests.window.conftest import Artist, World

pytestmark = pytest.mark.gui


def test_markers_and_notes_reach_the_session(studio: Callable[..., Studio], qtbot: QtBot) -> None:
    here = studio()
    press(here.actions.markers[0])
    assert any("R begins one" in text for text in here.window.notices.texts)
    press(here.actions.record)
    here.see()
    QTest.keyClick(here.window.live.video, Qt.Key.Key_3)
    assert "Marker 3 at 0:00" in here.desk.bar.text
    press(here.actions.note)
    line = here.desk.bar._note
    assert line.isVisible()
    assert line.hasFocus()
    begun = time.monotonic()
    QTest.keyClicks(line, "r1 smiled")
    QTest.qWait(300)
    QTest.keyClick(line, Qt.Key.Key_Return)
    assert here.actions.record.isChecked(), "typing an r ends no recording"
    assert not line.isVisible()
    press(here.actions.record)
    (folder,) = here.settle(qtbot)
    session = open_session(folder)
    marks = session.markers.to_pylist()
    assert [(mark["key"], mark["text"]) for mark in marks] == [("3", ""), ("note", "r1 smiled")]
    started = session.info["started"]["monotonic"]
    assert started + marks[1]["session_time"] < begun + 0.01, "when the thought came, not Enter"
    assert session.info["settings"]["smoothing_seconds"] == Settings().smoothing_seconds


def test_a_note_can_be_given_up(studio: Callable[..., Studio], qtbot: QtBot) -> None:
    here = studio()
    press(here.actions.record)
    here.see()
    press(here.actions.note)
    QTest.keyClicks(here.desk.bar._note, "nothing")
    QTest.keyClick(here.desk.bar._note, Qt.Key.Key_Escape)
    assert not here.desk.bar._note.isVisible()
    press(here.actions.record)
    (folder,) = here.settle(qtbot)
    assert open_session(folder).markers.num_rows == 0


def test_after_a_note_the_keys_are_for_markers_again(studio: Callable[..., Studio]) -> None:
    here = studio()
    press(here.actions.record)
    here.see()
    here.window.live.video.setFocus()
    for end in (Qt.Key.Key_Return, Qt.Key.Key_Escape):
        press(here.actions.note)
        note = here.desk.bar._note
        assert note.hasFocus()
        QTest.keyClicks(note, "a door")
        QTest.keyClick(note, end)
        assert note.isHidden()
        assert here.window.live.video.hasFocus()
    QTest.keyClick(here.window.live.video, Qt.Key.Key_2)
    assert here.desk.bar.text.endswith("Marker 2 at 0:00")


def _stop(here: Studio, _world: World) -> None:
    QTest.mouseClick(here.desk.bar.buttons["stop"], Qt.MouseButton.LeftButton)


def _end(here: Studio, world: World) -> None:
    world.engine.now = replace(world.engine.now, state=EngineState.ENDED)
    here.tick()


def _close(here: Studio, _world: World) -> None:
    here.window.close_at_once()


@pytest.mark.parametrize("end", [_stop, _end, _close])
def test_a_note_that_is_being_typed_belongs_to_the_recording_that_ends(
    studio: Callable[..., Studio],
    world: World,
    qtbot: QtBot,
    end: Callable[[Studio, World], None],
) -> None:
    here = studio()
    here.window.live.video.setFocus()
    press(here.actions.record)
    here.see()
    press(here.actions.note)
    note = here.desk.bar._note
    QTest.keyClicks(note, "a door")
    here.see()
    end(here, world)
    (folder,) = here.settle(qtbot)
    session = open_session(folder)
    (mark,) = session.markers.to_pylist()
    assert (mark["key"], mark["text"]) == ("note", "a door")
    assert mark["session_time"] < here.taken_at - session.info["started"]["monotonic"]
    assert note.isHidden()
    assert note.text() == "", "the next recording begins without it"
    if end is not _close:
        assert here.window.live.video.hasFocus()


def test_a_note_that_comes_too_late_is_not_lost(
    studio: Callable[..., Studio], qtbot: QtBot
) -> None:
    here = studio()
    press(here.actions.record)
    here.see()
    press(here.actions.note)
    QTest.keyClicks(here.desk.bar._note, "a door")
    here.desk.recorder.stop()  # as when the disk is full
    here.tick()
    said = '"a door" is not kept: markers and notes belong to a recording; R begins one.'
    assert said in here.window.notices.texts
    assert here.desk.bar._note.isHidden()
    here.settle(qtbot)


def test_a_neutral_face_leaves_a_marker(
    studio: Callable[..., Studio], draw: Artist, qtbot: QtBot
) -> None:
    here = studio()
    press(here.actions.record)
    plain = draw.face(4, (200, 100, 300, 200))
    here.see(replace(plain, calibration=Calibration(0.5)))
    here.window.show_workspace("review")  # whoever watches
    here.see(replace(plain, corrected=plain.probabilities))
    corrected_at = here.taken_at
    here.see(replace(plain, corrected=plain.probabilities))
    press(here.actions.record)
    (folder,) = here.settle(qtbot)
    marks = open_session(folder).markers.to_pylist()
    assert [(mark["key"], mark["text"]) for mark in marks] == [("neutral", "face 4")]
    started = open_session(folder).info["started"]["monotonic"]
    assert marks[0]["session_time"] == pytest.approx(corrected_at - started, abs=1e-5)
