"""The choice among the ways to show why, with those that the model does not offer and why not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QWidget

from app.gui.face_panel import FacePanel
from app.gui.keys import without_key
from app.gui.live_engine import LiveEngine
from app.gui.menus import ChoiceMenu
from app.gui.video_view import VideoView
from app.live.offers import Offer, Offers
from app.overlays import Shown
from app.views import BLOCK


class AttentionMenu(ChoiceMenu):
    """List the views; single blocks of spatial attention only for models that have them."""

    def __init__(self, parent: QWidget, pick: Callable[[str], None]) -> None:
        super().__init__("Attention &view", parent)
        self._pick = pick
        self._offers = Offers()
        self._current = ""
        self.setToolTipsVisible(True)
        self.refresh()

    def set_offers(self, offers: Offers, current: str) -> None:
        """Show what there is. current: the view that is shown, empty for none."""
        if (offers.views, current) != (self._offers.views, self._current):
            self._offers, self._current = offers, current
            self.refresh()

    def after(self, name: str) -> str:
        """Return the view that comes after one of that name, empty where there is none at all."""
        names = [offer.view.name for offer in self._offers.possible]
        if not names:
            return ""
        return names[(names.index(name) + 1) % len(names)] if name in names else names[0]

    def build(self) -> None:
        for offer in _listed(self._offers.views):
            name, text = offer.view.name, offer.view.title
            if offer.why_not:
                entry = self.addAction(without_key(f"{text}: {offer.why_not}"))
                entry.setEnabled(False)
            else:
                text += f" ({offer.doubt})" if offer.doubt else ""
                entry = self.add_choice(text, name == self._current, partial(self._pick, name))
            entry.setToolTip(offer.view.tip)


class AttentionViews:
    """Choose among the views that the engine offers, and bring the choice to picture and cards.

    wished: what the user chose last, empty before; where the model has no such view another is
    shown, and it comes back with a model that has. toggle: switches the overlay on and off.
    """

    def __init__(
        self,
        engine: LiveEngine,
        video: VideoView,
        panel: FacePanel,
        toggle: QAction,
        *,
        wished: str,
        say: Callable[[str], None],
        parent: QWidget,
    ) -> None:
        self.wished = wished
        self.menu = AttentionMenu(parent, self.pick)
        self._engine, self._video, self._panel = engine, video, panel
        self._toggle, self._say = toggle, say
        toggle.toggled.connect(lambda _on: self.refresh())

    def refresh(self, *, seen: bool = True) -> None:
        """Show what suits the model in use; cheap where nothing has changed.

        seen: somebody looks at the picture, or it is recorded.
        """
        offers = self._engine.offers()
        name = offers.choose(self.wished)
        offer, shown = offers.find(name), Shown(name, offers.card)
        on = self._toggle.isChecked()
        # What nobody sees need not be made.
        self._engine.use_view(name if on and seen else "")
        self.menu.set_offers(offers, name)
        self._video.set_view(shown)
        doubt = offer.doubt if offer and on else ""
        self._panel.set_view(shown if on else Shown("", offers.card), doubt, on=on)

    def pick(self, name: str) -> None:
        """Show a view; who picks one wants to see it."""
        self.wished = name
        self._toggle.setChecked(True)
        self.refresh()

    def show_next(self) -> None:
        """Show the view after the one that is shown."""
        name = self.menu.after(self._video.shown_view.view)
        if name:
            self.pick(name)
        else:
            self._say("This model shows no reasons; choose another model.")


def _listed(offers: Sequence[Offer]) -> list[Offer]:
    """Return the offers but for single blocks that are not there: one line says it of all."""
    return [offer for offer in offers if not (offer.why_not and offer.view.name.startswith(BLOCK))]
