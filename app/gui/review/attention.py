"""Whether a review says why, and in which way, as far as the model that read it can."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QWidget

from app.gui.attention_menu import AttentionMenu
from app.gui.video_view import VideoView
from app.live.offers import Offers
from app.overlays import Shown


class ReviewAttention(QObject):
    """Hold what the user wishes to see of the reasons, and bring the view to the picture.

    changed: another wish than before.
    """

    changed = Signal()

    def __init__(
        self,
        toggle: QAction,
        video: VideoView,
        warn: Callable[[str], None],
        *,
        wished: str,
        parent: QWidget,
    ) -> None:
        """Wish for nothing yet. wished: the view to begin with. warn: takes a sentence."""
        super().__init__(parent)
        self.menu = AttentionMenu(parent, self.pick)
        self._toggle, self._video, self._warn = toggle, video, warn
        self._wished = wished
        self._offers: Offers | None = None
        toggle.toggled.connect(self._toggled)
        self._show()

    @property
    def wish(self) -> str | None:
        """Return the wished view, "" for the model's best, None while nobody asks why."""
        return self._wished if self._toggle.isChecked() else None

    def pick(self, name: str) -> None:
        """Show a view; who picks one wants to see it."""
        self._wished = name
        self._show()
        if self._toggle.isChecked():
            self.changed.emit()
        else:
            self._toggle.setChecked(True)

    def show_next(self) -> None:
        """Show the view after the one that is shown; the first time the one there is."""
        name = self.menu.after(self._video.shown_view.view)
        self.pick(name if self._toggle.isChecked() else self._wished)

    def forget(self) -> None:
        """Know nothing of the next session's model yet."""
        self._offers = None
        self._show()

    def learn(self, offers: Offers | None, refusal: str) -> None:
        """Take what the session's model offers, or the sentence on why it cannot be asked."""
        if refusal and self._toggle.isChecked():
            self._toggle.setChecked(False)
            self._warn(refusal)
        if offers is not None and offers is not self._offers:
            self._offers = offers
            self._show()

    def _toggled(self, _on: bool) -> None:
        self._show()
        self.changed.emit()

    def _show(self) -> None:
        offers = self._offers or Offers()
        name = offers.choose(self._wished)
        self.menu.set_offers(offers, name)
        self.menu.setEnabled(self._offers is not None)
        self._video.set_view(Shown(name, offers.card))
