"""One page that says what a session holds: a single HTML file that needs no other."""

from __future__ import annotations

from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from app.review.charts import legend
from app.review.edited import Edited, FaceEntry
from app.review.page import facts_table, html_page, write_page
from app.review.report_parts import (
    card_section,
    comparison_section,
    edits_section,
    face_section,
    images_section,
    intervals_section,
    limits_section,
    markers_section,
)
from app.review.second import Second
from app.review.words import frame_noun, length
from app.words import amount, per_cent
from models.runtime.base_rates import said
from models.runtime.card import Card

__all__ = ["report_page", "write_report"]

# Charts of more faces would make the page long and say little.
_MOST_FACES = 12
# Characters of a hash that tell models apart.
_MARK = 12


def write_report(
    path: Path, state: Edited, *, card: Card | None = None, second: Second | None = None
) -> None:
    """Write the page, whole or not at all. Raises `ReviewError`.

    card: of the model that has the name of the one that read the session; shown if it is the same.
    second: compared with it where given.
    """
    write_page(report_page(state, card=card, second=second), path)


def report_page(state: Edited, *, card: Card | None = None, second: Second | None = None) -> str:
    """Return the page as HTML."""
    faces = sorted((face for face in state.faces if not face.excluded), key=lambda face: -face.kept)
    shown = sorted(faces[:_MOST_FACES], key=lambda face: face.number)
    of_images = state.recording.of_images
    sections = [
        _summary(state, faces, shown),
        *([images_section(state)] if of_images else (face_section(state, one) for one in shown)),
        intervals_section(state, shown),
        markers_section(state, shown),
        comparison_section(state, shown, second),
        card_section(card, state.recording.info),
        edits_section(state),
        limits_section(),
    ]
    return html_page("Session report", state.recording.path.name, _facts(state), sections)


def _facts(state: Edited) -> str:
    recording, info = state.recording, state.recording.info
    rows = [
        ("Analysed" if "analysis" in info else "Recorded", _when(info)),
        ("Length", length(recording)),
        ("Source", _source(info)),
        ("Model", _model(info)),
        ("Base rates", said(recording.base_rates)),
        ("Face finder", str(info.get("finder", ""))),
        ("Landmarks", str(info.get("landmarks", ""))),
        ("Read by", _program(info)),
        ("Title", str(info.get("title", ""))),
        ("Probabilities", _correction(state)),
    ]  # fmt: skip
    return facts_table(rows)


def _correction(state: Edited) -> str:
    """Return how much of what counts is relative to a neutral face, and of whom."""
    relative = state.recording.relative & state.kept
    corrected, rows = int(relative.sum()), int(state.kept.sum())
    if not corrected:
        return "smoothed, not corrected by a neutral face"
    if corrected == rows:
        return "corrected by each person's neutral face"
    whose = ", ".join(state.title(number) for number in np.unique(state.owners[relative]).tolist())
    share = per_cent(corrected / rows)
    return f"{share} of the rows corrected by a neutral face ({whose}), the others only smoothed"


def _summary(state: Edited, faces: list[FaceEntry], shown: list[FaceEntry]) -> str:
    recording, noun = state.recording, frame_noun(state.recording)
    frames = len(recording.frame_times)
    seen = len(set(recording.row_frames[state.kept].tolist()))
    there = seen / frames if frames else 0.0
    said = [
        f"{amount(len(faces), 'face counts', 'faces count')}.",
        f"A face that counts was found on {per_cent(there)} of the {noun}s.",
        _passed_over(state),
        "All labels name <b>apparent expressions</b>: what a face shows on a picture, not what a "
        "person feels.",
    ]
    notice = str(_part(recording.info, "source").get("notice", ""))
    said += [escape(notice)] if notice else []
    if not recording.finished:
        said.append("The session was still being recorded when this report was made.")
    more = len(faces) - len(shown)
    if more and not recording.of_images:
        said.append(
            f"The {len(shown)} faces with the most frames are shown below; "
            f"{amount(more, 'more is', 'more are')} in the table only."
        )
    items = "".join(f"<li>{sentence}</li>" for sentence in said)
    return f"<section><h2>Summary</h2><ul>{items}</ul>{legend(recording.labels)}</section>"


def _passed_over(state: Edited) -> str:
    dropped, analysis = len(state.recording.dropped), _part(state.recording.info, "analysis")
    noun = frame_noun(state.recording)
    if dropped:
        said = (
            f"{amount(dropped, f'{noun} was', f'{noun}s were')} passed over "
            f"and {'is' if dropped == 1 else 'are'} in no row."
        )
    else:
        said = f"No {noun} was passed over."
    every = analysis.get("every", 1)
    return f"One {noun} in {every} was to be read. {said}" if every != 1 else said


def _when(info: dict[str, Any]) -> str:
    started = info.get("started")
    wall = started.get("wall") if isinstance(started, dict) else None
    try:
        return f"{datetime.fromisoformat(str(wall)):%d %B %Y, %H:%M} UTC"
    except ValueError:
        return ""


def _source(info: dict[str, Any]) -> str:
    source = _part(info, "source")
    name = str(source.get("name", ""))
    size = ""
    if source.get("frame_width"):
        size = f", {source['frame_width']} by {source.get('frame_height')} pixels"
    return f"{name or source.get('kind', '')}{size}"


def _model(info: dict[str, Any]) -> str:
    """Return the model's name and the beginning of its hash, by which two of a name differ."""
    model = _part(info, "model")
    mark = str(model.get("sha256") or "")[:_MARK]
    return f"{model.get('name', '')}{f' (SHA-256 {mark}…)' if mark else ''}"


def _program(info: dict[str, Any]) -> str:
    program = _part(info, "program")
    return f"{program.get('name', '')} {program.get('version', '')}".strip()


def _part(info: dict[str, Any], name: str) -> dict[str, Any]:
    part = info.get(name)
    return part if isinstance(part, dict) else {}
