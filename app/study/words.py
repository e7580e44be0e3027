"""A protocol in a few words."""

from __future__ import annotations

from app.study.protocol import BLOCKS, FIXED, SHUFFLED, Protocol
from app.words import amount, span

__all__ = ["words_of"]

_ORDERS = {
    SHUFFLED: "each participant in an order of their own",
    BLOCKS: "each participant in an order of their own between texts",
    FIXED: "always in order",
}


def words_of(protocol: Protocol) -> str:
    """Return how much is shown and how long it takes, such as 12 pictures, at least 2 min 10 s."""
    kinds = [show.kind for show in protocol.shown]
    parts = [amount(kinds.count(kind), kind) for kind in dict.fromkeys(kinds)]
    order = _ORDERS[protocol.order]
    asked = "; a question after each" if protocol.question is not None else ""
    return f"{', '.join(parts)}, {order}{asked}; at least {span(protocol.seconds, digits=0)}"
