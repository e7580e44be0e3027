"""A page that works only while it is seen."""

from __future__ import annotations

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QWidget


class LazyPage(QWidget):
    """Bring what is shown up to date once it is both out of date and seen."""

    def __init__(self) -> None:
        super().__init__()
        self._stale = True

    def renew(self) -> None:
        """Work anew, once it is seen."""
        self._stale = True
        if self.isVisible():
            self.refresh()

    def refresh(self) -> None:
        """Work if anything has changed."""
        if self._stale:
            self._stale = False
            self._bring_up_to_date()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()

    def _bring_up_to_date(self) -> None:
        """Show what there is now."""
        raise NotImplementedError
