"""The page in `weights/` that lists the bundled models, made from their cards.

`python -m models.weights_page` writes it anew; a test compares it with the cards.
"""

from __future__ import annotations

from pathlib import Path

import weights
from models.runtime.card import Card
from models.runtime.files import written_whole
from models.runtime.store import DEFAULT_MODEL, ModelEntry, bundled

PAGE = Path(weights.__file__).with_name("README.md")

_HEAD = """# Bundled models

Each model is one ONNX file and one card, trained by the recipes in `models/recipes`. This page is
made from the cards by `python -m models.weights_page`.

All figures are accuracies on PublicTest, which was also used to choose the epoch and to fit the
temperature; they flatter a little. "One crop" is the face as it is, "mirror" the mean of the logits
of the face and its mirror image, which is what the live program does. PrivateTest was never used.
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


def _section(entry: ModelEntry) -> list[str]:
    card: Card = entry.card
    mirror = card.metric("mirror")
    assert mirror is not None
    default = " (the app's default)" if entry.name == DEFAULT_MODEL else ""
    start = card.training["begun_from"]
    begun = f"; begun with the weights of {start}" if start else ""
    recalls = ", ".join(f"{name} {part:.0%}" for name, part in mirror.recall.items())
    return [
        f"## {entry.name}{default}",
        "",
        f"{card.title}, {card.paper}. Input: {card.input.size}x{card.input.size} gray. "
        f"Measured by the rule: {mirror.rule}; {mirror.date}.",
        "",
        f"- Recall (mirror): {recalls}.",
        f"- Trained: epoch {card.training['epoch']} of {card.training['epochs']}, "
        f"{card.training['seconds'] / 60:.0f} minutes, torch {card.training['torch']}{begun}.",
        *(f"- Data: {source}." for source in card.data),
        f"- Licence: {card.licence}.",
        *(f"- {limit}" for limit in card.limits),
    ]


def main() -> None:
    with written_whole(PAGE) as partial:
        partial.write_text(weights_page(), encoding="utf-8")


if __name__ == "__main__":
    main()
