"""Everything the user can do in the analyse workspace, each made once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QWidget

from app.gui.actions import WindowActions, make_action
from app.gui.menus import add_shared_view


@dataclass(frozen=True, slots=True)
class AnalyseActions:
    """Hold the actions of the analyse workspace by name."""

    add_files: QAction
    add_folder: QAction
    remove: QAction
    clear: QAction
    output: QAction
    show_output: QAction
    start: QAction
    stop: QAction
    again: QAction
    review: QAction
    show_file: QAction

    def all(self) -> list[QAction]:
        """Return every action, in the order of the menus."""
        return [
            self.add_files, self.add_folder, self.remove, self.clear, self.output,
            self.show_output, self.start, self.stop, self.again, self.review, self.show_file,
        ]  # fmt: skip

    def of_row(self) -> list[QAction]:
        """Return what can be done with the chosen rows, in the order of their menu."""
        return [self.review, self.again, self.show_file, self.remove]


def make_analyse_actions(workspace: QWidget) -> AnalyseActions:
    """Make the actions."""
    make = partial(make_action, workspace)
    return AnalyseActions(
        add_files=make("&Add files…", "Ctrl+O", "Add videos and images to the list"),
        add_folder=make("Add &folder…", "Ctrl+Shift+O", "Add all videos and images of a folder"),
        remove=make("&Remove from list", "Del", "Take the chosen files out of the list"),
        clear=make("Remove &done", "Ctrl+Del", "Take all that is done out of the list"),
        output=make("&Results folder…", "Ctrl+Shift+S", "Choose where results go"),
        show_output=make("&Show results folder", "Ctrl+E", "Open the folder of results"),
        start=make("&Start", "Ctrl+Return", "Analyse what is in the list"),
        stop=make("S&top", "Ctrl+.", "Stop; what is done stays, and the rest can go on later"),
        again=make("R&etry", "", "Analyse the chosen files again that failed"),
        review=make("Open in &Review", "Ctrl+R", "Look through what came of the chosen file"),
        show_file=make("Show &in folder", "", "Open the folder in which the chosen file lies"),
    )


def analyse_menus(actions: AnalyseActions, shared: WindowActions, parent: QWidget) -> list[QMenu]:
    """Return File and View of the analyse workspace. shared: those of every workspace."""
    file = QMenu("&File", parent)
    file.addActions([actions.add_files, actions.add_folder])
    file.addSeparator()
    file.addActions([actions.review, actions.show_file, actions.remove, actions.clear])
    file.addSeparator()
    file.addActions([actions.start, actions.stop, actions.again])
    file.addSeparator()
    file.addActions([actions.output, actions.show_output])
    file.addSeparator()
    file.addAction(shared.quit)
    view = QMenu("&View", parent)
    add_shared_view(view, shared)
    return [file, view]
