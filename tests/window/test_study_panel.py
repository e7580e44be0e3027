"""The panel that a study is chosen and begun with."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.gui.study.desk import _is_recorded
from app.live.recorder import _name
from app.settings import load_settings
from app.study.protocol import Protocol, read_protocol
from tests.window.studio import Studio, press
from tests.window.study_steps import (
    PROTOCOL,
    ready,
    scene,
    shown,
)

if TYPE_CHECKING:
    from tests.window.conftest import World

pytestmark = pytest.mark.gui


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
