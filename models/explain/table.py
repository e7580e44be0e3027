"""The table of how faithful explanations are, for the console and for the report."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from models.explain.faithfulness import CHANCE, SIGNIFICANT, Faithfulness

HEADER = [
    "explanation",
    "n",
    "deletion",
    "chance",
    "insertion",
    "chance",
    "p",
    "better than chance",
]
_MEANING = (
    "Deletion takes the pixels away, the most important first, and insertion adds them to a "
    "blurred picture; given are the areas under the probability of the model's own label, 0 to 1. "
    "A faithful map has a small deletion area and a large insertion area (Petsiuk et al., arXiv "
    f"1806.07421). Chance: {CHANCE}. p: both together, one-sided Wilcoxon test on pairs; better "
    f"than chance means below {SIGNIFICANT}."
)


def row(entry: Faithfulness) -> list[str]:
    """Return the cells of one explanation, in the order of `HEADER`."""
    return [
        entry.method,
        f"{entry.n:,}",
        f"{entry.deletion:.3f}",
        f"{entry.chance_deletion:.3f}",
        f"{entry.insertion:.3f}",
        f"{entry.chance_insertion:.3f}",
        "< 0.001" if entry.p < 0.001 else f"{entry.p:.3f}",
        "yes" if entry.better else "no",
    ]


def section(entries: Sequence[Faithfulness]) -> str:
    """Return the section of the HTML report, empty where nothing was measured."""
    if not entries:
        return ""
    head = "".join(f"<th>{escape(name)}</th>" for name in HEADER[1:])
    rows = "".join(
        f"<tr><th scope=row>{escape(entry.title)}</th>"
        + "".join(f"<td>{escape(cell)}</td>" for cell in row(entry)[1:])
        + "</tr>"
        for entry in entries
    )
    return (
        "<h3>Can its explanations be believed?</h3>"
        f"<p class=note>{escape(_MEANING)}</p>"
        f'<div class="wide"><table><thead><tr><th scope=col>{HEADER[0]}</th>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )
