"""Everything the user can do, with its words, tooltip and shortcut, each made once."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QWidget

from app.settings import OVERLAYS, THEMES

_OVERLAY_WORDS = {
    "boxes": ("&Boxes", "O", "Frame each face with its label"),
    "landmarks": ("&Landmarks", "L", "Draw the 68 points of the face"),
    "attention": ("&Attention map", "A", "Tint the places that speak for the label"),
    "bars": ("B&ars", "B", "Draw a bar for every label beside the face"),
}
_THEME_WORDS = {"system": "As the &system", "dark": "&Dark", "light": "&Light"}


@dataclass(frozen=True, slots=True)
class Actions:
    """Hold the actions of the window by name."""

    open_file: QAction
    open_folder: QAction
    next_camera: QAction
    pause: QAction
    snapshot: QAction
    snapshot_as: QAction
    quit: QAction
    overlays: dict[str, QAction]
    mirror: QAction
    full_screen: QAction
    faces: QAction
    chart: QAction
    themes: dict[str, QAction]
    open_model: QAction
    model_card: QAction
    shortcuts: QAction
    meaning: QAction
    responsible: QAction
    about: QAction

    def all(self) -> list[QAction]:
        """Return every action, in the order of the menus."""
        return [
            self.open_file, self.open_folder, self.next_camera, self.pause, self.snapshot,
            self.snapshot_as, self.quit, *self.overlays.values(), self.mirror, self.full_screen,
            self.faces, self.chart, *self.themes.values(), self.open_model, self.model_card,
            self.shortcuts, self.meaning, self.responsible, self.about,
        ]  # fmt: skip


def make_actions(window: QWidget) -> Actions:
    """Make the actions and give them to the window, so that their shortcuts work in it."""

    def make(text: str, keys: str, tip: str, *, toggles: bool = False) -> QAction:
        action = QAction(text, window)
        action.setCheckable(toggles)
        action.setShortcut(QKeySequence(keys))
        action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
        action.setAutoRepeat(False)
        # Else macOS goes by the words and takes "About this model" for "About Mien".
        action.setMenuRole(QAction.MenuRole.NoRole)
        shown = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        action.setToolTip(f"{tip} ({shown})" if shown else tip)
        window.addAction(action)
        return action

    themes = {
        name: make(_THEME_WORDS[name], "", "Colours of the window", toggles=True) for name in THEMES
    }
    group = QActionGroup(window)
    for action in themes.values():
        group.addAction(action)
    made = Actions(
        open_file=make("&Open video or image…", "Ctrl+O", "Play a video file or an image"),
        open_folder=make("Open &folder of images…", "Ctrl+Shift+O", "Show the images of a folder"),
        next_camera=make("Next &camera", "C", "Use the next camera"),
        pause=make("&Pause", "Space", "Stop at this frame, or go on", toggles=True),
        snapshot=make("&Save snapshot", "S", "Save the picture as a PNG file"),
        snapshot_as=make("Save snapshot &as…", "Ctrl+Shift+S", "Save the picture where you say"),
        quit=make("&Quit", "Ctrl+Q", "Close Mien"),
        overlays={name: make(*_OVERLAY_WORDS[name], toggles=True) for name in OVERLAYS},
        mirror=make("&Mirror", "M", "Swap left and right as a mirror does", toggles=True),
        full_screen=make("&Full screen", "F11", "Fill the screen", toggles=True),
        faces=make("F&aces", "F8", "Show the cards of the faces", toggles=True),
        chart=make("&Chart", "F9", "Show the chart of the last minute", toggles=True),
        themes=themes,
        open_model=make("&Open model file…", "Ctrl+M", "Use a model of your own"),
        model_card=make("&About this model", "Ctrl+I", "What this model is, and its limits"),
        shortcuts=make("&Keyboard shortcuts", "F1", "All shortcuts"),
        meaning=make("&What the numbers mean", "Shift+F1", "What is shown, and what it is not"),
        responsible=make("&Responsible use", "", "What Mien is not for"),
        about=make("&About Mien", "", "Version and licences"),
    )
    made.quit.setMenuRole(QAction.MenuRole.QuitRole)
    made.about.setMenuRole(QAction.MenuRole.AboutRole)
    made.full_screen.setShortcuts(_full_screen_keys())
    return made


def _full_screen_keys() -> list[QKeySequence]:
    keys = [QKeySequence("F11")]
    system = QKeySequence(QKeySequence.StandardKey.FullScreen)
    return keys if system.isEmpty() or system in keys else [*keys, system]
