"""What takes a while: reading again with another model, analysing a video first."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from app.gui.review.compare_tab import agreement_words
from app.review.compare import agreement
from app.review.decimate import AWAY
from app.review.recording import Recording, open_recording
from app.review.second import Second, second_file, second_files, write_second
from app.review.series import UNDECIDED
from app.sessions.folder import read_info, write_info
from app.sessions.mkv import VideoFile
from models.runtime.base_rates import BaseRates

if TYPE_CHECKING:
    from tests.review.conftest import Desk

pytestmark = pytest.mark.gui


def film(path: Path, frames: int) -> Path:
    writer = cv2.VideoWriter(
        str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"MJPG"), 10.0, (160, 120)
    )
    for index in range(frames):
        writer.write(np.full((120, 160, 3), 60 + index % 100, np.uint8))
    writer.release()
    return path


def test_another_model_reads_the_session_and_both_are_shown(
    desk: Desk, session: Path, qtbot: QtBot
) -> None:
    writer = VideoFile(session / "video.mkv", 160, 120)
    for index in range(120):
        gray = np.full((120, 160, 3), 60 + index, np.uint8)
        writer.add(cv2.imencode(".jpg", gray)[1].tobytes(), index / 10)
    writer.close()
    desk.review.open_session(session)
    desk.wait(qtbot, lambda: desk.model.is_open)
    desk.review.side.show_page("Compare")
    tab = desk.review.comparison
    tab.choice.setCurrentIndex(tab.choice.findData("mini_xception.fer2013"))
    tab.start_or_stop()
    assert tab.start.text() == "Stop"
    assert "being read again" in desk.review.unfinished
    desk.wait(qtbot, lambda: desk.model.second is not None, 60)
    assert not tab.busy
    assert tab.agreement is not None
    assert tab.agreement.rows == 120
    assert desk.model.second is not None
    assert desk.model.second.model == "mini_xception.fer2013"
    assert len(desk.review.timeline.lanes.lanes()) == 4
    assert len(second_files(session)) == 1
    # It is there again when the session is opened again.
    before = desk.model.second
    desk.model.close()
    desk.review.open_session(session)
    desk.wait(qtbot, lambda: desk.model.second not in (None, before))
    tab.hide_button.click()
    assert len(desk.review.timeline.lanes.lanes()) == 3
    # Blurred faces say nothing.
    write_info(session, read_info(session) | {"video": {"blur": True}})
    desk.review.open_session(session)
    desk.wait(qtbot, lambda: desk.model.second is not None)
    tab.hide_button.click()
    tab.choice.setCurrentIndex(tab.choice.findData("mini_xception.ferplus"))
    desk.wait(qtbot, lambda: not tab.start.isEnabled())
    assert "not blurred" in tab.reason.text()


def test_the_same_model_goes_by_other_base_rates_without_any_picture(
    desk: Desk, session: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels = open_recording(session).labels
    even = BaseRates(even=True)
    common = (0.8, 0.1, 0.1)
    model = SimpleNamespace(
        labels=labels, base_rates=even, rate_weights=even.weights(labels, common), crops="mirror",
        card=SimpleNamespace(name="mine", base_rates={"mirror": common}),
        neutral_logs=None, unsure_below=0.0,
    )  # fmt: skip
    monkeypatch.setattr("app.gui.review.compare_tab.model_of", lambda *_: model)
    write_info(session, read_info(session) | {"model": {"name": "mine"}})
    desk.review.open_session(session)
    desk.wait(qtbot, lambda: desk.model.is_open)
    desk.review.side.show_page("Compare")
    tab = desk.review.comparison
    desk.wait(qtbot, lambda: not tab.start.isEnabled())  # there are no pictures
    tab.choice.setCurrentIndex(tab.choice.findText("Even base rates"))
    assert tab.start.isEnabled()
    assert not tab.reason.isVisibleTo(tab)
    tab.start.click()
    desk.wait(qtbot, lambda: desk.model.second is not None)
    assert desk.model.second is not None
    assert desk.model.second.model == "mine, even base rates"
    assert desk.model.second_title == "Even base rates"
    neutral = labels.index("neutral")
    shown = desk.model.second.shown, desk.model.recording.shown
    assert shown[0][neutral].mean() < shown[1][neutral].mean() / 2
    tab.hide_button.click()
    assert tab.start.text() == "Show reading"
    tab.start.click()
    desk.wait(qtbot, lambda: desk.model.second is not None)
    # One that went by even rates can be seen as it would have been without.
    info = {"model": {"name": "mine", "base_rates": "even"}}
    write_info(session, read_info(session) | info)
    desk.review.open_session(session)
    desk.wait(qtbot, lambda: tab.choice.findText("Rates as measured") >= 0)
    assert tab.choice.findText("Even base rates") < 0
    # What was left out stays so.
    write_info(session, read_info(session) | {"model": {"name": "mine", "base_rates": "fear=0"}})
    desk.review.open_session(session)
    desk.wait(qtbot, lambda: tab.choice.findData("mine, even base rates, without fear") >= 0)


def test_what_was_read_before_is_shown_again(desk: Desk, session: Path, qtbot: QtBot) -> None:
    count = len(open_recording(session).tracks)
    models = [entry.name for entry in desk.host.around.models[:2]]
    for model in models:
        shown, decided = np.full((1, count), 1.0, np.float32), np.zeros(count, np.int16)
        write_second(session, Second(model, ("anger",), shown, decided, np.ones(count, bool)))
    tab = desk.review.comparison
    desk.review.open_session(session)
    for model in (*models, models[0]):
        desk.wait(qtbot, lambda: desk.model.second is not None)
        tab.hide_button.click()
        tab.choice.setCurrentIndex(tab.choice.findData(model))
        assert tab.start.text() == "Show reading"
        tab.start.click()
        desk.wait(qtbot, lambda: desk.model.second is not None)
        assert desk.model.second is not None
        assert desk.model.second.model == model
        assert tab.start.text() == "Read again"
    # One that does not fit stands in nobody's way.
    second_file(session, models[1]).write_bytes(b"no more")
    tab.choice.setCurrentIndex(tab.choice.findData(models[1]))
    tab.start.click()
    desk.wait(qtbot, lambda: bool(desk.host.notices.texts))
    assert "cannot be opened" in desk.host.notices.texts[0]
    assert tab.start.text() == "Read again"


def test_what_the_second_model_could_not_read_is_not_called_unsure(opened: Desk) -> None:
    model, lanes = opened.model, opened.review.timeline.lanes
    read = model.recording.times < 6.0
    decided = np.where(model.recording.times < 3.0, 0, UNDECIDED).astype(np.int16)
    shown = np.where(read, 0.5, np.nan).astype(np.float32)[None].repeat(2, 0)
    second = Second("other", ("anger", "fear"), shown, decided, read)
    model.compare(second)
    codes = lanes.codes(1, 119, second=True)
    assert codes[:29].tolist() == [0] * 29
    assert codes[31:59].tolist() == [UNDECIDED] * 28
    assert codes[62:].tolist() == [AWAY] * 57
    for start, end, words in (
        (3.0, 5.0, "of 21 frames read by both models, both are sure on none."),
        (7.0, 9.0, "no frame was read by both models."),
    ):
        found = agreement(model.state, second, 1, start, end)
        assert agreement_words(found, "Face 1", "here") == f"Face 1, here: {words}"


def test_without_pictures_nothing_is_read_again(opened: Desk, qtbot: QtBot) -> None:
    tab = opened.review.comparison
    opened.wait(qtbot, lambda: not tab.start.isEnabled())
    assert "no clean pictures" in tab.reason.text()
    assert tab.reason.isVisibleTo(tab)
    assert tab.start.toolTip() == tab.reason.text()
    # What was read while there were pictures can be shown still.
    model, rows = opened.model, len(opened.model.recording.tracks)
    shown, decided = np.full((1, rows), 1.0, np.float32), np.zeros(rows, np.int16)
    second = Second(tab.choice.currentData(), ("anger",), shown, decided, np.ones(rows, bool))
    write_second(model.recording.path, second)
    tab.choice.currentIndexChanged.emit(tab.choice.currentIndex())
    assert tab.start.isEnabled()
    assert not tab.reason.isVisibleTo(tab)


def test_a_comparison_calls_models_by_their_titles_and_explains_kappa(opened: Desk) -> None:
    model, tab = opened.model, opened.review.comparison
    opened.review.side.show_page("Compare")
    model.recording.info["model"] = {"name": "mini_xception.ferplus"}
    decided = model.recording.decided.copy()
    decided[::5] = 0
    read = np.ones(len(decided), bool)
    shown = np.full((3, len(decided)), 1 / 3, np.float32)
    model.compare(Second("acn.fer2013-4", model.recording.labels, shown, decided, read))
    assert (model.recorded_title, model.second_title) == (
        "mini-Xception (FER+)",
        "ACN (four labels)",
    )
    assert "Recorded: mini-Xception (FER+)\nRead again: ACN (four labels)" in tab.changes.toolTip()
    said = [label.text() for label in tab.findChildren(QLabel) if label.isVisibleTo(tab)]
    assert not any("kappa" in words for words in said)
    assert any(words.startswith("Face 1, the whole session: both models are") for words in said)
    assert any(words.startswith("Agreement beyond what chance would give: 0.") for words in said)


def test_a_video_is_analysed_and_then_opened(
    desk: Desk, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = tmp_path / "analyses"
    monkeypatch.setattr("app.gui.review.opening.analyses_folder", lambda: results)
    assert desk.review.open_path(str(film(tmp_path / "film.mkv", 12)))
    assert desk.review.empty.progress.isVisible()
    desk.wait(qtbot, lambda: desk.review.video.result is not None, 120)
    assert not desk.host.notices.texts
    assert desk.model.recording.path.parent == results
    assert len(desk.model.recording.frame_times) == 12
    result = desk.review.video.result
    assert result is not None
    assert abs(float(result.frame.image.mean()) - 60) < 5


def test_an_analysis_can_be_stopped(
    desk: Desk, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.gui.review.opening.analyses_folder", lambda: tmp_path / "analyses")
    desk.review.open_path(str(film(tmp_path / "film.mkv", 900)))
    desk.wait(qtbot, lambda: bool(desk.review.opener.analysed), 60)

    def stopped() -> bool:
        desk.review.empty.cancel.click()
        return not desk.review.empty.progress.isVisible()

    desk.wait(qtbot, stopped, 60)
    assert not desk.model.is_open
    assert desk.review.empty.isVisible()


def test_what_is_waited_for_can_be_given_up(
    desk: Desk, session: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = threading.Event()

    def held(folder: Path) -> Recording:
        gate.wait(20)
        return open_recording(folder)

    monkeypatch.setattr("app.gui.review.opening.open_recording", held)
    desk.review.open_session(session)
    qtbot.waitUntil(desk.review.empty.cancel.isVisible)
    desk.review.empty.cancel.click()
    assert not desk.review.empty.progress.isVisible()
    gate.set()
    desk.host.jobs.close()
    desk.tick()
    assert not desk.model.is_open
    assert not desk.host.notices.texts


def test_what_was_asked_for_last_is_shown(
    desk: Desk, session: Path, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, gate = Path(shutil.copytree(session, tmp_path / "slow")), threading.Event()

    def held(folder: Path) -> Recording:
        if folder == slow:
            gate.wait(20)
        return open_recording(folder)

    monkeypatch.setattr("app.gui.review.opening.open_recording", held)
    desk.review.open_session(slow)
    desk.review.open_session(session)
    desk.wait(qtbot, lambda: desk.model.is_open)
    gate.set()
    desk.host.jobs.close()
    desk.tick()
    assert desk.model.recording.path == session


def test_a_refused_analysis_leaves_the_session_open(
    opened: Desk, tmp_path: Path, qtbot: QtBot
) -> None:
    (tmp_path / "nothing").mkdir()
    opened.review.open_path(str(tmp_path / "nothing"))
    opened.wait(qtbot, lambda: bool(opened.host.notices.texts))
    assert "found none" in opened.host.notices.texts[0]
    assert opened.model.is_open
    assert opened.review.timeline.isVisible()


def test_a_session_opened_meanwhile_stays_when_the_analysis_is_done(
    opened: Desk, session: Path, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.gui.review.opening.analyses_folder", lambda: tmp_path / "analyses")
    opened.review.open_path(str(film(tmp_path / "film.mkv", 120)))
    opened.wait(qtbot, lambda: not opened.model.is_open)
    opened.review.open_session(session)
    opened.wait(qtbot, lambda: opened.model.is_open)
    opened.review.open_path(str(film(tmp_path / "other.mkv", 5)))
    opened.wait(qtbot, lambda: len(opened.host.notices.texts) == 2, 60)
    assert "film.mkv is being analysed" in opened.host.notices.texts[0]
    assert "film.mkv is analysed" in opened.host.notices.texts[1]
    assert opened.model.recording.path == session


def test_an_analysis_behind_a_session_is_seen_and_can_be_stopped(
    opened: Desk, session: Path, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.gui.review.opening.analyses_folder", lambda: tmp_path / "analyses")
    review = opened.review
    opened.tick()
    assert not review.menu_actions.stop.isEnabled()
    review.open_path(str(film(tmp_path / "film.mkv", 900)))
    opened.wait(qtbot, lambda: not opened.model.is_open)
    review.open_session(session)
    opened.wait(qtbot, lambda: opened.model.is_open)
    assert "analysing 0 of 1" in review.status_text
    review.menu_actions.stop.trigger()
    opened.wait(qtbot, lambda: not review.opener.analysed, 60)
    assert opened.model.recording.path == session
    assert "analysing" not in review.status_text
    assert not review.menu_actions.stop.isEnabled()
