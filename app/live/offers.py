"""Which views of its reasons the running model offers, and how far each can be believed."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.views import GUIDED, OCCLUSION, VIEWS, View
from models.runtime.card import Card, ModelError

if TYPE_CHECKING:
    from models.explain.note import Note

log = logging.getLogger(__name__)

_LOADING = "the model is not loaded yet"
_HEAVY = 2_000_000
"""Parameters from which the eighty crops of an occlusion map are too many to wait for."""


@dataclass(frozen=True, slots=True)
class Offer:
    """Say whether a view can be shown.

    why_not: in a few words, empty where it can. doubt: what speaks against believing it, empty
    where nothing is known to. refuted: whether it was found to be no better than chance.
    """

    view: View
    why_not: str = ""
    doubt: str = ""
    refuted: bool = False


@dataclass(frozen=True, slots=True)
class Offers:
    """Hold an offer for each view, in the order of `VIEWS`, and the card of the model."""

    card: Card | None = None
    views: tuple[Offer, ...] = tuple(Offer(view, _LOADING) for view in VIEWS.values())

    def find(self, name: str) -> Offer | None:
        """Return the offer of a view that can be shown, None for others."""
        return next((one for one in self.possible if one.view.name == name), None)

    @property
    def possible(self) -> tuple[Offer, ...]:
        """Return the views that can be shown."""
        return tuple(offer for offer in self.views if not offer.why_not)

    def choose(self, wish: str) -> str:
        """Return which view to show: the wished one, else one to believe that costs little.

        What was not found better than chance comes later, last what was found to be no better;
        empty where the model offers none.
        Occlusion comes before guided backpropagation, since its patches are read at a glance,
        but not for a heavy network.
        """
        if self.find(wish) is not None:
            return wish
        heavy = self.card is not None and self.card.parameters > _HEAVY
        best = sorted(
            self.possible,
            key=lambda one: (
                one.refuted,
                bool(one.doubt),
                one.view.slow,
                heavy and one.view.name == OCCLUSION,
            ),
        )
        return best[0].view.name if best else ""


def offers_of(classifier: Any, given_up: dict[str, str] | None = None) -> Offers:
    """Return what a classifier offers, None being one that is not loaded yet.

    Its card and what lies beside its file say what there is; one without them offers nothing.
    given_up: views that were tried in vain, and why.
    """
    if classifier is None:
        return Offers()
    card: Card | None = getattr(classifier, "card", None)
    path: Path | None = getattr(classifier, "path", None)
    tried, note = given_up or {}, _note(card, path)
    offers = []
    for view in VIEWS.values():
        why_not = tried.get(view.name) or _why_not(view, card, path)
        found = note.method(view.name) if note is not None else None
        judged = (found.doubt, found.refuted) if found is not None else ("", False)
        offers.append(Offer(view, why_not, *judged))
    return Offers(card, tuple(offers))


def _why_not(view: View, card: Card | None, path: Path | None) -> str:
    if card is None or path is None:
        return view.missing
    if view.name == GUIDED:
        from models.explain.guided import guided_file

        return "" if guided_file(path).is_file() else view.missing
    if view.name == OCCLUSION:
        return ""
    return "" if card.outputs.keys() >= set(view.outputs) else view.missing


def _note(card: Card | None, path: Path | None) -> Note | None:
    """Return what was measured of this model's explanations, None where nothing can be read."""
    if card is None or path is None:
        return None
    from models.explain.note import read_note

    try:
        return read_note(path, card.file.sha256 if card.file else None)
    except ModelError as error:
        log.warning("%s", error)
        return None
