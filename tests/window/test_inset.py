"""The inset of a card: the crop, the view, and what parts the two likeliest labels."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication

from app.gui.inset import Inset, make_inset, pixelated, versus
from app.gui.inset_painter import TILE, InsetPainter, tile_side
from app.gui.inset_words import tip
from app.gui.theme import Theme
from app.messages import FaceResult
from app.overlays import Shown
from app.palette import bgr
from app.views import CAM, GUIDED, LOOK, REGIONS, VIEWS
from models.runtime.labels import FERPLUS
from models.runtime.store import bundled

if TYPE_CHECKING:
    from tests.window.conftest import Artist

LEFT = (200.0, 140.0, 360.0, 300.0)
HAPPY, ANGRY = FERPLUS.index("happiness"), FERPLUS.index("anger")


def torn_face(draw: Artist) -> FaceResult:
    """Return a face between happiness and anger: its left speaks for one, its right for both."""
    face = draw.face(1, LEFT, confidence=0.6)
    face.probabilities[ANGRY] = 0.3
    maps = np.zeros((8, 6, 6), np.float32)
    maps[HAPPY, :, :3] = 4
    maps[ANGRY, :, 3:] = 4
    return replace(face, prediction=replace(face.prediction, attention={"cam": maps}))


def with_outputs(face: FaceResult, **outputs: Any) -> FaceResult:
    arrays = {name: np.asarray(values, np.float32) for name, values in outputs.items()}
    return replace(face, prediction=replace(face.prediction, attention=arrays))


@pytest.mark.parametrize("side", [72, 80, 144, 216])
def test_the_crop_is_shown_pixel_by_pixel(side: int) -> None:
    crop = np.random.default_rng(0).integers(0, 256, (48, 48), dtype=np.uint8)
    shown = pixelated(crop, side)
    assert shown.shape == (side, side, 3)
    centres = ((np.arange(48) + 0.5) * side / 48).astype(int)
    middle = shown[np.ix_(centres, centres)][..., 0].astype(int)
    # Not blurred: each pixel keeps its own value in its middle.
    assert np.abs(middle - crop).mean() < 12
    assert np.abs(middle - crop).mean() < np.abs(np.diff(crop.astype(int))).mean() / 5


def test_two_labels_are_told_apart_in_their_colours(draw: Artist) -> None:
    inset = make_inset(torn_face(draw), Shown(CAM), 80)
    assert inset.labels == ("happiness", "anger")
    assert inset.versus is not None
    for label, part in (("happiness", np.s_[30:50, 5:25]), ("anger", np.s_[30:50, 55:75])):
        ink = inset.versus[part].reshape(-1, 3).mean(axis=0)
        expected = np.array(bgr(label), float)
        likeness = ink @ expected / np.linalg.norm(ink) / np.linalg.norm(expected)
        assert likeness > 0.99, label


def test_places_that_speak_for_both_alike_stay_grey(draw: Artist) -> None:
    face = torn_face(draw)
    face.prediction.attention["cam"][:, :3] = 2
    shown = versus(face, CAM, 80)
    assert shown is not None
    upper, lower = shown[:20].astype(int), shown[60:].astype(int)
    assert np.ptp(upper, axis=2).max() <= 2
    assert np.ptp(lower, axis=2).mean() > 40


def test_a_label_without_a_map_of_its_own_is_not_compared(draw: Artist) -> None:
    maps = np.full((8, 48, 48), np.nan, np.float32)
    maps[HAPPY] = np.eye(48)
    inset = make_inset(with_outputs(torn_face(draw), guided=maps), Shown(GUIDED), 80)
    assert inset.view is not None
    assert inset.versus is None


def test_a_view_that_is_not_there_yet_is_left_open(draw: Artist) -> None:
    inset = make_inset(torn_face(draw), Shown(GUIDED), 80)
    assert (inset.view, inset.versus, inset.waits) == (None, None, True)
    nothing = make_inset(torn_face(draw), Shown(""), 80)
    assert (nothing.view, nothing.versus, nothing.facts, nothing.waits) == (None, None, (), False)


def test_a_map_that_says_nothing_is_not_waited_for(draw: Artist) -> None:
    maps = np.full((8, 48, 48), np.nan, np.float32)
    maps[[HAPPY, ANGRY]] = 0
    said = make_inset(with_outputs(torn_face(draw), guided=maps), Shown(GUIDED), 80)
    assert (said.view, said.waits) == (None, False)
    maps[HAPPY] = np.nan
    other = make_inset(with_outputs(torn_face(draw), guided=maps), Shown(GUIDED), 80)
    assert other.waits, "of the shown label there is none yet"
    assert not make_inset(torn_face(draw), Shown(CAM), 80).waits


def test_the_strongest_place_is_the_brightest_wherever_it_lies(draw: Artist) -> None:
    face = torn_face(draw)
    dark = replace(face, crop=np.zeros((48, 48), np.uint8))
    lights = []
    for row, column in ((0, 0), (0, 24), (24, 24), (47, 47)):
        maps = np.full((8, 48, 48), 0.3, np.float32)
        maps[:, max(0, row - 4) : row + 5, max(0, column - 4) : column + 5] = 1
        inset = make_inset(with_outputs(dark, cam=maps), Shown(CAM), 48)
        assert inset.view is not None
        light = inset.view.astype(int).sum(axis=2)
        assert light[row, column] == light.max()
        lights.append(light[row, column])
    assert np.ptp(lights) <= 3


def test_a_look_is_told_in_numbers(draw: Artist) -> None:
    face = with_outputs(
        draw.face(1, LEFT), theta=[[0.5, 0, 0.2], [0, 0.5, -0.1]], warped=np.zeros((1, 48, 48))
    )
    inset = make_inset(face, Shown(LOOK), 80)
    assert inset.view is not None
    assert inset.facts == (("zoom", "2.00"), ("turn", "0°"), ("right", "+10 %"), ("down", "-5 %"))
    card = replace(bundled()[0].card, architecture="acn")
    features = make_inset(face, Shown(LOOK, card), 80)
    assert features.view is None, "it never sees such a picture"
    assert features.facts[2:] == (("right", "+8 %"), ("down", "-4 %"))


def test_regions_are_told_with_their_weights(draw: Artist) -> None:
    face = with_outputs(
        draw.face(1, LEFT), region=[0.8, 0.2], square=[[0, 0, 1, 1], [0, 0, 0.7, 0.7]]
    )
    inset = make_inset(face, Shown(REGIONS), 80)
    assert inset.facts == (("whole face", "80 %"), ("top left", "20 %"))
    turned = make_inset(face, Shown(REGIONS), 80, mirrored=True)
    assert turned.facts == (("whole face", "80 %"), ("top right", "20 %"))


def test_sides_are_those_of_the_picture_that_is_seen(draw: Artist) -> None:
    angle = np.deg2rad(20)
    turn = 0.5 * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    face = with_outputs(draw.face(1, LEFT), theta=np.column_stack([turn, [0.2, -0.1]]))
    straight, mirrored = (
        dict(make_inset(face, Shown(LOOK), 80, mirrored=mirrored).facts)
        for mirrored in (False, True)
    )
    assert (straight["turn"], straight["right"]) == ("+20°", "+10 %")
    assert (mirrored["turn"], mirrored["right"]) == ("-20°", "-10 %")
    assert (straight["zoom"], straight["down"]) == (mirrored["zoom"], mirrored["down"])


def test_weights_are_told_with_their_range(draw: Artist) -> None:
    weights = np.linspace(0.25, 0.75, 36).reshape(1, 6, 6)
    inset = make_inset(with_outputs(draw.face(1, LEFT), spatial2=weights), Shown("spatial2"), 80)
    assert inset.view is not None
    assert inset.facts == (("lets through", ""), ("least", "25 %"), ("most", "75 %"))


def shown_by(qapp: QApplication, *insets: tuple[float, Inset]) -> list[tuple[bool, bool]]:
    """Return for insets at times whether a map is shown, and whether it is dimmed."""
    painter, told = InsetPainter(Theme(qapp, "dark")), []
    painter.set_view(Shown(GUIDED), "", on=True)
    for at, inset in insets:
        painter.set_inset(inset, at)
        told.append((painter.shows_map, painter.old))
    return told


@pytest.mark.gui
def test_the_last_map_stays_until_the_next_is_ready_and_is_dimmed_once_it_is_old(
    qapp: QApplication,
) -> None:
    picture = np.zeros((72, 72, 3), np.uint8)
    two = ("happiness", "anger")
    ready = Inset(picture, picture, picture, two, label="happiness")
    waits = Inset(picture, labels=two, label="happiness", waits=True)
    other = replace(waits, labels=("anger", "happiness"), label="anger")
    nothing = replace(waits, waits=False)
    told = shown_by(
        qapp, (0, waits), (0.2, ready), (0.4, waits), (2, waits), (2.2, other), (2.4, nothing),
        (2.6, waits), (60, waits),
    )  # fmt: skip
    assert told == [
        (False, False), (True, False), (True, False), (True, True), (False, True), (False, False),
        (True, True), (False, False),
    ]  # fmt: skip


@pytest.mark.gui
def test_no_map_of_another_view_or_model_stays(qapp: QApplication) -> None:
    painter, picture = InsetPainter(Theme(qapp, "dark")), np.zeros((72, 72, 3), np.uint8)
    ready = Inset(picture, picture, None, ("happiness", "anger"), label="happiness")
    painter.set_view(Shown(GUIDED), "", on=True)
    painter.set_inset(ready, 0)
    painter.set_view(Shown(GUIDED, bundled()[0].card), "", on=True)
    painter.set_inset(replace(ready, view=None, waits=True), 0.1)
    assert not painter.shows_map


@pytest.mark.parametrize("view", VIEWS)
def test_each_picture_is_explained_in_plain_words(draw: Artist, view: str) -> None:
    face = with_outputs(
        torn_face(draw), cam=np.ones((8, 6, 6)), theta=np.eye(2, 3), warped=np.zeros((1, 48, 48)),
        region=[1], square=[[0, 0, 1, 1]], guided=np.ones((8, 48, 48)),
        occlusion=np.ones((8, 48, 48)),
        **{f"spatial{n}": np.linspace(0, 1, 36).reshape(1, 6, 6) for n in range(1, 9)},
    )  # fmt: skip
    inset = make_inset(face, Shown(view), 72)
    for place in range(3):
        said = tip(view, place, inset, doubt="unproven, 24 pictures", old=False)
        assert "{" not in said
        assert len(said.splitlines()[0]) > 20
        assert ("unproven" in said) == (place > 0)


def test_pictures_fit_a_narrow_card_and_grow_with_a_wide_one() -> None:
    assert 3 * tile_side(200) + 16 == pytest.approx(200, abs=3)
    assert tile_side(200) < tile_side(300) < TILE == tile_side(2000)
