"""The menus whose entries change: sources, models, face finders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QWidget

from app.gui.actions import Actions, WindowActions
from app.gui.help_texts import model_name
from app.gui.keys import without_key
from app.gui.model_choice import HEADING_TIP, by_question, choice_text, choice_tip
from app.gui.plain import plain_tip
from app.gui.theme import SMALL_PX, font
from app.live.capture import whole_spec
from app.sources import CameraInfo, is_network, is_screen
from models.runtime.store import ModelEntry

ACTOR = "actor"
ACTOR_NAME = "demo actor"
FINDER_WORDS = {
    "mien": "Standard: every face, turned and small ones too",
    "mien-quick": "Quick: faces at arm's length",
    "haar": "Haar cascade: faces from the front",
    "hog": "dlib HOG: steady, larger faces from the front",
    "yunet": "YuNet: also turned and small faces; needs its file",
}
LANDMARK_WORDS = {
    "landmarks68": "Standard: quick, also turned and covered faces",
    "dlib": "dlib: faces from the front",
}
FINDER_NAMES = {
    "mien": "Standard",
    "mien-quick": "Quick",
    "haar": "Haar cascade",
    "hog": "dlib HOG",
    "yunet": "YuNet",
}


def source_name(name: str) -> str:
    """Return what a button shows: the actor's name as in the menu, others as they are."""
    return name.capitalize() if name == ACTOR_NAME else name


def recent_names(paths: Sequence[str]) -> list[str]:
    """Return what files and folders are called; those of one name are told apart by their place."""
    names = [Path(path).name or path for path in paths]
    shown = names
    for place in (lambda path: path.parent.name, lambda path: str(path.parent)):
        times = Counter(shown)
        shown = [
            f"{name} in {place(Path(path))}" if times[text] > 1 else text
            for path, name, text in zip(paths, names, shown, strict=True)
        ]
    return shown


class ChoiceMenu(QMenu):
    """A menu of which one entry at most is checked; it is not rebuilt while it is open."""

    def __init__(self, title: str, parent: QWidget) -> None:
        super().__init__(title, parent)
        self._group = QActionGroup(self)
        self._group.setExclusionPolicy(QActionGroup.ExclusionPolicy.ExclusiveOptional)
        self._marked: QAction | None = None
        self._stale = False
        self.aboutToHide.connect(self._after_hiding)

    def refresh(self) -> None:
        """Build the entries anew, as soon as nobody looks at them."""
        if self.isVisible():
            self._stale = True
            return
        self._stale = False
        for action in self._group.actions():
            self._group.removeAction(action)
        self._marked = None
        self.clear()
        self.build()

    def build(self) -> None:
        """Add the entries."""
        raise NotImplementedError

    def add_heading(self, text: str, tip: str) -> None:
        """Add words above the entries that follow, which cannot be chosen."""
        heading = QAction(without_key(text), self)
        heading.setEnabled(False)
        heading.setFont(font(SMALL_PX, bold=True))
        heading.setToolTip(tip)
        self.addAction(heading)

    def add_choice(self, text: str, checked: bool, pick: Callable[[], None]) -> QAction:
        action = QAction(without_key(text), self)
        action.setCheckable(True)
        action.setChecked(checked)
        if checked:
            self._marked = action

        def picked() -> None:
            # The mark moves when the change has really been made.
            action.setChecked(False)
            if self._marked is not None:
                self._marked.setChecked(True)
            pick()

        action.triggered.connect(picked)
        self._group.addAction(action)
        self.addAction(action)
        return action

    def _after_hiding(self) -> None:
        if self._stale:
            self.refresh()


class SourceMenu(ChoiceMenu):
    """List cameras, the actor, the screen, files to open and those opened before."""

    def __init__(self, parent: QWidget, actions: Actions, pick: Callable[[str], None]) -> None:
        super().__init__("&Source", parent)
        self._actions = actions
        self._pick = pick
        self._cameras: tuple[CameraInfo, ...] | None = None
        self._recent: tuple[str, ...] = ()
        self._current = self._spec = ""
        self.refresh()

    @property
    def cameras(self) -> tuple[CameraInfo, ...]:
        return self._cameras or ()

    def set_cameras(self, cameras: Sequence[CameraInfo]) -> None:
        if tuple(cameras) != self._cameras:
            self._cameras = tuple(cameras)
            self.refresh()

    def set_recent(self, recent: Sequence[str]) -> None:
        if tuple(recent) != self._recent:
            self._recent = tuple(recent)
            self.refresh()

    def set_current(self, name: str, spec: str) -> None:
        """Check what plays. spec: what it was opened by, since files may share a name."""
        if (name, spec) != (self._current, self._spec):
            self._current, self._spec = name, spec
            self.refresh()

    def build(self) -> None:
        for camera in self.cameras:
            spec = f"camera:{camera.index}"
            self.add_choice(camera.name, camera.name == self._current, partial(self._pick, spec))
        if not self.cameras:
            text = "Looking for cameras…" if self._cameras is None else "No camera found"
            self.addAction(text).setEnabled(False)
        self.addSeparator()
        playing = self._current == ACTOR_NAME
        self.add_choice("Demo actor", playing, partial(self._pick, ACTOR))
        self.addSeparator()
        if is_screen(self._spec) or is_network(self._spec):
            self.add_choice(self._current, True, partial(self._pick, self._spec))
        self.addAction(self._actions.open_screen)
        self.addAction(self._actions.open_network)
        self.addAction(self._actions.open_file)
        self.addAction(self._actions.open_folder)
        if self._recent:
            self.addSeparator()
            playing_path = whole_spec(self._spec)
            for path, name in zip(self._recent, recent_names(self._recent), strict=True):
                entry = self.add_choice(name, path == playing_path, partial(self._pick, path))
                entry.setToolTip(plain_tip(path))
        self.setToolTipsVisible(True)


class ModelMenu(ChoiceMenu):
    """List the bundled models and the user's own file, with the card of the one in use."""

    def __init__(
        self,
        parent: QWidget,
        actions: Actions,
        entries: Sequence[ModelEntry],
        pick: Callable[[str], None],
    ) -> None:
        super().__init__("&Choose model", parent)
        self._actions = actions
        self._entries = tuple(entries)
        self._pick = pick
        self._current = ""
        self._last: QMenu | None = None
        self.refresh()

    def set_last(self, menu: QMenu) -> None:
        """Offer another menu after the models."""
        self._last = menu
        self.refresh()

    def set_current(self, model: str) -> None:
        """Check the model in use, by its name or path."""
        if model != self._current:
            self._current = model
            self.refresh()

    def entry(self, model: str) -> ModelEntry | None:
        """Return the bundled model of that name."""
        return next((entry for entry in self._entries if entry.name == model), None)

    def shown_name(self, model: str) -> str:
        """Return what a model is called on the screen."""
        entry = self.entry(model)
        if entry is not None:
            return model_name(entry.card)
        return Path(model).name if model else ""

    def build(self) -> None:
        self.list_in(self, self._current, self._pick)
        if self._last is not None:
            self.addMenu(self._last)
        self.addAction(self._actions.open_model)
        self.addAction(self._actions.model_card)
        self.setToolTipsVisible(True)

    def list_in(
        self, menu: ChoiceMenu, current: str, pick: Callable[[str], None], *, barred: str = ""
    ) -> None:
        """List the models in a menu, below headings, and a file of one's own if it is in use.

        barred: the name of one that is there, but not to be chosen.
        """
        for heading, entries in by_question(self._entries):
            menu.add_heading(heading, HEADING_TIP)
            for entry in entries:
                name, chosen = entry.name, entry.name == current
                choice = menu.add_choice(choice_text(entry), chosen, partial(pick, name))
                choice.setToolTip(choice_tip(entry))
                choice.setEnabled(chosen or name != barred)
            menu.addSeparator()
        if current and self.entry(current) is None:
            own = menu.add_choice(self.shown_name(current), True, partial(pick, current))
            own.setToolTip(plain_tip(current))
            menu.addSeparator()


class NameMenu(ChoiceMenu):
    """List parts of which one is in use, each by its words."""

    def __init__(
        self, title: str, parent: QWidget, words: Mapping[str, str], pick: Callable[[str], None]
    ) -> None:
        """Offer the names of `words`, in their order."""
        super().__init__(title, parent)
        self._words = words
        self._pick = pick
        self._current = ""
        self.refresh()

    def set_current(self, name: str) -> None:
        """Check the one in use."""
        if name != self._current:
            self._current = name
            self.refresh()

    def build(self) -> None:
        for name, words in self._words.items():
            self.add_choice(words, name == self._current, partial(self._pick, name))


def live_menus(
    actions: Actions,
    shared: WindowActions,
    sources: SourceMenu,
    parts: Sequence[QMenu],
    parent: QWidget,
) -> list[QMenu]:
    """Return File, View and Model of the live workspace.

    shared: those of every workspace. parts: of what reads the faces, in the Model menu.
    """
    file = QMenu("&File", parent)
    file.addMenu(sources)
    file.addAction(actions.next_camera)
    file.addSeparator()
    file.addActions([actions.open_file, actions.open_folder])
    file.addActions([actions.open_screen, actions.open_network])
    file.addSeparator()
    file.addActions([actions.pause, actions.snapshot, actions.snapshot_as])
    file.addSeparator()
    file.addActions([actions.record, actions.record_options, actions.note])
    file.addMenu("Set a &marker").addActions(list(actions.markers))
    file.addActions([actions.study, actions.streams, actions.triggers])
    file.addSeparator()
    file.addAction(shared.quit)
    view = QMenu("&View", parent)
    view.addActions([*actions.overlays.values(), actions.mirror])
    view.addSeparator()
    view.addActions([actions.faces, actions.chart])
    add_shared_view(view, shared)
    model = QMenu("&Model", parent)
    for part in parts:
        model.addMenu(part)
    model.addSeparator()
    model.addActions([actions.open_model, actions.model_card])
    return [file, view, model]


def add_shared_view(view: QMenu, shared: WindowActions) -> None:
    """Add to a workspace's View menu what every workspace has there."""
    view.addAction(shared.full_screen)
    view.addSeparator()
    view.addActions([action for action in shared.workspaces.values() if action.isVisible()])
    view.addSeparator()
    view.addMenu("&Theme").addActions(list(shared.themes.values()))


def help_menu(shared: WindowActions, parent: QWidget) -> QMenu:
    """Return the Help menu."""
    about = QMenu("&Help", parent)
    about.addActions([shared.shortcuts, shared.meaning, shared.responsible])
    about.addSeparator()
    about.addAction(shared.about)
    return about
