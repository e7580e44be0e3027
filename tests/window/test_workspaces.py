from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from app.analysis.parts import AnalysisOptions
from app.gui.dialogs import PageDialog
from app.gui.shortcuts import shortcut_parts
from app.gui.window import MainWindow
from app.main import main
from app.settings import FINDERS, Settings, load_settings

if TYPE_CHECKING:
    from tests.window.conftest import Artist, World

pytestmark = pytest.mark.gui

OpenWindow = Callable[..., MainWindow]
CONTROL = Qt.KeyboardModifier.ControlModifier
NATIVE = QKeySequence.SequenceFormat.NativeText


def menus(window: MainWindow) -> list[str]:
    return [action.text().replace("&", "") for action in window.menuBar().actions()]


def pauses(world: World) -> list[bool]:
    return [bool(asked[1]) for asked in world.engine.asked if asked[0] == "paused"]


def test_keys_and_buttons_switch_workspaces(open_window: OpenWindow, world: World) -> None:
    window = open_window()
    assert window.workspace.name == "live"
    assert menus(window) == ["File", "View", "Model", "Help"]
    QTest.keyClick(window, Qt.Key.Key_3, CONTROL)
    assert window.workspace.name == "review"
    assert menus(window) == ["File", "Edit", "Play", "View", "Help"]
    assert window.status_text == "No session is open"
    assert window.review.isVisible()
    assert not window.live.isVisible()
    button = window.switch.buttons[0]
    assert button.text() == "Live"
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert window.workspace.name == "live"
    assert button.isChecked()
    assert "fps" in window.status_text


def test_shortcuts_belong_to_the_workspace_that_is_shown(
    open_window: OpenWindow, world: World
) -> None:
    window = open_window(Settings(theme="dark", overlays=()))
    window.show_workspace("review")
    QTest.keyClick(window.review, Qt.Key.Key_C)
    assert window.notices.texts == [], "no camera is looked for"
    QTest.keyClick(window.review, Qt.Key.Key_O)
    assert window.review.menu_actions.overlays["boxes"].isChecked()
    assert not window.live.menu_actions.overlays["boxes"].isChecked()
    QTest.keyClick(window, Qt.Key.Key_1, CONTROL)
    QTest.keyClick(window.live.video, Qt.Key.Key_L)
    assert window.live.video.overlay_names == ("landmarks",)
    assert not window.review.menu_actions.overlays["landmarks"].isChecked()


def test_the_engine_rests_while_nobody_looks(open_window: OpenWindow, world: World) -> None:
    window = open_window()
    window.show_workspace("review")
    assert pauses(world) == [True]
    window.show_workspace("live")
    assert pauses(world) == [True, False]


def test_a_pause_of_the_users_own_stays(open_window: OpenWindow, world: World) -> None:
    window = open_window()
    window.live.menu_actions.pause.trigger()
    window.show_workspace("review")
    window.show_workspace("live")
    assert pauses(world) == [True]
    window.live.menu_actions.pause.trigger()
    assert pauses(world) == [True, False]


def test_whoever_needs_results_gets_them_behind_another_workspace(
    open_window: OpenWindow, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = open_window()
    needed = [True]
    window.live.users.append(lambda: needed[0])
    window.show_workspace("review")
    assert pauses(world) == []
    needed[0] = False
    monkeypatch.setattr("app.gui.window.time.monotonic", lambda: 1e9)
    window.tick()
    assert pauses(world) == [True]


def test_nothing_is_drawn_behind_another_workspace(
    open_window: OpenWindow, world: World, draw: Artist
) -> None:
    window = open_window()
    window.show_workspace("review")
    world.engine.result = draw.result(draw.face(1, (220, 120, 420, 320)))
    window.tick(at_once=True)
    assert window.live.video.result is None
    window.show_workspace("live")
    window.tick(at_once=True)
    assert window.live.video.result is world.engine.result


def test_the_workspace_is_remembered(open_window: OpenWindow, world: World) -> None:
    window = open_window()
    window.show_workspace("review")
    window.close()
    settings, warnings = load_settings(world.settings_path)
    assert warnings == []
    assert settings.workspace == "review"
    again = open_window(settings)
    assert again.workspace.name == "review"


def test_an_engine_that_does_not_run_starts_when_live_is_shown(
    open_window: OpenWindow, world: World
) -> None:
    window = open_window(Settings(theme="dark", workspace="review"), engine_runs=False)
    assert ("start",) not in world.engine.asked
    window.show_workspace("live")
    window.show_workspace("review")
    window.show_workspace("live")
    assert world.engine.asked.count(("start",)) == 1


def test_notices_lie_over_the_workspace_that_is_shown(open_window: OpenWindow) -> None:
    window = open_window(notices=("one",))
    assert window.notices.parentWidget() is window.live.notice_area
    window.show_workspace("review")
    assert window.notices.parentWidget() is window.review.notice_area
    assert window.notices.isVisible()


@pytest.mark.parametrize("kept", [{}, {"review": (900, 380), "review_rows": (500, 300)}])
def test_sizes_of_what_was_never_shown_are_not_remembered(
    open_window: OpenWindow, world: World, kept: dict[str, tuple[int, ...]]
) -> None:
    window = open_window(Settings(theme="dark", splitters=kept))
    assert {window.analyse.laid_out, window.review.laid_out} == {False}  # made, and not shown
    window.close()
    settings, _ = load_settings(world.settings_path)
    assert set(settings.splitters) == {"main", "left", *kept}
    assert {name: settings.splitters[name] for name in kept} == kept
    review = open_window(Settings(theme="dark", workspace="review"))
    review.close()
    settings, _ = load_settings(world.settings_path)
    assert set(settings.splitters) == {"review", "review_rows"}


def test_the_page_of_shortcuts_is_by_workspace(open_window: OpenWindow) -> None:
    window = open_window()
    window.menu_actions.shortcuts.trigger()
    page = window.findChildren(PageDialog)[-1]
    text = page.page.toPlainText()
    for words in ("Everywhere", "Live", "Review", "Ctrl+3", "Next camera", "Forward one frame"):
        assert words in text, words
    assert (window._analyse, window._review) == (None, None), "they take seconds to load"
    page.close()


def test_the_page_of_shortcuts_uses_the_words_of_the_menus(open_window: OpenWindow) -> None:
    window = open_window()
    parts = shortcut_parts(window.menu_actions)
    for name, actions in (
        ("Everywhere", window.menu_actions.all()),
        ("Live", window.live.menu_actions.all()),
        ("Analyse", window.analyse.menu_actions.all()),
        ("Review", window.review.menu_actions.all()),
    ):
        rows = dict(parts[name])
        with_keys = [action for action in actions if action.shortcuts()]
        for action in with_keys:
            keys = ", ".join(one.toString(NATIVE) for one in action.shortcuts())
            said = "Set a marker" if keys.isdecimal() and keys != "0" else action.text()
            assert rows["1 to 9" if said == "Set a marker" else keys] == (
                said.replace("&", "").removesuffix("…")
            )


def test_a_dropped_session_is_reviewed_wherever_it_is_dropped(
    open_window: OpenWindow, world: World, tmp_path: Path
) -> None:
    (tmp_path / "session.json").write_text(json.dumps({"format": 99}))
    window = open_window()
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path))])
    window.dropEvent(
        QDropEvent(
            QPointF(10, 10), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
    )  # fmt: skip
    assert window.workspace.name == "review"


@pytest.mark.parametrize(
    ("name", "said"), [("gone", "cannot be found"), ("letter.txt", "expected a session, a video")]
)
def test_what_review_cannot_open_is_told_from_what_is_gone(
    open_window: OpenWindow, tmp_path: Path, name: str, said: str
) -> None:
    (tmp_path / "letter.txt").write_text("Dear all")
    window = open_window()
    window.show_workspace("review")
    window.open_path(str(tmp_path / name))
    (notice,) = window.notices.texts
    assert f'"{name}"' in notice
    assert said in notice


def test_review_opens_only_what_is_a_session(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.cli.start_checks.check_window", lambda: None)
    assert main(["--review", str(tmp_path)]) == 2
    assert "session.json" in capsys.readouterr().err
    assert main(["--review", str(tmp_path), "--source", "actor"]) == 2
    assert "--source" in capsys.readouterr().err


def test_review_analyses_with_what_the_other_workspaces_chose(
    open_window: OpenWindow, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = open_window()
    window.show_workspace("review")
    window.live.commands.use_model("acn.fer2013-4")
    world.engine.now = replace(world.engine.now, model="acn.fer2013-4")
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path / "results"))
    window.analyse.menu_actions.output.trigger()
    asked: list[tuple[Path, AnalysisOptions, Path | None]] = []
    monkeypatch.setattr(window.review.opener, "analyse", lambda *given: asked.append(given))
    film = tmp_path / "film.mp4"
    assert window.review.open_path(str(film))
    options = AnalysisOptions(model="acn.fer2013-4", finder=FINDERS[0])
    assert asked == [(film, options, tmp_path / "results")]


def test_what_is_asked_for_is_seen_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.cli.start_checks.check_window", lambda: None)
    monkeypatch.setenv("MIEN_CONFIG_DIR", str(tmp_path))
    shown: list[tuple[str, Path | None]] = []

    streamed: list[object] = []
    waited_for: list[list[str]] = []

    def run(_options: object, settings: Settings, *_: object, review: Path | None = None,
            streams: list[str], triggers: list[str]) -> int:  # fmt: skip
        shown.append((settings.workspace, review))
        streamed.append((streams, settings.streams))
        waited_for.append(triggers)
        return 0

    monkeypatch.setattr("app.gui.start.run_window", run)
    film = tmp_path / "film.mp4"
    film.write_bytes(b"")
    assert main(["--review", str(film)]) == 0
    assert main(["--source", "actor"]) == 0
    assert main([]) == 0
    assert main(["--stream", "osc"]) == 0
    assert main(["--trigger", "face,,1.0=marker:1"]) == 0
    assert shown == [("review", film), *[("live", None)] * 4]
    assert streamed == [([], ()), ([], ()), ([], ()), (["osc=127.0.0.1:9000"], ()), ([], ())]
    assert waited_for == [[], [], [], [], ["face,,1=marker:1"]]


def test_a_recent_session_on_a_drive_that_is_gone_makes_nothing_wait(
    open_window: Callable[..., MainWindow],
    tmp_path: Path,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "here").mkdir()
    paths = tuple(str(tmp_path / name) for name in ("gone", "here", "deleted"))
    answers = threading.Event()

    def look(path: Path) -> bool:
        return answers.wait(20) if path.name == "gone" else path.is_dir()

    monkeypatch.setattr("app.gui.review.recent.is_folder", look)
    window = open_window(Settings(theme="dark", recent_sessions=paths))
    window.show_workspace("review")
    assert not answers.is_set()

    def offered(*names: str) -> bool:
        window.tick()
        return [action.text() for action in window.review.recent.menu.actions()] == list(names)

    qtbot.waitUntil(lambda: offered("here"))
    assert window.settings_now().recent_sessions == paths, "all are remembered"
    answers.set()
    qtbot.waitUntil(lambda: offered("gone", "here"))
