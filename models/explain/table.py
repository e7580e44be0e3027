"""The table of how faithful explanations are, for the console and for the report."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from models.explain.faithfulness import CHANCE, ENOUGH, SIGNIFICANT, Faithfulness

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
    "A faithful explanation makes the probability fall fast and rise fast (Petsiuk et al., arXiv "
    f"1806.07421). Chance: {CHANCE}. p: how often chance would come out so far ahead, for both "
    f"together, one-sided Wilcoxon test on pairs; better than chance means below {SIGNIFICANT}. "
    f"What is not is called unproven with fewer than {ENOUGH} pictures: these would miss a "
    "difference of half a standard deviation more often than once in ten times. "
    "In the drawings, from 0 to 1, the full dot is the explanation and the ring is chance."
)
_HEAD = (
    "<thead><tr><th scope=col rowspan=2>Explanation</th><th rowspan=2>Pictures</th>"
    "<th class=text colspan=3>Deletion: less is better</th>"
    "<th class=text colspan=3>Insertion: more is better</th>"
    "<th rowspan=2>p</th><th class=text rowspan=2>Verdict</th></tr>"
    "<tr>" + "<th></th><th>found</th><th>chance</th>" * 2 + "</tr></thead>"
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
        "yes" if entry.better else "no" if entry.refuted else "unproven",
    ]


def section(entries: Sequence[Faithfulness]) -> str:
    """Return the section of the HTML report, empty where nothing was measured."""
    if not entries:
        return ""
    return (
        "<h3>Can its explanations be believed?</h3>"
        f"<p>{escape(verdict(entries))}</p>"
        f"<p class=note>{escape(_MEANING)}</p>"
        f'<div class="wide"><table>{_HEAD}'
        f"<tbody>{''.join(_html_row(entry) for entry in entries)}</tbody></table></div>"
    )


def verdict(entries: Sequence[Faithfulness]) -> str:
    """Return in one to three sentences which explanations to believe."""
    good = [entry.title for entry in entries if entry.better]
    bad = [entry.title for entry in entries if entry.refuted]
    open_ = [entry.title for entry in entries if not (entry.better or entry.refuted)]
    said = []
    if good:
        said.append(f"Better than chance at finding what the model goes by: {_listed(good)}.")
    if bad:
        said.append(f"No better than chance, so not to be read as a reason: {_listed(bad)}.")
    if open_:
        said.append(f"Unproven, with so few pictures: {_listed(open_)}.")
    return " ".join(said)


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _html_row(entry: Faithfulness) -> str:
    _, pictures, deletion, chance_deletion, insertion, chance_insertion, p, _ = row(entry)
    said = entry.doubt or "<b>better than chance</b>"
    cells = "".join(
        f"<td>{_drawn(found, chance)}</td><td>{found_text}</td><td>{chance_text}</td>"
        for found, chance, found_text, chance_text in (
            (entry.deletion, entry.chance_deletion, deletion, chance_deletion),
            (entry.insertion, entry.chance_insertion, insertion, chance_insertion),
        )
    )
    return (
        f"<tr><th scope=row>{escape(entry.title)}</th><td>{pictures}</td>{cells}"
        f"<td>{escape(p)}</td><td class=text>{said}</td></tr>"
    )


def _drawn(found: float, chance: float) -> str:
    """Return a drawing of an area, a full dot, against that of chance, a ring, from 0 to 1."""
    here, there = (5 + 90 * value for value in (found, chance))
    ring = "fill:#fff;stroke:var(--soft);stroke-width:1.5"
    return (
        '<svg width="100" height="14" aria-hidden="true">'
        '<line x1="5" x2="95" y1="7" y2="7" style="stroke:var(--line);stroke-width:1;opacity:1"/>'
        f'<line x1="{there:.1f}" x2="{here:.1f}" y1="7" y2="7"/>'
        f'<circle cx="{there:.1f}" cy="7" r="3.5" style="{ring}"/>'
        f'<circle cx="{here:.1f}" cy="7" r="4"/></svg>'
    )
