"""Recording from the live workspace: the sign of it, what is kept, and how it ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QWidget
from pytestqt.qtbot import QtBot

from app.errors import SessionError
from app.live.engine import EngineState
from app.live.recorder import RecorderStatus
from app.sessions.folder import open_session
from app.sessions.writer import SessionWriter
from app.settings import Settings, load_settings
from models.runtime.labels import FER2013, FERPLUS
from tests.window.studio import Studio, press

if TYPE_CHECKING:
    from tests.window.conftest import Artist, World

pytestmark = pytest.mark.gui


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


def test_a_recording_that_cannot_begin_leaves_no_sign_of_one(
    studio: Callable[..., Studio], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise SessionError("It cannot begin.")

    monkeypatch.setattr("app.sessions.writer.SessionFiles", broken)
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

    def offered() -> bool:
        here.tick()
        recent = [action.text() for action in here.window.review.recent.menu.actions()]
        return recent == [second.name, first.name]

    qtbot.waitUntil(offered)


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


@pytest.mark.parametrize("size", [(720, 540), (800, 560)])
def test_in_a_low_window_the_chart_gives_way_to_the_settings_and_comes_back(
    studio: Callable[..., Studio], world: World, size: tuple[int, int], qtbot: QtBot
) -> None:
    here = studio()
    live = here.window.live
    here.window.resize(*size)
    world.engine.now = replace(world.engine.now, source_note="No camera was found.")
    live.refresh_status()
    qtbot.waitUntil(live.chart.isVisible)
    before = live.panes.left.sizes()
    press(here.actions.record_options)
    qtbot.waitUntil(lambda: not live.chart.isVisible())
    panel = here.desk.panel
    qtbot.waitUntil(lambda: panel.height() >= panel.sizeHint().height())
    assert live.video.height() >= live.video.minimumHeight()
    assert "left" not in live.changed_settings(Settings()).splitters, "else it were gone for good"
    press(here.actions.record_options)
    qtbot.waitUntil(live.chart.isVisible)
    assert live.panes.left.sizes() == before
    assert live.changed_settings(Settings()).splitters["left"] == tuple(before)


def test_the_folder_is_shown_and_changed_by_a_button(
    studio: Callable[..., Studio], monkeypatch: pytest.MonkeyPatch
) -> None:
    here = studio(recording_folder="/data/R&D")
    press(here.actions.record_options)
    here.tick()
    place = here.desk.panel._place
    assert [label.text() for label in place.findChildren(QLabel)] == ["/data/R&D"]
    monkeypatch.setattr("app.gui.dialogs.choose_folder", lambda *_: "/data/other")
    place.change.click()
    assert place.text == "/data/other"
    assert here.desk.panel.folder == Path("/data/other")


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
    here.see()
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


def test_a_recording_shows_in_whatever_workspace_is_in_front(
    studio: Callable[..., Studio], qtbot: QtBot
) -> None:
    here = studio()
    sign = here.window.recording_sign
    assert sign.word == ""
    press(here.actions.record)
    here.see()
    for name in ("review", "analyse", "live"):
        here.window.show_workspace(name)
        here.tick()
        assert sign.isVisible()
        assert sign.word == "recording"
    press(here.actions.record)
    here.settle(qtbot)
    assert not sign.isVisible()


def test_a_recording_that_waits_for_its_camera_says_so_in_every_workspace(
    studio: Callable[..., Studio], world: World
) -> None:
    here = studio()
    press(here.actions.record)
    here.see()
    here.window.show_workspace("review")
    lost = "The camera no longer sends pictures."
    world.engine.now = replace(world.engine.now, state=EngineState.LOST, source_note=lost)
    for _ in range(3):
        here.tick()
    assert here.window.notices.texts == [f"The recording waits: {lost}"]
    assert here.window.recording_sign.word == "recording, no picture"
    world.engine.now = replace(world.engine.now, state=EngineState.RUNNING, source="Lens")
    here.tick()
    assert here.window.notices.texts[-1] == "The recording goes on: Lens is back."
    assert here.window.recording_sign.word == "recording"
    world.engine.now = replace(world.engine.now, state=EngineState.PAUSED)
    here.tick()
    assert here.window.recording_sign.word == "recording, paused"


def test_an_interrupt_closes_unasked_and_saves_the_recording(
    studio: Callable[..., Studio], world: World
) -> None:
    here = studio()
    press(here.actions.record)
    here.see(count=2)
    here.window.close_at_once()
    (folder,) = here.folder.iterdir()
    assert open_session(folder).info["state"] == "finished"


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
