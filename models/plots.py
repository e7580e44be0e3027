"""The diagrams of an evaluation as PNG, drawn without a display.

One hue from light to dark and a second one far from it in hue and lightness, so that the diagrams
read the same for colour-blind readers and in grey print.
"""

from __future__ import annotations

from io import BytesIO

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from models.evaluate import Evaluation, wilson

INK, SOFT, GRID = "#1f2933", "#616e7c", "#d9e2ec"
PALE, ORANGE = "#c6dcef", "#d55e00"
_DPI = 170


def confusion_png(evaluation: Evaluation, title: str) -> bytes:
    """Draw the confusion matrix, each row in percent of the pictures of that truth."""
    counts = np.array(evaluation.whole.confusion)
    totals = counts.sum(axis=1, keepdims=True)
    share = np.divide(counts, totals, out=np.zeros(counts.shape), where=totals > 0)
    classes = len(evaluation.labels)
    figure = Figure(figsize=(5.6, 5.4), dpi=_DPI, layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.ndindex(classes, classes):
        if totals[row, 0]:
            part = share[row, column]
            axes.text(
                column,
                row,
                f"{part:.0%}" if counts[row, column] else "·",
                ha="center",
                va="center",
                fontsize=9,
                fontweight="bold" if row == column else "normal",
                color="white" if part > 0.55 else INK,
            )
    places = range(classes)
    axes.set_xticks(places, evaluation.labels, rotation=45, ha="right", rotation_mode="anchor")
    named = [
        f"{label}  ({total:,})"
        for label, total in zip(evaluation.labels, totals[:, 0], strict=True)
    ]
    axes.set_yticks(places, named)
    axes.set_xlabel("what the model says")
    axes.set_ylabel("truth (number of pictures)")
    # White lines between the cells.
    axes.set_xticks(np.arange(classes - 1) + 0.5, minor=True)
    axes.set_yticks(np.arange(classes - 1) + 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=1.5)
    axes.tick_params(which="minor", length=0)
    dress(axes, title)
    return png(figure)


def reliability_png(evaluation: Evaluation, title: str) -> bytes:
    """Draw how often the model is right at each confidence, and how often it is that confident."""
    figure = Figure(figsize=(5.6, 5.4), dpi=_DPI, layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    bins = evaluation.bins
    middles = [(entry.low + entry.high) / 2 for entry in bins]
    widths = [0.88 * (entry.high - entry.low) for entry in bins]
    above.bar(middles, [entry.accuracy for entry in bins], widths, color=PALE)
    above.plot([0, 1], [0, 1], color=INK, linewidth=1, linestyle="--", label="perfect")
    ends = [wilson(round(entry.accuracy * entry.n), entry.n) for entry in bins]
    above.vlines([entry.confidence for entry in bins], *zip(*ends, strict=True), color=ORANGE)
    above.plot(
        [entry.confidence for entry in bins],
        [entry.accuracy for entry in bins],
        color=ORANGE,
        marker="o",
        markersize=5,
        linestyle="none",
        label="this model, with 95% interval",
    )
    above.set_ylim(0, 1)
    above.set_ylabel("part named right")
    above.legend(loc="upper left", frameon=False, fontsize=9, labelcolor=INK)
    total = evaluation.whole.n
    below.bar(middles, [entry.n / total for entry in bins], widths, color=SOFT)
    below.set_ylabel("part of pictures")
    below.set_xlabel("confidence of the model")
    below.set_xlim(0, 1)
    for axes in (above, below):
        axes.grid(axis="y", color=GRID, linewidth=0.7)
        axes.set_axisbelow(True)
    dress(above, title)
    dress(below, "")
    return png(figure)


def dress(axes: Axes, title: str) -> None:
    """Give a diagram its title and take its frame away."""
    axes.set_title(title, loc="left", fontsize=11, color=INK, pad=10)
    axes.tick_params(colors=INK, labelsize=9, length=0)
    axes.xaxis.label.set_color(SOFT)
    axes.yaxis.label.set_color(SOFT)
    for spine in axes.spines.values():
        spine.set_visible(False)


def png(figure: Figure) -> bytes:
    """Return the figure as the bytes of a PNG file."""
    buffer = BytesIO()
    FigureCanvasAgg(figure)
    # Without the field that names the program and its home page.
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
