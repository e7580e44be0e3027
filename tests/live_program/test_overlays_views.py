"""The ways to show why: blocks of attention, a transformer's look, regions with their weights."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from app.overlays import (
    AttentionOverlay,
    LookOverlay,
    RegionsOverlay,
    Shown,
    Viewport,
    make_overlay,
)
from app.overlays.look import looked_at, turn_of, warped_picture
from app.overlays.maps import spatial_weights, view_map
from app.overlays.regions import region_name, region_weights
from app.views import BLOCKS, LOOK, REGIONS, VIEWS, runner_up, shown_label
from models.explain.attention import FEATURES, PICTURE, quadrilateral, reach_of, seen_from
from models.explain.forward import block_map, cbam_map
from models.runtime.labels import FERPLUS
from models.runtime.store import bundled

if TYPE_CHECKING:
    from tests.live_program.conftest import Easel

# The whole face, three squares of 0.75 and the middle at 0.90 and 0.85, as RAN cuts them.
FIXED = (
    (0.0, 0.0, 1.0, 1.0),
    (0.0, 0.0, 0.75, 0.75),
    (0.25, 0.0, 1.0, 0.75),
    (0.125, 0.25, 0.875, 1.0),
    (0.05, 0.05, 0.95, 0.95),
    (0.075, 0.075, 0.925, 0.925),
)
SHIFTED = np.array([[0.5, 0, 0.25], [0, 0.5, -0.25]], np.float32)
TURNED = np.array([[0.62, 0.18, 0.1], [-0.18, 0.62, 0.12]], np.float32)
WEIGHTS = np.array([0.1, 0.12, 0.31, 0.2, 0.05, 0.22], np.float32)


def blocks(seed: int = 0) -> dict[str, Any]:
    """Return spatial weights as a CBAM network has them, random but smooth."""
    rng = np.random.default_rng(seed)
    sides = (48, 48, 24, 24, 12, 12, 6, 6)
    return {
        f"spatial{number}": cv2.resize(
            rng.uniform(0.3, 0.7, (4, 4)).astype(np.float32), (side, side)
        )[None]
        for number, side in enumerate(sides, start=1)
    }


def outputs(name: str) -> dict[str, Any]:
    """Return what a network says that offers a view."""
    if name == LOOK:
        return {"theta": TURNED, "warped": np.linspace(-2, 2, 48)[None, :, None] * np.ones(48)}
    if name == REGIONS:
        return {"region": WEIGHTS, "self": WEIGHTS, "square": np.array(FIXED)}
    return blocks()


# Whatever is shown


@pytest.mark.parametrize("name", [LOOK, REGIONS, BLOCKS])
def test_each_view_looks_as_before(easel: Easel, name: str) -> None:
    face = easel.face((210, 150), 220, angle=0.1, **outputs(name))
    overlays = [make_overlay("attention", Shown(name)), make_overlay("boxes")]
    easel.compare(f"view_{name}", easel.drawn(overlays, face, image=easel.gradient()), 270)


@pytest.mark.parametrize("name", [*VIEWS, "", "unheard of"])
def test_a_face_without_what_a_view_needs_stays_as_it_is(easel: Easel, name: str) -> None:
    overlay = make_overlay("attention", Shown(name))
    assert np.array_equal(easel.drawn([overlay]), easel.grey())
    assert np.array_equal(easel.drawn([overlay], easel.face()), easel.grey())


@pytest.mark.parametrize("name", [LOOK, REGIONS])
def test_shapes_lie_the_same_in_a_mirror_and_their_text_reads_forward(
    easel: Easel, name: str
) -> None:
    overlay = make_overlay("attention", Shown(name))
    there = easel.face((200, 150), 200, **outputs(name))
    picture = easel.drawn([overlay], there)
    mirrored = easel.drawn([make_overlay("attention", Shown(name))], there, mirrored=True)
    changed, turned = (picture != 128).any(axis=2), (mirrored != 128).any(axis=2)
    assert changed.any()
    on_face = np.s_[60:240, 120:280]
    # Lines and what is dimmed are mirrored; the little picture and the numbers are not.
    assert (changed[on_face] != turned[:, ::-1][on_face]).mean() < 0.1
    assert not np.array_equal(picture, mirrored[:, ::-1])


@pytest.mark.parametrize("size", [(320, 240), (1280, 720)])
@pytest.mark.parametrize("name", [LOOK, REGIONS, BLOCKS])
def test_nothing_is_drawn_outside_the_picture(
    easel: Easel, name: str, size: tuple[int, int]
) -> None:
    width, height = size
    surrounded = np.full((height + 80, width + 80, 3), 77, np.uint8)
    canvas = surrounded[40:-40, 40:-40]
    canvas[:] = 200
    corners = [(0, 0), (width, 0), (0, height), (width, height), (width / 2, height / 2)]
    faces = [
        easel.face(corner, height * 0.6, track=number, angle=0.3, **outputs(name))
        for number, corner in enumerate([*corners, (-width, 10)], start=1)
    ]
    make_overlay("attention", Shown(name)).draw(
        canvas, easel.at(0, *faces), Viewport(1, False, width)
    )
    inside = surrounded.copy()
    inside[40:-40, 40:-40] = 77
    assert (inside == 77).all()
    assert (canvas != 200).any()


def test_the_two_likeliest_labels_are_told_apart(easel: Easel) -> None:
    face = easel.face(label="fear", confidence=0.6)
    face.probabilities[FERPLUS.index("anger")] = 0.3
    assert FERPLUS[shown_label(face)] == "fear"
    assert FERPLUS[runner_up(face)] == "anger"
    unsure = easel.face(label="unsure", confidence=0.3)
    unsure.probabilities[FERPLUS.index("anger")] = 0.4
    assert shown_label(unsure) != runner_up(unsure)


# Spatial attention


def test_maps_of_attention_are_those_of_the_explanations(easel: Easel) -> None:
    face = easel.face(**blocks())
    attention = face.prediction.attention
    found = view_map(face, BLOCKS)
    assert found is not None
    np.testing.assert_allclose(found, cbam_map(attention, 0, 48), atol=1e-5)
    block = view_map(face, "spatial1")
    assert block is not None
    np.testing.assert_allclose(block, block_map("spatial1")(attention, 0, 48), atol=1e-5)


def test_the_place_that_one_block_lets_through_lights_up(easel: Easel) -> None:
    let_through = np.full((1, 12, 12), 0.2)
    let_through[0, 2:4, 8:10] = 0.9
    face = easel.face((200, 150), 240, **{**blocks(), "spatial5": let_through})
    picture = easel.drawn([AttentionOverlay("spatial5")], face)
    strength = np.abs(picture.astype(int) - 128).sum(axis=2).astype(float)
    y, x = np.indices(strength.shape)
    seen = [(x * strength).sum() / strength.sum(), (y * strength).sum() / strength.sum()]
    cell = (np.array([9.0, 3.0]) / 12 - 0.5) * 240 + (200, 150)
    assert seen == pytest.approx(cell, abs=12)


def test_weights_that_are_alike_everywhere_are_not_stretched(easel: Easel) -> None:
    noise = 0.5 + np.random.default_rng(0).uniform(-0.004, 0.004, (1, 12, 12))
    face = easel.face(spatial3=noise)
    assert view_map(face, "spatial3") is None
    weights = spatial_weights(face, "spatial3")
    assert weights is not None
    assert weights.max() == pytest.approx(0.504, abs=1e-3)
    assert spatial_weights(face, "spatial4") is None


# The look of a spatial transformer


def test_the_identity_looks_at_the_whole_crop(easel: Easel) -> None:
    whole = [[-0.5, -0.5], [47.5, -0.5], [47.5, 47.5], [-0.5, 47.5]]
    identity = np.array([[1, 0, 0], [0, 1, 0]], np.float32)
    found = looked_at(identity, 48, PICTURE)
    assert found is not None
    assert found.tolist() == whole
    for reach in FEATURES.values():
        seen = seen_from(identity, 48, reach)
        assert seen.min() <= -0.5
        assert seen.max() >= 47.5


def test_the_look_is_where_the_picture_is_taken_from(easel: Easel) -> None:
    """A crop with one bright square: theta zooms onto it, so all that is made is bright."""
    crop = np.zeros((48, 48), np.float32)
    crop[6:30, 18:42] = 1
    found = looked_at(SHIFTED, 48, PICTURE)
    assert found is not None
    assert found.tolist() == [[17.5, 5.5], [41.5, 5.5], [41.5, 29.5], [17.5, 29.5]]
    np.testing.assert_allclose(found, quadrilateral(SHIFTED, 48, PICTURE))
    corners = np.array([[-0.5, -0.5], [47.5, -0.5], [47.5, 47.5]], np.float32)
    to_crop = cv2.getAffineTransform(corners, found[:3].astype(np.float32))
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    made = cv2.warpAffine(crop, to_crop, (48, 48), flags=flags)
    assert made[2:-2, 2:-2].min() == pytest.approx(1, abs=1e-3)


def test_what_is_not_looked_at_is_darker(easel: Easel) -> None:
    face = easel.face((200, 150), 240, theta=SHIFTED, warped=np.zeros((1, 48, 48)))
    picture = easel.drawn([LookOverlay()], face)
    scale, left, top = 240 / 48, 200 - 120, 150 - 120
    seen = picture[round(top + 18 * scale), round(left + 30 * scale)]
    unseen = picture[round(top + 40 * scale), round(left + 30 * scale)]
    outside = picture[150, 390]
    assert seen.tolist() == [128, 128, 128] == outside.tolist()
    assert 60 < unseen.max() < 100
    edge = picture[round(top + 18 * scale), round(left + 18 * scale) - 4 : round(left + 18 * scale)]
    assert edge.max() > 200, "the outline"


def test_the_made_picture_is_shown_beside_the_face(easel: Easel) -> None:
    made = np.full((1, 48, 48), -2.0)
    made[0, :, 24:] = 2.0
    face = easel.face((250, 150), 200, theta=SHIFTED, warped=made)
    picture = warped_picture(face, None)
    assert picture is not None
    assert (picture[:, :24] == 0).all()
    assert (picture[:, 24:] == 255).all()
    drawn = easel.drawn([LookOverlay()], face)
    white, black = (drawn == 255).all(axis=2), (drawn == 0).all(axis=2)
    assert white.sum() > 1000
    assert abs(int(white.sum()) - int(black.sum())) < 100
    assert not white[70:230, 170:330].any(), "beside the face"


@pytest.mark.parametrize("architecture", FEATURES)
def test_what_a_network_does_not_use_is_not_shown_as_what_it_looks_at(
    easel: Easel, architecture: str
) -> None:
    card = replace(bundled()[0].card, architecture=architecture)
    face = easel.face((250, 150), 200, theta=SHIFTED, warped=np.ones((1, 48, 48)))
    assert warped_picture(face, card) is None
    drawn = easel.drawn([LookOverlay(card)], face)
    assert (drawn[:, :140] == 128).all(), "beside the face"
    found = looked_at(SHIFTED, 48, reach_of(architecture))
    assert found is not None
    # Half of 36 pixels, an eighth of 36 to the right and up.
    assert found[[0, 2]].tolist() == [[19, 10], [37, 28]]


@pytest.mark.parametrize("theta", [np.full((2, 3), np.nan), np.zeros((2, 3)), np.full((2, 3), 1e9)])
def test_a_senseless_theta_does_no_harm(easel: Easel, theta: NDArray[np.float64]) -> None:
    face = easel.face((200, 150), 200, theta=theta, warped=np.zeros((1, 48, 48)))
    picture = easel.drawn([LookOverlay()], face)
    assert np.isfinite(theta).all() or np.array_equal(picture, easel.grey())
    assert turn_of(theta.astype(np.float32), PICTURE) is None


def test_a_theta_is_read_as_zoom_turn_and_shift() -> None:
    angle = np.deg2rad(20)
    turn = 0.5 * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    theta = np.column_stack([turn, [0.2, -0.1]]).astype(np.float32)
    found = turn_of(theta, PICTURE)
    assert found is not None
    assert found.zoom == pytest.approx(2)
    assert found.degrees == pytest.approx(20)
    assert (found.right, found.down) == pytest.approx((0.1, -0.05))
    for reach in FEATURES.values():
        moved = turn_of(theta, reach)
        assert moved is not None
        # Nine features that stand 4 pixels apart span three quarters of the crop.
        assert (moved.right, moved.down) == pytest.approx((0.075, -0.0375))


# Regions


def test_regions_are_named_by_their_place() -> None:
    names = [region_name(square, mirrored=False) for square in FIXED]
    expected = ["whole face", "top left", "top right", "bottom", "middle 90 %", "middle 85 %"]
    assert names == expected
    turned = [region_name(square, mirrored=True) for square in FIXED]
    expected[1:3] = "top right", "top left"
    assert turned == expected


def test_the_weightiest_region_has_the_strongest_line(easel: Easel) -> None:
    squares = np.array([[0.1, 0.1, 0.45, 0.9], [0.55, 0.1, 0.9, 0.9]])
    light = []
    for weights in ([0.8, 0.2], [0.2, 0.8]):
        face = easel.face((200, 150), 240, region=np.array(weights), square=squares)
        picture = easel.drawn([RegionsOverlay()], face)
        # The outer upper corners, free of numbers.
        corners = np.s_[48:60, 98:110], np.s_[48:60, 290:302]
        light.append([int(picture[corner].max()) for corner in corners])
    assert light[0][0] > light[0][1] + 20
    assert light[1][1] > light[1][0] + 20


def test_senseless_regions_are_left_out(easel: Easel) -> None:
    squares = np.array(FIXED)
    assert region_weights(easel.face(region=np.full(6, np.nan), square=squares)) is None
    assert region_weights(easel.face(region=np.zeros(0), square=np.zeros((0, 4)))) is None
    none = easel.face((200, 150), 200, region=np.zeros(6), square=squares)
    assert (easel.drawn([RegionsOverlay()], none) != easel.grey()).any()
