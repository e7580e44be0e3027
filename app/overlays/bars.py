"""Probability bars beside a face: every label, always in the same order."""

from __future__ import annotations

from collections.abc import Sequence
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
# The forms of a panel, and how much each may cover of faces and texts; if none fits there is none.
_FORMS = {"full": 0.05, "plain": 0.05, "short": 0.15}


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """Hold the measures of a panel in pixels; there is one for each, so it is equal to itself only.

    words: what is written for each label. numbers: whether the values are written too.
    row: from one line to the next. bar_start: from the panel's left edge.
    """

    labels: tuple[str, ...]
    words: tuple[str, ...]
    numbers: bool
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


@lru_cache(maxsize=32)
def make_panel(labels: tuple[str, ...], size: int, form: str) -> Panel:
    """Lay out a panel for labels in the order of display.

    form: "full"; "plain", with short bars and no numbers; "short", which also cuts the words.
    """
    pad = round(size * 0.6)
    gap = round(size * 0.5)
    if form == "short":
        words = tuple(label[:3] for label in labels)
    else:
        words = tuple(fitted(label, size, _LABEL_EMS * size) for label in labels)
    bar_start = pad + max(text_width(word, size) for word in words) + gap
    bar_length = round(size * (4.6 if form == "full" else 2.6))
    numbers = text_width("100", size) + gap if form == "full" else 0
    return Panel(
        labels=labels,
        words=words,
        numbers=form == "full",
        size=size,
        pad=pad,
        row=round(size * 1.32),
        bar_start=bar_start,
        bar_length=bar_length,
        bar_height=max(4, round(size * 0.42)),
        width=bar_start + bar_length + numbers + pad,
    )


class BarsOverlay:
    """Draw a probability bar for every label beside each face that leaves room for it."""

    def __init__(self, fade: float = FADE_SECONDS) -> None:
        self._fader = Fader(fade)

    def draw(self, canvas: Canvas, result: FrameResult, view: Viewport) -> None:
        shown = self._fader.faces(result)
        if not shown:
            return
        faces = [face for face, _ in shown]
        places = place_panels(faces, canvas, view)
        for (face, opacity), (panel, place) in zip(shown, places, strict=True):
            if panel is None:
                continue
            with faded(canvas, grown(place, panel.margin + 1), opacity):
                _draw_panel(canvas, panel, face, round(place.x1), round(place.y1))


def place_panels(
    faces: Sequence[FaceResult], canvas: Canvas, view: Viewport
) -> list[tuple[Panel | None, Box]]:
    """Return each face's panel and its place, larger faces choosing first."""
    boxes = [view.box_to_canvas(face.face.box) for face in faces]
    tags = place_tags(faces, boxes, canvas, view)
    texts = [tag.place for tag in tags if tag is not None]
    places: list[tuple[Panel | None, Box]] = [(None, box) for box in boxes]
    alone = len(texts) == 1
    largest_first = sorted(range(len(boxes)), key=lambda index: -boxes[index].area)
    for index in largest_first:
        if not visible(boxes[index], canvas):
            continue
        room = Room(boxes[index], boxes[:index] + boxes[index + 1 :], texts)
        labels = display_order(faces[index].prediction.labels)
        found = _place_panel(labels, room, canvas, view, must=alone)
        if found is not None:
            places[index] = found
            texts.append(found[1])
    return places


def _place_panel(
    labels: tuple[str, ...], room: Room, canvas: Canvas, view: Viewport, *, must: bool
) -> tuple[Panel, Box] | None:
    """Return the fullest panel that fits, else None unless `must`."""
    size = text_size(canvas, view, _TEXT_SHARE)
    gap = 3 * line_width(canvas, view)
    found: tuple[Panel, Box] | None = None
    for form, most in _FORMS.items():
        panel = make_panel(labels, size, form)
        place = room.best(_beside(panel, room.own, canvas, gap))
        cost = room.cost(place)
        if cost <= most:
            return panel, place
        if must:
            found = panel, place
    return found


def _beside(panel: Panel, box: Box, canvas: Canvas, gap: float) -> list[Box]:
    height, width = canvas.shape[:2]
    wide, tall = panel.width, panel.height
    # Right, left, below, above.
    corners = (
        (box.x2 + gap, box.y1),
        (box.x1 - gap - wide, box.y1),
        (box.x2 + gap, box.y2 - tall),
        (box.x1 - gap - wide, box.y2 - tall),
        (box.x1, box.y2 + gap),
        (box.x1, box.y1 - gap - tall),
    )
    places = [Box(x, y, x + wide, y + tall) for x, y in corners]
    return [kept_inside(place, width, height, gap / 2) for place in places]


def _draw_panel(canvas: Canvas, panel: Panel, face: FaceResult, x: int, y: int) -> None:
    blend(canvas, _background(panel, face.said), x - panel.margin, y - panel.margin)
    values = dict(zip(face.prediction.labels, face.shown, strict=True))
    for index, label in enumerate(panel.labels):
        percent = min(100, max(0, round(100 * float(values[label]))))
        row = _row(panel, label, percent, label == face.said)
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
        if panel.numbers:
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
