"""Draw what a training's log.csv says: loss and figures over the epochs, part after part.

    python benchmarks/training_curves.py runs/first/log.csv runs/second/log.csv -o curves.png
    python benchmarks/training_curves.py runs/*/log.csv --figures ferplus -o curves.png

Parts are drawn in the order given, one after another, as trainings that begin with the weights of
the one before.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from models.plots import GRID, SOFT, dress, png
from models.runtime.files import written_whole

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")
_NOT_FIGURES = {"epoch", "loss", "seconds", "validation_loss", "falling"}

Rows = list[dict[str, float]]


def read_log(path: Path) -> Rows:
    """Return the rows of a log, what was not measured left out."""
    with path.open(encoding="utf-8") as file:
        return [
            {name: float(value) for name, value in row.items() if value}
            for row in csv.DictReader(file)
        ]


def draw(parts: list[Rows], figures: list[str]) -> Figure:
    """Return the loss on the left and the figures, in percent, on the right."""
    figure = Figure(figsize=(9, 3.2), dpi=150, layout="constrained")
    left, right = figure.subplots(1, 2)
    begun = 0.0
    for number, rows in enumerate(parts):
        _line(left, rows, "loss", begun, COLOURS[0], 1.0)
        for name, colour in zip(figures, COLOURS, strict=False):
            _line(right, rows, name, begun, colour, 100.0, name if number == 0 else None)
        begun += rows[-1]["epoch"]
        if number < len(parts) - 1:
            for axes in (left, right):
                axes.axvline(begun + 0.5, color=SOFT, linewidth=0.8, linestyle=":")
    right.legend(frameon=False, fontsize=9, loc="best")
    dress(left, "loss on training views")
    dress(right, "per cent of what is held back")
    for axes in (left, right):
        axes.set_xlabel("epoch")
        axes.grid(color=GRID, linewidth=0.7)
    return figure


def _line(
    axes: Axes,
    rows: Rows,
    name: str,
    begun: float,
    colour: str,
    scale: float,
    label: str | None = None,
) -> None:
    known = [(begun + row["epoch"], scale * row[name]) for row in rows if name in row]
    if known:
        dot = "o" if len(known) < 30 else ""
        axes.plot(*zip(*known, strict=True), color=colour, label=label, marker=dot, markersize=3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("logs", nargs="+", type=Path, metavar="log.csv")
    parser.add_argument("--figures", help="columns to draw, with commas (default: all)")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="PNG")
    arguments = parser.parse_args()
    parts = [read_log(path) for path in arguments.logs]
    every = [name for name in parts[0][-1] if name not in _NOT_FIGURES]
    figure = draw(parts, arguments.figures.split(",") if arguments.figures else every)
    with written_whole(arguments.output) as partial:
        partial.write_bytes(png(figure))
    print(f"wrote {arguments.output}")


if __name__ == "__main__":
    main()
