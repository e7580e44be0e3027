"""The sections of a report, as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from app.palette import UNSURE, display_order
from app.review.around import around_events, events
from app.review.charts import around_chart, dot, line_chart, ribbon_chart, share_bar
from app.review.compare import Agreement, agreement, neutral_words
from app.review.edited import UNDECIDED, Edited, FaceEntry, Interval, recorded_markers
from app.review.page import how_to_read
from app.review.second import Second
from app.review.series import series
from app.review.statistics import LabelShare, Summary, summarise
from app.review.words import between, frame_noun, interval_title, mixture, moment
from app.words import amount, per_cent, span
from models.runtime.card import Card

__all__ = [
    "card_section",
    "comparison_section",
    "edits_section",
    "face_section",
    "images_section",
    "intervals_section",
    "limits_section",
    "markers_section",
]

# Above it nothing is worth naming as the worst.
_GOOD = 0.95
# Other programs may send hundreds of different markers.
_MOST_KINDS = 12
_DASH = "\N{EN DASH}"


def face_section(state: Edited, face: FaceEntry) -> str:
    """Return what the whole session says of a face."""
    part = series(state, face.number)
    duration, gap = state.recording.duration, state.recording.gap
    until = state.recording.shown_until(part.frames)
    summary = summarise(state, face.number, 0.0, duration, of=part)
    return (
        f"<section><h2>{escape(face.title)}</h2>"
        f"{ribbon_chart(part, until, 0.0, duration, state.markers)}"
        f"{line_chart(part, 0.0, duration, gap)}"
        f"{_share_table(summary)}{_quality(state, summary)}</section>"
    )


def images_section(state: Edited) -> str:
    """Return what is said of each face on each image: there is no time in which to count them."""
    rows = "".join(_image(state, frame) for frame in range(len(state.recording.frame_times)))
    return (
        "<section><h2>Images</h2><table><tr><th>Image</th><th>Face</th><th>Label</th>"
        f"<th class='n'>Confidence</th><th class='n'>Quality</th></tr>{rows}</table></section>"
    )


def intervals_section(state: Edited, faces: Sequence[FaceEntry]) -> str:
    """Return what each kept interval says of each face; empty where none is kept."""
    if not state.intervals:
        return ""
    body = "".join(_interval(state, one, faces) for one in state.intervals)
    return f"<section><h2>Intervals</h2>{body}</section>"


def markers_section(state: Edited, faces: Sequence[FaceEntry]) -> str:
    """Return the markers, and means around those of each kind; empty where there are none."""
    if not state.markers:
        return ""
    rows = "".join(
        f"<tr><td class='n'>{moment(state.recording, marker.time)}</td>"
        f"<td>{escape(marker.key)}</td><td>{escape(marker.text)}</td></tr>"
        for marker in state.markers
    )
    time = "Image" if state.recording.of_images else "Time"
    kinds = sorted(events(state.markers).items(), key=lambda kind: -len(kind[1]))
    charts = "".join(_around(state, *kind, faces) for kind in sorted(kinds[:_MOST_KINDS]))
    if len(kinds) > _MOST_KINDS:
        charts += "<p class='quiet'>Kinds of which there are fewer markers are not averaged.</p>"
    return (
        f"<section><h2>Markers</h2><table class='tight'><tr><th class='n'>{time}</th><th>Key</th>"
        f"<th>Text</th></tr>{rows}</table>{charts}</section>"
    )


def comparison_section(state: Edited, faces: Sequence[FaceEntry], second: Second | None) -> str:
    """Return how another model's reading differs; empty where there is none."""
    if second is None:
        return ""
    body = "".join(
        _comparison(agreement(state, second, face.number, 0.0, state.recording.duration), face)
        for face in faces
    )
    return (
        f"<section><h2>Read again with {escape(second.model)}</h2>"
        f"<p>The same faces on the same pictures, read by another model. Where two models differ, "
        f"at least one of them is wrong; where they agree, both may be. "
        f"{escape(neutral_words(state.recording, second))}</p>{body}</section>"
    )


def card_section(card: Card | None, info: dict[str, Any]) -> str:
    """Return what is known of the model; card: of the one that has its name now."""
    model = info.get("model")
    recorded: dict[str, Any] = model if isinstance(model, dict) else {}
    if card is None or _is_another(card, recorded):
        name = escape(str(recorded.get("name", "unknown")))
        why = (
            "Its card is not on this computer."
            if card is None
            else "The model of this name on this computer is another version: its card would say "
            "nothing of this session."
        )
        return f"<section><h2>Model</h2><p>{name}. {why}</p></section>"
    metric = card.metric("mirror") or card.metric("one")
    facts = [
        ("Model", f"{card.title} ({card.name})"),
        ("Labels", ", ".join(card.labels)),
        ("Trained on", "; ".join(card.data)),
        ("Licence", card.licence),
    ]
    if metric is not None:
        facts.append(
            ("Agrees with its labels",
             f"on {per_cent(metric.accuracy)} of {metric.n:,} pictures ({metric.split}); mean F1 "
             f"{metric.macro_f1:.2f}"),
        )  # fmt: skip
        recall = ", ".join(
            f"{label} {per_cent(share, digits=0)}" for label, share in metric.recall.items()
        )
        facts.append(("Found of each label", recall))
    if (rule := card.unsure.get("mirror")) is not None:
        facts.append(
            ("Unsure below",
             f"{per_cent(rule.threshold, digits=0)}; {per_cent(rule.precision)} of the labels "
             f"above it are right, on {per_cent(rule.coverage)} of {rule.n:,} pictures "
             f"({rule.split})"),
        )  # fmt: skip
    rows = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in facts
    )
    limits = "".join(f"<li>{escape(limit)}</li>" for limit in card.limits)
    return (
        f"<section><h2>Model</h2><table class='facts'>{rows}</table><h3>Limits of this model</h3>"
        f"<ul>{limits}</ul></section>"
    )


def _is_another(card: Card, recorded: dict[str, Any]) -> bool:
    """Say whether a card is known to be of another file than the one recorded."""
    known = recorded.get("sha256")
    return bool(known) and card.file is not None and card.file.sha256 != known


def edits_section(state: Edited) -> str:
    """Return what was changed in review."""
    said = []
    for face in state.faces:
        if face.name:
            said.append(f"Face {face.number} is called {escape(face.name)}.")
        if face.kept < face.rows:
            said.append(
                f"Of {escape(face.title)}, {amount(face.rows - face.kept, 'frame')} "
                f"of {face.rows:,} are left out."
            )
    recorded = set(state.recording.tracks.tolist())
    now = {face.number for face in state.faces}
    if recorded - now:
        said.append(
            f"{amount(len(recorded - now), 'recorded track')} "
            f"{'was' if len(recorded - now) == 1 else 'were'} merged into others."
        )
    if now - recorded:
        said.append(f"{amount(len(now - recorded), 'face was', 'faces were')} split off.")
    if not said:
        said = ["Faces are as they were recorded."]
    said += _marker_changes(state)
    if state.intervals:
        said.append(f"{amount(len(state.intervals), 'interval')} kept.")
    items = "".join(f"<li>{sentence}</li>" for sentence in said)
    return (
        f"<section><h2>Changed in review</h2><ul>{items}</ul>"
        f"<p class='quiet'>The recording itself is unchanged; edits.json holds each step.</p>"
        f"</section>"
    )


def _marker_changes(state: Edited) -> list[str]:
    recorded = {marker.id: marker for marker in recorded_markers(state.recording)}
    now = {marker.id: marker for marker in state.markers}
    counts = {
        "added": len(now.keys() - recorded.keys()),
        "moved or reworded": sum(now.get(key, one) != one for key, one in recorded.items()),
        "removed": len(recorded.keys() - now.keys()),
    }
    parts = [f"{count:,} {words}" for words, count in counts.items() if count]
    return [f"Markers: {', '.join(parts)}."] if parts else []


def limits_section() -> str:
    """Return in plain words what the numbers are not."""
    return how_to_read("""\
<li><b>Shares and their intervals.</b> A share is the part of the frames with a face that bear a
label; frames on which no label was likely enough count as unsure. Neighbouring frames are nearly
the same, so the 95 % interval (Wilson 1927) is that of the smaller number of independent frames
(autocorrelation time after Geyer 1992). It is the range in which the share would lie in the long
run, if all went on in the same way. It assumes that the stretch is of one piece: with a trend in
it, choose shorter intervals.</li>
<li><b>The model errs, too.</b> None of the intervals covers its errors. It agrees with its own
training labels only in part, and people agree with each other only in part.</li>
<li><b>Unequal errors.</b> Some ages, skin tones, cultures, glasses, beards, angles and light are
rare in the training pictures; expect more errors there. Comparing people is safer with each
person's own neutral face recorded.</li>
<li><b>Quality.</b> Small, dark, blurred, turned or covered faces are read badly. The share of
frames of poor quality is given for each face.</li>
<li><b>Means around markers</b> weigh each marker the same; bands are one standard error over the
markers. With few markers they say little.</li>""")


def _image(state: Edited, frame: int) -> str:
    """Return a row for each face of an image that counts, or one that says that there is none."""
    recording = state.recording
    number = recording.image_number(float(recording.frame_times[frame]))
    name = escape(recording.image_of(frame) or f"image {number}")
    faces = [
        f"<tr><td>{name}</td>{_on_image(state, row)}</tr>"
        for row in recording.rows_of_frame(frame).tolist()
        if state.kept[row]
    ]
    return "".join(faces) or f"<tr><td>{name}</td><td colspan='4'>no face that counts</td></tr>"


def _on_image(state: Edited, row: int) -> str:
    code, quality = int(state.decided[row]), float(state.recording.quality[row])
    label = UNSURE if code == UNDECIDED else state.recording.labels[code]
    measured = f"{quality:.2f}" if quality == quality else _DASH
    return (
        f"<td>{escape(state.title(int(state.owners[row])))}</td>"
        f"<td>{dot(label)}{escape(label)}</td>"
        f"<td class='n'>{per_cent(float(state.recording.confidence[row]))}</td>"
        f"<td class='n'>{measured}</td>"
    )


def _share_table(summary: Summary) -> str:
    by_label = {row.label: row for row in summary.labels}
    rows = [by_label[label] for label in display_order(by_label)]
    if summary.unsure is not None:
        rows.append(summary.unsure)
    body = "".join(_share_row(row) for row in rows)
    return (
        "<table><tr><th>Label</th><th></th><th class='n'>Share</th><th class='n'>95 % interval</th>"
        "<th class='n'>Mean probability</th><th class='n'>Times</th><th class='n'>Longest</th></tr>"
        f"{body}</table>"
    )


def _share_row(row: LabelShare) -> str:
    mean = _DASH if row.label == UNSURE else f"{per_cent(row.mean)} ± {per_cent(row.deviation)}"
    return (
        f"<tr><td>{dot(row.label)}{escape(row.label)}</td><td>{share_bar(row)}</td>"
        f"<td class='n'>{per_cent(row.share)}</td><td class='n'>{_range(row)}</td>"
        f"<td class='n'>{mean}</td><td class='n'>{row.episodes}</td>"
        f"<td class='n'>{span(row.longest) if row.episodes else _DASH}</td></tr>"
    )


def _quality(state: Edited, summary: Summary) -> str:
    said = [
        f"{amount(summary.rows, 'frame')} with this face, {per_cent(summary.missing)} of all "
        f"frames without it.",
    ]
    if summary.independent is not None:
        said.append(f"Worth about {amount(round(summary.independent), 'independent frame')}.")
    elif summary.rows:
        said.append("The label never changed, so no interval can be given.")
    if summary.quality is None:
        said.append("Quality was not measured.")
    else:
        said.append(
            f"Mean quality {summary.quality:.2f} of 1; poor on {per_cent(summary.poor)} of the "
            f"frames{_worst(state, summary.face)}."
        )
    if words := mixture(summary):
        said.append(f"{words}.")
    return f"<p class='quiet'>{' '.join(said)}</p>"


def _worst(state: Edited, face: int) -> str:
    """Return which part of the quality is the lowest on the average."""
    rows = state.rows(face)
    means = {}
    for name, values in state.recording.qualities.items():
        known = values[rows][values[rows] == values[rows]]
        if len(known):
            means[name] = float(known.mean())
    if not means:
        return ""
    worst = min(means, key=lambda name: means[name])
    if means[worst] > _GOOD:
        return ""
    return f", lowest for {worst.replace('_', ' ')} ({means[worst]:.2f})"


def _interval(state: Edited, one: Interval, faces: Sequence[FaceEntry]) -> str:
    labels = display_order(state.recording.labels)
    rows, mixtures = [], []
    for face in faces:
        summary = summarise(state, face.number, one.start, one.end)
        if not summary.rows:
            continue
        if words := mixture(summary):
            mixtures.append(f"<p class='quiet'>{escape(face.title)}: {words}.</p>")
        by_label = {row.label: row for row in summary.labels}
        cells = "".join(f"<td class='n'>{_short(by_label[label])}</td>" for label in labels)
        unsure = per_cent(summary.unsure.share) if summary.unsure else "0 %"
        rows.append(
            f"<tr><td>{escape(face.title)}</td>{cells}<td class='n'>{unsure}</td>"
            f"<td class='n'>{summary.rows:,}</td></tr>"
        )
    heads = "".join(f"<th class='n'>{escape(label)}</th>" for label in labels)
    table = (
        f"<div class='wide'><table><tr><th>Face</th>{heads}<th class='n'>unsure</th>"
        f"<th class='n'>{frame_noun(state.recording)}s</th></tr>{''.join(rows)}</table></div>"
        if rows
        else "<p class='quiet'>No face that counts is in the picture.</p>"
    )
    recording = state.recording
    where = between(recording, one.start, one.end).capitalize()
    if not recording.of_images:
        where += f", {span(one.end - one.start)}"
    return (
        f"<h3>{escape(interval_title(recording, one))}</h3><p class='quiet'>{where}; share with "
        f"its 95 % interval.</p>{table}{''.join(mixtures)}"
    )


def _around(state: Edited, kind: str, times: list[float], faces: Sequence[FaceEntry]) -> str:
    charts = []
    for face in faces:
        part = series(state, face.number)
        around = around_events(part, times, state.recording.gap)
        if around.events:
            charts.append(
                f"<p>{escape(face.title)}, {amount(around.events, 'marker')}</p>"
                f"{around_chart(around, part.labels)}"
            )
    if not charts:
        return ""
    return f"<h3>Means around {escape(kind)}</h3>{''.join(charts)}"


def _comparison(found: Agreement, face: FaceEntry) -> str:
    if found.same is None:
        return f"<h3>{escape(face.title)}</h3><p>Not one frame on which both models are sure.</p>"
    kappa = "" if found.kappa is None else f", Cohen's kappa {found.kappa:.2f}"
    rows = "".join(
        f"<tr><td>{dot(one.label)}{escape(one.label)}</td><td class='n'>{_or_dash(one.first)}</td>"
        f"<td class='n'>{_or_dash(one.second)}</td><td class='n'>{per_cent(one.both)}</td>"
        f"<td class='n'>{_or_dash(one.moved)}</td></tr>"
        for one in found.changes
    )
    return (
        f"<h3>{escape(face.title)}</h3><p>The same label on {per_cent(found.same)} of the "
        f"{amount(found.sure, 'frame')} on which both are sure{kappa}.</p>"
        f"<table><tr><th>Label</th><th class='n'>Recorded</th><th class='n'>Second</th>"
        f"<th class='n'>Both</th><th class='n'>Probability differs by</th></tr>{rows}</table>"
    )


def _range(row: LabelShare) -> str:
    if row.low is None or row.high is None:
        return _DASH
    return f"{100 * row.low:.1f}{_DASH}{100 * row.high:.1f} %"


def _short(row: LabelShare) -> str:
    if row.low is None or row.high is None:
        return per_cent(row.share)
    ends = f"{100 * row.low:.0f}{_DASH}{100 * row.high:.0f} %"
    return f"{per_cent(row.share)}<br><span class='quiet'>{ends}</span>"


def _or_dash(share: float | None) -> str:
    return _DASH if share is None else per_cent(share)
