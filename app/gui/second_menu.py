"""The choice of a second model, whose word stands beside that of the model in use."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtWidgets import QWidget

from app.gui.menus import ChoiceMenu, ModelMenu


class SecondMenu(ChoiceMenu):
    """List the models that can be asked as well; the one in use is there, but not to be chosen."""

    def __init__(
        self,
        parent: QWidget,
        models: ModelMenu,
        pick: Callable[[str], None],
        pick_file: Callable[[], None],
    ) -> None:
        """Offer the entries of `models`. pick: takes a name or path, "" for no second model."""
        super().__init__("Com&pare with", parent)
        self._models = models
        self._pick = pick
        self._pick_file = pick_file
        self._used = self._current = ""
        self.refresh()

    def set_current(self, used: str, second: str) -> None:
        """Check the second model. used: the first one."""
        if (used, second) != (self._used, self._current):
            self._used, self._current = used, second
            self.refresh()

    def build(self) -> None:
        self.add_choice("No other model", not self._current, partial(self._pick, ""))
        self.addSeparator()
        self._models.list_in(self, self._current, self._pick, barred=self._used)
        self.addAction("Model &file…").triggered.connect(self._pick_file)
        self.setToolTipsVisible(True)
