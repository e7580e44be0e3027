"""Recording from the live workspace: the sign of it, markers, consent, and what is kept."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.errors import SessionError
from app.gui.consent import ConsentText
from app.gui.window import MainWindow
from app.live.engine import EngineState
from app.live.recorder import RecorderStatus
from app.messages import Calibration, FaceResult, FrameResult
from app.sessions.folder import open_session
from app.sessions.writer import SessionWriter
from app.settings import Settings, load_settings
from models.runtime.labels import FER2013, FERPLUS

if TYPE_CHECKING:
    from tests.window.conftest import Artist, World

pytestmark = pytest.mark.gui

Open = Callable[..., MainWindow]


class Studio:
    """Hold a window that may record, and hand results to whoever listens."""

    def __init__(self, window: MainWindow, world: World, draw: Artist) -> None:
        self.window = window
        self.desk = window.live.recording
        self.actions = window.live.menu_actions
        self.folder = world.folder / "Sessions"
        self._world = world
        self._draw = draw
        self._index = 0
        self.taken_at = 0.0

    def see(self, *faces: FaceResult, count: int = 1) -> None:
        """Let the engine make results."""
        for _ in range(count):
            self.taken_at = now = time.monotonic()
            result: FrameResult = self._draw.result(
                *(faces or (self._draw.face(1, (200, 100, 300, 200)),)), index=self._index, at=now
            )
            self._index += 1
            self._world.engine.result = result
            for listener in list(self._world.engine.listeners):
                listener(result)
        self.tick()

    def tick(self) -> None:
        self.desk._refreshed_at = float("-inf")
        self.window.tick(at_once=True)

    def settle(self, qtbot: QtBot) -> list[Path]:
        """Wait until all is saved and return the sessions."""

        def saved() -> None:
            assert self.desk.recorder.close(0)

        qtbot.waitUntil(saved, timeout=20_000)
        self.tick()
        return sorted(self.folder.iterdir()) if self.folder.is_dir() else []


@pytest.fixture
def studio(open_window: Open, world: World, draw: Artist) -> Callable[..., Studio]:
    def opened(**settings: object) -> Studio:
        chosen = Settings(theme="dark", recording_folder=str(world.folder / "Sessions"))
        for name, value in settings.items():
            object.__setattr__(chosen, name, value)
        return Studio(open_window(chosen), world, draw)

    return opened


def press(action: QAction) -> None:
    assert action.isEnabled()
    action.trigger()


def test_nothing_is_recorded_unasked(studio: Callable[..., Studio]) -> None:
    here = studio()
    here.see(count=3)
    assert here.desk.bar.isHidden()
    assert not here.folder.exists()
    assert here.actions.record.shortcut().toString() == "R"


def test_a_recording_counts_what_has_passed(studio: Callable[..., Studio], tmp_path: Path) -> None:
    bar = studio().desk.bar
    bar.show_status(
        RecorderStatus(
            True, folder=tmp_path, seconds=7.9, frames=1, bytes=12_345, seconds_left=31 * 3600.0
        )
    )
    assert bar.text == "0:07 Recording  ·  room for 31 h  ·  0 dropped  ·  1 frame  ·  12 kB"


def test_a_recording_shows_itself_and_says_where_it_went(
    studio: Callable[..., Studio], qtbot: QtBot
) -> None:
    here = studio()
    press(here.actions.record)
    assert not here.desk.bar.isHidden()
    assert "begins with the next frame" in here.desk.bar.text
    here.see(count=3)
    assert here.desk.bar.text.startswith("0:00 Recording  ·  ")
    assert "  ·  0 dropped  ·  3 frames  ·  " in here.desk.bar.text
    assert here.desk.bar.property("on")
    press(here.actions.record)
    (folder,) = here.settle(qtbot)
    assert here.desk.bar.text == f"Saved 3 frames in {folder}"
    assert not here.desk.bar.property("on")
    session = open_session(folder)
    assert session.labels == FERPLUS
    assert session.frames.num_rows == 3
    assert session.videos == (), "numbers only, unless more is asked for"
    here.desk.bar.buttons["close"].click()
    assert here.desk.bar.isHidden()


def test_the_session_just_saved_is_reviewed_at_a_click(
    studio: Callable[..., Studio], qtbot: QtBot
) -> None:
    here = studio()
    press(here.actions.record)
    here.see(count=2)
    here.desk.bar.buttons["stop"].click()
    assert not here.actions.record.isChecked()
    here.settle(qtbot)
    here.desk.bar.buttons["review"].click()
    assert here.window.workspace.name == "review"


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


def test_consent_comes_before_the_recording(studio: Callable[..., Studio], qtbot: QtBot) -> None:
    here = studio(consent_text="I agree to be recorded.")
    press(here.actions.record)
    assert here.desk.bar.text == "Consent I agree to be recorded."
    here.see(count=2)
    assert not here.folder.exists(), "nothing is kept before the answer"
    here.desk.bar.buttons["decline"].click()
    assert here.desk.bar.isHidden()
    assert not here.actions.record.isChecked()
    assert not here.folder.exists()
    press(here.actions.record)
    qtbot.waitUntil(here.desk.bar.buttons["agree"].isEnabled)
    here.desk.bar.buttons["agree"].click()
    here.see(count=2)
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


def test_a_recording_that_cannot_begin_leaves_no_sign_of_one(
    studio: Callable[..., Studio], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise SessionError("It cannot begin.")

    monkeypatch.setattr("app.sessions.writer.SessionWriter._open", broken)
    here = studio()
    signs: list[bool] = []
    here.actions.record.toggled.connect(signs.append)
    press(here.actions.record)
    here.see()
    assert "It cannot begin." in here.window.notices.texts
    assert here.desk.bar.isHidden()
    assert signs == [True, False], "the toolbar hears of it, too"


def test_what_is_chosen_in_the_panel_is_recorded_and_remembered(
    studio: Callable[..., Studio], world: World, qtbot: QtBot
) -> None:
    here = studio(recording_video="raw", recording_blur=True)
    panel = here.desk.panel
    press(here.actions.record_options)
    assert panel.isVisible()
    panel._title.setText("P07")
    panel._video.setCurrentIndex(3)
    press(here.actions.record)
    assert panel.isHidden()
    here.see(count=2)
    assert not panel._video.isEnabled(), "not while it goes on"
    press(here.actions.record)
    (folder,) = here.settle(qtbot)
    assert folder.name.endswith(" P07")
    session = open_session(folder)
    assert [video.name for video in session.videos] == ["video.mkv", "video_annotated.mkv"]
    assert session.info["video"]["blur"]
    assert session.info["settings"]["overlays"] == ["attention", "boxes", "bars"]
    here.window.close()
    settings, warnings = load_settings(world.settings_path)
    assert not warnings
    assert (settings.recording_video, settings.recording_blur) == ("both", True)
    assert settings.recording_folder == str(here.folder)


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


def test_another_model_begins_another_session_and_says_so(
    studio: Callable[..., Studio], world: World, draw: Artist, qtbot: QtBot
) -> None:
    here = studio()
    press(here.actions.record)
    here.see(count=2)
    here.see(draw.face(1, (200, 100, 300, 200), labels=FER2013), count=3)
    (said,) = (text for text in here.window.notices.texts if "goes on in" in text)
    press(here.actions.record)
    first, second = here.settle(qtbot)
    assert (first.name in said, second.name in said) == (True, True)
    assert here.desk.bar.text == f"Saved 3 frames in {second}; 1 earlier session lies beside it"
    here.window.show_workspace("review")
    recent = [action.text() for action in here.window.review._recent_menu.actions()]
    assert recent == [second.name, first.name]


def test_a_recording_ends_with_its_film(
    studio: Callable[..., Studio], world: World, qtbot: QtBot
) -> None:
    here = studio()
    here.see(count=2)
    film = world.engine.now
    world.engine.now = replace(film, state=EngineState.ENDED, source="film.mp4")
    press(here.actions.record)  # before it is played again
    here.tick()
    assert here.desk.active()
    world.engine.now = film
    here.see(count=3)
    world.engine.now = replace(film, state=EngineState.ENDED, source="film.mp4")
    here.tick()
    assert not here.desk.active()
    assert not here.actions.record.isChecked()
    (folder,) = here.settle(qtbot)
    here.tick()
    assert here.desk.bar.text == f"Saved 3 frames in {folder}"
    assert here.window.notices.texts == ["film.mp4 has ended, and the recording with it."]
    world.engine.now = film
    here.see(count=2)
    assert here.settle(qtbot) == [folder], "what plays on is not recorded unasked"


def test_one_that_is_still_being_saved_is_no_part_of_the_next(
    studio: Callable[..., Studio], monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    here = studio()
    press(here.actions.record)
    here.see(count=2)
    press(here.actions.record)
    with monkeypatch.context() as slow:
        slow.setattr(SessionWriter, "finished", False)  # the disk takes its time
        press(here.actions.record)
        here.see(count=3)
    here.tick()  # the first is saved while the second goes on
    assert here.desk.recorder.active
    press(here.actions.record)
    first, second = here.settle(qtbot)
    assert here.desk.bar.text == f"Saved 3 frames in {second}"
    assert first != second


def test_the_window_does_not_take_a_recording_with_it_unasked(
    studio: Callable[..., Studio], monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    here = studio()
    asked: list[str] = []

    def confirm(_parent: QWidget, _title: str, text: str, _yes: str) -> bool:
        asked.append(text)
        return len(asked) > 1

    monkeypatch.setattr("app.gui.dialogs.confirm", confirm)
    press(here.actions.record)
    here.see(count=2)
    here.window.close()
    assert asked == ["A recording goes on. What it has so far is saved."]
    assert here.window.isVisible()
    here.see()
    here.window.close()
    assert here.window.isHidden()
    assert open_session(*here.folder.iterdir()).frames.num_rows == 3


def test_panels_are_left_by_escape_and_there_is_one_at_a_time(
    studio: Callable[..., Studio],
) -> None:
    here = studio()
    recording, streams = here.desk.panel, here.window.live.streaming.panel
    here.window.live.video.setFocus()
    press(here.actions.record_options)
    assert recording._title.hasFocus()
    press(here.actions.streams)
    assert (recording.isVisible(), streams.isVisible()) == (False, True)
    assert streams.boxes["lsl"].hasFocus()
    QTest.keyClick(streams.boxes["lsl"], Qt.Key.Key_Escape)
    assert streams.isHidden()
    assert here.window.live.video.hasFocus()


def test_a_place_that_cannot_be_used_is_said(studio: Callable[..., Studio], world: World) -> None:
    (world.folder / "file").write_text("")
    here = studio(recording_folder=str(world.folder / "file"))
    press(here.actions.record)
    assert any("Recordings cannot be kept in" in text for text in here.window.notices.texts)
    assert not here.actions.record.isChecked()
    assert here.desk.bar.isHidden()


def test_a_full_disk_ends_it_and_says_so(studio: Callable[..., Studio], qtbot: QtBot) -> None:
    here = studio()
    press(here.actions.record)
    here.see()
    here.desk.recorder._writer._least_free = 1 << 60  # type: ignore[union-attr]

    def over() -> None:
        here.tick()
        assert not here.actions.record.isChecked()
        assert any("the disk is nearly full" in text for text in here.window.notices.texts)

    qtbot.waitUntil(over, timeout=20_000)
    (folder,) = here.settle(qtbot)
    assert open_session(folder).info["state"] == "stopped"

    def said() -> None:
        here.tick()
        assert here.desk.bar.text.startswith("Stopped The recording stopped, because the disk is")

    qtbot.waitUntil(said, timeout=20_000)
    assert here.desk.bar.buttons["review"].isVisible()


def test_the_engine_goes_on_for_a_recording_that_nobody_watches(
    studio: Callable[..., Studio], world: World
) -> None:
    here = studio()
    press(here.actions.record)
    here.window.show_workspace("review")
    here.see(count=2)
    assert ("paused", True) not in world.engine.asked
    assert here.desk.recorder.status().frames == 2
    press(here.actions.record)
    here.window.live._status_at = float("-inf")
    here.tick()
    assert world.engine.asked[-1] == ("paused", True)


def test_an_interrupt_closes_unasked_and_saves_the_recording(
    studio: Callable[..., Studio], world: World
) -> None:
    here = studio()
    press(here.actions.record)
    here.see(count=2)
    here.window.close_at_once()
    (folder,) = here.folder.iterdir()
    assert open_session(folder).info["state"] == "finished"


def test_a_neutral_face_leaves_a_marker(
    studio: Callable[..., Studio], draw: Artist, qtbot: QtBot
) -> None:
    from dataclasses import replace

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


def test_every_control_of_the_bar_has_a_name_and_says_its_key(
    studio: Callable[..., Studio],
) -> None:
    here = studio()
    for button in here.desk.bar.buttons.values():
        assert button.text()
        assert button.toolTip()
    assert here.desk.bar._note.accessibleName()
    for part in (here.desk.panel._title, here.desk.panel._video, here.desk.panel._consent):
        assert part.accessibleName()
