"""The page in `weights/` that lists the bundled models, made from their cards.

`python -m models.weights_page` writes it anew; a test compares it with the cards.
"""

from __future__ import annotations

from pathlib import Path

import weights
from models.runtime.arguments import Arguments
from models.runtime.card import FER2013_SIDE, Card
from models.runtime.files import written_whole
from models.runtime.part_card import PartCard, bundled_parts
from models.runtime.store import DEFAULT_MODEL, ModelEntry, bundled

PAGE = Path(weights.__file__).with_name("README.md")

_HEAD = """# Bundled models

Each model is one ONNX file and one card, trained by the recipes in `models/recipes`. This page is
made from the cards by `python -m models.weights_page`.

The classifiers were measured on PublicTest, which was also used to choose the epoch and to fit the
temperature; they flatter a little. "One crop" is the face as it is, "mirror" the mean of the logits
of the face and its mirror image, which is what the live program does. PrivateTest was never used.
A commit that ends in "-dirty" had changes that were not committed.
"""


def weights_page() -> str:
    """Return the page as Markdown."""
    entries = bundled()
    lines = [
        _HEAD,
        "| model | labels | parameters | file | one crop | mirror | macro-F1 | ECE | n |",
        "|---|---|---|---|---|---|---|---|---|",
        *(_row(entry) for entry in entries),
    ]
    for entry in entries:
        lines += ["", *_section(entry)]
    for card in bundled_parts():
        lines += ["", *_part(card)]
    return "\n".join(lines) + "\n"


def _row(entry: ModelEntry) -> str:
    card = entry.card
    one, mirror = card.metric("one"), card.metric("mirror")
    assert one is not None
    assert mirror is not None
    assert card.file is not None
    return (
        f"| `{entry.name}` | {len(card.labels)} | {card.trainable:,} | "
        f"{card.file.bytes / 1000:.0f} kB | {one.accuracy:.1%} | {mirror.accuracy:.1%} | "
        f"{mirror.macro_f1:.3f} | {mirror.ece:.3f} | {mirror.n:,} |"
    )


def _training(card: Card) -> str:
    known = card.training
    start, torch = known["begun_from"], f"torch {known['torch']}"
    if not known.get("epoch"):  # the mean of several trainings
        return f"{start}; {torch}"
    begun = f"; begun with the weights of {start}" if start else ""
    minutes = f"{known['seconds'] / 60:.0f} minutes"
    return f"epoch {known['epoch']} of {known['epochs']}, {minutes}, {torch}{begun}"


def _section(entry: ModelEntry) -> list[str]:
    card: Card = entry.card
    mirror = card.metric("mirror")
    assert mirror is not None
    default = " (the app's default)" if entry.name == DEFAULT_MODEL else ""
    recalls = ", ".join(f"{name} {part:.0%}" for name, part in mirror.recall.items())
    return [
        f"## {entry.name}{default}",
        "",
        f"{card.title}, {card.paper}. Input: {_input(card)}. "
        f"Measured by the rule: {mirror.rule}; {mirror.date}.",
        "",
        f"- Recall (mirror): {recalls}.",
        *_ten_crops(card),
        *_unsure(card),
        *_base_rates(card),
        f"- Trained: {_training(card)}.",
        *(f"- Data: {source}." for source in card.data),
        f"- Licence: {card.licence}.",
        *(f"- {limit}" for limit in card.limits),
    ]


def _input(card: Card) -> str:
    size, field = card.input.size, card.input.field
    part = "" if field == FER2013_SIDE else f", the middle {field} of FER2013's {FER2013_SIDE}"
    return f"{size}x{size} gray{part}"


def _ten_crops(card: Card) -> list[str]:
    ten = card.metric("ten-crop")
    if ten is None:
        return []
    return [f"- Ten crops: {ten.accuracy:.1%}, macro-F1 {ten.macro_f1:.3f}, ECE {ten.ece:.3f}."]


def _part(card: PartCard) -> list[str]:
    """Describe a network that is no classifier."""
    assert card.file is not None
    measured = [
        ", ".join(f"{key} {value}" for key, value in metric.items() if not isinstance(value, dict))
        for metric in card.metrics
    ]
    return [
        f"## {card.name}",
        "",
        f"{card.title}, {card.paper}. Input: {card.input}. {card.parameters:,} parameters, "
        f"{card.file.bytes / 1000:.0f} kB.",
        "",
        *(f"- Measured: {one}." for one in measured),
        *(f"- Data: {source}." for source in card.data),
        f"- Licence: {card.licence}.",
        *(f"- {limit}" for limit in card.limits),
    ]


def _unsure(card: Card) -> list[str]:
    rule = card.unsure.get("mirror")
    if rule is None:
        return []
    return [
        f"- Unsure below a confidence of {rule.threshold:.0%} (mirror): then {rule.precision:.0%} "
        f"of the labels given are right, and {rule.coverage:.0%} of the faces get one.",
    ]


def _base_rates(card: Card) -> list[str]:
    rates = card.base_rates.get("mirror")
    if rates is None:
        return []
    shares = [f"{label} {rate:.1%}" for label, rate in zip(card.labels, rates, strict=True)]
    return [f"- Takes to be common (mirror): {', '.join(shares)}."]


def main() -> None:
    Arguments(
        prog="models.weights_page", description="Write weights/README.md from the cards."
    ).parse_args()
    with written_whole(PAGE) as partial:
        partial.write_text(weights_page(), encoding="utf-8")


if __name__ == "__main__":
    main()
