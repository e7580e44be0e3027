"""A protocol in a few words."""

from __future__ import annotations

from app.study.protocol import BLOCKS, FIXED, SHUFFLED, Protocol
from app.study.soundtrack import NO_TRACK, NOT_INSTALLED, PLAYED, UNREADABLE
from app.words import amount, span

__all__ = ["silence_words", "words_of"]

_ORDERS = {
    SHUFFLED: "each participant in an order of their own",
    BLOCKS: "each participant in an order of their own between texts",
    FIXED: "always in order",
}
_MOST_NAMED = 3


def words_of(protocol: Protocol) -> str:
    """Return how much is shown and how long it takes, such as 12 pictures, at least 2 min 10 s."""
    kinds = [show.kind for show in protocol.shown]
    parts = [amount(kinds.count(kind), kind) for kind in dict.fromkeys(kinds)]
    order = _ORDERS[protocol.order]
    asked = "; a question after each" if protocol.question is not None else ""
    silent = [show.name for show in protocol.shown if show.sound == NO_TRACK]
    mute = f"; no sound in {_named(silent)}" if silent else ""
    least = span(protocol.seconds, digits=0)
    return f"{', '.join(parts)}, {order}{asked}{mute}; at least {least}"


def silence_words(protocol: Protocol, no_speaker: str = "") -> str:
    """Return which films will not be heard, why and what to do; empty where there is no such film.

    no_speaker: why nothing can be heard on this computer, if so. Of films that the protocol mutes,
    and of those without a sound of their own, nothing is said.
    """
    films = {
        sound: [show.name for show in protocol.shown if show.sound == sound]
        for sound in (PLAYED, UNREADABLE, NOT_INSTALLED)
    }
    said = []
    if films[NOT_INSTALLED]:
        said.append(
            "Films are shown without any sound they have: it needs the packages av and "
            'sounddevice; run pip install -e ".[sound]" in Mien\'s folder and start Mien again, or '
            "write sound = false below each film."
        )
    if films[PLAYED] and no_speaker:
        said.append(
            f"Films are shown without their sound: {no_speaker}. Then choose the study again."
        )
    if films[UNREADABLE]:
        said.append(
            f"The sound of {_named(films[UNREADABLE])} cannot be read; convert to MP4 with AAC, or "
            "it is shown without."
        )
    return " ".join(said)


def _named(names: list[str]) -> str:
    """Return some names in a list, and how many more there are."""
    more = len(names) - _MOST_NAMED
    shown = ", ".join(names[:_MOST_NAMED])
    return f"{shown} and {amount(more, 'more', 'more')}" if more > 0 else shown
