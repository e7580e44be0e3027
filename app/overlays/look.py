"""Where a spatial transformer looks: its quadrilateral on the face, and the picture it makes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from app.messages import Box, FaceResult, FrameResult
from app.overlays.bars import Placed, Seating
from app.overlays.base import FADE_SECONDS, Canvas, Fader, Viewport, line_width, text_size, visible
from app.overlays.boxes import place_tags
from app.overlays.layout import Room, grown, kept_inside
from app.overlays.paint import (
    PAPER,
    SHIFT,
    Outline,
    Patch,
    blend,
    draw_outlines,
    faded,
    fixed_point,
    plate,
    shared_scratch,
)
from app.overlays.place import corners_of, crop_to_canvas
from app.overlays.text import draw_text, fitted, text_width
from app.views import LOOK
from models.explain.attention import PICTURE, Reach, quadrilateral, reach_of, seen_from
from models.runtime.card import Card

# How much darker the part of the crop becomes that the network does not see.
_DIM = 0.35
_PLATE_OPACITY = 0.78
# The little picture: of the box's shorter side, and desktop pixels.
_SHARE = 0.34
_LEAST = 56
_CAPTION = "what it looks at"
# How much of it may cover faces and texts: else there is none.
_CROWDED = 0.35


@dataclass(frozen=True, slots=True)
class Turn:
    """Hold what theta does, read as a turn of a square.

    zoom: how much larger things become. degrees: clockwise, of the part looked at. right, down:
    where its middle lies, in parts of the crop's side from the crop's own middle.
    """

    zoom: float
    degrees: float
    right: float
    down: float


def reach_on(card: Card | None) -> Reach:
    """Return what the transformer of a model moves; without a card the picture."""
    return PICTURE if card is None else reach_of(card.architecture)


def turn_of(theta: NDArray[np.float32], reach: Reach) -> Turn | None:
    """Return what a (2, 3) theta does, None where it is no map of a square onto an area."""
    area = float(theta[0, 0] * theta[1, 1] - theta[0, 1] * theta[1, 0])
    if not np.isfinite(theta).all() or abs(area) < 1e-6:
        return None
    degrees = math.degrees(math.atan2(theta[1, 0] - theta[0, 1], theta[0, 0] + theta[1, 1]))
    right, down = (float(shift) / 2 * reach.span for shift in theta[:, 2])
    return Turn(1 / math.sqrt(abs(area)), degrees, right, down)


def looked_at(theta: NDArray[np.float32], size: int, reach: Reach) -> NDArray[np.float64] | None:
    """Return the corners (4, 2) of what is looked at, in pixels of a crop of `size`.

    Those of `quadrilateral`; None for a theta that is not finite.
    """
    if not np.isfinite(theta).all():
        return None
    return quadrilateral(theta, size, reach).astype(np.float64)


def warped_picture(face: FaceResult, card: Card | None) -> NDArray[np.uint8] | None:
    """Return the picture that the transformer makes, (h, w) uint8 gray, None where there is none.

    None too where features are warped: the network's picture warped alike is nothing that it uses.
    Undoes the normalisation on the card; without one the values are stretched to black and white.
    """
    values = face.prediction.attention.get("warped")
    if reach_on(card) != PICTURE or values is None or not np.isfinite(values).all():
        return None
    picture = values[0]
    if card is None:
        least, greatest = float(picture.min()), float(picture.max())
        picture = (picture - least) / max(greatest - least, 1e-6)
    else:
        picture = picture * card.input.std + card.input.mean
    return np.asarray(np.clip(picture * 255 + 0.5, 0, 255), np.uint8)


class LookOverlay:
    """Outline where a spatial transformer looks, dim the rest, and show what it makes of it.

    card: of the model, which says how the picture is normalised and what is warped. A face whose
    prediction has no theta stays as it is.
    """

    def __init__(self, card: Card | None = None, fade: float = FADE_SECONDS) -> None:
        self._card = card
        self._reach = reach_on(card)
        self._fader = Fader(fade)
        self._seating = Seating()

    def draw(self, canvas: Canvas, result: FrameResult, view: Viewport) -> None:
        shown = self._fader.faces(result)
        faces = [face for face, _ in shown]
        panels = self._seating.place(faces, canvas, view, anew=self._fader.anew)
        if not any(LOOK in face.prediction.attention for face in faces):
            return
        width = line_width(canvas, view)
        places = _place_pictures(faces, panels, canvas, view)
        for (face, opacity), place in zip(shown, places, strict=True):
            if self._draw_look(canvas, face, view, opacity) and place is not None:
                with faded(canvas, grown(place, width + text_size(canvas, view)), opacity):
                    self._draw_picture(canvas, face, place, text_size(canvas, view))

    def _draw_look(self, canvas: Canvas, face: FaceResult, view: Viewport, opacity: float) -> bool:
        """Draw on the face; say whether there was anything to draw."""
        theta, size = face.prediction.attention.get(LOOK), face.crop.shape[0]
        corners = None if theta is None else looked_at(theta, size, self._reach)
        if theta is None or corners is None:
            return False
        matrix, width = crop_to_canvas(face, view), line_width(canvas, view)
        outline = corners @ matrix[:, :2].T + matrix[:, 2]
        seen = seen_from(theta, size, self._reach) @ matrix[:, :2].T + matrix[:, 2]
        crop = corners_of(face, view)
        both = np.concatenate([outline, crop])
        area = grown(Box(*both.min(axis=0), *both.max(axis=0)), 4 * width)
        if visible(area, canvas):
            with faded(canvas, area, opacity):
                _dim_around(canvas, seen, crop)
                draw_outlines(canvas, [Outline(outline, width)])
                _mark(canvas, outline[0], width)
        return True

    def _draw_picture(self, canvas: Canvas, face: FaceResult, place: Box, size: int) -> None:
        picture = warped_picture(face, self._card)
        if picture is None:
            return
        x, y, side = round(place.x1), round(place.y1), round(place.width)
        pad, height = _pad(size), round(place.height)
        blur = size * 0.3
        margin = math.ceil(blur)
        back = plate(side, height, size * 0.4, blur, _PLATE_OPACITY)
        blend(canvas, back, x - margin, y - margin)
        inner = side - 2 * pad
        large = cv2.resize(picture, (inner, inner), interpolation=cv2.INTER_NEAREST)
        colour = np.asarray(cv2.cvtColor(large, cv2.COLOR_GRAY2BGR), np.uint8)
        blend(canvas, Patch(colour, np.zeros_like(colour)), x + pad, y + pad)
        text = fitted(_CAPTION, size, inner)
        left = x + (side - text_width(text, size)) // 2
        middle = y + pad + inner + (height - pad - inner) / 2
        draw_text(canvas, text, size, left, middle, PAPER)


def _mark(canvas: Canvas, corner: NDArray[np.float64], width: float) -> None:
    """Mark the corner that the little picture shows at top left: so a turn can be seen."""
    if (np.abs(corner) < 2 * max(canvas.shape)).all():
        x, y = np.round(corner).astype(int).tolist()
        cv2.circle(canvas, (x, y), max(2, round(1.6 * width)), PAPER, cv2.FILLED, cv2.LINE_AA)


def _pad(size: int) -> int:
    return round(size * 0.4)


def _dim_around(canvas: Canvas, seen: NDArray[np.float64], crop: NDArray[np.float64]) -> None:
    """Darken what lies on the crop but is not seen; both outlines in canvas pixels."""
    limit = np.array([canvas.shape[1], canvas.shape[0]])
    start = np.clip(np.floor(crop.min(axis=0)).astype(int), 0, limit)
    end = np.clip(np.ceil(crop.max(axis=0)).astype(int) + 1, 0, limit)
    if (end <= start).any():
        return
    x, y = start.tolist()
    shape = int(end[1] - y), int(end[0] - x)
    scratch = shared_scratch()
    mask = scratch.lend("mask", *shape)
    mask.fill(255)
    kept = round(255 * (1 - _DIM))
    cv2.fillConvexPoly(mask, fixed_point(crop - start), kept, cv2.LINE_AA, SHIFT)
    far = 4.0 * max(canvas.shape)
    inside = fixed_point(np.clip(seen - start, -far, far))
    cv2.fillConvexPoly(mask, inside, 255, cv2.LINE_AA, SHIFT)
    keep = scratch.lend("in three", *shape, 3)
    cv2.cvtColor(mask, cv2.COLOR_GRAY2BGR, dst=keep)
    part = canvas[y : y + shape[0], x : x + shape[1]]
    cv2.multiply(part, keep, dst=part, scale=1 / 255)


def _place_pictures(
    faces: Sequence[FaceResult], panels: Sequence[Placed | None], canvas: Canvas, view: Viewport
) -> list[Box | None]:
    """Return where each face's little picture goes, None where there is no room for it.

    panels: the bars of the faces, which come first.
    """
    boxes = [view.box_to_canvas(face.face.box) for face in faces]
    taken = [tag.place for tag in place_tags(faces, boxes, canvas, view) if tag is not None]
    # Whether the bars are drawn or not: nothing moves when they are switched on.
    taken += [panel.place for panel in panels if panel is not None]
    size, gap = text_size(canvas, view), 3 * line_width(canvas, view)
    places: list[Box | None] = []
    for index, box in enumerate(boxes):
        if not visible(box, canvas):
            places.append(None)
            continue
        inner = round(max(_LEAST * view.pixel_ratio, _SHARE * min(box.width, box.height)))
        wide = max(inner, text_width(_CAPTION, size)) + 2 * _pad(size)
        tall = wide + round(1.3 * size)
        corners = (
            (box.x1 - gap - wide, box.y2 - tall),
            (box.x2 + gap, box.y2 - tall),
            (box.x1 - gap - wide, box.y1),
            (box.x2 + gap, box.y1),
            (box.x1, box.y2 + gap),
            (box.x2 - wide, box.y1 - gap - tall),
        )
        height, width = canvas.shape[:2]
        room = Room(box, boxes[:index] + boxes[index + 1 :], taken)
        candidates = [
            kept_inside(Box(x, y, x + wide, y + tall), width, height, gap / 2) for x, y in corners
        ]
        best = room.best(candidates)
        fits = room.cost(best) <= _CROWDED
        places.append(best if fits else None)
        if fits:
            taken.append(best)
    return places
