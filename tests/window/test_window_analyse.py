"""The analyse workspace, its list and its side."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QColor, QDesktopServices, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QPushButton
from pytestqt.qtbot import QtBot

from app.analysis.inputs import IMAGES, VIDEO, Input
from app.analysis.job import DONE, FAILED, SKIPPED, Job, Outcome, Progress
from app.analysis.parts import AnalysisOptions
from app.analysis.queue import Entry
from app.analysis.workers import Tell
from app.errors import SettingsError
from app.gui import analyse_workspace
from app.gui.analyse.table import LENGTH, NAME, OUTCOME, PROGRESS, outcome_text
from app.gui.analyse_workspace import AnalyseWorkspace
from app.gui.window import MainWindow
from app.settings import Settings, load_settings
from tests.review.strokes import roll_down

if TYPE_CHECKING:
    from tests.window.conftest import World

pytestmark = pytest.mark.gui

OpenWindow = Callable[..., MainWindow]
_UNPLAYABLE = f'"{Path("/data/two.mp4")}" cannot be played; choose another.'


class Works:
    """Stand in for the workers: plan at once, then do what the test says."""

    def __init__(self) -> None:
        self.asked: list[tuple[list[Input], Path, AnalysisOptions, int]] = []
        self.refusal = ""
        self.end = threading.Event()
        self.script: Callable[[Sequence[Job], Tell], None] = lambda jobs, tell: None
        self._workers = 0

    def plan(
        self, inputs: Sequence[Input], folder: Path, options: AnalysisOptions, *, resume: bool
    ) -> list[Job]:
        assert resume
        if self.refusal:
            raise SettingsError(self.refusal)
        folder.mkdir(parents=True, exist_ok=True)
        self.asked.append((list(inputs), folder, options, self._workers))
        return [
            Job(number, each, folder, each.name, options, {}) for number, each in enumerate(inputs)
        ]

    def runner(self, *, workers: int) -> Callable[..., None]:
        self._workers = workers

        def run(jobs: Sequence[Job], tell: Tell, stop: threading.Event) -> None:
            self.script(jobs, tell)
            while not (self.end.wait(0.005) or stop.is_set()):
                pass

        return run


@pytest.fixture
def works(monkeypatch: pytest.MonkeyPatch) -> Works:
    works = Works()
    monkeypatch.setattr(analyse_workspace, "plan", works.plan)
    monkeypatch.setattr(analyse_workspace, "runner", works.runner)
    return works


@pytest.fixture
def analyse(open_window: OpenWindow, works: Works, tmp_path: Path) -> AnalyseWorkspace:
    """Return the workspace, shown, with three inputs in its list."""
    settings = Settings(theme="dark", results_folder=str(tmp_path / "results"), analysis_workers=2)
    window = open_window(settings)
    window.show_workspace("analyse")
    stills = tuple(Path(f"/data/stills/{number}.png") for number in range(12))
    window.analyse.queue.add(
        [
            Input(VIDEO, Path("/data/one.mp4"), (Path("/data/one.mp4"),), 1500),
            Input(VIDEO, Path("/data/two.mp4"), (Path("/data/two.mp4"),), 0),
            Input(IMAGES, Path("/data/stills"), stills, 12),
        ]
    )
    window.analyse.refresh()
    return window.analyse


def window_of(analyse: AnalyseWorkspace) -> MainWindow:
    window = analyse.window()
    assert isinstance(window, MainWindow)
    return window


def until(qtbot: QtBot, analyse: AnalyseWorkspace, condition: Callable[[], bool]) -> None:
    def ticked() -> bool:
        window_of(analyse).tick(at_once=True)
        return condition()

    qtbot.waitUntil(ticked, timeout=10_000)


def texts(analyse: AnalyseWorkspace, column: int) -> list[str]:
    model = analyse.model
    return [str(model.data(model.index(row, column))) for row in range(model.rowCount())]


def start(qtbot: QtBot, analyse: AnalyseWorkspace) -> None:
    analyse.menu_actions.start.trigger()
    until(qtbot, analyse, lambda: analyse.queue.running)


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


def test_a_run_shows_what_comes_of_each(
    qtbot: QtBot, analyse: AnalyseWorkspace, works: Works, tmp_path: Path
) -> None:
    def script(jobs: Sequence[Job], tell: Tell) -> None:
        tell(Progress(0, 600))
        tell(Outcome(1, FAILED, note=_UNPLAYABLE))
        tell(Outcome(2, DONE, Path("/out/stills"), frames=12, faces=13, seen=11, most=2))

    works.script = script
    analyse.panel.every.setValue(5)
    start(qtbot, analyse)
    until(qtbot, analyse, lambda: analyse.queue.entries[2].finished)
    assert texts(analyse, PROGRESS) == ["40 %", "", "100 %"]
    assert texts(analyse, OUTCOME) == [
        "being analysed", "failed: cannot be played; choose another.",
        "11 of 12 images with a face · up to 2 at once",
    ]  # fmt: skip
    assert analyse.foot.said.text().startswith("2 of 3")
    assert analyse.foot.progress.value() == round(1000 * (600 + 12) / 1512)
    assert analyse.foot.stop.isVisible()
    assert not analyse.foot.start.isVisible()
    assert not analyse.panel.every.isEnabled()
    ((inputs, folder, options, workers),) = works.asked
    assert len(inputs) == 3
    assert (folder, options.every, workers) == (tmp_path / "results", 5, 2)
    analyse.table.selectRow(1)
    assert analyse.foot.detail.text() == _UNPLAYABLE
    analyse.menu_actions.stop.trigger()
    until(qtbot, analyse, lambda: not analyse.queue.running)
    assert texts(analyse, OUTCOME)[0] == "stopped"
    assert window_of(analyse).notices.texts[-1].startswith("1 done, 1 failed, 1 not done")
    assert window_of(analyse).status_text == "1 done  ·  1 failed  ·  1 to do"
    assert analyse.foot.start.text() == "Go on"
    works.script = lambda jobs, tell: None
    start(qtbot, analyse)
    assert [each.place.name for each in works.asked[1][0]] == ["one.mp4", "two.mp4"]
    works.end.set()


def test_what_failed_says_why_first_beside_a_sign(
    qtbot: QtBot, analyse: AnalyseWorkspace, works: Works
) -> None:
    works.script = lambda jobs, tell: tell(Outcome(1, FAILED, note=_UNPLAYABLE))
    start(qtbot, analyse)
    until(qtbot, analyse, lambda: analyse.queue.entries[1].status == FAILED)
    failed, waiting = (analyse.model.index(row, OUTCOME) for row in (1, 0))
    assert failed.data(Qt.ItemDataRole.ToolTipRole) == _UNPLAYABLE
    sign = failed.data(Qt.ItemDataRole.DecorationRole).pixmap(20).toImage()
    danger = QColor(analyse.host.theme.tokens.danger).rgb()
    assert danger in {sign.pixel(x, y) for x in range(sign.width()) for y in range(sign.height())}
    assert waiting.data(Qt.ItemDataRole.DecorationRole) is None
    works.end.set()


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


def test_after_a_run_what_is_done_is_chosen_and_its_review_comes_first(
    qtbot: QtBot, analyse: AnalyseWorkspace, works: Works
) -> None:
    def script(jobs: Sequence[Job], tell: Tell) -> None:
        for job in jobs:
            status = FAILED if job.source.place.name == "two.mp4" else DONE
            tell(Outcome(job.number, status, Path("/out") / job.name if status == DONE else None))

    works.script = script
    foot = analyse.foot
    assert foot.start.property("primary")
    start(qtbot, analyse)
    works.end.set()
    until(qtbot, analyse, lambda: not analyse.queue.running)
    assert [entry.source.place.name for entry in analyse.table.chosen] == ["one.mp4"]
    assert foot.review.property("primary")
    assert not foot.start.property("primary")
    assert foot.start.text() == "Retry failed"
    assert not analyse.menu_actions.again.isEnabled()
    analyse.table.selectRow(1)
    assert foot.start.property("primary")
    analyse.menu_actions.again.trigger()
    until(qtbot, analyse, lambda: len(works.asked) == 2 and not analyse.queue.running)
    assert [each.place.name for each in works.asked[1][0]] == ["two.mp4"]


def test_what_is_done_opens_in_review(
    qtbot: QtBot, analyse: AnalyseWorkspace, works: Works
) -> None:
    works.script = lambda jobs, tell: tell(Outcome(0, DONE, Path("/out/one"), frames=3, faces=3))
    start(qtbot, analyse)
    until(qtbot, analyse, lambda: analyse.queue.entries[0].finished)
    analyse.review_requested.disconnect()
    heard: list[str] = []
    analyse.review_requested.connect(heard.append)
    analyse.table.selectRow(1)
    assert not analyse.menu_actions.review.isEnabled()
    analyse.table.selectRow(0)
    assert analyse.menu_actions.review.isEnabled()
    analyse.menu_actions.review.trigger()
    QTest.keyClick(analyse.table, Qt.Key.Key_Return)
    assert heard == [str(Path("/out/one"))] * 2
    works.end.set()


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


def test_the_selection_stays_while_figures_change(
    qtbot: QtBot, analyse: AnalyseWorkspace, works: Works
) -> None:
    works.script = lambda jobs, tell: tell(Progress(0, 300))
    analyse.table.selectRow(2)
    start(qtbot, analyse)
    until(qtbot, analyse, lambda: texts(analyse, PROGRESS)[0] == "20 %")
    assert [entry.source.place.name for entry in analyse.table.chosen] == ["stills"]
    works.end.set()


def test_a_refusal_is_said_and_nothing_runs(
    qtbot: QtBot, analyse: AnalyseWorkspace, works: Works
) -> None:
    works.refusal = "The folder cannot be made."
    analyse.menu_actions.start.trigger()
    until(qtbot, analyse, lambda: bool(window_of(analyse).notices.texts))
    assert window_of(analyse).notices.texts == ["The folder cannot be made."]
    assert analyse.menu_actions.start.isEnabled()
    assert not analyse.queue.running


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


def test_what_is_added_meanwhile_is_done_next(
    qtbot: QtBot, analyse: AnalyseWorkspace, works: Works, tmp_path: Path
) -> None:
    (tmp_path / "late.png").write_bytes(b"")

    def do_all(jobs: Sequence[Job], tell: Tell) -> None:
        for job in jobs:
            tell(Outcome(job.number, DONE, Path("/out") / job.name))

    works.script = do_all
    start(qtbot, analyse)
    analyse.add([str(tmp_path / "late.png")])
    until(qtbot, analyse, lambda: len(analyse.queue.entries) == 4)
    works.end.set()
    until(qtbot, analyse, lambda: len(works.asked) == 2 and not analyse.queue.unfinished)
    assert len(works.asked[1][0]) == 1


def test_what_is_added_while_a_run_is_given_up_waits_for_the_user(
    qtbot: QtBot, analyse: AnalyseWorkspace, works: Works, tmp_path: Path
) -> None:
    gate = threading.Event()

    def end_late(_jobs: Sequence[Job], _tell: Tell) -> None:
        gate.wait(20)

    works.script = end_late
    (tmp_path / "late.png").write_bytes(b"")
    start(qtbot, analyse)
    analyse.menu_actions.stop.trigger()
    assert not analyse.menu_actions.stop.isEnabled()
    analyse.add([str(tmp_path / "late.png")])
    until(qtbot, analyse, lambda: len(analyse.queue.entries) == 4)
    gate.set()
    until(qtbot, analyse, lambda: not analyse.queue.running)
    assert analyse.menu_actions.start.isEnabled()
    start(qtbot, analyse)
    assert analyse.menu_actions.stop.isEnabled()
    works.end.set()


def test_what_failed_waits_for_the_user(
    qtbot: QtBot, analyse: AnalyseWorkspace, works: Works, tmp_path: Path
) -> None:
    (tmp_path / "late.png").write_bytes(b"")

    def fail_first(jobs: Sequence[Job], tell: Tell) -> None:
        for job in jobs:
            failed = len(jobs) > 1 and job.number == 0
            tell(Outcome(job.number, FAILED if failed else DONE, Path("/out") / job.name))

    works.script = fail_first
    start(qtbot, analyse)
    analyse.add([str(tmp_path / "late.png")])
    until(qtbot, analyse, lambda: len(analyse.queue.entries) == 4)
    analyse.add([str(tmp_path / "late.png")])
    until(qtbot, analyse, lambda: bool(window_of(analyse).notices.texts))  # it is there already
    works.end.set()
    until(qtbot, analyse, lambda: [one.status for one in analyse.queue.unfinished] == [FAILED])
    assert [len(asked[0]) for asked in works.asked] == [3, 1]


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


def test_closing_the_window_ends_the_run(
    qtbot: QtBot, analyse: AnalyseWorkspace, works: Works
) -> None:
    start(qtbot, analyse)
    window_of(analyse).close_at_once()
    assert not [each for each in threading.enumerate() if each.name == "mien-batch"]


def test_closing_the_window_keeps_the_lines_of_what_is_done(
    qtbot: QtBot, analyse: AnalyseWorkspace, works: Works, tmp_path: Path
) -> None:
    works.script = lambda jobs, tell: tell(Outcome(0, DONE, jobs[0].folder / "one", frames=3))
    start(qtbot, analyse)
    until(qtbot, analyse, lambda: analyse.queue.state.count(DONE) == 1)
    window_of(analyse).close_at_once()
    lines = (tmp_path / "results" / "summary.csv").read_text(encoding="utf-8").splitlines()
    assert [line.split(",")[1] for line in lines] == ["status", "done", "stopped", "stopped"]


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
