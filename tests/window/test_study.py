"""A study run from the window: the panel, the participant's screen and what is recorded."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.gui.study.desk import _FRAME_SECONDS, _LAST_SECONDS, _STILL_SECONDS, _is_recorded
from app.gui.study.screen import END_WORDS, StudyScreen
from app.live.recorder import _name
from app.sessions.folder import Session, open_session
from app.settings import load_settings
from app.stimuli import Stimulus, stimuli
from app.study.protocol import Protocol, read_protocol
from tests.window.studio import Studio, press

if TYPE_CHECKING:
    from tests.window.conftest import World

pytestmark = pytest.mark.gui

PROTOCOL = """
title = "Smiles"
order = "fixed"
pause = 0.1
variables = ["age"]
[question]
text = "How pleasant was this?"
steps = 5
low = "not at all"
high = "very"
[[show]]
text = "Just look."
[[show]]
picture = "puppy.png"
seconds = 0.2
condition = "pleasant"
[[show]]
film = "clip.mp4"
"""


@pytest.fixture
def protocol(tmp_path: Path) -> Path:
    folder = tmp_path / "study"
    folder.mkdir()
    cv2.imwrite(str(folder / "puppy.png"), np.full((30, 40, 3), (40, 200, 90), np.uint8))
    film = cv2.VideoWriter(
        str(folder / "clip.mp4"), cv2.VideoWriter.fourcc(*"mp4v"), 25.0, (64, 48)
    )
    for _ in range(5):
        film.write(np.full((48, 64, 3), 200, np.uint8))
    film.release()
    path = folder / "smiles.toml"
    path.write_text(PROTOCOL, encoding="utf-8")
    return path


def ready(here: Studio, path: Path, qtbot: QtBot, participant: str = "P07") -> None:
    """Choose a protocol and name a participant."""
    panel = here.window.live.study.panel
    press(here.actions.study)
    assert panel.isVisible()
    panel.file_chosen.emit(str(path))

    def read() -> bool:
        here.tick()
        return panel.protocol is not None

    qtbot.waitUntil(read)
    QTest.keyClicks(panel._participant, participant)


def told(here: Studio, words: str) -> bool:
    return any(words in text for text in here.window.notices.texts)


def screen_of(here: Studio) -> StudyScreen | None:
    return here.window.live.study.screen


def shown(here: Studio, qtbot: QtBot) -> StudyScreen:
    """Begin, let a frame be recorded, and return the participant's screen."""
    desk = here.window.live.study
    desk.panel.begin.click()
    assert screen_of(here) is None, "not before a frame is recorded"
    here.see(count=2)
    here.tick()
    screen = screen_of(here)
    assert screen is not None
    qtbot.waitUntil(lambda: screen._runner._painted_at is not None)
    return screen


def ends(here: Studio, qtbot: QtBot) -> None:
    """Wait until the recording has ended with the study, a moment after it."""

    def over() -> bool:
        here.see()
        return not here.desk.recorder.active

    qtbot.waitUntil(over)


def go_on(screen: StudyScreen, qtbot: QtBot) -> None:
    """Press Space once a text was there for long enough to be read."""
    qtbot.waitUntil(lambda: screen._runner.elapsed(time.monotonic()) > 0.35)
    QTest.keyClick(screen, Qt.Key.Key_Space)


def scene(screen: StudyScreen, kind: str, qtbot: QtBot) -> None:
    """Wait until a scene of a kind is painted."""

    def painted() -> bool:
        now = screen._runner.scene
        return now is not None and now.kind == kind and screen._runner._painted_at is not None

    qtbot.waitUntil(painted)


def stimuli_of(session: Session) -> list[Stimulus]:
    rows = session.marker_lines.to_pylist()
    return stimuli((row["session_time"], row["key"], row["text"]) for row in rows)


def middle(screen: StudyScreen) -> tuple[int, int, int]:
    colour = screen.grab().toImage().pixelColor(screen.width() // 2, screen.height() // 2)
    return colour.red(), colour.green(), colour.blue()


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


@pytest.mark.parametrize(
    ("before", "code", "recorded"),
    [
        ("P07", "P07", True),
        ("P/07", "P/07", True),
        ("A:7", "A:7", True),
        ("x" * 70, "x" * 70, True),
        ("y" * 59 + " b", "y" * 59 + " b", True),
        ("P 7", "P 7", True),
        ("P 7", "7", False),
        ("P07_2", "P07", False),
        ("P07", "07", False),
        ("", "...", False),
    ],
)
def test_it_is_told_of_a_code_that_was_recorded_before(
    tmp_path: Path, before: str, code: str, recorded: bool
) -> None:
    now = datetime(2026, 3, 1, 12, 0, 0)
    (tmp_path / _name(before, datetime(2026, 3, 1, 11, 59, 59))).mkdir()
    assert _is_recorded(tmp_path, code, now) == recorded


def test_the_recording_that_begins_is_no_earlier_one(tmp_path: Path) -> None:
    now = datetime(2026, 3, 1, 12, 0, 0)
    (tmp_path / _name("P07", now)).mkdir()
    assert not _is_recorded(tmp_path, "P07", now)
    assert not _is_recorded(tmp_path / "gone", "P07", now)


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


class Screen:
    """Stand in for a screen that may be connected."""

    def __init__(self, name: str) -> None:
        self._name = name

    def name(self) -> str:
        return self._name

    def serialNumber(self) -> str:
        return ""

    def geometry(self) -> QRect:
        return QRect(0, 0, 1920, 1080)

    def devicePixelRatio(self) -> float:
        return 1.0


@pytest.fixture
def connect(qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Connect screens besides the one that there is; those that are not named go."""
    own = qapp.primaryScreen()

    def connected(*others: Screen) -> None:
        monkeypatch.setattr(QGuiApplication, "screens", lambda: [own, *others])
        qapp.screenAdded.emit(own)

    return connected


def test_the_screen_that_comes_is_the_participants(
    studio: Callable[..., Studio], connect: Callable[..., None]
) -> None:
    here = studio()
    panel = here.window.live.study.panel
    press(here.actions.study)
    assert not panel._screen.isVisible()
    projector: Any = Screen("projector")
    connect(projector)
    assert panel._screen.isVisible()
    assert panel.screen_chosen is projector
    connect()
    assert panel.screen_chosen is here.window.screen()
    assert not panel._screen.isVisible()


def test_a_screen_that_was_chosen_stays_chosen_or_nothing_begins(
    studio: Callable[..., Studio], protocol: Path, qtbot: QtBot, connect: Callable[..., None]
) -> None:
    here = studio()
    panel = here.window.live.study.panel
    desktop: Any = Screen("desktop")
    projector: Any = Screen("projector")
    connect(desktop, projector)
    ready(here, protocol, qtbot)
    assert panel.screen_chosen is desktop
    panel._screen.setCurrentIndex(2)
    panel._screen.activated.emit(2)
    connect(projector)
    assert panel.screen_chosen is projector
    connect(desktop)
    assert panel.screen_chosen is None
    assert not panel.begin.isEnabled()
    assert "The screen chosen is gone" in panel._missing.text()
    connect()
    assert panel._screen.isVisible(), "the only one has to be chosen, too"
    again: Any = Screen("projector")
    connect(desktop, again)
    assert panel.screen_chosen is again
    assert panel.begin.isEnabled()


def test_a_study_whose_screen_goes_before_its_first_picture_does_not_begin(
    studio: Callable[..., Studio], protocol: Path, qtbot: QtBot, connect: Callable[..., None]
) -> None:
    here = studio()
    connect(Screen("projector"))
    ready(here, protocol, qtbot)
    here.window.live.study.panel.begin.click()
    connect()
    here.see(count=2)
    here.tick()
    assert screen_of(here) is None
    assert not here.desk.recorder.active
    assert told(here, "The screen chosen for the participant is gone")
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


def test_a_study_can_be_begun_from_a_template(
    studio: Callable[..., Studio], tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = studio()
    panel = here.window.live.study.panel
    press(here.actions.study)
    path = tmp_path / "new" / "my study.toml"
    monkeypatch.setattr("app.gui.dialogs.choose_target", lambda *_: (path, "Studies (*.toml)"))
    panel._template.click()

    def read() -> bool:
        here.tick()
        return panel.protocol is not None

    qtbot.waitUntil(read)
    assert panel._file.text == str(path)
    QTest.keyClicks(panel._participant, "P07")
    scene(shown(here, qtbot), "text", qtbot)


def test_labels_stand_beside_their_fields_before_and_after_a_file(
    studio: Callable[..., Studio], protocol: Path, qtbot: QtBot
) -> None:
    here = studio()
    panel = here.window.live.study.panel
    press(here.actions.study)
    here.tick()
    before = panel._participant.x()
    assert before < 150
    panel.close_up()
    ready(here, protocol, qtbot)
    here.tick()
    assert panel._participant.x() == before


def test_what_is_missing_is_said_before_it_can_begin(
    studio: Callable[..., Studio], protocol: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = studio()
    panel = here.window.live.study.panel
    press(here.actions.study)
    assert not panel.begin.isEnabled()
    assert panel._missing.text() == "Choose a study first"
    assert not panel._variables_label.isVisible(), "there is nothing to note yet"
    broken = protocol.with_name("broken.toml")
    broken.write_text("titel = 'x'", encoding="utf-8")
    panel.file_chosen.emit(str(broken))

    def refused() -> bool:
        here.tick()
        return "did you mean 'title'?" in panel._problem.text()

    qtbot.waitUntil(refused)
    assert panel.protocol is None
    assert panel._problem.isVisible()
    assert not panel._words.isVisible()
    assert panel._file.text == str(broken)
    started: list[Path] = []

    def choose(_parent: object, start: Path) -> str:
        started.append(start)
        return ""

    monkeypatch.setattr("app.gui.dialogs.choose_protocol", choose)
    panel._file.change.click()
    assert started == [broken.parent], "where the file lies that has to be corrected"
    press(here.actions.study)
    ready(here, protocol, qtbot, participant="")
    assert not panel._problem.isVisible()
    assert panel._variables_label.isVisible()
    assert panel._missing.text() == "Enter a participant code"
    QTest.keyClicks(panel._participant, "P1")
    assert panel.begin.isEnabled()
    assert panel._missing.text() == ""
    press(here.actions.record)
    here.see()
    assert panel.begin.toolTip() == "End the recording first"
    press(here.actions.record)
    here.settle(qtbot)
    assert panel.begin.isEnabled()


def test_the_study_is_remembered(
    studio: Callable[..., Studio], world: World, protocol: Path, qtbot: QtBot
) -> None:
    here = studio()
    ready(here, protocol, qtbot)
    here.window.close_at_once()
    settings, warnings = load_settings(world.settings_path)
    assert (settings.study_protocol, warnings) == (str(protocol), [])
    again = studio(study_protocol=str(protocol))
    panel = again.window.live.study.panel
    press(again.actions.study)

    def read() -> bool:
        again.tick()
        return panel.protocol is not None

    qtbot.waitUntil(read)


def test_a_protocol_may_be_dropped_onto_the_window(
    studio: Callable[..., Studio], protocol: Path, qtbot: QtBot
) -> None:
    here = studio()
    here.window.open_path(str(protocol))
    panel = here.window.live.study.panel
    assert panel.isVisible()

    def read() -> bool:
        here.tick()
        return panel.protocol is not None

    qtbot.waitUntil(read)
    assert panel._participant.hasFocus()


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


@pytest.mark.parametrize("broken", [False, True], ids=["read", "refused"])
def test_the_study_chosen_last_is_kept_when_an_earlier_one_comes_late(
    studio: Callable[..., Studio],
    protocol: Path,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
    broken: bool,
) -> None:
    here = studio()
    slow = protocol.with_name("slow.toml")
    slow.write_text("titel = 'x'" if broken else PROTOCOL, encoding="utf-8")
    may_end, ended = threading.Event(), threading.Event()

    def read(path: Path) -> Protocol:
        if path != slow:
            return read_protocol(path)
        may_end.wait(20)
        try:
            return read_protocol(path)
        finally:
            ended.set()

    monkeypatch.setattr("app.gui.study.desk.read_protocol", read)
    press(here.actions.study)
    panel = here.window.live.study.panel
    panel.file_chosen.emit(str(slow))
    panel.file_chosen.emit(str(protocol))

    def chosen() -> bool:
        here.tick()
        return panel.protocol is not None

    qtbot.waitUntil(chosen)
    may_end.set()
    assert ended.wait(20)
    qtbot.wait(50)
    here.tick()
    assert panel.protocol is not None
    assert panel.protocol.path == protocol
    assert panel._file.text == str(protocol)
    assert not panel._problem.isVisible()


def test_a_study_still_being_read_is_not_replaced_by_opening_the_panel_again(
    studio: Callable[..., Studio], protocol: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier = protocol.with_name("earlier.toml")
    earlier.write_text(PROTOCOL, encoding="utf-8")
    here = studio(study_protocol=str(earlier))
    panel = here.window.live.study.panel
    may_end = threading.Event()

    def read(path: Path) -> Protocol:
        may_end.wait(20)
        return read_protocol(path)

    monkeypatch.setattr("app.gui.study.desk.read_protocol", read)
    here.window.open_path(str(protocol))
    panel.close_up()
    press(here.actions.study)
    may_end.set()

    def chosen() -> bool:
        here.tick()
        return panel.protocol is not None

    qtbot.waitUntil(chosen)
    assert panel.protocol is not None
    assert panel.protocol.path == protocol
