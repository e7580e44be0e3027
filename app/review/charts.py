"""Charts as SVG, for a page that needs no other file."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

from app.palette import UNSURE, colour, display_order
from app.review.around import Around
from app.review.decimate import AWAY, decimate, ribbon
from app.review.edited import UNDECIDED, Marker
from app.review.series import Series
from app.review.statistics import LabelShare
from app.words import clock

__all__ = ["around_chart", "dot", "legend", "line_chart", "ribbon_chart", "share_bar", "stretches"]

WIDTH = 760
_LEFT, _RIGHT = 44, 8
_PLOT = WIDTH - _LEFT - _RIGHT
_QUIET, _LINE, _MARKER = "#5B6571", "#D5DAE1", "#9A6700"


def legend(labels: Sequence[str]) -> str:
    """Return the labels with their colours, unsure last."""
    signs = "".join(
        f'<span class="key"><i style="background:{colour(label, light=True)}"></i>'
        f"{escape(label)}</span>"
        for label in display_order(labels)
    )
    return f'<p class="legend">{signs}<span class="key"><i class="unsure"></i>unsure</span></p>'


def dot(label: str) -> str:
    """Return a label's colour as a sign to stand before its word."""
    if label == UNSURE:
        return "<i class='dot unsure'></i>"
    return f"<i class='dot' style='background:{colour(label, light=True)}'></i>"


def ribbon_chart(
    part: Series,
    until: NDArray[np.float64],
    start: float,
    end: float,
    markers: Sequence[Marker] = (),
) -> str:
    """Return a ribbon of labels from `start` to `end` (s) with a scale of time.

    until: (n,) s, how long each row holds.
    """
    codes = ribbon(part.times, until, part.decided, len(part.labels), start, end, _PLOT)
    runs = np.concatenate([[0], np.flatnonzero(np.diff(codes)) + 1, [len(codes)]])
    shapes = []
    for first, last in zip(runs[:-1].tolist(), runs[1:].tolist(), strict=True):
        code = int(codes[first])
        if code == AWAY:
            continue
        place = f'x="{_LEFT + first}" y="12" width="{last - first}" height="16"'
        if code == UNDECIDED:
            shapes.append(f'<rect {place} fill="none" stroke="{_QUIET}" stroke-width="0.7"/>')
        else:
            shapes.append(f'<rect {place} fill="{colour(part.labels[code], light=True)}"/>')
    flags = [_flag(marker, start, end, 28) for marker in markers if start <= marker.time <= end]
    body = "".join(shapes) + "".join(flags) + _scale(start, end, 28)
    return _svg(body, 48, "Labels over time")


def line_chart(part: Series, start: float, end: float, gap: float) -> str:
    """Return the probabilities of a face from `start` to `end` (s), a line for each label."""
    top, height = 8, 130
    lines = decimate(part.times, part.values, start, end, _PLOT, gap)
    x = _LEFT + (lines.times - start) / max(end - start, 1e-9) * _PLOT
    inside = (x >= _LEFT - 0.5) & (x <= _LEFT + _PLOT + 0.5)
    shapes = [_grid(top, height)]
    for label in reversed(display_order(part.labels)):
        values = lines.mean[part.labels.index(label)]
        y = top + (1 - values) * height
        for piece in np.split(np.arange(len(x)), lines.breaks):
            shown = piece[inside[piece]]
            if len(shown) > 1:
                shapes.append(_polyline(x[shown], y[shown], colour(label, light=True)))
    return _svg("".join(shapes) + _scale(start, end, top + height), top + height + 20,
                "Probabilities over time")  # fmt: skip


def around_chart(
    around: Around,
    labels: Sequence[str],
    *,
    title: str = "Mean probabilities around markers",
    lines: Sequence[float] = (0.0,),
) -> str:
    """Return mean probabilities around events, with bands of one standard error.

    lines: what is marked, s from the event.
    """
    top, height = 8, 130
    lags = around.lags
    x = _LEFT + (lags - lags[0]) / (lags[-1] - lags[0]) * _PLOT
    shapes = [_grid(top, height)]
    for label in reversed(display_order(labels)):
        place = list(labels).index(label)
        mean, error = around.mean[place], np.nan_to_num(around.error[place])
        ink = colour(label, light=True)
        for piece in stretches(np.isfinite(mean)):
            upper = top + (1 - np.clip(mean + error, 0, 1)[piece]) * height
            lower = top + (1 - np.clip(mean - error, 0, 1)[piece]) * height
            if error[piece].any():
                points = _points(
                    np.concatenate([x[piece], x[piece][::-1]]),
                    np.concatenate([upper, lower[::-1]]),
                )
                shapes.append(f'<polygon points="{points}" fill="{ink}" opacity="0.16"/>')
            shapes.append(_polyline(x[piece], top + (1 - mean[piece]) * height, ink, 1.6))
    for line in lines:
        at = _LEFT + (line - lags[0]) / (lags[-1] - lags[0]) * _PLOT
        shapes.append(
            f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{top}" y2="{top + height}" '
            f'stroke="{_MARKER}" stroke-dasharray="3 3"/>'
        )
    foot = top + height + 14
    seconds = range(int(np.ceil(lags[0])), int(lags[-1]) + 1)
    every = 1 + len(seconds) // 12
    for lag in (second for second in seconds if second % every == 0):
        at = _LEFT + (lag - lags[0]) / (lags[-1] - lags[0]) * _PLOT
        words = f"{lag} s".replace("-", "\N{MINUS SIGN}")
        shapes.append(_text(at, foot, words, "middle"))
    return _svg("".join(shapes), foot + 4, title)


def stretches(there: NDArray[np.bool_]) -> list[NDArray[np.int64]]:
    """Return the places of values that follow each other without a gap, stretch by stretch."""
    places = np.flatnonzero(there)
    if not len(places):
        return []
    return np.split(places, np.flatnonzero(np.diff(places) > 1) + 1)


def share_bar(row: LabelShare) -> str:
    """Return a bar with a whisker for the interval of its share."""
    width = 200
    ink = "none" if row.label == UNSURE else colour(row.label, light=True)
    shapes = [
        f'<rect x="0" y="5" width="{width}" height="8" rx="4" fill="#EEF1F5"/>',
        f'<rect x="0" y="5" width="{width * row.share:.1f}" height="8" rx="4" fill="{ink}"'
        + (f' stroke="{_QUIET}"' if row.label == UNSURE else "")
        + "/>",
    ]
    if row.low is not None and row.high is not None:
        low, high = width * row.low, width * row.high
        shapes.append(
            f'<path d="M{low:.1f} 9H{high:.1f}M{low:.1f} 5V13M{high:.1f} 5V13" '
            f'stroke="#1B1F24" stroke-width="1.3" fill="none"/>'
        )
    return (
        f'<svg width="{width + 2}" height="18" viewBox="-1 0 {width + 2} 18" aria-hidden="true">'
        f"{''.join(shapes)}</svg>"
    )


def _svg(body: str, height: float, title: str) -> str:
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {height:.0f}" role="img" '
        f'aria-label="{escape(title)}">{body}</svg>'
    )


def _grid(top: float, height: float) -> str:
    shapes = []
    for level, words in ((0.0, "0 %"), (0.5, "50 %"), (1.0, "100 %")):
        y = top + (1 - level) * height
        shapes.append(
            f'<line x1="{_LEFT}" x2="{_LEFT + _PLOT}" y1="{y}" y2="{y}" stroke="{_LINE}"/>'
        )
        shapes.append(_text(_LEFT - 6, y + 4, words, "end"))
    return "".join(shapes)


def _scale(start: float, end: float, top: float) -> str:
    steps = (0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)
    step = next((one for one in steps if (end - start) / one <= 9), steps[-1])
    shapes = []
    for number in range(int(np.ceil(start / step)), int(end / step) + 1):
        x = _LEFT + (number * step - start) / max(end - start, 1e-9) * _PLOT
        words = clock(number * step, digits=1 if step < 1 else 0)
        shapes.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{top + 4}" stroke="{_QUIET}"/>'
        )
        shapes.append(_text(min(x, WIDTH - 20), top + 16, words, "middle"))
    return "".join(shapes)


def _flag(marker: Marker, start: float, end: float, bottom: float) -> str:
    x = _LEFT + (marker.time - start) / max(end - start, 1e-9) * _PLOT
    sign = marker.sign
    return f'<line x1="{x:.1f}" x2="{x:.1f}" y1="10" y2="{bottom}" stroke="{_MARKER}"/>' + _text(
        x, 9, sign, "middle", _MARKER
    )


def _text(x: float, y: float, words: str, anchor: str, ink: str = _QUIET) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{ink}">{escape(words)}</text>'
    )


def _points(x: NDArray[np.floating], y: NDArray[np.floating]) -> str:
    return " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x.tolist(), y.tolist(), strict=True))


def _polyline(
    x: NDArray[np.floating], y: NDArray[np.floating], ink: str, width: float = 1.1
) -> str:
    return (
        f'<polyline points="{_points(x, y)}" fill="none" stroke="{ink}" '
        f'stroke-width="{width}" stroke-linejoin="round"/>'
    )
