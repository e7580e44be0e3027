from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from app.gui.banner import NoticeAction
from app.gui.speed_watch import Skips
from app.gui.stage import (
    PLAY_AGAIN,
    TRY_AGAIN,
    Stage,
    stage,
    status_line,
    status_parts,
    status_tip,
)
from app.gui.window import MainWindow
from app.live.engine import EngineState, EngineStatus

if TYPE_CHECKING:
    from tests.window.conftest import Artist, World

pytestmark = pytest.mark.gui

OpenWindow = Callable[..., MainWindow]
RUNNING = EngineStatus(EngineState.RUNNING, source="demo actor", provider="CPU")
NO_CAMERA = "No camera was found; plug one in and try again."
LOST = 'The camera "Lens" no longer sends pictures.'


def test_starting_says_which_step() -> None:
    status = EngineStatus(EngineState.STARTING, step="Loading the model")
    said = stage(status, has_picture=False, no_face=False)
    assert said.message == "Loading the model…"
    assert said.banner is None
    assert status_line(status_parts(status, "", "")) == "Starting…"


def test_without_a_camera_the_actor_plays_and_a_button_tries_again() -> None:
    said = stage(replace(RUNNING, source_note=NO_CAMERA), has_picture=True, no_face=False)
    assert said.banner is not None
    assert said.banner.text == f"The demo actor plays instead. {NO_CAMERA}"
    assert said.banner.button == TRY_AGAIN
    assert not said.dimmed


@pytest.mark.parametrize(
    ("retry_in", "words"), [(1.4, "again in 2 s"), (0.2, "again in 1 s"), (0.0, "Trying now")]
)
def test_a_lost_camera_counts_down_over_a_dimmed_picture(retry_in: float, words: str) -> None:
    status = replace(
        RUNNING, state=EngineState.LOST, source="Lens", source_note=LOST, retry_in=retry_in
    )
    said = stage(status, has_picture=True, no_face=True)
    assert said.dimmed
    assert said.banner is not None
    assert said.banner.text.startswith(LOST)
    assert words in said.banner.text
    assert said.hint == ""


def test_no_face_is_one_quiet_line() -> None:
    assert stage(RUNNING, has_picture=True, no_face=True).hint == "No face in view"
    assert stage(RUNNING, has_picture=True, no_face=False).hint == ""


def test_the_end_of_a_film_offers_to_play_again() -> None:
    status = replace(RUNNING, state=EngineState.ENDED, source="film.mp4")
    said = stage(status, has_picture=True, no_face=False)
    assert said.banner is not None
    assert (said.banner.text, said.banner.button) == ("film.mp4 has ended.", PLAY_AGAIN)


def test_a_picture_stays_without_a_word_but_for_a_missing_face() -> None:
    status = replace(RUNNING, state=EngineState.ENDED, source="anna.JPG", spec="pictures/anna.JPG")
    assert stage(status, has_picture=True, no_face=False) == Stage()
    assert stage(status, has_picture=True, no_face=True).hint == "No face found in this picture"


def test_a_failure_is_said_as_it_is() -> None:
    status = replace(RUNNING, state=EngineState.FAILED, error="The film is damaged; copy it again.")
    said = stage(status, has_picture=False, no_face=False)
    assert said.banner is not None
    assert said.banner.text == "The film is damaged; copy it again."


def test_the_status_line_names_speed_and_parts_and_the_mouse_is_told_what_they_are() -> None:
    status = replace(RUNNING, fps=29.7, latency_ms=6.2, dropped=1234, failed=2)
    parts = status_parts(status, "mini-Xception", "Haar", 0.2)
    assert status_line(parts).split("  ·  ") == [
        "30 fps", "\N{FIGURE SPACE}6 ms", "skips 20 % of frames", "2 failed", "CPU",
        "mini-Xception", "Haar",
    ]  # fmt: skip
    tip = status_tip(parts, status.dropped).splitlines()
    assert len(tip) == len(parts) + 1
    assert tip[1].startswith("6 ms: ")
    assert "1,234 frames" in tip[-1]
    few = status_line(status_parts(status, "", "", 0.05))
    assert "skip" not in few, "a frame now and then does not matter"


@pytest.mark.parametrize("state", [EngineState.PAUSED, EngineState.ENDED, EngineState.LOST])
def test_what_stands_still_has_no_speed(state: EngineState) -> None:
    line = status_line(status_parts(replace(RUNNING, state=state, fps=12.0), "Net", "Haar"))
    assert line == "CPU  ·  Net  ·  Haar"
    still = status_line(status_parts(replace(RUNNING, fps=0.0), "Net", "Haar"))
    assert still == line


def test_the_share_of_skipped_frames_is_that_of_the_last_seconds() -> None:
    skips, dropped = Skips(), 1000
    for tick in range(40):  # 24 read and 6 passed over in a second
        skips.look(replace(RUNNING, fps=24.0, dropped=dropped), tick / 4)
        dropped += 3 * (tick % 2)
        if tick == 4:
            assert skips.share == 0, "too short to tell"
    assert skips.share == pytest.approx(0.2, abs=0.03)
    for tick in range(40, 80):
        skips.look(replace(RUNNING, fps=24.0, dropped=dropped), tick / 4)
    assert skips.share == 0
    skips.look(replace(RUNNING, fps=24.0, dropped=3), 20.0)  # another source
    assert skips.share == 0


def test_the_foot_of_the_window_explains_itself(open_window: OpenWindow, world: World) -> None:
    world.engine.now = replace(world.engine.now, dropped=7)
    window = open_window()
    window.tick(at_once=True)
    assert "fps" in window._figures.toolTip()
    assert "7 frames" in window._figures.toolTip()
    window.show_workspace("review")
    assert window._figures.toolTip() == ""


def test_the_window_shows_the_banner_and_its_button_tries_again(
    open_window: OpenWindow, world: World, draw: Artist, qtbot: QtBot
) -> None:
    world.engine.now = replace(world.engine.now, source_note=NO_CAMERA)
    world.engine.result = draw.result()
    window = open_window(source="camera")
    assert window.live.banner.isVisible()
    assert NO_CAMERA in window.live.banner.text
    QTest.mouseClick(window.live.banner.button, Qt.MouseButton.LeftButton)
    assert world.engine.asked == [("again", "camera")]
    world.engine.now = replace(world.engine.now, source="Lens", source_note="")
    window.live.refresh_status()
    assert not window.live.banner.isVisible()


def test_play_again_plays_the_same_file(
    open_window: OpenWindow, world: World, qtbot: QtBot, draw: Artist
) -> None:
    window = open_window()
    film = str(world.folder / "film.mp4")
    window.live.commands.use_source(film)
    window.live.commands.use_source("/elsewhere/film.mp4")  # refused: the first film plays on
    ended = replace(world.engine.now, state=EngineState.ENDED, source="film.mp4", spec=film)
    world.engine.now = ended
    window.live.refresh_status()
    QTest.mouseClick(window.live.banner.button, Qt.MouseButton.LeftButton)
    assert world.engine.asked[-1] == ("source", film)


def test_a_lost_camera_dims_the_last_frame(
    open_window: OpenWindow, world: World, draw: Artist
) -> None:
    window = open_window()
    world.engine.result = draw.result(draw.face(1, (220, 120, 420, 320)), media_time=None)
    window.tick(at_once=True)
    world.engine.now = replace(
        world.engine.now, state=EngineState.LOST, source_note=LOST, retry_in=2.0
    )
    window.live.refresh_status()
    assert window.live.video.dimmed
    assert window.live.video.result is world.engine.result
    (card,) = window.live.panel.cards
    assert card.away
    world.engine.now = replace(world.engine.now, state=EngineState.RUNNING, source_note="")
    window.live.refresh_status()
    assert not card.away


def test_a_refused_model_is_a_notice_that_goes_by_itself(
    open_window: OpenWindow, world: World
) -> None:
    window = open_window()
    sentence = "broken.onnx: expected a model card inside the file, found none."
    world.engine.notices = [sentence]
    window.live.refresh_status()
    assert window.notices.texts == [sentence]
    assert window.notices.isVisible()
    window.notices.advance(1.0)
    assert window.notices.texts == [sentence]
    window.notices.advance(60.0)
    assert window.notices.texts == []
    assert not window.notices.isVisible()


def test_the_banner_can_be_closed_until_it_says_something_else(
    open_window: OpenWindow, world: World
) -> None:
    world.engine.now = replace(world.engine.now, source_note=NO_CAMERA)
    window = open_window(source="camera")
    banner = window.live.banner
    QTest.mouseClick(banner.close_button, Qt.MouseButton.LeftButton)
    window.live.refresh_status()
    assert not banner.isVisible()
    world.engine.now = replace(world.engine.now, source_note=LOST)
    window.live.refresh_status()
    assert banner.isVisible()
    world.engine.now = replace(world.engine.now, source_note="")
    window.live.refresh_status()
    world.engine.now = replace(world.engine.now, source_note=NO_CAMERA)
    window.live.refresh_status()
    assert NO_CAMERA in banner.text, "it came back, which is news"
    world.engine.now = replace(world.engine.now, state=EngineState.FAILED, error="Broken.")
    window.live.refresh_status()
    assert not banner.close_button.isVisible(), "nothing goes on behind that one"


def test_what_the_banner_says_is_no_notice_as_well(
    open_window: OpenWindow, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.engine.now = replace(world.engine.now, source_note=NO_CAMERA)
    monkeypatch.setattr(world.engine, "take_notices", lambda: [NO_CAMERA, "And something else."])
    window = open_window(source="camera")
    assert window.notices.texts == ["And something else."]
    QTest.mouseClick(window.live.banner.close_button, Qt.MouseButton.LeftButton)
    window.live.refresh_status()
    assert NO_CAMERA in window.notices.texts, "nothing else says so now"


def test_a_notice_may_offer_what_can_be_done_about_it(open_window: OpenWindow) -> None:
    window = open_window()
    done: list[str] = []
    window.notices.say("Saved it.", action=NoticeAction("Open", lambda: done.append("opened")))
    (button,) = window.notices.findChildren(QPushButton)
    assert (button.text(), button.accessibleDescription()) == ("Open", "Saved it.")
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert done == ["opened"]
    # At the head of the picture, where no mouth is.
    assert window.notices.geometry().top() < window.live.video.height() // 4


def test_notices_do_not_pile_up(open_window: OpenWindow) -> None:
    window = open_window(notices=("one", "two"))
    for sentence in ("two", "three", "four"):
        window.notices.say(sentence)
    assert window.notices.texts == ["two", "three", "four"]


def test_long_names_in_notices_and_the_banner_go_on_in_the_next_line(
    open_window: OpenWindow, world: World
) -> None:
    window = open_window()
    name = "second_session_of_participant-07" * 4 + "x" * 80
    said = f"Saved /home/anna/{name}.png"
    window.notices.say(said)
    assert window.notices.texts == [said]
    world.engine.now = replace(world.engine.now, state=EngineState.ENDED, source=f"{name}.mp4")
    window.live.refresh_status()
    assert window.live.banner.text == f"{name}.mp4 has ended."
    for widget in (window.notices, window.live.banner):
        assert widget.minimumSizeHint().width() < 400


def test_no_face_waits_a_moment_before_it_is_said(
    open_window: OpenWindow, world: World, draw: Artist, clock: list[float]
) -> None:
    window = open_window()
    world.engine.result = draw.result(draw.face(1, (220, 120, 420, 320)))
    window.tick(at_once=True)
    world.engine.result = draw.result(index=1, at=101.0)
    window.tick(at_once=True)
    assert window.live.video.hint == ""
    clock[0] += 1.0
    window.live.refresh_status()
    assert window.live.video.hint == "No face in view"


def test_no_face_is_missed_in_a_pause_or_behind_another_workspace(
    open_window: OpenWindow, world: World, draw: Artist, clock: list[float]
) -> None:
    window = open_window()
    world.engine.result = draw.result(draw.face(1, (220, 120, 420, 320)))
    window.tick(at_once=True)
    video, pause = window.live.video, window.live.menu_actions.pause
    pause.trigger()
    clock[0] += 5.0
    window.live.refresh_status()
    assert video.hint == "Paused · Space goes on"
    pause.trigger()
    assert video.hint == ""
    for needed in (False, True):  # the engine goes on for a recording
        window.live.users.append(lambda needed=needed: needed)  # type: ignore[misc]
        window.show_workspace("review")
        clock[0] += 5.0
        window.live.refresh_status()
        window.show_workspace("live")
        assert video.hint == ""


def test_the_engines_rest_is_no_pause_of_the_users() -> None:
    resting = replace(RUNNING, state=EngineState.PAUSED)
    assert stage(resting, has_picture=True, no_face=True).hint == ""
    said = stage(resting, has_picture=True, no_face=True, asked_to_pause=True)
    assert said.hint == "Paused · Space goes on"


@pytest.mark.parametrize(
    ("finder", "advice"),
    [("haar", "Fewer overlays or the finder “Quick” may help."),
     ("mien-quick", "Fewer overlays may help.")],
)  # fmt: skip
def test_a_slow_machine_is_told_once(
    open_window: OpenWindow,
    world: World,
    clock: list[float],
    finder: str,
    advice: str,
) -> None:
    window = open_window()
    world.engine.now = replace(world.engine.now, latency_ms=400.0, finder=finder)
    said: list[str] = []
    say = window.live._speed._say

    def listen(sentence: str) -> None:
        said.append(sentence)
        say(sentence)

    window.live._speed._say = listen
    slow = world.engine.now
    for _ in range(3):
        for now in (replace(slow, latency_ms=5.0), slow, slow):
            world.engine.now = now
            window.live.refresh_status()
            clock[0] += 10.0
    assert len(said) == 1
    assert [text for text in window.notices.texts if "400 ms" in text] == window.notices.texts
    assert len(window.notices.texts) == 1
    assert window.notices.texts[0].endswith(advice)
