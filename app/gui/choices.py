"""What plays and what reads it: the menus and the toolbar in which that is chosen and named."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QMenu, QWidget

from app.gui.actions import Actions, WindowActions
from app.gui.base_rates_menu import BaseRatesMenu
from app.gui.commands import Commands
from app.gui.menus import (
    FINDER_NAMES,
    FINDER_WORDS,
    LANDMARK_WORDS,
    ModelMenu,
    NameMenu,
    SourceMenu,
    live_menus,
    source_name,
)
from app.gui.second_menu import SecondMenu
from app.gui.stage import status_parts
from app.gui.theme import Theme
from app.gui.toolbar import Toolbar
from app.live.engine import EngineStatus
from models.runtime.base_rates import in_brief
from models.runtime.store import ModelEntry


class Choices:
    """Own the menus of sources, models, finders and landmarks, and the toolbar that opens them.

    menus: File, View and Model.
    """

    def __init__(
        self,
        window: QWidget,
        actions: Actions,
        shared: WindowActions,
        commands: Commands,
        models: Sequence[ModelEntry],
        theme: Theme,
    ) -> None:
        """Make them. shared: the actions of every workspace."""
        self.sources = SourceMenu(window, actions, commands.use_source)
        self.models = ModelMenu(window, actions, models, commands.use_model)
        self.second = SecondMenu(window, self.models, commands.use_second, commands.open_second)
        self.rates = BaseRatesMenu(window, commands.use_base_rates)
        self.finders = NameMenu("Face &finder", window, FINDER_WORDS, commands.use_finder)
        self.landmarks = NameMenu("&Landmarks", window, LANDMARK_WORDS, commands.use_landmarks)
        self.models.set_last(self.second)
        self.toolbar = Toolbar(actions, self.sources, self.models, self.finders, theme)
        self.menus: list[QMenu] = live_menus(
            actions,
            shared,
            self.sources,
            [self.models, self.second, self.rates, self.finders, self.landmarks],
            window,
        )

    def refresh(self, status: EngineStatus, labels: tuple[str, ...]) -> None:
        """Check and name what is in use; cheap where nothing has changed. labels: of the model."""
        self.sources.set_current(status.source, status.spec)
        self.models.set_current(status.model)
        self.second.set_current(status.model, status.second)
        self.rates.set_current(status.base_rates, labels)
        self.finders.set_current(status.finder)
        self.landmarks.set_current(status.landmarks)
        self.toolbar.source.set_value(source_name(status.source))
        self.toolbar.model.set_value(self.models.shown_name(status.model))
        self.toolbar.finder.set_value(FINDER_NAMES.get(status.finder, status.finder))

    def status_parts(
        self, status: EngineStatus, labels: tuple[str, ...], skipped: float
    ) -> list[tuple[str, str]]:
        """Return the figures for the foot of the window; see `stage.status_parts`."""
        model = self.models.shown_name(status.model)
        if status.second:
            model += f" beside {self.models.shown_name(status.second)}"
        if rates := in_brief(status.base_rates.among(labels)):
            model += f", {rates}"
        finder = FINDER_NAMES.get(status.finder, status.finder)
        finder = f"{finder} finder" if finder else ""
        return status_parts(status, model, finder, skipped)
