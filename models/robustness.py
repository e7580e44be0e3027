"""How much of its accuracy a model keeps on spoilt pictures, and the tables that say so."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.crops import Tta
from models.evaluate import wilson
from models.scoring import Model, score
from models.spoil import KINDS, SPOILINGS

PICTURES = 500
"""How many pictures are spoilt if no number is given."""
_MEANING = (
    "The same pictures, spoilt in three steps from slight to strong: the part that the model still "
    "names right, in per cent. The means are over all steps."
)


@dataclass(frozen=True, slots=True)
class Robustness:
    """Hold the accuracy on n pictures, 0 to 1: as they are, and by spoiling for each of its steps.

    kept: mean over all steps of all spoilings; kinds: of each kind of them.
    """

    n: int
    accuracy: float
    spoilt: Mapping[str, tuple[float, ...]]

    @property
    def kept(self) -> float:
        return float(np.mean([*self.spoilt.values()]))

    @property
    def kinds(self) -> dict[str, float]:
        return {
            kind: float(
                np.mean([self.spoilt[each.name] for each in SPOILINGS if each.kind == kind])
            )
            for kind in KINDS
        }


def choose(truth: NDArray[np.int64], count: int, seed: int = 0) -> NDArray[np.int64]:
    """Return the rows of so many pictures of known truth (N,), chosen by a seed, ascending."""
    order = np.random.default_rng(seed).permutation(len(truth))
    return np.sort(order[truth[order] >= 0][:count])


def measure_robustness(
    model: Model,
    pixels: NDArray[np.uint8],
    truth: NDArray[np.int64],
    tta: Tta,
    *,
    seed: int = 0,
    on_batch: Callable[[int], object] = lambda _: None,
) -> Robustness:
    """Measure a model on pictures (N, S, S) uint8 gray of truth (N,), spoilt in every way."""

    def accuracy(pictures: NDArray[np.uint8]) -> float:
        logits = score(model, pictures, tta, on_batch)
        return float((logits.argmax(axis=1) == truth).mean())

    return Robustness(
        n=len(truth),
        accuracy=accuracy(pixels),
        spoilt={
            each.name: tuple(accuracy(each.apply(pixels, step, seed)) for step in each.steps)
            for each in SPOILINGS
        },
    )


def rounds() -> int:
    """Return how often each picture is shown."""
    return 1 + sum(len(each.steps) for each in SPOILINGS)


def table(measured: Mapping[str, Robustness]) -> tuple[list[str], list[list[str]]]:
    """Return a table of models by name: its head, and a row for each spoiling and each mean."""
    models = [*measured.values()]
    rows = [["as they are", "", *(f"{100 * one.accuracy:.1f}" for one in models)]]
    for each in SPOILINGS:
        steps = ", ".join(each.said(step) for step in each.steps)
        cells = (_cell(one.spoilt[each.name]) for one in models)
        rows.append([f"{each.kind}: {each.name}", steps, *cells])
    rows += [
        [f"mean of {kind}", "", *(f"{100 * one.kinds[kind]:.1f}" for one in models)]
        for kind in KINDS
    ]
    rows.append(["mean of all", "", *(f"{100 * one.kept:.1f}" for one in models)])
    return ["spoilt", "steps", *measured], rows


def section(label_set: str, measured: Mapping[str, Robustness]) -> str:
    """Return the section of the HTML report on models of a label set, empty where there is none."""
    if not measured:
        return ""
    head, rows = table(measured)
    pictures = max(one.n for one in measured.values())
    cells = "".join(f"<th>{escape(name)}</th>" for name in head[2:])
    body = "".join(
        f"<tr><th scope=row>{escape(name)}</th><td class=text>{escape(steps)}</td>"
        + "".join(f"<td>{escape(cell)}</td>" for cell in found)
        + "</tr>"
        for name, steps, *found in rows
    )
    return (
        f"<h3>{escape(label_set)}: on spoilt pictures</h3>"
        f"<p class=note>{escape(_MEANING)} {pictures:,} pictures, so that a single figure can be "
        f"off by {100 * _off(pictures):.0f} points (95% interval).</p>"
        '<div class="wide"><table><thead><tr><th scope=col>Spoilt</th><th class=text>Steps</th>'
        f"{cells}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def as_json(measured: Robustness) -> dict[str, Any]:
    """Return plain values, rounded to what the pictures can tell."""
    return {
        "n": measured.n,
        "accuracy": round(measured.accuracy, 4),
        "mean": round(measured.kept, 4),
        "kinds": {kind: round(value, 4) for kind, value in measured.kinds.items()},
        "spoilt": {
            each.name: {
                "kind": each.kind,
                "steps": [each.said(step) for step in each.steps],
                "accuracy": [round(value, 4) for value in measured.spoilt[each.name]],
            }
            for each in SPOILINGS
        },
    }


def _off(n: int) -> float:
    """Return half of the 95% interval of an accuracy of one half on n pictures."""
    low, high = wilson(n // 2, n)
    return (high - low) / 2


def _cell(values: Sequence[float]) -> str:
    return " / ".join(f"{100 * value:.0f}" for value in values)
