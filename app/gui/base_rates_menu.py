"""The choice of how common each expression is taken to be, and which are left out."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QWidget

from app.gui.menus import ChoiceMenu
from models.runtime.base_rates import AS_MEASURED, BaseRates

AS_MEASURED_WORDS = "As in the pictures it was measured on"
EVEN_WORDS = "Each as common as any other"
EVEN_TIP = (
    "Rare expressions, such as disgust and fear, are named far more often,\n"
    "and more of what is neutral is taken for them. For posed expressions,\n"
    "and for studies that show each of them as often."
)
_MEASURED_TIP = "Neutral and happy faces are common there, disgust and contempt very rare."
_HOW_COMMON = "How common is each expression?"
_WHICH = "Which expressions are there?"
_WHICH_TIP = "What is left out is never named; its share goes to the others."


class BaseRatesMenu(ChoiceMenu):
    """Offer two ways to weigh the expressions, and the labels of the model to leave out."""

    def __init__(self, parent: QWidget, pick: Callable[[BaseRates], None]) -> None:
        """Make it. pick: takes what is chosen."""
        super().__init__("&Base rates", parent)
        self._pick = pick
        self._current = AS_MEASURED
        self._labels: tuple[str, ...] = ()
        self.refresh()

    def set_current(self, rates: BaseRates, labels: tuple[str, ...]) -> None:
        """Check what is in use. labels: of the model."""
        if (rates, labels) != (self._current, self._labels):
            self._current, self._labels = rates, labels
            self.refresh()

    def build(self) -> None:
        rates = self._current
        self.add_heading(_HOW_COMMON, "")
        for words, even, tip in (
            (AS_MEASURED_WORDS, False, _MEASURED_TIP),
            (EVEN_WORDS, True, EVEN_TIP),
        ):
            offered = rates.spread(even=even)
            self.add_choice(words, offered == rates, partial(self._pick, offered)).setToolTip(tip)
        self.addSeparator()
        self.add_heading(_WHICH, _WHICH_TIP)
        there = [label for label in self._labels if label not in rates.left_out]
        for label in self._labels:
            entry = self._add_label(label, there=label in there)
            entry.setEnabled(label not in there or len(there) > 2)
        self.setToolTipsVisible(True)

    def _add_label(self, label: str, *, there: bool) -> QAction:
        entry = QAction(label.capitalize(), self)
        entry.setCheckable(True)
        entry.setChecked(there)

        def picked() -> None:
            entry.setChecked(there)  # the mark moves when the change has really been made
            self._pick(self._current.leaving_out(label, out=there))

        entry.triggered.connect(picked)
        self.addAction(entry)
        return entry
