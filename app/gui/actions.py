"""Everything the user can do, with its words, tooltip and shortcut, each made once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QWidget

from app.settings import OVERLAYS, THEMES, WORKSPACES

_OVERLAY_WORDS = {
    "boxes": ("&Boxes", "O", "Frame each face with its label"),
    "landmarks": ("&Landmarks", "L", "Draw the 68 points of the face"),
    "attention": ("&Attention", "A", "Show on the face where the model finds its label"),
    "bars": ("B&ars", "B", "Draw a bar for every label beside the face"),
}
_WORKSPACE_WORDS = {
    "live": ("&Live", "Ctrl+1", "See what a camera or a file shows now"),
    "analyse": ("&Analyse", "Ctrl+2", "Read many videos and images, one after the other"),
    "review": ("&Review", "Ctrl+3", "Look through a recorded session"),
}
_THEME_WORDS = {"system": "As the &system", "dark": "&Dark", "light": "&Light"}


@dataclass(frozen=True, slots=True)
class WindowActions:
    """Hold the actions that work in every workspace."""

    workspaces: dict[str, QAction]
    full_screen: QAction
    themes: dict[str, QAction]
    quit: QAction
    shortcuts: QAction
    meaning: QAction
    responsible: QAction
    about: QAction

    def all(self) -> list[QAction]:
        """Return every action, in the order of the menus."""
        return [
            *self.workspaces.values(), self.full_screen, *self.themes.values(), self.quit,
            self.shortcuts, self.meaning, self.responsible, self.about,
        ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Actions:
    """Hold the actions of the live workspace by name."""

    open_file: QAction
    open_folder: QAction
    open_screen: QAction
    open_network: QAction
    next_camera: QAction
    pause: QAction
    snapshot: QAction
    snapshot_as: QAction
    record: QAction
    record_options: QAction
    note: QAction
    markers: tuple[QAction, ...]
    streams: QAction
    triggers: QAction
    study: QAction
    overlays: dict[str, QAction]
    next_view: QAction
    mirror: QAction
    faces: QAction
    chart: QAction
    open_model: QAction
    model_card: QAction

    def all(self) -> list[QAction]:
        """Return every action, in the order of the menus."""
        return [
            self.open_file, self.open_folder, self.open_screen, self.open_network,
            self.next_camera, self.pause, self.snapshot, self.snapshot_as, self.record,
            self.record_options, self.note, *self.markers, self.study, self.streams,
            self.triggers, *self.overlays.values(), self.next_view, self.mirror, self.faces,
            self.chart, self.open_model, self.model_card,
        ]  # fmt: skip


def make_action(
    owner: QWidget, text: str, keys: str, tip: str, *, toggles: bool = False
) -> QAction:
    """Make an action whose shortcut works while `owner` is shown in the active window."""
    action = QAction(text, owner)
    action.setCheckable(toggles)
    action.setShortcut(QKeySequence(keys))
    action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
    action.setAutoRepeat(False)
    # Else macOS goes by the words and takes "About this model" for "About Mien".
    action.setMenuRole(QAction.MenuRole.NoRole)
    shown = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
    action.setToolTip(f"{tip} ({shown})" if shown else tip)
    owner.addAction(action)
    return action


def make_window_actions(window: QWidget) -> WindowActions:
    """Make the actions that work in every workspace."""
    make = partial(make_action, window)
    themes = {
        name: make(_THEME_WORDS[name], "", "Colours of the window", toggles=True) for name in THEMES
    }
    workspaces = {name: make(*_WORKSPACE_WORDS[name], toggles=True) for name in WORKSPACES}
    for several in (themes, workspaces):
        group = QActionGroup(window)
        for action in several.values():
            group.addAction(action)
    made = WindowActions(
        workspaces=workspaces,
        full_screen=make("&Full screen", "F11", "Fill the screen", toggles=True),
        themes=themes,
        quit=make("&Quit", "Ctrl+Q", "Close Mien"),
        shortcuts=make("&Keyboard shortcuts", "F1", "All shortcuts"),
        meaning=make("&What the numbers mean", "Shift+F1", "What is shown, and what it is not"),
        responsible=make("&Responsible use", "", "What Mien is not for"),
        about=make("&About Mien", "", "Version and licences"),
    )
    made.quit.setMenuRole(QAction.MenuRole.QuitRole)
    made.about.setMenuRole(QAction.MenuRole.AboutRole)
    made.full_screen.setShortcuts(_full_screen_keys())
    return made


def make_actions(workspace: QWidget) -> Actions:
    """Make the actions of the live workspace."""
    make = partial(make_action, workspace)
    return Actions(
        open_file=make("&Open video or image…", "Ctrl+O", "Play a video file or an image"),
        open_folder=make("Open &folder of images…", "Ctrl+Shift+O", "Show the images of a folder"),
        open_screen=make("&Part of the screen…", "P", "Watch a part of the screen, such as a call"),
        open_network=make("Net&work camera…", "Ctrl+L", "Use a camera by its address"),
        next_camera=make("Next &camera", "C", "Use the next camera"),
        pause=make("&Pause", "Space", "Stop at this frame, or go on", toggles=True),
        snapshot=make("&Save snapshot", "S", "Save the picture as a PNG file"),
        snapshot_as=make("Save snapshot &as…", "Ctrl+Shift+S", "Save the picture where you say"),
        record=make("&Record", "R", "Record a session, or end it", toggles=True),
        record_options=make("Record &settings…", "Ctrl+R", "What a recording keeps, and where"),
        note=make("&Note…", "N", "Write a note at this moment of the recording"),
        markers=tuple(
            make(f"Marker &{key}", f"{key}", "Mark this moment of the recording")
            for key in range(1, 10)
        ),
        streams=make("S&treams…", "Ctrl+T", "Hand the numbers to other programs"),
        triggers=make("Tri&ggers…", "Ctrl+Shift+T", "Let an expression do something by itself"),
        study=make("R&un a study…", "Ctrl+U", "Show pictures and films to somebody, and record"),
        overlays={name: make(*_OVERLAY_WORDS[name], toggles=True) for name in OVERLAYS},
        next_view=make("Next attention &view", "Shift+A", "Show the reasons in the next way"),
        mirror=make("&Mirror", "M", "Swap left and right as a mirror does", toggles=True),
        faces=make("F&aces", "F8", "Show the cards of the faces", toggles=True),
        chart=make("&Chart", "F9", "Show the chart of the last minute", toggles=True),
        open_model=make("&Open model file…", "Ctrl+M", "Use a model of your own"),
        model_card=make("&About this model", "Ctrl+I", "What this model is, and its limits"),
    )


def _full_screen_keys() -> list[QKeySequence]:
    keys = [QKeySequence("F11")]
    system = QKeySequence(QKeySequence.StandardKey.FullScreen)
    return keys if system.isEmpty() or system in keys else [*keys, system]
