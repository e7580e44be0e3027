"""What a list of models says, so that one can be chosen: what each answers, and how well."""

from __future__ import annotations

from collections.abc import Sequence

from app.words import amount, per_cent, size
from models.runtime.card import Card, Metric
from models.runtime.labels import LABEL_SET_NAMES
from models.runtime.store import DEFAULT_MODEL, ModelEntry

_SLOW_PARAMETERS = 5_000_000
"""From here on a processor alone does not keep up with a camera."""
HEADING_TIP = "Shares can be compared only below one heading: elsewhere labels and pictures differ."


def by_question(entries: Sequence[ModelEntry]) -> list[tuple[str, list[ModelEntry]]]:
    """Return the models below a heading for each label set, that of the most labels first.

    Below it stands what is recommended, then the others, the most accurate first.
    """
    groups: dict[str, list[ModelEntry]] = {}
    for entry in entries:
        groups.setdefault(entry.card.label_set, []).append(entry)
    ordered = sorted(groups.values(), key=lambda group: -len(group[0].card.labels))
    return [(_heading(group[0].card), sorted(group, key=_rank)) for group in ordered]


def choice_text(entry: ModelEntry) -> str:
    """Return a model's line in a menu: its name, and in the second column what speaks for it."""
    metric = _measured(entry.card)
    said = [per_cent(metric.accuracy)] if metric is not None else []
    if entry.name == DEFAULT_MODEL:
        said.append("recommended")
    if _is_slow(entry.card):
        said.append("slow")
    return "\t".join([entry.card.title, *([" · ".join(said)] if said else [])])


def choice_tip(entry: ModelEntry) -> str:
    """Return where the figures of that line come from."""
    card, metric = entry.card, _measured(entry.card)
    lines = ["Nobody has measured how often it agrees with its labels."]
    if metric is not None:
        lines = [
            f"Agrees with its labels on {per_cent(metric.accuracy)} of "
            f"{amount(metric.n, 'picture')} of {metric.split}.",
            f"{metric.rule}.",
        ]
        if card.training.get("chosen_on") == metric.split:
            lines.append("By the same pictures its epoch was chosen, so expect a little less.")
    facts = amount(card.parameters, "parameter")
    if card.file is not None:
        facts += f", {size(card.file.bytes)}"
    slow = ": slow without a graphics card" if _is_slow(card) else ""
    lines.append(f"{facts}{slow}; file {entry.name}.")
    return "\n".join(lines)


def _heading(card: Card) -> str:
    labels = LABEL_SET_NAMES.get(card.label_set, card.label_set)
    return f"Which of {len(card.labels)} expressions? · {labels}\tagrees with its labels"


def _measured(card: Card) -> Metric | None:
    """Return what was measured as the program reads faces: the mirrored crop averaged in."""
    return next((metric for metric in card.metrics if metric.crops == "mirror"), None)


def _is_slow(card: Card) -> bool:
    return card.parameters >= _SLOW_PARAMETERS


def _rank(entry: ModelEntry) -> tuple[bool, float, str]:
    metric = _measured(entry.card)
    accuracy = metric.accuracy if metric is not None else 0.0
    return entry.name != DEFAULT_MODEL, -accuracy, entry.name
