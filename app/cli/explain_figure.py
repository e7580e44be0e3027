"""Lay out the figure of fer-explain: a row for each face, a column for each explanation.

More models than fit beside each other go on below, with the faces again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from PIL import Image, ImageDraw

from app.cli.explain_paint import Picture, colour_bar
from app.palette import colour
from models.runtime.font import font

CELL = 240
"""Pixels of a small picture's side."""
DPI = 300
_GAP, _GROUP_GAP, _MARGIN = 14, 44, 48
_NAME, _TEXT, _HEAD, _SMALL = 30, 27, 33, 23
_CAPTION = 46
_BAND_GAP = 40
_MOST_COLUMNS = 12
"""Beside each other: wider figures cannot be read on a page or a screen."""
_BAR_WIDTH = 310
_INK, _QUIET, _LINE = "#1B1F24", "#5B6571", "#D5DAE1"


@dataclass(frozen=True, slots=True)
class Column:
    """Head one column; note: what to know of it, such as that it is no better than chance."""

    title: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Head the columns of one model."""

    title: str
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Hold what one model says of one face: a label and its text, and a picture a column.

    label decides the colour of the mark before the text; empty for none.
    """

    label: str
    text: str
    pictures: tuple[Picture | None, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """Hold one face: its name, the crop as a picture, and a part for each group."""

    name: str
    picture: Picture
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """Hold a whole figure; first: heads the column of crops. legend: sentences for the foot."""

    first: str
    groups: tuple[Group, ...]
    rows: tuple[Row, ...]
    legend: tuple[str, ...]


def pages(sheet: Sheet, rows_a_page: int | None) -> Iterator[Sheet]:
    """Yield the figure in parts of at most so many rows, None: in one."""
    step = rows_a_page or len(sheet.rows)
    for start in range(0, len(sheet.rows), step):
        yield Sheet(sheet.first, sheet.groups, sheet.rows[start : start + step], sheet.legend)


def bands(sheet: Sheet) -> list[Sheet]:
    """Return the figure in parts that stand below each other, each with some of the models.

    A model stays in one piece. The legend is left out.
    """
    ends, width = [], 0
    for number, group in enumerate(sheet.groups):
        if width and width + len(group.columns) > _MOST_COLUMNS:
            ends.append(number)
            width = 0
        width += len(group.columns)
    parts = [slice(*ends) for ends in pairwise([0, *ends, len(sheet.groups)])]
    return [
        Sheet(
            sheet.first,
            sheet.groups[part],
            tuple(Row(row.name, row.picture, row.parts[part]) for row in sheet.rows),
            (),
        )
        for part in parts
    ]


def draw(sheet: Sheet) -> Image.Image:
    """Return the figure as an RGB picture, black on white."""
    parts = bands(sheet)
    lefts = [_lefts(part.groups) for part in parts]
    right = max([_MARGIN, *(band[-1][-1] for band in lefts if band)]) + CELL
    legend = _legend_lines(sheet.legend, right - _MARGIN)
    row_height = _CAPTION + CELL + _GAP + 8
    heads = [_head_height(part.groups) for part in parts]
    below = len(sheet.rows) * row_height
    foot = 34 + len(legend) * 34 if legend else 0
    tall = sum(heads) + len(parts) * (below + _BAND_GAP) - _BAND_GAP
    height = 2 * _MARGIN + tall + foot - _GAP
    image = Image.new("RGB", (right + _MARGIN, height), "white")
    canvas = ImageDraw.Draw(image)
    top = _MARGIN
    for part, xs, head in zip(parts, lefts, heads, strict=True):
        _draw_heads(canvas, part, xs, top, top + head)
        for number, row in enumerate(part.rows):
            _draw_row(image, canvas, row, xs, top + head + number * row_height)
        top += head + below + _BAND_GAP
    _draw_legend(image, canvas, legend, top - _BAND_GAP + 6)
    return image


def _lefts(groups: Sequence[Group]) -> list[list[int]]:
    """Return where each column of each group begins; the crops stand before the first."""
    lefts, x = [], _MARGIN + CELL + _GROUP_GAP
    for group in groups:
        lefts.append([x + number * (CELL + _GAP) for number in range(len(group.columns))])
        x = lefts[-1][-1] + CELL + _GROUP_GAP
    return lefts


def _heads(groups: Sequence[Group]) -> list[list[list[str]]]:
    """Return the lines that head each column of each group: the title, and a note if there is one.

    Lines of titles are as many in every column, so that notes stand side by side.
    """
    titles = [[wrapped(each.title, _TEXT, CELL) for each in group.columns] for group in groups]
    most = max((len(lines) for group in titles for lines in group), default=1)
    return [
        [
            [""] * (most - len(lines)) + lines + [fitted(column.note, _SMALL, CELL)]
            for column, lines in zip(group.columns, group_titles, strict=True)
        ]
        for group, group_titles in zip(groups, titles, strict=True)
    ]


def _head_height(groups: Sequence[Group]) -> int:
    heads = [lines for group in _heads(groups) for lines in group]
    notes = any(lines[-1] for lines in heads)
    titles = max((len(lines) for lines in heads), default=2) - 1
    return 66 + 34 * titles + (30 if notes else 0)


def _draw_heads(
    canvas: ImageDraw.ImageDraw, sheet: Sheet, lefts: list[list[int]], top: int, bottom: int
) -> None:
    heads = _heads(sheet.groups)
    notes = any(lines[-1] for group in heads for lines in group)
    line = bottom - (30 if notes else 0) - 12
    canvas.text((_MARGIN, line), sheet.first, fill=_QUIET, font=font(_TEXT), anchor="ls")
    for group, columns, xs in zip(sheet.groups, heads, lefts, strict=True):
        width = xs[-1] + CELL - xs[0]
        title = fitted(group.title, _HEAD, width)
        canvas.text((xs[0], top + 30), title, fill=_INK, font=font(_HEAD), anchor="ls")
        canvas.line([(xs[0], top + 44), (xs[0] + width, top + 44)], fill=_LINE, width=2)
        for (*titles, note), x in zip(columns, xs, strict=True):
            for above, title in enumerate(reversed(titles)):
                place = (x, line - 34 * above)
                canvas.text(place, title, fill=_INK, font=font(_TEXT), anchor="ls")
            canvas.text((x, line + 30), note, fill=_QUIET, font=font(_SMALL), anchor="ls")


def _draw_row(
    image: Image.Image, canvas: ImageDraw.ImageDraw, row: Row, lefts: list[list[int]], top: int
) -> None:
    base = top + 32
    name = fitted(row.name, _NAME, CELL)
    canvas.text((_MARGIN, base), name, fill=_INK, font=font(_NAME), anchor="ls")
    image.paste(Image.fromarray(row.picture), (_MARGIN, top + _CAPTION))
    for part, xs in zip(row.parts, lefts, strict=True):
        x = xs[0]
        if part.label:
            mark = (x, base - 19, x + 18, base - 1)
            canvas.ellipse(mark, fill=colour(part.label, light=True))
            x += 28
        text = fitted(part.text, _TEXT, xs[-1] + CELL - x)
        canvas.text((x, base), text, fill=_INK, font=font(_TEXT), anchor="ls")
        for picture, left in zip(part.pictures, xs, strict=True):
            if picture is not None:
                image.paste(Image.fromarray(picture), (left, top + _CAPTION))


def _legend_lines(legend: Sequence[str], width: int) -> list[str]:
    """Return the sentences broken into lines; the first line leaves room for the colours."""
    lines: list[str] = []
    for sentence in legend:
        lines += wrapped(sentence, _SMALL, width, indent=0 if lines else _BAR_WIDTH)
    return lines


def _draw_legend(
    image: Image.Image, canvas: ImageDraw.ImageDraw, lines: Sequence[str], top: int
) -> None:
    base = top + 26
    for number, line in enumerate(lines):
        x = _MARGIN
        if number == 0:
            canvas.text((x, base), "little", fill=_QUIET, font=font(_SMALL), anchor="ls")
            image.paste(Image.fromarray(colour_bar(140, 16)), (x + 64, base - 17))
            canvas.text((x + 214, base), "much", fill=_QUIET, font=font(_SMALL), anchor="ls")
            x += _BAR_WIDTH
        canvas.text((x, base), line, fill=_QUIET, font=font(_SMALL), anchor="ls")
        base += 34


def wrapped(text: str, size: int, width: float, *, indent: float = 0) -> list[str]:
    """Return the text in lines of at most `width` pixels, the first one shorter by `indent`."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        room = width - (indent if len(lines) == 1 else 0)
        if lines[-1] and font(size).getlength(longer) > room:
            lines.append(word)
        else:
            lines[-1] = longer
    return [fitted(line, size, width) for line in lines]


def fitted(text: str, size: int, width: float) -> str:
    """Return the text, shortened with an ellipsis where it is wider than `width` pixels."""
    if font(size).getlength(text) <= width:
        return text
    for end in range(len(text) - 1, 0, -1):
        shorter = text[:end].rstrip() + "…"
        if font(size).getlength(shorter) <= width:
            return shorter
    return ""
