"""The analyse workspace on workers that do what a test says."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from pytestqt.qtbot import QtBot

from app.analysis.inputs import Input
from app.analysis.job import Job
from app.analysis.parts import AnalysisOptions
from app.analysis.workers import Tell
from app.errors import SettingsError
from app.gui.analyse_workspace import AnalyseWorkspace
from app.gui.window import MainWindow


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
