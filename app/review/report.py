"""One page that says what a session holds: a single HTML file that needs no other."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from app.review.charts import legend
from app.review.edited import Edited, FaceEntry
from app.review.recording import ReviewError
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
from app.versions import version_of
from app.words import amount, per_cent
from models.runtime.card import Card
from models.runtime.files import written_whole

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
    page = report_page(state, card=card, second=second)
    try:
        with written_whole(path) as partial:
            partial.write_text(page, encoding="utf-8")
    except OSError as error:
        raise ReviewError(
            f'The report cannot be written to "{path}" ({error.strerror or error}); choose '
            f"another folder or free some space."
        ) from error


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
    title = escape(state.recording.path.name)
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head><body><main>"
        f"<header><p class='quiet'>Session report</p><h1>{title}</h1>{_facts(state)}</header>"
        f"{''.join(sections)}<footer>{_made()}</footer></main></body></html>\n"
    )


def _facts(state: Edited) -> str:
    recording, info = state.recording, state.recording.info
    rows = [
        ("Analysed" if "analysis" in info else "Recorded", _when(info)),
        ("Length", length(recording)),
        ("Source", _source(info)),
        ("Model", _model(info)),
        ("Face finder", str(info.get("finder", ""))),
        ("Landmarks", str(info.get("landmarks", ""))),
        ("Read by", _program(info)),
        ("Title", str(info.get("title", ""))),
        ("Probabilities", _correction(state)),
    ]  # fmt: skip
    cells = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows if value
    )
    return f'<table class="facts">{cells}</table>'


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


def _made() -> str:
    release = version_of("mien") or ""
    now = datetime.now(UTC)
    return f"Made with Mien {escape(release)} on {now:%d %B %Y, %H:%M} UTC, on this computer alone."


_STYLE = """
:root{color-scheme:light}
*{box-sizing:border-box}
body{margin:0;background:#F6F7F9;color:#1B1F24;
 font:14px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif;font-variant-numeric:tabular-nums}
main{max-width:860px;margin:0 auto;padding:32px 24px}
header,section{background:#fff;border:1px solid #D5DAE1;border-radius:8px;padding:20px 24px;
 margin:0 0 16px}
h1{font-size:24px;margin:0 0 12px;overflow-wrap:anywhere}
h2{font-size:17px;margin:0 0 8px}
h3{font-size:14px;margin:16px 0 4px}
p{margin:6px 0}
ul{margin:6px 0;padding-left:20px}
.quiet,footer{color:#5B6571}
footer{font-size:12px;text-align:center}
table{border-collapse:collapse;width:100%;margin:8px 0}
th,td{text-align:left;padding:4px 10px 4px 0;border-bottom:1px solid #EEF1F5;vertical-align:middle}
th{font-weight:600}
td.n,th.n{text-align:right;white-space:nowrap}
.tight td:not(:last-child),.tight th:not(:last-child){width:1%;white-space:nowrap;
 padding-right:20px}
.facts th{width:130px;color:#5B6571;font-weight:400}
.wide{overflow-x:auto;font-size:12px}
.wide td,.wide th{padding-right:6px}
.wide td:last-child,.wide th:last-child{padding-right:0}
.chart{width:100%;height:auto;display:block;margin:8px 0}
.chart text{font-size:11px}
.legend{display:flex;flex-wrap:wrap;gap:4px 14px}
.key{display:inline-flex;align-items:center;gap:6px}
.key i{width:12px;height:12px;border-radius:3px;display:inline-block}
.key i.unsure{border:1px solid #5B6571}
.dot{display:inline-block;width:10px;height:10px;border-radius:3px;margin-right:6px}
.dot.unsure{border:1px solid #5B6571}
@media print{
 body{background:#fff;font-size:11px}
 main{max-width:none;padding:0}
 header,section{border:none;padding:0 0 12px;margin:0}
 section{break-inside:auto}
 h2,h3{break-after:avoid}
 table,.chart{break-inside:avoid}
 p:has(+.chart){break-after:avoid}
 *{print-color-adjust:exact;-webkit-print-color-adjust:exact}
}
"""
