"""A protocol in a few words."""

from __future__ import annotations

from app.study.protocol import Protocol
from app.words import amount, span

__all__ = ["words_of"]


def words_of(protocol: Protocol) -> str:
    """Return how much is shown and how long it takes, such as 12 pictures, at least 2 min 10 s."""
    kinds = [show.kind for show in protocol.shown]
    parts = [amount(kinds.count(kind), kind) for kind in dict.fromkeys(kinds)]
    order = "each participant in an order of their own" if protocol.shuffled else "always in order"
    asked = "; a question after each" if protocol.question is not None else ""
    return f"{', '.join(parts)}, {order}{asked}; at least {span(protocol.seconds, digits=0)}"
