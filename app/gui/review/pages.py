"""The page about a session: what was recorded, when and how."""

from __future__ import annotations

from html import escape
from typing import Any

from app.review.recording import Recording
from app.review.words import length
from app.words import amount

_MOST_DEPTH = 3


def about_session(recording: Recording) -> str:
    """Return the page as HTML: its length, then all that session.json says."""
    return f"""
<h2>{escape(recording.path.name)}</h2>
<p>{escape(str(recording.path))}</p>
<p>{length(recording)},
{amount(len(recording.tracks), "row")} with a face,
{amount(len(recording.dropped), "frame")} dropped.
{"" if recording.finished else "<b>It is still being recorded.</b>"}</p>
{_table(recording.info, 0)}
"""


def _table(values: dict[str, Any], depth: int) -> str:
    rows = "".join(
        f"<tr><td><b>{escape(str(name).replace('_', ' '))}</b>&nbsp;&nbsp;</td>"
        f"<td>{_value(value, depth)}</td></tr>"
        for name, value in values.items()
        if value not in (None, "", [], {})
    )
    return f'<table cellpadding="3">{rows}</table>'


def _value(value: object, depth: int) -> str:
    if isinstance(value, dict) and depth < _MOST_DEPTH:
        return _table(value, depth + 1)
    if isinstance(value, list):
        return escape(", ".join(str(one) for one in value))
    return escape(str(value))
