"""An evaluation as one HTML page that needs nothing but itself."""

from __future__ import annotations

import base64
from html import escape

import cv2
import numpy as np
from numpy.typing import NDArray

from models import robustness
from models.evaluate import BINS, EXACT_BELOW, wilson
from models.explain.table import section as explanations
from models.plots import confusion_png, reliability_png
from models.report_style import STYLE
from models.results import Comparison, Result, Setting, by_label_set, spoilt

MISTAKES = 24
"""Pictures shown of what each model got wrong with the most confidence."""

_SETS = {
    "fer2013": "the seven expressions of FER2013",
    "fer2013-4": "four of FER2013's expressions",
    "ferplus": "the eight expressions of FER+",
}
_DEFINITIONS = (
    ("Accuracy", "the part of the pictures that the model names as the truth does."),
    (
        "95% interval",
        "where the accuracy would lie in 95 of 100 repeats with other pictures of the same kind "
        "(Wilson score interval).",
    ),
    (
        "Recall",
        "of the pictures of one expression, the part that the model finds. Rare expressions weigh "
        "little in the accuracy, so look here.",
    ),
    (
        "Macro-F1",
        "the mean over the expressions of F1, which is low both for pictures missed and for "
        "pictures wrongly claimed; every expression weighs the same.",
    ),
    (
        "ECE",
        "expected calibration error: how far the confidence is from the part named right, averaged "
        f"over {BINS} bins of equal width. 0 means a confidence of 70% is right 70 times in 100.",
    ),
    ("NLL", "mean negative log-probability of the truth, in nats; lower is better."),
    (
        "Without copies",
        "the accuracy on those pictures that are not, pixel for pixel, in the Training split too, "
        "nor, of PrivateTest, in PublicTest. Pictures that only look alike are not found this way.",
    ),
    ("Latency", "median time for one crop on one CPU thread of the machine that evaluated."),
    (
        "McNemar's test",
        "looks only at the pictures that one of two models names right and the other wrong. p is "
        "how often a difference this large would come up by chance between equally good models; "
        f"exact binomial below {EXACT_BELOW} such pictures, else chi-square with continuity "
        "correction; not corrected for the number of pairs.",
    ),
)


def html_report(setting: Setting, results: list[Result], comparisons: list[Comparison]) -> str:
    """Return the page; pictures and diagrams are inside it, and it refers to no other file."""
    groups = by_label_set(results)
    title = f"Expression models on {_source(setting)}, {setting.split}"
    parts = [
        f"<h1>{escape(title)}</h1>",
        '<p class="lead">'
        + " ".join(_leader(label_set, group) for label_set, group in groups.items())
        + "</p>",
        _facts(setting, groups),
        "<h2>Comparison</h2>",
        *(_comparison(label_set, group) for label_set, group in groups.items()),
        _tests(comparisons),
        *(robustness.section(label_set, spoilt(group)) for label_set, group in groups.items()),
        *(_model(setting, result) for result in results),
        _definitions(),
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<link rel="icon" href="data:,">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(part for part in parts if part)
        + "\n</main>\n</body>\n</html>\n"
    )


def _source(setting: Setting) -> str:
    source = setting.faces.source
    return "FER2013" if source == "fer2013" else source


def _leader(label_set: str, group: list[Result]) -> str:
    best = max(group, key=lambda result: result.evaluation.whole.accuracy)
    whole = best.evaluation.whole
    low, high = whole.accuracy_interval
    first = "Best on" if len(group) > 1 else "On"
    return (
        f"{first} {escape(_SETS.get(label_set, label_set))}: <strong>{escape(best.name)}</strong> "
        f"names <strong>{whole.accuracy:.1%}</strong> of {whole.n:,} pictures right "
        f"(95% interval {low:.1%} to {high:.1%})."
    )


def _facts(setting: Setting, groups: dict[str, list[Result]]) -> str:
    crops = list(dict.fromkeys(result.crops for group in groups.values() for result in group))
    sha256 = setting.data_sha256
    facts = [
        ("Data", setting.data + (f" (sha256 {sha256[:16]}…)" if sha256 else "")),
        (
            "Split",
            f"{setting.split}, {len(setting.faces):,} pictures; {setting.split_note}",
        ),
        *([("List of pictures", setting.images.sentence())] if setting.images else []),
        *(
            (f"Truth, {label_set}", f"{group[0].rule}: {group[0].evaluation.whole.n:,} pictures")
            for label_set, group in groups.items()
        ),
        ("Crops", "; ".join(crops)),
        *([("Base rates", setting.rates_note)] if setting.rates_note else []),
        ("Copies", setting.copies_note),
        ("Date", setting.date),
        (
            "What it is about",
            "the apparent expression of a face in a picture, as people labelled it; not what a "
            "person feels",
        ),
    ]
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in facts)
    return f"<dl>{rows}</dl>"


def _comparison(label_set: str, group: list[Result]) -> str:
    wholes = [result.evaluation.whole for result in group]
    left = min(whole.accuracy_interval[0] for whole in wholes)
    right = max(whole.accuracy_interval[1] for whole in wholes)
    best = max(whole.accuracy for whole in wholes)
    rows = []
    for result, whole in zip(group, wholes, strict=True):
        low, high = whole.accuracy_interval
        apart = result.evaluation.deduplicated
        mark = ' class="best"' if whole.accuracy == best and len(group) > 1 else ""
        rows.append(
            f"<tr{mark}><th scope=row><a href='#{escape(_anchor(result))}'>{escape(result.name)}"
            f"</a></th><td>{whole.n:,}</td><td>{whole.accuracy:.2%}</td>"
            f"<td>{low:.1%} &ndash; {high:.1%}</td>"
            f"<td>{_whisker(low, whole.accuracy, high, left, right)}</td>"
            f"<td>{whole.mean_recall:.1%}</td><td>{whole.macro_f1:.3f}</td><td>{whole.ece:.3f}</td><td>{whole.nll:.3f}</td>"
            f"<td>{'&ndash;' if apart is None else f'{apart.accuracy:.2%} of {apart.n:,}'}</td>"
            f"<td>{result.latency_ms:.2f} ms</td></tr>"
        )
    return (
        f"<h3>{escape(label_set)}: {escape(_SETS.get(label_set, 'its own labels'))}</h3>"
        '<div class="wide"><table><thead><tr><th scope=col>Model</th><th>Pictures</th>'
        "<th>Accuracy</th><th>95% interval</th><th></th><th>Mean recall</th><th>Macro-F1</th>"
        "<th>ECE</th><th>NLL</th><th>Without copies</th><th>Latency</th></tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _whisker(low: float, middle: float, high: float, left: float, right: float) -> str:
    """Draw an interval on the scale that a table shares."""

    def place(value: float) -> float:
        return 4 + 112 * (value - left) / max(right - left, 1e-9)

    return (
        '<svg width="120" height="14" aria-hidden="true">'
        f'<line x1="{place(low):.1f}" x2="{place(high):.1f}" y1="7" y2="7"/>'
        f'<circle cx="{place(middle):.1f}" cy="7" r="4"/></svg>'
    )


def _tests(comparisons: list[Comparison]) -> str:
    if not comparisons:
        return ""
    rows = "".join(
        f"<tr><th scope=row>{escape(entry.first)}</th><th scope=row>{escape(entry.second)}</th>"
        f"<td>{entry.outcome.first_only:,}</td><td>{entry.outcome.second_only:,}</td>"
        f"<td>{show_p(entry.outcome.p)}</td><td class=text>{escape(entry.outcome.test)}</td></tr>"
        for entry in comparisons
    )
    return (
        "<h3>Two models on the same pictures (McNemar's test)</h3>"
        '<div class="wide"><table><thead><tr><th scope=col>First</th><th class=text>Second</th>'
        "<th>Only the first is right</th><th>Only the second is right</th><th>p</th>"
        "<th class=text>Test</th>"
        f"</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _model(setting: Setting, result: Result) -> str:
    evaluation = result.evaluation
    whole = evaluation.whole
    note = (
        f"{result.label_set}, {whole.n:,} pictures of {setting.split}; {result.crops}. "
        f"Temperature {result.temperature_note}."
    )
    return (
        f"<section id='{escape(_anchor(result))}'><h2>{escape(result.name)}</h2>"
        f"<p class=note>{escape(note)}<br><span class=hash>{escape(result.file)}, sha256 "
        f"{escape(result.sha256)}</span></p>"
        "<div class=pair>"
        + _figure(
            confusion_png(evaluation, "What it takes for what"),
            f"Confusion matrix of {result.name}",
            "Each row is one truth and adds up to 100%. The darker the diagonal, the better.",
        )
        + _figure(
            reliability_png(evaluation, f"Can its confidence be believed? (ECE {whole.ece:.3f})"),
            f"Reliability diagram of {result.name}",
            "Points on the dashed line: the confidence says how often it is right. Below it: too "
            "sure of itself.",
        )
        + f"</div><h3>Recall of each expression</h3>{_recalls(result)}{_mistakes(setting, result)}"
        f"{explanations(result.explanations)}</section>"
    )


def _figure(png: bytes, alt: str, caption: str) -> str:
    return (
        f'<figure><img src="{_embed(png)}" alt="{escape(alt)}">'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def _recalls(result: Result) -> str:
    rows = []
    confusion = result.evaluation.whole.confusion
    for place, label in enumerate(result.evaluation.labels):
        total, found = sum(confusion[place]), confusion[place][place]
        if not total:
            rows.append(
                f"<tr><th scope=row>{escape(label)}</th><td class=bar></td><td>&ndash;</td>"
                "<td></td><td>no picture</td></tr>"
            )
            continue
        low, high = wilson(found, total)
        rows.append(
            f"<tr><th scope=row>{escape(label)}</th><td class=bar>"
            f'<span style="width:{found / total:.1%}"></span></td><td>{found / total:.1%}</td>'
            f"<td>{low:.0%} &ndash; {high:.0%}</td><td>{found:,} of {total:,}</td></tr>"
        )
    return (
        '<div class="wide"><table class=recall><thead><tr><th scope=col>Expression</th><th></th>'
        "<th>Recall</th><th>95% interval</th><th>Pictures found</th></tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _mistakes(setting: Setting, result: Result) -> str:
    evaluation = result.evaluation
    worst = evaluation.worst(MISTAKES)
    if not len(worst):
        return "<h3>Mistakes</h3><p>It made none on these pictures.</p>"
    cards = []
    for place in worst:
        row = evaluation.rows[place]
        truth = evaluation.labels[evaluation.truth[place]]
        said = evaluation.labels[evaluation.predicted[place]]
        name = str(setting.faces.names[row])
        cards.append(
            f'<figure><img src="{_embed(_picture(setting.faces.pixels[row]))}" '
            f'alt="{escape(f"{name}: {truth}, taken for {said}")}" width=96 height=96>'
            f"<figcaption><b>{escape(said)}</b> {evaluation.confidence[place]:.0%}<br>"
            f"truth: {escape(truth)}<br><span class=hash>{escape(name)}</span></figcaption>"
            "</figure>"
        )
    wrong = int((~evaluation.hits).sum())
    return (
        "<h3>The mistakes made with the most confidence</h3>"
        f"<p class=note>The first {len(worst)} of {wrong:,}. In bold what the model says and how "
        "sure it is, below it the truth by the rule above and the picture's name. Labels can be "
        "wrong too.</p>"
        f"<div class=mistakes>{''.join(cards)}</div>"
    )


def _definitions() -> str:
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in _DEFINITIONS)
    return f"<h2>What the figures mean</h2><dl>{rows}</dl>"


def show_p(p: float) -> str:
    """Return a p value as text, such as "0.034"."""
    return "&lt; 0.001" if p < 0.001 else f"{p:.3f}"


def _picture(pixels: NDArray[np.uint8]) -> bytes:
    done, png = cv2.imencode(".png", pixels)
    assert done  # a gray uint8 picture always encodes
    return png.tobytes()


def _embed(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")


def _anchor(result: Result) -> str:
    return "model-" + "".join(c if c.isalnum() else "-" for c in result.name)
