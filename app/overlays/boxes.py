"""The box of a face: corner brackets, and a plate with ID, label and confidence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np

from app.messages import Box, FaceResult, FrameResult
from app.overlays.base import (
    FADE_SECONDS,
    Canvas,
    Colour,
    Fader,
    Viewport,
    line_width,
    text_size,
    visible,
)
from app.overlays.layout import Room, around, grown, kept_inside
from app.overlays.paint import (
    INK,
    PAPER,
    SHIFT,
    Patch,
    blend,
    captured,
    faded,
    fixed_point,
    plate,
    rounded,
    shadowed,
    tinted,
)
from app.overlays.text import draw_text, draw_text_right, fitted, text_width
from app.palette import UNSURE, bgr
from app.words import whole

# Of the shorter side of the box.
_BRACKET = 0.16
_RADIUS = 0.05
_SHADOW = 0.9
_PLATE_OPACITY = 0.78
# No label takes more than this share of the picture's width.
_LABEL_SHARE = 0.6


@dataclass(frozen=True, slots=True)
class Tag:
    """Hold the writing of one face: its parts, their sizes in pixels, and its place."""

    track: str
    label: str
    confidence: str
    size: int
    place: Box

    @property
    def pad(self) -> int:
        return round(self.size * 0.45)

    @property
    def chip(self) -> int:
        """Return the width of the coloured chip around the ID."""
        return max(round(self.size * 1.15), text_width(self.track, self.size) + self.pad)


class BoxOverlay:
    """Draw each face's box with ID, label and confidence, such as "1 happiness 92 %".

    Where no label is sure it says so, and which is the likeliest: "1 unsure · neutral 52 %".
    """

    def __init__(self, fade: float = FADE_SECONDS) -> None:
        self._fader = Fader(fade)

    def draw(self, canvas: Canvas, result: FrameResult, view: Viewport) -> None:
        faces = self._fader.faces(result)
        boxes = [view.box_to_canvas(face.face.box) for face, _ in faces]
        tags = place_tags([face for face, _ in faces], boxes, canvas, view)
        width = line_width(canvas, view)
        for (face, opacity), box, tag in zip(faces, boxes, tags, strict=True):
            if tag is None:
                continue
            colour = bgr(face.said)
            with faded(canvas, grown(around(box, tag.place), 5 * width), opacity):
                _draw_brackets(canvas, box, colour, width)
                _draw_tag(canvas, tag, colour, sure=face.said != UNSURE)


def place_tags(
    faces: Sequence[FaceResult], boxes: Sequence[Box], canvas: Canvas, view: Viewport
) -> tuple[Tag | None, ...]:
    """Return where each face's writing goes; None for a face outside the picture.

    boxes: of the faces, canvas pixels. Above the box where there is room, else below or inside;
    never outside the picture.
    """
    writings = tuple(_writing(face) for face in faces)
    height, width = canvas.shape[:2]
    size, gap = text_size(canvas, view), 2 * line_width(canvas, view)
    seen = tuple(visible(box, canvas) for box in boxes)
    return _placed(writings, tuple(boxes), seen, size, (width, height), gap)


def _writing(face: FaceResult) -> tuple[str, str, str]:
    """Return the ID, the label and the confidence as they are written."""
    track = "" if face.face.track_id is None else str(face.face.track_id)
    return track, face.spoken, whole(face.said_confidence)


# Each overlay that keeps clear of the writing asks anew, of the same picture.
@lru_cache(maxsize=4)
def _placed(
    writings: tuple[tuple[str, str, str], ...],
    boxes: tuple[Box, ...],
    seen: tuple[bool, ...],
    size: int,
    canvas: tuple[int, int],
    gap: float,
) -> tuple[Tag | None, ...]:
    taken: list[Box] = []
    tags: list[Tag | None] = []
    for index, (writing, box) in enumerate(zip(writings, boxes, strict=True)):
        if not seen[index]:
            tags.append(None)
            continue
        others = boxes[:index] + boxes[index + 1 :]
        tag = _tag(writing, size, canvas[0])
        place = _place(tag, Room(box, others, taken), canvas, gap)
        taken.append(place)
        tags.append(replace(tag, place=place))
    return tuple(tags)


def _tag(writing: tuple[str, str, str], size: int, canvas_width: int) -> Tag:
    """Return the parts of a writing and how large they are, at no place yet."""
    track, label, confidence = writing
    label = fitted(label, size, round(canvas_width * _LABEL_SHARE))
    tag = Tag(track, label, confidence, size, Box(0, 0, 0, 0))
    width = 3 * tag.pad + text_width(label, size) + text_width("88 %", size)
    if len(confidence) > len("88 %"):
        width += text_width("1", size)
    if track:
        width += tag.chip + tag.pad // 2
    return replace(tag, place=Box(0, 0, width, round(size * 1.75)))


def _place(tag: Tag, room: Room, canvas: tuple[int, int], gap: float) -> Box:
    box = room.own
    tall, wide = tag.place.height, tag.place.width
    tops = (box.y1 - gap - tall, box.y2 + gap, box.y1 + gap, box.y2 - gap - tall)
    places = [Box(box.x1, top, box.x1 + wide, top + tall) for top in tops]
    inside = [kept_inside(place, *canvas, gap / 2) for place in places]
    return room.best(inside)


def _draw_brackets(canvas: Canvas, box: Box, colour: Colour, width: float) -> None:
    side = min(box.width, box.height)
    length = round(max(side * _BRACKET, 3 * width))
    radius = round(min(max(side * _RADIUS, 2 * width), length))
    for x, across in ((box.x1, 1), (box.x2, -1)):
        for y, down in ((box.y1, 1), (box.y2, -1)):
            # To half a pixel: finer steps cannot be seen, and these can be drawn beforehand.
            # The box's edges count from pixel edges, cv2 from pixel centres.
            left, half_x = divmod(round(2 * x - 1), 2)
            top, half_y = divmod(round(2 * y - 1), 2)
            bracket = _bracket((across, down), (half_x, half_y), length, radius, width, colour)
            blend(canvas, bracket.patch, left + bracket.left, top + bracket.top)


@dataclass(frozen=True, slots=True, eq=False)
class _Bracket:
    """Hold a drawn bracket; left, top: of the patch, in pixels from the corner of the box."""

    patch: Patch
    left: int
    top: int


@lru_cache(maxsize=128)
def _bracket(
    towards: tuple[int, int],
    halves: tuple[int, int],
    length: int,
    radius: int,
    width: float,
    colour: Colour,
) -> _Bracket:
    """Draw a bracket on a soft dark shadow.

    towards: which way its arms go across and down, 1 or -1. halves: its corner's place, in half
    pixels.
    """
    turn = np.linspace(0, np.pi / 2, 9)
    arc = radius * np.stack([1 - np.cos(turn), 1 - np.sin(turn)], axis=1)
    # The upper left corner, from its lower end to its right end.
    shape = np.concatenate([[[0, length]], arc, [[length, 0]]])
    points = shape * towards + np.array(halves) / 2
    reach = round(width)
    left, top = (np.floor(points.min(axis=0)).astype(int) - 3 * reach).tolist()
    right, bottom = (np.ceil(points.max(axis=0)).astype(int) + 3 * reach).tolist()
    mask = np.zeros((bottom - top, right - left), np.uint8)
    path = [fixed_point(points - (left, top))]
    cv2.polylines(mask, path, False, 255, reach, cv2.LINE_AA, SHIFT)
    return _Bracket(shadowed(mask, colour, reach, _SHADOW), left, top)


def _draw_tag(canvas: Canvas, tag: Tag, colour: Colour, *, sure: bool) -> None:
    x, y = round(tag.place.x1), round(tag.place.y1)
    width, height = round(tag.place.width), round(tag.place.height)
    margin = _tag_margin(tag.size)
    # Without what changes from frame to frame: its place and the confidence.
    still = Tag(tag.track, tag.label, "", tag.size, Box(0, 0, width, height))
    blend(canvas, _still_tag(still, colour, sure=sure), x - margin, y - margin)
    right = x + width - tag.pad
    draw_text_right(canvas, tag.confidence, tag.size, right, y + height / 2, PAPER)


def _tag_margin(size: int) -> int:
    """Return how far the plate's soft edge reaches."""
    return math.ceil(size * 0.3)


@lru_cache(maxsize=64)
def _still_tag(tag: Tag, colour: Colour, *, sure: bool) -> Patch:
    """Return a tag's plate, ID and label; the tag lies at (0, 0), the plate's edge around it."""
    margin = _tag_margin(tag.size)
    width, height = round(tag.place.width), round(tag.place.height)

    def draw(canvas: Canvas) -> None:
        blend(canvas, plate(width, height, tag.size * 0.4, tag.size * 0.3, _PLATE_OPACITY), 0, 0)
        left = margin + tag.pad
        if tag.track:
            _draw_chip(canvas, tag, margin, colour, sure=sure)
            left = margin + tag.chip + tag.pad + tag.pad // 2
        draw_text(canvas, tag.label, tag.size, left, margin + height / 2, PAPER)

    return captured(width + 2 * margin, height + 2 * margin, draw)


def _draw_chip(canvas: Canvas, tag: Tag, at: int, colour: Colour, *, sure: bool) -> None:
    """Draw the ID on the expression's colour, or in outline only where no label is sure.

    at: where the tag begins on the canvas, across and down.
    """
    inset = round(tag.size * 0.25)
    height = round(tag.place.height) - 2 * inset
    radius = tag.size * 0.28
    if sure:
        mask = rounded(tag.chip, height, radius)
    else:
        rim = max(1, round(tag.size / 12))
        mask = rounded(tag.chip, height, radius)
        inner = rounded(tag.chip - 2 * rim, height - 2 * rim, radius - rim)
        mask[rim : height - rim, rim : tag.chip - rim] -= inner
    blend(canvas, tinted(mask, colour), at + inset, at + inset)
    start = at + inset + (tag.chip - text_width(tag.track, tag.size)) // 2
    ink = INK if sure else PAPER
    draw_text(canvas, tag.track, tag.size, start, at + tag.place.height / 2, ink)
