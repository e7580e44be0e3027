"""The analyse workspace: a list of files that are worked off one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QMenu,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.analysis.batch import WAITING
from app.analysis.inputs import Input, find_inputs
from app.analysis.job import FAILED, Job
from app.analysis.plan import plan, runner
from app.analysis.queue import AnalysisQueue, Entry
from app.analysis.summary import progress_line, total_line, write_summary
from app.errors import UserError
from app.gui import dialogs
from app.gui.analyse.actions import analyse_menus, make_analyse_actions
from app.gui.analyse.bar import ListBar
from app.gui.analyse.empty import EmptyPage
from app.gui.analyse.foot import Foot
from app.gui.analyse.panel import OptionsPanel
from app.gui.analyse.table import EntryModel, EntryTable, outcome_sentence
from app.gui.drops import dropped_files, let_in
from app.gui.places import analyses_folder, open_place
from app.gui.workspace import Host, Workspace
from app.settings import Settings
from models.runtime.base_rates import BaseRates
from models.runtime.files import is_file, is_folder

_POLL_SECONDS = 0.1
_CLOSE_SECONDS = 10.0


class AnalyseWorkspace(Workspace):
    """Take videos, images and folders, and make a session of each.

    review_requested: with the folder of a session to look through.
    """

    review_requested = Signal(str)
    name = "analyse"

    def __init__(self, settings: Settings, host: Host) -> None:
        super().__init__(host)
        self.queue = AnalysisQueue()
        self._polled_at = float("-inf")
        self._adding = 0
        self._planning = self._go_on = self._stopping = False
        self._yunet_file = Path(settings.yunet_file) if settings.yunet_file else None
        self._folder = self._run_folder = Path(settings.results_folder or analyses_folder())
        self.setAcceptDrops(True)
        self.menu_actions = make_analyse_actions(self)
        self.model = EntryModel(host.theme)
        self.table = EntryTable(self.model, host.theme, self.menu_actions.of_row())
        self.panel = OptionsPanel(host.around.models, self.menu_actions.output, host.theme)
        self.empty = EmptyPage(self.menu_actions)
        self._menus = analyse_menus(self.menu_actions, host.actions, host.window)
        self._build()
        self._connect()
        if settings.analysis_workers:
            self.panel.workers.setValue(settings.analysis_workers)
        if settings.model:
            self.panel.use_model(settings.model)
        self.panel.use_base_rates(BaseRates.parse(settings.base_rates))
        self.panel.finder.setCurrentIndex(max(0, self.panel.finder.findData(settings.finder)))
        self.panel.set_output(self._folder)
        self.refresh()

    @property
    def menus(self) -> list[QMenu]:
        return self._menus

    @property
    def status_text(self) -> str:
        return self._told

    @property
    def notice_area(self) -> QWidget:
        return self._pages

    def enter(self) -> None:
        (self.table if self.queue.entries else self.empty.add_files).setFocus()
        self.refresh()

    def tick(self, now: float, *, at_once: bool = False) -> None:
        if self.queue.running and (at_once or now - self._polled_at >= _POLL_SECONDS):
            self._polled_at = now
            ended = self.queue.poll()
            self.refresh()
            if ended:
                self._after_run()

    def open_path(self, path: str) -> bool:
        self.add([path])
        return True

    def changed_settings(self, settings: Settings) -> Settings:
        usual = self._folder == analyses_folder()
        return replace(
            settings,
            results_folder=None if usual else str(self._folder),
            analysis_workers=self.panel.workers.value(),
        )

    @property
    def unfinished(self) -> str:
        going_on = "Files are being analysed. Those that are done are kept, the others are not."
        return going_on if self.queue.running else ""

    def close_down(self) -> None:
        going_on = self.queue.running
        self.queue.close(_CLOSE_SECONDS)
        if going_on:
            self.queue.poll()
            self._write_summary()

    def add(self, paths: Sequence[str]) -> None:
        """Put files and folders into the list; looking through them is done aside."""
        words = [str(path) for path in paths]
        self._adding += 1

        def found(inputs: list[Input]) -> None:
            self._adding -= 1
            new = self.queue.add(inputs)
            if not new:
                self.host.notices.say("All of that is in the list already.")
            self.refresh()
            if new and (self.queue.running or self._planning) and not self._stopping:
                self._go_on = True

        def failed(sentence: str) -> None:
            self._adding -= 1
            self.host.warn(sentence)
            self.refresh()

        self.host.jobs.submit(lambda: find_inputs(words, leave_out=self._folder), found, failed)
        self.refresh()

    def start(self) -> None:
        """Analyse all that is not done, what failed before included."""
        self._start(self.queue.unfinished)

    def _start(self, entries: Sequence[Entry]) -> None:
        if not entries or self.queue.running or self._planning or not self._has_finder():
            return
        options, folder = self.panel.options(self._yunet_file), self._folder
        self._run_folder = folder
        run = runner(workers=self.panel.workers.value())
        self._planning = True

        def planned(jobs: list[Job]) -> None:
            self._planning = False
            self.queue.begin(entries, jobs, run)
            self.refresh()

        sources = [entry.source for entry in entries]
        self.host.jobs.submit(
            lambda: plan(sources, folder, options, resume=True), planned, self._refused
        )
        self.refresh()

    def stop(self) -> None:
        """Give up what runs; what is done stays."""
        self._go_on, self._stopping = False, self.queue.running
        self.queue.stop()
        self.refresh()

    def refresh(self) -> None:
        """Bring everything that is shown up to date."""
        queue, acts = self.queue, self.menu_actions
        self._told = _summary(queue.entries) or "Nothing to analyse"
        self.model.set_entries(queue.entries)
        busy = queue.running or self._planning
        self._pages.setCurrentWidget(self.table if queue.entries else self.empty)
        self.bar.setVisible(bool(queue.entries))
        self.foot.setVisible(bool(queue.entries or self._adding))
        self.panel.set_running(busy)
        todo = queue.unfinished
        acts.start.setText(_start_word(todo))
        acts.start.setEnabled(bool(todo) and not busy)
        acts.output.setEnabled(not busy)
        acts.stop.setEnabled(queue.running and not self._stopping)
        self.foot.show_running(busy)
        acts.clear.setEnabled(any(entry.finished for entry in queue.entries))
        if self._planning:
            self.foot.show_whole(-1.0, "Looking at what is to do…")
        elif self._adding:
            self.foot.show_whole(-1.0, "Looking through what you added…")
        elif queue.running:
            self.foot.show_whole(queue.state.share, progress_line(queue.state))
        else:
            self.foot.show_whole(None, "")
        self._refresh_chosen()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        let_in(event)

    def dropEvent(self, event: QDropEvent) -> None:
        if paths := dropped_files(event):
            self.add(paths)

    def _build(self) -> None:
        self.bar = ListBar(self.menu_actions)
        self.foot = Foot(self.menu_actions)
        self._pages = QStackedWidget()
        self._pages.addWidget(self.empty)
        self._pages.addWidget(self.table)
        left = QWidget()
        rows = QVBoxLayout(left)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        rows.addWidget(self.bar)
        rows.addWidget(self._pages, 1)
        rows.addWidget(self.foot)
        edge = QFrame()
        edge.setObjectName("separator")
        edge.setFixedWidth(1)
        whole = QHBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(left, 1)
        whole.addWidget(edge)
        whole.addWidget(self.panel)

    def _connect(self) -> None:
        acts = self.menu_actions
        acts.add_files.triggered.connect(self._add_files)
        acts.add_folder.triggered.connect(self._add_folder)
        acts.remove.triggered.connect(self._remove_chosen)
        acts.clear.triggered.connect(
            lambda: self._remove([each for each in self.queue.entries if each.finished])
        )
        acts.output.triggered.connect(self._choose_output)
        acts.show_output.triggered.connect(self._show_output)
        acts.start.triggered.connect(self.start)
        acts.stop.triggered.connect(self.stop)
        acts.again.triggered.connect(lambda: self._start(_failed(self.table.chosen)))
        acts.review.triggered.connect(self._review_chosen)
        acts.show_file.triggered.connect(self._show_file)
        self.panel.own_model.connect(self._open_model)
        self.table.opened.connect(self._review)
        self.table.selectionModel().selectionChanged.connect(self._refresh_chosen)
        self.model.modelReset.connect(self._refresh_chosen)

    def _refresh_chosen(self) -> None:
        chosen, acts = self.table.chosen, self.menu_actions
        busy = self.queue.running or self._planning
        acts.remove.setEnabled(any(not each.planned for each in chosen) and not self._planning)
        acts.review.setEnabled(len(chosen) == 1 and _folder_of(chosen[0]) is not None)
        acts.again.setEnabled(bool(_failed(chosen)) and not busy)
        acts.show_file.setEnabled(len(chosen) == 1)
        todo = self.queue.unfinished
        self.foot.show_next(review=acts.review.isEnabled() and todo == _failed(todo))
        detail = ""
        if len(chosen) == 1:
            text = outcome_sentence(chosen[0])
            detail = text if chosen[0].status == FAILED else f"{chosen[0].source.shown}: {text}"
        self.foot.show_detail(detail)

    def _has_finder(self) -> bool:
        """Ask for YuNet's file where it is needed and not known; say whether there is one now."""
        if self.panel.finder.currentData() != "yunet":
            return True
        if self._yunet_file is None or not is_file(self._yunet_file):
            chosen = dialogs.choose_model(self.host.window, "Where is the YuNet model file?")
            self._yunet_file = Path(chosen) if chosen else None
        return self._yunet_file is not None

    def _refused(self, sentence: str) -> None:
        self._planning = False
        if self.panel.finder.currentData() == "yunet":
            self._yunet_file = None  # it may be what was refused: the next start asks
        self.host.warn(sentence)
        self.refresh()

    def _after_run(self) -> None:
        state, self._stopping = self.queue.state, False
        if state.error:
            self.host.warn(state.error)
        else:
            self.host.notices.say(f"{total_line(state).capitalize()}.")
        self._write_summary()
        self._choose_done()
        go_on, self._go_on = self._go_on and not state.error, False
        if go_on:
            added = [entry for entry in self.queue.unfinished if entry.status == WAITING]
            self._start(added)

    def _choose_done(self) -> None:
        """Choose the first row that is done, unless one that is done is chosen already."""
        done = [row for row, entry in enumerate(self.queue.entries) if entry.finished]
        if done and not any(entry.finished for entry in self.table.chosen):
            self.table.selectRow(done[0])

    def _write_summary(self) -> None:
        try:
            write_summary(self.queue.state, self._run_folder)
        except UserError as error:
            self.host.warn(str(error))

    def _remove_chosen(self) -> None:
        self._remove(self.table.chosen)

    def _remove(self, entries: Sequence[Entry]) -> None:
        row = self.table.currentIndex().row()
        self.queue.remove({entry.number for entry in entries})
        self.refresh()
        if self.queue.entries:
            self.table.selectRow(max(0, min(row, len(self.queue.entries) - 1)))
        else:
            self.empty.add_files.setFocus()

    def _review_chosen(self) -> None:
        for entry in self.table.chosen[:1]:
            self._review(entry.number)

    def _review(self, number: int) -> None:
        entry = next((each for each in self.queue.entries if each.number == number), None)
        folder = _folder_of(entry) if entry is not None else None
        if folder is not None:
            self.review_requested.emit(str(folder))

    def _add_files(self) -> None:
        paths = dialogs.choose_inputs(self.host.window)
        if paths:
            self.add(paths)

    def _add_folder(self) -> None:
        path = dialogs.choose_folder(self.host.window, "Add folder")
        if path:
            self.add([path])

    def _open_model(self) -> None:
        path = dialogs.choose_model(self.host.window, "Model to analyse with")
        if path:
            self.panel.use_model(path)

    def _choose_output(self) -> None:
        path = dialogs.choose_folder(self.host.window, "Results go to", self._folder)
        if path:
            self._folder = Path(path)
            self.panel.set_output(self._folder)

    def _show_file(self) -> None:
        for entry in self.table.chosen[:1]:
            open_place(entry.source.paths[0].parent)

    def _show_output(self) -> None:
        if is_folder(self._folder):
            open_place(self._folder)
        else:
            self.host.notices.say("There are no results yet; they will make this folder.")


def _folder_of(entry: Entry) -> Path | None:
    return entry.outcome.folder if entry.outcome is not None else None


def _failed(entries: Sequence[Entry]) -> list[Entry]:
    return [entry for entry in entries if entry.status == FAILED]


def _start_word(todo: Sequence[Entry]) -> str:
    """Return what starting means for what is left."""
    if todo and todo == _failed(todo):
        return "&Retry failed"
    again = bool(todo) and all(entry.outcome is not None for entry in todo)
    return "&Go on" if again else "&Start"


def _summary(entries: Sequence[Entry]) -> str:
    """Return what is in the list, in one line."""
    done = sum(entry.finished for entry in entries)
    failed = sum(entry.status == FAILED for entry in entries)
    rest = len(entries) - done - failed
    counts = ((done, "done"), (failed, "failed"), (rest, "to do"))
    return "  ·  ".join(f"{count} {words}" for count, words in counts if count)
