"""Boxes and bars: the plates beside a face, and their text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest

from app.messages import Box, FaceResult
from app.overlays import BarsOverlay, BoxOverlay, Viewport, render
from app.overlays.bars import Placed, Seat, make_panel, place_panels
from app.overlays.boxes import place_tags
from app.overlays.layout import shared
from app.overlays.text import fitted, text_mask, text_width
from app.palette import DISPLAY_ORDER, bgr
from models.runtime.labels import FERPLUS

if TYPE_CHECKING:
    from tests.live_program.conftest import Easel

# Boxes


def test_brackets_stand_at_the_corners_in_the_colour_of_the_label(easel: Easel) -> None:
    canvas = easel.drawn(
        [BoxOverlay()], easel.face((200, 150), 200, label="anger"), size=(400, 300)
    )
    coloured_pixels = np.abs(canvas.astype(int) - bgr("anger")).max(axis=2) < 8
    y, x = np.nonzero(coloured_pixels)
    below_tag = y > 150
    assert x[below_tag].min() == pytest.approx(200 - 88, abs=2)
    assert x[below_tag].max() == pytest.approx(200 + 88, abs=2)
    assert y.max() == pytest.approx(150 + 88, abs=2)
    assert not coloured_pixels[:, 180:220].any(), "only the corners are drawn"


def test_the_tag_says_id_label_and_confidence(easel: Easel) -> None:
    faces = [easel.face(confidence=0.924, track=1)]
    (tag,) = place_tags(faces, [Box(100, 100, 200, 200)], easel.grey(), Viewport(1, False, 400))
    assert tag is not None
    assert (tag.track, tag.label, tag.confidence) == ("1", "happiness", "92 %")
    unsure = [replace(faces[0], unsure=True)]
    (tag,) = place_tags(unsure, [Box(100, 100, 200, 200)], easel.grey(), Viewport(1, False, 400))
    assert tag is not None
    assert (tag.label, tag.confidence) == ("unsure · happiness", "92 %")
    assert tag.place.y2 <= 100, "above the box, where there is room"


def test_the_tag_keeps_its_width_while_the_numbers_change(easel: Easel) -> None:
    boxes = [Box(100, 100, 200, 200)]
    widths = set()
    for confidence in (0.11, 0.40, 0.88):
        (tag,) = place_tags(
            [easel.face(confidence=confidence)], boxes, easel.grey(), Viewport(1, False, 400)
        )
        assert tag is not None
        widths.add(tag.place.width)
    assert len(widths) == 1


def test_tags_of_neighbours_do_not_cover_each_other(easel: Easel) -> None:
    boxes = [Box(40, 100, 120, 180), Box(125, 102, 205, 182), Box(30, 190, 110, 270)]
    faces = [easel.face(track=number) for number in range(3)]
    tags = place_tags(faces, boxes, easel.grey(), Viewport(1, False, 400))
    places = [tag.place for tag in tags if tag is not None]
    assert len(places) == 3
    assert places[0].overlap(places[1]) == 0
    assert places[0].overlap(places[2]) == 0
    assert places[1].overlap(places[2]) == 0


def test_text_stays_legible_on_white(easel: Easel) -> None:
    white = easel.grey(value=255)
    canvas = easel.drawn([BoxOverlay()], easel.face(), image=white)
    tag_rows = canvas[:70].min(axis=2)
    plate = np.median(tag_rows[tag_rows < 200])
    # Light text of 235 on a plate of at most 90 has a contrast above 5.
    assert plate < 90


# Bars


def test_bars_keep_their_order_and_grow_with_the_probability(easel: Easel) -> None:
    def length(label: str, confidence: float) -> int:
        face = easel.face(label=label, confidence=confidence)
        canvas = easel.drawn([BarsOverlay()], face)
        return int((np.abs(canvas.astype(int) - bgr(label)).max(axis=2) < 12).any(axis=0).sum())

    assert length("happiness", 0.9) > 1.6 * length("happiness", 0.5) > 0
    rows = []
    for label in DISPLAY_ORDER:
        canvas = easel.drawn([BarsOverlay()], easel.face(label=label, confidence=0.99))
        bar = np.abs(canvas.astype(int) - bgr(label)).max(axis=2) < 12
        # The fullest row: single pixels of the text's edges may have the colour by chance.
        rows.append(int(bar.sum(axis=1).argmax()))
    assert rows == sorted(rows)
    assert np.diff(rows) == pytest.approx(make_panel(DISPLAY_ORDER, 14).row, abs=1)


def test_bars_stand_beside_the_face_and_leave_other_faces_free(easel: Easel) -> None:
    left, right = easel.face((70, 150), 100, track=1), easel.face((330, 150), 100, track=2)
    canvas = easel.drawn([BarsOverlay()], left, right, image=easel.grey())
    changed = (canvas != easel.grey()).any(axis=2)
    assert changed.any()
    for face in (left, right):
        box = face.face.box
        area = changed[int(box.y1) : int(box.y2), int(box.x1) : int(box.x2)]
        assert area.mean() < 0.05


def placed(
    easel: Easel, face: FaceResult, seats: dict[int, Seat] | None = None, *, tall: int = 300
) -> Placed | None:
    return place_panels([face], easel.grey(400, tall), Viewport(1, False, 400), seats)[0]


def test_a_panel_without_room_for_all_labels_has_the_likeliest(easel: Easel) -> None:
    face = easel.face((100, 85), 100, label="fear")
    face.probabilities[FERPLUS.index("surprise")] = 0.05
    face.probabilities[FERPLUS.index("sadness")] = 0.03
    everything = placed(easel, face)
    assert everything is not None
    assert everything.panel.labels == DISPLAY_ORDER
    few = placed(easel, face, tall=140)
    assert few is not None
    assert few.panel.labels == ("surprise", "sadness", "fear")
    assert few.panel.words == few.panel.labels, "no word is cut"


def test_a_panel_has_no_row_for_what_base_rates_leave_out(easel: Easel) -> None:
    face = easel.face((100, 85), 100, label="fear")
    face = replace(face, prediction=replace(face.prediction, left_out=("contempt", "sadness")))
    for tall, labels in ((400, set(FERPLUS) - {"contempt", "sadness"}), (140, None)):
        found = placed(easel, face, tall=tall)
        assert found is not None
        assert not {"contempt", "sadness"} & set(found.panel.labels)
        assert labels is None or set(found.panel.labels) == labels


@pytest.mark.parametrize("side", range(60, 400, 20))
@pytest.mark.parametrize("x", range(60, 360, 30))
def test_a_panel_covers_neither_its_face_nor_its_tag(easel: Easel, x: int, side: int) -> None:
    face = easel.face((x, 150), side)
    found = placed(easel, face)
    if found is None:
        assert side >= 200
        return
    view, box = Viewport(1, False, 400), face.face.box
    (tag,) = place_tags([face], [box], easel.grey(), view)
    assert tag is not None
    assert shared(found.place, box) <= 0.05 * found.place.area
    assert shared(found.place, tag.place) <= 0.01 * found.place.area


def test_a_face_that_fills_the_picture_is_not_covered(easel: Easel) -> None:
    canvas = easel.drawn([BarsOverlay()], easel.face((200, 150), 500))
    assert np.array_equal(canvas, easel.grey())


def swaying(easel: Easel, overlay: BarsOverlay, xs: Iterable[float], start: int = 0) -> list[bool]:
    """Return for each place of a face whether its panel lies to the right of it.

    The picture is 640 pixels wide: between 250 and 390 there is room on either side.
    """
    sides = []
    for index, x in enumerate(xs, start):
        image = easel.grey(640)
        result = easel.at(index / 30, easel.face((x, 150), 120), image=image, index=index)
        canvas = render(result, size=(640, 300), overlays=[overlay])
        changed = (canvas != image).any(axis=(0, 2))
        sides.append(bool(changed[round(x) + 70 :].sum() > changed[: round(x) - 70].sum()))
    return sides


def test_a_panel_stays_on_its_side_while_there_is_room(easel: Easel) -> None:
    sway = [390 + 25 * np.sin(index / 3) for index in range(60)]
    sides = swaying(easel, BarsOverlay(), sway)
    assert sides[0]
    assert not sides[-1]
    assert sum(a != b for a, b in pairwise(sides)) == 1, "it changes sides once, not with each sway"


def test_bars_of_another_film_begin_anew(easel: Easel) -> None:
    overlay = BarsOverlay()
    assert swaying(easel, overlay, [450, 320], start=5) == [False, False]
    assert swaying(easel, overlay, [320], start=0) == [True]


def test_rows_do_not_come_and_go_with_every_small_change(easel: Easel) -> None:
    overlay_rows: list[tuple[str, ...]] = []
    seats: dict[int, Seat] = {}
    for index in range(12):
        face = easel.face((100, 85), 100, label="fear", confidence=0.6)
        for place, name in enumerate(("anger", "disgust", "sadness", "contempt")):
            face.probabilities[FERPLUS.index(name)] = 0.08 + 0.01 * ((index + place) % 4)
        found = placed(easel, face, seats, tall=140)
        assert found is not None
        seats = {1: found.seat}
        overlay_rows.append(found.panel.labels)
    assert len(set(overlay_rows)) == 1


def test_bars_are_left_out_where_they_would_hide_others(easel: Easel) -> None:
    places = [(x, y) for x in range(30, 400, 60) for y in range(30, 300, 60)]
    faces = [easel.face(place, 66, track=number) for number, place in enumerate(places)]
    assert np.array_equal(easel.drawn([BarsOverlay()], *faces), easel.grey())


# Text


def test_text_is_shortened_to_its_room() -> None:
    assert fitted("happiness", 20, 400) == "happiness"
    short = fitted("an expression with a very long name", 20, 120)
    assert short.endswith("…")
    assert text_width(short, 20) <= 120


def test_text_is_anti_aliased() -> None:
    mask = text_mask("surprise", 20)
    assert mask.max() == 255
    assert ((mask > 20) & (mask < 235)).mean() > 0.05
