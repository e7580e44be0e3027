"""A page of results: one HTML file that needs no other and prints well."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from html import escape
from pathlib import Path

from app.review.recording import ReviewError
from app.versions import version_of
from models.runtime.files import written_whole

__all__ = ["facts_table", "how_to_read", "html_page", "write_page"]


def html_page(kind: str, title: str, facts: str, sections: Sequence[str]) -> str:
    """Return a page. kind: what it is, above its title. facts, sections: HTML."""
    title = escape(title)
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head><body><main>"
        f"<header><p class='quiet'>{escape(kind)}</p><h1>{title}</h1>{facts}</header>"
        f"{''.join(sections)}<footer>{_made()}</footer></main></body></html>\n"
    )


def facts_table(rows: Iterable[tuple[str, str]]) -> str:
    """Return names with their values, without those that have none."""
    cells = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows if value
    )
    return f'<table class="facts">{cells}</table>'


def how_to_read(items: str) -> str:
    """Return the section that says what the numbers are not. items: its other items, HTML."""
    return f"<section><h2>How to read this</h2><ul>\n{_NOT_FEELINGS}{items}</ul></section>"


def write_page(page: str, path: Path) -> None:
    """Write a page, whole or not at all. Raises `ReviewError`."""
    try:
        with written_whole(path) as partial:
            partial.write_text(page, encoding="utf-8")
    except OSError as error:
        raise ReviewError(
            f'The report cannot be written to "{path}" ({error.strerror or error}); choose '
            f"another folder or free some space."
        ) from error


def _made() -> str:
    release = version_of("mien") or ""
    now = datetime.now(UTC)
    return f"Made with Mien {escape(release)} on {now:%d %B %Y, %H:%M} UTC, on this computer alone."


_NOT_FEELINGS = """\
<li><b>Not feelings.</b> A label says what a stranger might call the look on a face in one moment.
It does not say what the person felt, thought or meant, and must not be used to decide about
anybody.</li>
"""
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
