"""The inset of a face: what the network sees, where it looks, and what parts the likely labels."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from app.messages import FaceResult
from app.overlays import Shown
from app.overlays.attention import CROP_CELLS, coloured
from app.overlays.base import Canvas
from app.overlays.look import reach_on, turn_of, warped_picture
from app.overlays.maps import spatial_weights, view_map
from app.overlays.regions import region_name, region_weights
from app.palette import bgr
from app.views import LOOK, REGIONS, VIEWS, View, runner_up, shown_label
from models.runtime.card import Card

# How bright the crop is where neither of two labels finds more.
_UNDER = 0.35
# How bright a colour is on a black pixel of the crop: the face shows through.
_SHADE = 0.35
# Below this share of the greatest difference nothing is tinted.
_LEAST_SHARE = 0.02


@dataclass(frozen=True, slots=True, eq=False)
class Inset:
    """Hold what is drawn below the bars of a card, pictures as (S, S, 3) uint8 BGR.

    crop: the face as the network sees it, pixel by pixel. view: what the chosen view shows of it,
    None where it shows nothing now. versus: where each of the two likeliest labels finds more, in
    its colour; None for views without a map for each label. labels: these two. facts: in the place
    of `versus`, what the view can say in numbers. label: the one that is explained, empty where the
    view is the same for every label. waits: the view is still being made.
    """

    crop: Canvas
    view: Canvas | None = None
    versus: Canvas | None = None
    labels: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    label: str = ""
    waits: bool = False


def make_inset(face: FaceResult, shown: Shown, side: int, *, mirrored: bool = False) -> Inset:
    """Return the inset of a face; side: of its pictures, pixels of the screen.

    The pictures are as the network sees them. mirrored: the face on the large picture is not, and
    the facts are worded as it is seen there.
    """
    crop = pixelated(face.crop, side)
    view = VIEWS.get(shown.view)
    if view is None:
        return Inset(crop)
    if view.by_label:
        labels = face.prediction.labels
        two = labels[shown_label(face)], labels[runner_up(face)]
        compared, tinted = versus(face, shown.view, side), _tinted(face, shown.view, side)
        return Inset(crop, tinted, compared, two, label=two[0], waits=_waits(face, view))
    if shown.view == LOOK:
        warped = warped_picture(face, shown.card)
        picture = None if warped is None else pixelated(warped, side)
        return Inset(crop, picture, facts=_look_facts(face, shown.card, mirrored))
    if shown.view == REGIONS:
        return Inset(crop, facts=_region_facts(face, mirrored))
    return Inset(crop, _tinted(face, shown.view, side), facts=_weight_facts(face, shown.view))


def pixelated(picture: NDArray[np.uint8], side: int) -> Canvas:
    """Return a (h, w) gray picture at (side, side), its pixels seen as squares of even size."""
    times = max(1, -(-4 * side // picture.shape[0]))
    large = np.repeat(np.repeat(picture, times, axis=0), times, axis=1)
    fitted = cv2.resize(large, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(fitted, cv2.COLOR_GRAY2BGR), np.uint8)


def versus(face: FaceResult, name: str, side: int) -> Canvas | None:
    """Return where the two likeliest labels differ, on the dimmed crop; None without two maps.

    Each place has the colour of the label whose map is greater there, the stronger the greater the
    difference. The maps of a crop's labels are on one scale: values whose mean is the logit, what
    covering a place costs of the probability, or the size of the logit's gradient.
    """
    values = face.prediction.attention.get(name)
    if values is None or values.ndim != 3 or len(values) < 2:
        return None
    first, second = shown_label(face), runner_up(face)
    difference = values[first] - values[second]
    greatest = float(np.abs(difference).max())
    if not np.isfinite(greatest) or greatest <= 0:
        return None
    fine = cv2.resize(difference / greatest, (side, side), interpolation=cv2.INTER_CUBIC)
    strength = np.clip(np.abs(fine), 0, 1)[..., None]
    strength[strength < _LEAST_SHARE] = 0
    colours = np.array([bgr(face.prediction.labels[label]) for label in (first, second)], float)
    ink = np.where(fine[..., None] > 0, colours[0], colours[1])
    light = cv2.resize(face.crop, (side, side), interpolation=cv2.INTER_LINEAR) / 255.0
    grey = 255 * _UNDER * light[..., None]
    tint = ink * (_SHADE + (1 - _SHADE) * light[..., None])
    return np.asarray(grey + (tint - grey) * strength, np.uint8)


def _waits(face: FaceResult, view: View) -> bool:
    """Return whether the map of the shown label is still being made."""
    values = face.prediction.attention.get(view.name)
    return view.slow and (values is None or bool(np.isnan(values[shown_label(face)]).any()))


def _tinted(face: FaceResult, name: str, side: int) -> Canvas | None:
    """Return the crop with a map on it."""
    values = view_map(face, name)
    if values is None:
        return None
    painted = cv2.resize(coloured(values)[CROP_CELLS, CROP_CELLS], (side, side))
    grey = cv2.resize(face.crop, (side, side), interpolation=cv2.INTER_LINEAR)
    below = np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), np.uint16)
    keep = 255 - painted[..., 3:].astype(np.uint16)
    return np.asarray(np.minimum(below * keep // 255 + painted[..., :3], 255), np.uint8)


def _look_facts(face: FaceResult, card: Card | None, mirrored: bool) -> tuple[tuple[str, str], ...]:
    theta = face.prediction.attention.get(LOOK)
    turn = None if theta is None else turn_of(theta, reach_on(card))
    if turn is None:
        return ()
    side = -1 if mirrored else 1
    return (
        ("zoom", f"{turn.zoom:.2f}"),
        ("turn", f"{_signed(side * turn.degrees)}°"),
        ("right", f"{_signed(side * 100 * turn.right)} %"),
        ("down", f"{_signed(100 * turn.down)} %"),
    )


def _signed(value: float) -> str:
    """Return a whole number with its sign, nothing being neither."""
    whole = round(value)
    return f"{whole:+d}" if whole else "0"


def _region_facts(face: FaceResult, mirrored: bool) -> tuple[tuple[str, str], ...]:
    found = region_weights(face)
    if found is None:
        return ()
    return tuple(
        (region_name(square, mirrored=mirrored), f"{100 * weight:.0f} %")
        for square, weight in zip(*found, strict=True)
    )


def _weight_facts(face: FaceResult, name: str) -> tuple[tuple[str, str], ...]:
    weights = spatial_weights(face, name)
    if weights is None:
        return ()
    least, most = (f"{100 * value:.0f} %" for value in (weights.min(), weights.max()))
    return (("lets through", ""), ("least", least), ("most", most))
