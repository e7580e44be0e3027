"""Runs of the analyse workspace: what they show, what comes of them, and how they end."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.analysis.job import DONE, FAILED, Job, Outcome, Progress
from app.analysis.workers import Tell
from app.gui.analyse.table import OUTCOME, PROGRESS
from app.gui.analyse_workspace import AnalyseWorkspace
from tests.window.analyse_works import Works, start, texts, until, window_of

pytestmark = pytest.mark.gui

_UNPLAYABLE = f'"{Path("/data/two.mp4")}" cannot be played; choose another.'


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
