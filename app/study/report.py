"""The report of a study: one page on what its participants' faces showed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from statistics import fmean

from app.errors import SessionError
from app.palette import display_order
from app.review.charts import around_chart, dot, legend
from app.review.page import facts_table, how_to_read, html_page
from app.study.groups import Contrast, Estimate, change, contrasts, curve, estimate, over
from app.study.session import StudySession
from app.study.table import Row, all_rows
from app.words import amount, per_cent, span

__all__ = ["study_report"]

_DASH = "\N{EN DASH}"
_MINUS = "\N{MINUS SIGN}"
# Six pairs: more would make a page that nobody reads.
_MOST_CONDITIONS = 4

_READING = """\
<li><b>One participant, one observation.</b> Frames and stimuli are averaged within each participant
first. Intervals are 95 % intervals of the mean over participants (Student's t) and hold for each
number by itself: of twenty such numbers one leaves 0 out by chance alone. What you expected before
you looked weighs more than what stands out.</li>
<li><b>Change</b> is the mean probability during a stimulus less that during the cross before it, in
percentage points. Pictures change the light on a face, and some labels answer to light.</li>
<li><b>Curves</b> are means over participants; bands are one standard error, and broken lines
stand where the stimulus begins and ends. Probabilities are smoothed over a quarter of a second, so
they follow a face a little late.</li>
<li><b>The model errs, too</b>, and more on faces unlike those it learnt from. None of the intervals
covers that. Its card says how often, and on whom.</li>"""


def study_report(sessions: Sequence[StudySession], warnings: Sequence[str]) -> str:
    """Return the page of one study as HTML.

    warnings: what to mind, a sentence each. Raises `SessionError` where the sessions are of several
    studies, were read by models with different labels, or showed nothing to its end.
    """
    _check(sessions)
    rows = all_rows(sessions)
    sections = [
        _summary(sessions, warnings),
        *_conditions(rows),
        *(
            _stimulus(sessions, rows, name)
            for name in dict.fromkeys(row["stimulus"] for row in rows)
        ),
        how_to_read(_READING),
    ]
    return html_page("Study report", sessions[0].title, _facts(sessions), sections)


def _check(sessions: Sequence[StudySession]) -> None:
    titles = list(dict.fromkeys(session.title for session in sessions))
    if len(titles) > 1:
        raise SessionError(
            f"expected sessions of one study, found those of {', '.join(titles)}; choose one with "
            f"--study."
        )
    labels = {session.part.labels for session in sessions}
    if len(labels) > 1:
        models = ", ".join(dict.fromkeys(session.model for session in sessions))
        raise SessionError(
            f"expected sessions that were read with the same labels, found those of {models}; "
            f"report on those of one model at a time."
        )


def _facts(sessions: Sequence[StudySession]) -> str:
    complete = sum(session.complete for session in sessions)
    participants = {session.participant for session in sessions}
    return facts_table(
        [
            ("Participants", f"{len(participants):,}"),
            ("Sessions", f"{len(sessions):,}, {complete:,} of them seen to the end"),
            ("Model", ", ".join(dict.fromkeys(session.model for session in sessions))),
            ("Question", str(sessions[0].study.get("question", ""))),
        ]
    )


def _summary(sessions: Sequence[StudySession], warnings: Sequence[str]) -> str:
    said = ["All labels name <b>apparent expressions</b>: what a face shows, not what is felt."]
    said += [escape(f"{sentence}.") for sentence in warnings]
    items = "".join(f"<li>{sentence}</li>" for sentence in said)
    return f"<section><h2>Summary</h2><ul>{items}</ul>{legend(sessions[0].part.labels)}</section>"


def _conditions(rows: Sequence[Row]) -> list[str]:
    """Return what conditions have in common and in what they differ; none where there is none."""
    found = over(rows, "condition", change)
    if not found:
        return []
    parts = [_table("Condition", found, "Change of the mean probability, percentage points")]
    pairs = contrasts(rows, change) if 1 < len(found) <= _MOST_CONDITIONS else []
    if pairs:
        parts.append("<h3>Differences within participants</h3>" + _differences(pairs))
    return [f"<section><h2>Conditions</h2>{''.join(parts)}</section>"]


def _stimulus(sessions: Sequence[StudySession], rows: Sequence[Row], name: str) -> str:
    mine = [row for row in rows if row["stimulus"] == name]
    around = curve(sessions, name)
    labels = sessions[0].part.labels
    chart = ""
    if around is not None:
        lines = (0.0, fmean(row["seconds"] for row in mine))  # where it begins and ends
        chart = around_chart(around, labels, title=f"Probabilities at {name}", lines=lines)
    changes = over(mine, "stimulus", change)
    means = over(mine, "stimulus", lambda row: row.get("mean"))
    words = "Change of the mean probability, percentage points"
    table = _table("", changes, words) if changes else ""
    if not changes and means:
        table = _table("", means, "Mean probability, per cent (there is no cross before it)")
    head = f"<h2>{escape(name)}</h2><p class='quiet'>{_seen(mine)}</p>"
    return f"<section>{head}{chart}{table}</section>"


def _seen(rows: Sequence[Row]) -> str:
    """Return by how many a stimulus was seen, how long, and how they answered."""
    each = {row["session"]: row for row in rows}.values()
    participants = {row["participant"] for row in each}
    condition = next((row["condition"] for row in each if row["condition"]), "")
    said = [
        f"Condition: {escape(condition)}." if condition else "",
        f"Seen by {amount(len(participants), 'participant')}, "
        f"{span(fmean(row['seconds'] for row in each))} each.",
    ]
    answers = _by_participant((row["participant"], row["answer"]) for row in each)
    if answers:
        found = estimate(answers)
        said.append(f"Answered {found.mean:.2f}{_interval(found, 2, _DASH)} on the average.")
    missing = fmean(row["missing"] for row in each)
    if missing >= 0.005:
        said.append(f"Without the face on {per_cent(missing, digits=0)} of the frames.")
    return " ".join(part for part in said if part)


def _by_participant(pairs: Iterable[tuple[str, float | None]]) -> list[float]:
    """Return each participant's mean of what is known."""
    found: dict[str, list[float]] = {}
    for who, value in pairs:
        if value is not None:
            found.setdefault(who, []).append(float(value))
    return [fmean(several) for several in found.values()]


def _table(head: str, found: dict[str, dict[str, Estimate]], words: str) -> str:
    """Return a row for each group and a column for each label."""
    labels = display_order({label for of in found.values() for label in of})
    heads = "".join(f"<th class='n'>{dot(label)}{escape(label)}</th>" for label in labels)
    body = "".join(
        f"<tr><td>{escape(group) if head else ''}</td>"
        + "".join(f"<td class='n'>{_cell(of.get(label))}</td>" for label in labels)
        + f"<td class='n'>{max(one.n for one in of.values())}</td></tr>"
        for group, of in found.items()
    )
    return (
        f"<p class='quiet'>{words}, with its 95 % interval; those that leave 0 out are bold.</p>"
        f"<div class='wide'><table><tr><th>{head}</th>{heads}<th class='n'>n</th></tr>{body}"
        "</table></div>"
    )


def _differences(pairs: Sequence[Contrast]) -> str:
    found = {f"{pair.more} {_MINUS} {pair.less}": pair.of for pair in pairs}
    return _table("Difference", found, "Of the changes, percentage points")


def _cell(found: Estimate | None) -> str:
    if found is None:
        return _DASH
    whole = f"{_number(100 * found.mean, 1)}"
    if found.is_apart:
        whole = f"<b>{whole}</b>"
    ends = _interval(found, 1, " to ", 100).strip(" ()")
    return f"{whole}<br><span class='quiet'>{ends}</span>" if ends else whole


def _interval(found: Estimate, digits: int, between: str, scale: float = 1.0) -> str:
    if found.low is None or found.high is None:
        return ""
    low, high = (_number(scale * end, digits) for end in (found.low, found.high))
    return f" ({low}{between}{high})"


def _number(value: float, digits: int) -> str:
    rounded = round(value, digits) + 0.0  # no minus before nothing
    return f"{rounded:.{digits}f}".replace("-", _MINUS)
