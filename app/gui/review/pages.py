"""The page about a session: what was recorded, when and how."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from html import escape
from typing import Any

import numpy as np
from PySide6.QtWidgets import QWidget

from app.gui.menus import FINDER_WORDS, LANDMARK_WORDS
from app.gui.pages import open_page
from app.review.recording import Recording
from app.review.words import frame_noun, length
from app.words import amount, span
from models.runtime.base_rates import said

_ALL, _SUMMARY = "all", "summary"
_MOST_DEPTH = 3
_VIDEOS = {"raw": "the picture as it is", "annotated": "with the findings drawn on it"}


def show_about(window: QWidget, recording: Recording, model: str) -> None:
    """Open the summary of a session, whose link leads to all there is. model: what it is called."""
    pages = {_SUMMARY: about_session(recording, model), _ALL: all_of_session(recording)}
    shown = open_page(window, "About this session", lambda: pages[_SUMMARY]).page
    shown.anchorClicked.connect(lambda link: shown.setHtml(pages[link.toString()]))


def about_session(recording: Recording, model: str) -> str:
    """Return the page as HTML: a summary in words. model: what its model is called."""
    info = recording.info
    consent = _part(info, "consent")
    agreed = f"<p>{escape(str(consent['text']))}</p>" if consent.get("text") else ""
    return f"""
<h2>{escape(recording.path.name)}</h2>
{"" if recording.finished else "<p><b>It is still being recorded.</b></p>"}
{_lines(_facts(recording, model))}
{agreed}
<p>{escape(str(recording.path))}</p>
<p><a href="{_ALL}">Show all that session.json says</a></p>
"""


def all_of_session(recording: Recording) -> str:
    """Return a page of all that session.json says, as it says it."""
    return f"""
<h2>{escape(recording.path.name)}</h2>
<p><a href="{_SUMMARY}">Back to the summary</a></p>
{_table(recording.info, 0)}
"""


def _facts(recording: Recording, model: str) -> list[tuple[str, str]]:
    """Return what is known in words, most asked first; what nobody knows is empty."""
    info = recording.info
    analysis, study, program = (_part(info, name) for name in ("analysis", "study", "program"))
    consent = _part(info, "consent")
    provider = _part(info, "model").get("provider")
    return [
        ("What", _origin(info)),
        ("Study", _joined(study.get("title"), study.get("participant"))),
        ("Analysed" if analysis else "Recorded", _moment(_part(info, "started").get("wall"))),
        ("Length", length(recording)),
        ("Faces", _faces(recording)),
        ("Picture", _picture(_part(info, "source"))),
        ("Video kept", "" if analysis else _video(_part(info, "video"))),
        ("Model", _joined(model, f"on {provider}" if provider else "")),
        ("Base rates", said(recording.base_rates)),
        ("Face finder", _first_words(FINDER_WORDS, info.get("finder"))),
        ("Landmarks", _first_words(LANDMARK_WORDS, info.get("landmarks"))),
        ("Smoothing", _smoothing(info)),
        ("Frames read", f"one in {analysis['every']}" if analysis.get("every", 1) != 1 else ""),
        ("Consent", "" if analysis else _consent(consent)),
        ("Ended early", str(info.get("why") or "")),
        ("Written by", " ".join(str(program.get(name, "")) for name in ("name", "version"))),
    ]


def _first_words(words: Mapping[str, str], name: object) -> str:
    """Return what the menus call something, without what they add to it."""
    return words.get(str(name), str(name or "")).partition(":")[0]


def _origin(info: Mapping[str, Any]) -> str:
    source = _part(info, "source")
    name = str(source.get("name") or "")
    if source.get("kind") == "images":
        files = source.get("files")
        return f"{amount(files, 'image') if isinstance(files, int) else 'images'} in {name}"
    return f"the video {name}" if source.get("kind") == "video" else name


def _moment(wall: object) -> str:
    """Return a time of the wall clock as this computer's, to the minute."""
    try:
        return f"{datetime.fromisoformat(str(wall)).astimezone():%Y-%m-%d, %H:%M}"
    except ValueError:
        return ""


def _faces(recording: Recording) -> str:
    noun = frame_noun(recording)
    seen, tracks = len(np.unique(recording.row_frames)), len(np.unique(recording.tracks))
    said = f"{amount(tracks, 'face')} on {amount(seen, noun)}"
    dropped = len(recording.dropped)
    return said + (f"; {amount(dropped, noun)} passed over" if dropped else "")


def _picture(source: Mapping[str, Any]) -> str:
    width, height, speed = (source.get(name) for name in ("frame_width", "frame_height", "fps"))
    size = f"{width} \N{MULTIPLICATION SIGN} {height}" if width and height else ""
    return _joined(size, f"{speed:g} frames a second" if isinstance(speed, int | float) else "")


def _video(video: Mapping[str, Any]) -> str:
    kinds = [words for kind, words in _VIDEOS.items() if kind in _part(video, "files")]
    return _joined(*kinds, "faces blurred" if video.get("blur") else "") or "none"


def _smoothing(info: Mapping[str, Any]) -> str:
    seconds = _part(info, "settings").get("smoothing_seconds")
    return span(seconds, digits=2) if isinstance(seconds, int | float) else ""


def _consent(consent: Mapping[str, Any]) -> str:
    return _joined(consent.get("answer"), _moment(consent.get("wall"))) or "not asked for"


def _joined(*parts: object) -> str:
    return " · ".join(str(part) for part in parts if part)


def _part(values: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return a part of session.json, an empty one where it is not there or is something else."""
    part = values.get(name)
    return part if isinstance(part, dict) else {}


def _lines(facts: Iterable[tuple[str, str]]) -> str:
    rows = "".join(
        f"<tr><td>{name}&nbsp;&nbsp;&nbsp;</td><td>{escape(words)}</td></tr>"
        for name, words in facts
        if words.strip()
    )
    return f'<table cellpadding="3">{rows}</table>'


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
