"""Films that are heard: what is said before a study, and what becomes of a device that goes."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.gui.study.screen import END_WORDS, StudyScreen
from app.sessions.folder import Session, open_session
from app.study import speaker
from app.study.soundtrack import NOT_INSTALLED, PLAYED
from tests.studies.sounding import PaperDevice, clicks, write_film
from tests.window.studio import Studio
from tests.window.study_steps import ends, ready, scene, shown, stimuli_of, told

pytestmark = pytest.mark.gui

BLOCK = 480


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> PaperDevice:
    made = PaperDevice()
    monkeypatch.setitem(sys.modules, "sounddevice", made)
    return made


@pytest.fixture
def films(tmp_path: Path, device: PaperDevice) -> Path:
    """Write a study of one film that clicks once a second; return its protocol."""
    pytest.importorskip("av")
    write_film(tmp_path / "clip.mkv", 2)
    path = tmp_path / "films.toml"
    path.write_text('pause = 0.3\n[[show]]\nfilm = "clip.mkv"\nseconds = 1.5\n', encoding="utf-8")
    return path


def ask(device: PaperDevice, ahead: float = 0.02) -> NDArray[np.float32]:
    """Ask for a block as PortAudio does."""
    out = np.zeros((BLOCK, 2), np.float32)
    times = SimpleNamespace(currentTime=1.0, outputBufferDacTime=1.0 + ahead)
    device.streams[-1].callback(out, BLOCK, times, None)
    return out


def closed(qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: speaker._open_count == 0)


def recorded(here: Studio, screen: StudyScreen, qtbot: QtBot) -> Session:
    """Let a study come to its end and return what it recorded, once the device is let go."""
    qtbot.waitUntil(lambda: screen.accessibleName() == END_WORDS)
    ends(here, qtbot)
    QTest.keyClick(screen, Qt.Key.Key_Space)
    closed(qtbot)
    (folder,) = here.settle(qtbot)
    return open_session(folder)


def test_a_film_is_heard_from_its_first_frame_to_its_end(
    studio: Callable[..., Studio], films: Path, device: PaperDevice, qtbot: QtBot
) -> None:
    here = studio()
    ready(here, films, qtbot)
    panel = here.window.live.study.panel
    assert not panel._problem.isVisible()
    screen = shown(here, qtbot)
    qtbot.waitUntil(lambda: bool(device.streams) and device.streams[0].active)
    scene(screen, "film", qtbot)
    film = screen._material._playing
    assert film is not None
    qtbot.waitUntil(lambda: film.sound is not None)
    assert film.onset.began_at == screen._runner._painted_at
    assert film.onset.expected_at == pytest.approx(film.onset.began_at, abs=0.5)
    assert film.sound is not None
    assert film.sound.until == 1.5
    assert film.sound in screen._material._speaker._tracks  # type: ignore[union-attr]
    qtbot.waitUntil(lambda: screen.accessibleName() == END_WORDS)
    assert not film.sound._thread.is_alive()
    assert not ask(device).any()
    ends(here, qtbot)
    QTest.keyClick(screen, Qt.Key.Key_Space)
    closed(qtbot)
    assert len(device.streams) == 1
    (folder,) = here.settle(qtbot)
    session = open_session(folder)
    assert [one["sound"] for one in session.info["study"]["order"]] == [PLAYED]
    assert [one.name for one in stimuli_of(session)] == ["clip"]
    assert "note" not in {row["key"] for row in session.marker_lines.to_pylist()}


def test_the_first_click_is_heard_although_its_moment_is_only_expected(
    studio: Callable[..., Studio], films: Path, device: PaperDevice, qtbot: QtBot
) -> None:
    here = studio()
    ready(here, films, qtbot)
    screen = shown(here, qtbot)
    blocks: list[NDArray[np.float32]] = []
    began = time.monotonic()

    def played() -> bool:
        while device.streams and len(blocks) * BLOCK / 48000 < time.monotonic() - began:
            blocks.append(ask(device, 0.1))
        film = screen._material._playing
        return film is not None and screen._runner.elapsed(time.monotonic()) > 0.3

    qtbot.waitUntil(played)
    assert len(clicks(np.concatenate(blocks))) == 1
    here.window.close_at_once()
    closed(qtbot)
    here.settle(qtbot)


@pytest.mark.parametrize("gone", [False, True], ids=["never there", "taken away"])
def test_a_film_goes_on_without_a_device_and_that_is_noted(
    studio: Callable[..., Studio], films: Path, device: PaperDevice, qtbot: QtBot, gone: bool
) -> None:
    here = studio()
    if not gone:
        device.fails = "Error querying device -1"
    ready(here, films, qtbot)
    panel = here.window.live.study.panel
    assert panel._problem.isVisible() != gone
    assert panel._words.isVisible()
    assert panel.begin.isEnabled(), "it can be shown all the same"
    if not gone:
        assert "no device for sound can be used" in panel._problem.text()
    screen = shown(here, qtbot)
    scene(screen, "film", qtbot)
    if gone:
        qtbot.waitUntil(lambda: screen._material._sound is not None)
        device.streams[0].active = False
    session = recorded(here, screen, qtbot)
    (note,) = [row["text"] for row in session.marker_lines.to_pylist() if row["key"] == "note"]
    went_on = "clip went on without its sound: the device for sound is gone"
    assert note.startswith(went_on if gone else "clip was shown without its sound: no device")
    assert told(here, "without its sound")
    (clip,) = stimuli_of(session)
    assert 1.4 < clip.end - clip.start < 3


def test_the_next_film_is_heard_on_another_device(
    studio: Callable[..., Studio], films: Path, device: PaperDevice, qtbot: QtBot
) -> None:
    lines = '\n[[show]]\nfilm = "clip.mkv"\nseconds = 0.5\nname = "{}"'
    films.write_text(
        'order = "fixed"\npause = 0.3' + lines.format("one") + lines.format("two"),
        encoding="utf-8",
    )
    here = studio()
    ready(here, films, qtbot)
    screen = shown(here, qtbot)
    scene(screen, "film", qtbot)

    def both_loaded() -> bool:
        device_open = screen._material._speaker
        return device_open is not None and len(device_open._tracks) == 2

    qtbot.waitUntil(both_loaded)
    device.streams[0].active = False
    qtbot.waitUntil(lambda: len(device.streams) == 2)
    qtbot.waitUntil(lambda: screen._material._sound is not None)
    assert screen._runner.scene is not None
    assert screen._runner.scene.show.name == "two"
    session = recorded(here, screen, qtbot)
    (note,) = [row["text"] for row in session.marker_lines.to_pylist() if row["key"] == "note"]
    assert note.startswith("one went on without its sound")


def test_without_the_extra_it_is_said_what_to_install(
    studio: Callable[..., Studio],
    films: Path,
    device: PaperDevice,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("app.study.protocol.sound_of", lambda _path: NOT_INSTALLED)
    here = studio()
    ready(here, films, qtbot)
    panel = here.window.live.study.panel
    assert panel._problem.isVisible()
    assert 'pip install -e ".[sound]"' in panel._problem.text().replace("\u200b", "")
    assert panel.begin.isEnabled()
    screen = shown(here, qtbot)
    qtbot.waitUntil(lambda: screen.accessibleName() == END_WORDS)
    assert device.streams == []
    ends(here, qtbot)
    QTest.keyClick(screen, Qt.Key.Key_Space)
    here.settle(qtbot)


def test_esc_ends_the_sound_with_the_film(
    studio: Callable[..., Studio], films: Path, device: PaperDevice, qtbot: QtBot
) -> None:
    here = studio()
    ready(here, films, qtbot)
    screen = shown(here, qtbot)
    scene(screen, "film", qtbot)
    qtbot.waitUntil(lambda: screen._material._sound is not None)
    track = screen._material._sound
    assert track is not None
    QTest.keyClick(screen, Qt.Key.Key_Escape)
    QTest.keyClick(screen, Qt.Key.Key_Escape)
    assert not track._thread.is_alive()
    closed(qtbot)
    assert not device.streams[0].active
    here.settle(qtbot)
