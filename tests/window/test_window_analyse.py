"""The analyse workspace: its list, its side, and what is chosen there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDesktopServices, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QPushButton
from pytestqt.qtbot import QtBot

from app.analysis.inputs import IMAGES, VIDEO, Input
from app.analysis.job import DONE, SKIPPED, Outcome
from app.analysis.queue import Entry
from app.gui.analyse.table import LENGTH, NAME, OUTCOME, outcome_text
from app.gui.analyse_workspace import AnalyseWorkspace
from app.gui.window import MainWindow
from app.settings import Settings, load_settings
from tests.review.strokes import roll_down
from tests.window.analyse_works import Works, start, texts, until, window_of

if TYPE_CHECKING:
    from tests.window.conftest import World

pytestmark = pytest.mark.gui

OpenWindow = Callable[..., MainWindow]


def test_an_empty_list_says_how_to_begin(open_window: OpenWindow, works: Works) -> None:
    window = open_window()
    window.show_workspace("analyse")
    analyse = window.analyse
    assert analyse.empty.isVisible()
    assert not analyse.foot.isVisible()
    assert analyse.empty.add_files.hasFocus()
    assert not analyse.menu_actions.start.isEnabled()
    assert window.status_text == "Nothing to analyse"


def test_the_list_names_what_there_is(analyse: AnalyseWorkspace) -> None:
    assert texts(analyse, NAME) == ["one.mp4", "two.mp4", "stills (images)"]
    assert texts(analyse, LENGTH) == ["1,500 frames", "", "12 images"]
    assert texts(analyse, OUTCOME) == ["waiting"] * 3
    window_of(analyse).tick(at_once=True)
    assert window_of(analyse).status_text == "3 to do"


def test_the_list_is_painted_without_asking_the_disk(
    analyse: AnalyseWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Path] = []

    def resolve(path: Path) -> Path:
        asked.append(path)
        return path

    monkeypatch.setattr(Path, "resolve", resolve)
    analyse.table.grab()
    assert asked == []


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (Outcome(0, DONE, Path("/o"), "", 75, 75, 75, 1), "75 of 75 frames with a face"),
        (Outcome(0, DONE, Path("/o"), frames=75), "no face on 75 frames"),
        (Outcome(0, DONE, Path("/o"), frames=1, faces=2, seen=1, most=2), "2 faces"),
        (Outcome(0, SKIPPED, Path("/o"), frames=1), "there already · no face"),
        (Outcome(0, DONE, Path("/o"), "2 are damaged.", 1), "no face. 2 are damaged."),
    ],
)  # fmt: skip
def test_an_outcome_counts_frames_and_takes_no_row_for_a_person(
    outcome: Outcome, said: str
) -> None:
    source = Input(VIDEO, Path("/data/one.mp4"), (Path("/data/one.mp4"),), 75)
    assert outcome_text(Entry(0, source, outcome.status, outcome=outcome)) == said


def test_an_image_alone_keeps_its_name(analyse: AnalyseWorkspace) -> None:
    alone = Path("/data/stills/7.png")
    analyse.queue.add([Input(IMAGES, alone.parent, (alone,), 1)])
    analyse.refresh()
    assert texts(analyse, NAME)[-1] == "7.png"
    tip = analyse.model.index(3, NAME).data(Qt.ItemDataRole.ToolTipRole)
    assert tip == str(alone)


def test_buttons_and_a_menu_change_the_list(
    qtbot: QtBot, analyse: AnalyseWorkspace, works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    buttons = {button.text(): button for button in analyse.bar.findChildren(QPushButton)}
    assert list(buttons) == ["Add files…", "Add folder…", "Remove from list"]
    assert not buttons["Remove from list"].isEnabled()
    analyse.table.selectRow(1)
    buttons["Remove from list"].click()
    assert texts(analyse, NAME) == ["one.mp4", "stills (images)"]
    acts = analyse.menu_actions
    assert analyse.table.contextMenuPolicy() == Qt.ContextMenuPolicy.ActionsContextMenu
    assert analyse.table.actions() == [acts.review, acts.again, acts.show_file, acts.remove]
    shown: list[QUrl] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", shown.append)
    analyse.table.selectRow(0)
    acts.show_file.trigger()
    assert shown == [QUrl.fromLocalFile(str(Path("/data")))]


def test_rows_are_taken_out_but_for_those_at_work(
    qtbot: QtBot, analyse: AnalyseWorkspace, works: Works
) -> None:
    analyse.table.selectRow(1)
    analyse.table.setFocus()
    QTest.keyClick(analyse.table, Qt.Key.Key_Delete)
    assert texts(analyse, NAME) == ["one.mp4", "stills (images)"]
    assert [entry.source.place.name for entry in analyse.table.chosen] == ["stills"]
    start(qtbot, analyse)
    assert not analyse.menu_actions.remove.isEnabled()
    works.end.set()


def test_files_are_dropped_and_chosen(
    qtbot: QtBot, open_window: OpenWindow, works: Works, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    window = open_window()
    window.show_workspace("analyse")
    analyse = window.analyse
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(b"")
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path / "a.png"))])
    analyse.dropEvent(
        QDropEvent(
            QPointF(5, 5), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
    )  # fmt: skip
    until(qtbot, analyse, lambda: len(analyse.queue.entries) == 1)
    assert analyse.table.isVisible()
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_: ([str(tmp_path / "b.png")], ""))
    analyse.menu_actions.add_files.trigger()
    until(qtbot, analyse, lambda: len(analyse.queue.entries) == 2)
    analyse.add([str(tmp_path / "nothing.mp4")])
    until(qtbot, analyse, lambda: bool(window.notices.texts))
    assert "nothing.mp4" in window.notices.texts[-1]


def test_choices_are_remembered(
    analyse: AnalyseWorkspace, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = str(tmp_path / "elsewhere")
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: chosen)
    analyse.menu_actions.output.trigger()
    assert analyse.panel.output.toolTip() == chosen
    analyse.panel.workers.setValue(5)
    window_of(analyse).close()
    stored, _ = load_settings(world.settings_path)
    assert (stored.results_folder, stored.analysis_workers) == (chosen, 5)


def test_a_long_name_of_the_folder_widens_nothing(analyse: AnalyseWorkspace, qtbot: QtBot) -> None:
    panel = analyse.panel
    panel.set_output(Path("/data") / "2026-11-29_emotion_study_pilot_results" / ("x" * 90))
    for _ in range(3):
        window_of(analyse).tick(at_once=True)
        QTest.qWait(20)
    inside = panel.widget()
    assert inside is not None
    assert inside.width() <= panel.viewport().width()
    assert "…" in panel.output.text()


def test_the_wheel_scrolls_and_changes_no_choice_without_the_focus(
    open_window: OpenWindow, works: Works, qtbot: QtBot
) -> None:
    window = open_window(Settings(theme="dark", analysis_workers=2), size=(720, 540))
    window.show_workspace("analyse")
    panel = window.analyse.panel
    qtbot.waitUntil(lambda: panel.verticalScrollBar().maximum() > 0)
    before = panel.options(None)
    for control in (panel.model, panel.finder, panel.every, panel.workers, panel.table):
        panel.ensureWidgetVisible(control)
        roll_down(control)
        assert panel.options(None) == before
        assert panel.workers.value() == 2
        assert panel.verticalScrollBar().value() > 0
        assert not control.hasFocus()
    panel.ensureWidgetVisible(panel.finder)
    panel.finder.setFocus()
    roll_down(panel.finder)
    assert panel.options(None) != before


@pytest.mark.parametrize("size", [(800, 600), (1280, 800)])
def test_every_control_is_reached_and_named(
    open_window: OpenWindow, works: Works, size: tuple[int, int]
) -> None:
    window = open_window(size=size)
    window.show_workspace("analyse")
    panel = window.analyse.panel
    for control in (panel.model, panel.finder, panel.every, panel.workers, panel.table):
        assert control.accessibleName()
        assert control.toolTip()
        assert control.width() <= panel.viewport().width()
    for action in window.analyse.menu_actions.all():
        assert action.toolTip()
