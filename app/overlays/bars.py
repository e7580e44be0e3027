"""Probability bars beside a face: every label, or the likeliest, always in the same order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from app.messages import Box, FaceResult, FrameResult
from app.overlays.base import (
    FADE_SECONDS,
    Canvas,
    Fader,
    Viewport,
    line_width,
    text_size,
    visible,
)
from app.overlays.boxes import place_tags
from app.overlays.layout import Room, grown, kept_inside
from app.overlays.paint import PAPER, QUIET, Patch, blend, captured, faded, plate, tinted_pill
from app.overlays.text import draw_text, draw_text_right, fitted, text_width
from app.palette import bgr, display_order

_PLATE_OPACITY = 0.78
_TEXT_SHARE = 1 / 52
_LABEL_EMS = 8
# So many labels a small panel has. One of those that it has leaves it only for one that is likelier
# by this much: rows that come and go cannot be read.
_FEW, _MORE = 3, 0.05
# Of a panel, what may cover its own face or, weighted, others and texts; else it is left out.
_SLIVER = 0.02
# A panel of more labels comes back only where there is so much room around it, in letters.
_AIR = 1.5


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """Hold the measures of a panel in pixels; there is one for each, so it is equal to itself only.

    words: what is written for each label. row: from one line to the next. bar_start: from the
    panel's left edge.
    """

    labels: tuple[str, ...]
    words: tuple[str, ...]
    size: int
    pad: int
    row: int
    bar_start: int
    bar_length: int
    bar_height: int
    width: int

    @property
    def height(self) -> int:
        return 2 * self.pad + self.row * (len(self.labels) - 1) + self.size

    @property
    def margin(self) -> int:
        """Return how far the plate's soft edge reaches."""
        return round(self.size * 0.3)

    def middle(self, index: int) -> float:
        """Return the height of a line's middle."""
        return self.pad + self.size / 2 + index * self.row


@dataclass(frozen=True, slots=True)
class Seat:
    """Hold how a face's panel stands: its labels, and which of the places it has."""

    labels: tuple[str, ...]
    place: int


@lru_cache(maxsize=128)
def make_panel(labels: tuple[str, ...], size: int) -> Panel:
    """Lay out a panel for labels in the order of display; few have shorter bars, too."""
    pad = round(size * 0.6)
    gap = round(size * 0.5)
    words = tuple(fitted(label, size, _LABEL_EMS * size) for label in labels)
    bar_start = pad + max(text_width(word, size) for word in words) + gap
    bar_length = round(size * (4.6 if len(labels) > _FEW else 2.6))
    return Panel(
        labels=labels,
        words=words,
        size=size,
        pad=pad,
        row=round(size * 1.32),
        bar_start=bar_start,
        bar_length=bar_length,
        bar_height=max(4, round(size * 0.42)),
        width=bar_start + bar_length + text_width("100", size) + gap + pad,
    )


class BarsOverlay:
    """Draw a probability bar for every label beside each face that leaves room for it.

    Where there is little room the likeliest labels have one.
    """

    def __init__(self, fade: float = FADE_SECONDS) -> None:
        self._fader = Fader(fade)
        self._seating = Seating()

    def draw(self, canvas: Canvas, result: FrameResult, view: Viewport) -> None:
        shown = self._fader.faces(result)
        faces = [face for face, _ in shown]
        placed = self._seating.place(faces, canvas, view, anew=self._fader.anew)
        for (face, opacity), one in zip(shown, placed, strict=True):
            if one is None:
                continue
            panel, place = one.panel, one.place
            with faded(canvas, grown(place, panel.margin + 1), opacity):
                _draw_panel(canvas, panel, face, round(place.x1), round(place.y1))


@dataclass(frozen=True, slots=True)
class Placed:
    """Hold a panel, where it lies on the canvas, and how that is remembered."""

    panel: Panel
    place: Box
    seat: Seat


class Seating:
    """Let panels stay at their side of the face while there is room for them there.

    How each stood is remembered for its track, so that the same frames always give the same
    pictures.
    """

    def __init__(self) -> None:
        self._seats: dict[int, Seat] = {}

    def place(
        self, faces: Sequence[FaceResult], canvas: Canvas, view: Viewport, *, anew: bool
    ) -> list[Placed | None]:
        """Return each face's panel and its place. anew: the frame does not follow those before."""
        if anew:
            self._seats = {}
        placed = place_panels(faces, canvas, view, self._seats)
        self._seats = {
            face.face.track_id: one.seat
            for face, one in zip(faces, placed, strict=True)
            if one is not None and face.face.track_id is not None
        }
        return placed


def place_panels(
    faces: Sequence[FaceResult],
    canvas: Canvas,
    view: Viewport,
    seats: Mapping[int, Seat] | None = None,
) -> list[Placed | None]:
    """Return each face's panel and its place, larger faces choosing first; None where none fits.

    seats: how the panels stood in the frame before, by track.
    """
    boxes = [view.box_to_canvas(face.face.box) for face in faces]
    tags = place_tags(faces, boxes, canvas, view)
    texts = [tag.place for tag in tags if tag is not None]
    placed: list[Placed | None] = [None] * len(boxes)
    alone = len(texts) == 1
    largest_first = sorted(range(len(boxes)), key=lambda index: -boxes[index].area)
    for index in largest_first:
        if not visible(boxes[index], canvas):
            continue
        room = Room(boxes[index], boxes[:index] + boxes[index + 1 :], texts)
        seat = (seats or {}).get(faces[index].face.track_id or 0)
        found = placed[index] = _place_panel(faces[index], room, canvas, view, seat, alone=alone)
        if found is not None:
            texts.append(found.place)
    return placed


def _place_panel(
    face: FaceResult, room: Room, canvas: Canvas, view: Viewport, seat: Seat | None, *, alone: bool
) -> Placed | None:
    """Return the panel with all labels if it fits, else that with the likeliest, else None."""
    size = text_size(canvas, view, _TEXT_SHARE)
    gap = 3 * line_width(canvas, view)
    every, before = display_order(face.listed), () if seat is None else seat.labels
    for labels in (every, _likeliest(face, before)):
        panel = make_panel(labels, size)
        air = round(_AIR * size) if 0 < len(before) < len(labels) else 0
        places, roomy = (_places(panel, room.own, canvas, gap, more, alone) for more in (0, air))
        order = list(range(len(places)))
        if seat is not None and len(before) == len(labels) and seat.place < len(places):
            order.insert(0, seat.place)
        for index in order:
            if index < len(roomy) and room.cost(roomy[index]) <= _SLIVER:
                return Placed(panel, places[index], Seat(labels, index))
    return None


def _likeliest(face: FaceResult, before: tuple[str, ...]) -> tuple[str, ...]:
    """Return the few likeliest labels in the order of display. before: those that are there."""
    every = dict(zip(face.prediction.labels, face.shown.tolist(), strict=True))
    values = {label: every[label] for label in face.listed}
    held = before if len(before) <= _FEW else ()

    def rank(label: str) -> tuple[bool, float]:
        return label != face.leading, -values[label] - (_MORE if label in held else 0)

    return display_order(sorted(values, key=rank)[:_FEW])


def _places(panel: Panel, box: Box, canvas: Canvas, gap: float, air: int, alone: bool) -> list[Box]:
    """Return where a panel, larger by `air`, may stand: beside its face, then in the corners.

    None at all if the picture is too small for it. alone: the face is, so that nobody can take a
    panel in a corner for another's. The lower left corner is left to captions.
    """
    height, width = canvas.shape[:2]
    wide, tall = panel.width + air, panel.height + air
    if wide > width or tall > height:
        return []
    # Right, left, below, above.
    corners = [
        (box.x2 + gap, box.y1),
        (box.x1 - gap - wide, box.y1),
        (box.x2 + gap, box.y2 - tall),
        (box.x1 - gap - wide, box.y2 - tall),
        (box.x1, box.y2 + gap),
        (box.x2 - wide, box.y2 + gap),
        (box.x1, box.y1 - gap - tall),
    ]
    if alone:
        corners += [(width, 0.0), (0.0, 0.0), (width, height)]
    places = [Box(x, y, x + wide, y + tall) for x, y in corners]
    return [kept_inside(place, width, height, gap / 2) for place in places]


def _draw_panel(canvas: Canvas, panel: Panel, face: FaceResult, x: int, y: int) -> None:
    blend(canvas, _background(panel, face.leading), x - panel.margin, y - panel.margin)
    values = dict(zip(face.prediction.labels, face.shown, strict=True))
    for index, label in enumerate(panel.labels):
        percent = min(100, max(0, round(100 * float(values[label]))))
        row = _row(panel, label, percent, label == face.leading)
        blend(canvas, row, x + panel.bar_start, y + round(panel.middle(index) - panel.row / 2))


@lru_cache(maxsize=512)
def _row(panel: Panel, label: str, percent: int, chosen: bool) -> Patch:
    """Return what changes in a line: its bar and its number; it is as high as a line."""
    width = panel.width - panel.pad - panel.bar_start + 1

    def draw(canvas: Canvas) -> None:
        length = round(percent * panel.bar_length / 100)
        if length:
            bar = tinted_pill(length, panel.bar_height, bgr(label))
            blend(canvas, bar, 0, round((panel.row - panel.bar_height) / 2))
        colour = PAPER if chosen else QUIET
        draw_text_right(canvas, str(percent), panel.size, width - 1, panel.row / 2, colour)

    return captured(width, panel.row, draw)


@lru_cache(maxsize=64)
def _background(panel: Panel, chosen: str) -> Patch:
    """Return what does not change from frame to frame: the plate, words and empty bars."""
    margin = panel.margin
    track = tinted_pill(panel.bar_length, panel.bar_height, PAPER, 0.14)

    def draw(canvas: Canvas) -> None:
        radius = panel.size * 0.5
        blend(canvas, plate(panel.width, panel.height, radius, margin, _PLATE_OPACITY), 0, 0)
        for index, (label, word) in enumerate(zip(panel.labels, panel.words, strict=True)):
            middle = margin + panel.middle(index)
            colour = PAPER if label == chosen else QUIET
            draw_text(canvas, word, panel.size, margin + panel.pad, middle, colour)
            top = round(middle - panel.bar_height / 2)
            blend(canvas, track, margin + panel.bar_start, top)

    return captured(panel.width + 2 * margin, panel.height + 2 * margin, draw)
