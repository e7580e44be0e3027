from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from app.faces.alignment import align, misfit, template, upright_square
from app.faces.base import shrink, square
from app.messages import Face
from app.sources.actor import actor_truth, render_frame
from models.runtime.framing import anchors, similarity


def turned(points: NDArray[np.float64], degrees: float, scale: float) -> NDArray[np.float64]:
    angle = math.radians(degrees)
    matrix = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    return np.asarray(scale * points @ matrix.T + np.array([40.0, -12.0]))


def five(three: NDArray[np.float64]) -> NDArray[np.float32]:
    left, right, mouth = three
    aside = np.array([5.0, 0.0])
    points = [left, right, three.mean(0), mouth - aside, mouth + aside]
    return np.array(points, dtype=np.float32)


@pytest.mark.parametrize("degrees", [-40.0, 0.0, 25.0, 170.0])
@pytest.mark.parametrize("scale", [0.3, 1.0, 7.0])
def test_similarity_recovers_the_motion(degrees: float, scale: float) -> None:
    source = np.array([[1.0, 2.0], [8.0, 1.0], [4.0, 9.0], [0.0, 3.0]])
    target = turned(source, degrees, scale)
    matrix = similarity(source, target)
    np.testing.assert_allclose(source @ matrix[:, :2].T + matrix[:, 2], target, atol=1e-9)


def test_similarity_is_the_best_of_its_kind_and_never_mirrors() -> None:
    rng = np.random.default_rng(1)
    source, target = rng.normal(size=(6, 2)), rng.normal(size=(6, 2))
    best = similarity(source, target)

    def error(matrix: NDArray[np.float64]) -> float:
        return float(((source @ matrix[:, :2].T + matrix[:, 2] - target) ** 2).sum())

    assert np.linalg.det(best[:, :2]) > 0
    for turn in (1 + 0.02j, 1 - 0.02j, 1.02, 0.98):
        value = turn * complex(best[0, 0], best[1, 0])
        other = np.array([[value.real, -value.imag, 0.0], [value.imag, value.real, 0.0]])
        other[:, 2] = target.mean(0) - other[:, :2] @ source.mean(0)
        assert error(other) > error(best)


@pytest.mark.parametrize("size", [48, 64])
def test_eyes_and_mouth_come_to_fer2013s_places(size: int) -> None:
    image = np.zeros((480, 640), np.uint8)
    for index in (0, 190):
        landmarks = actor_truth(index).landmarks
        face = Face(square(320, 240, 200), 1.0, landmarks)
        alignment = align(image, face, size)
        back = cv2.invertAffineTransform(alignment.crop_to_frame)
        points = anchors(landmarks) @ back[:, :2].T + back[:, 2]
        assert np.abs(points - template(size)).max() < 0.06 * size
        assert alignment.crop.shape == (size, size)
        assert alignment.crop.dtype == np.uint8


def test_the_template_at_48_is_fer2013s() -> None:
    np.testing.assert_allclose(template(48), [[15.0, 18.9], [32.7, 18.8], [24.0, 38.0]])


def test_a_point_of_the_picture_lands_on_its_crop_pixel() -> None:
    image = np.zeros((400, 400), np.uint8)
    three = turned(template(48), 12, 6.0) + np.array([60.0, 60.0])
    face = Face(square(200, 200, 200), 1.0, five(three))
    alignment = align(image, face, 48)
    x, y = alignment.crop_to_frame @ (30, 20, 1)
    cv2.circle(image, (round(x), round(y)), 5, 255, -1)
    crop = align(image, face, 48).crop
    rows, columns = np.nonzero(crop > 60)
    assert (columns.mean(), rows.mean()) == pytest.approx((30, 20), abs=0.15)


def test_shrinking_averages_instead_of_skipping() -> None:
    stripes = np.zeros((960, 960), np.uint8)
    stripes[:, ::2] = 255
    crop = align(stripes, Face(square(480, 480, 721), 1.0), 48).crop
    assert np.abs(crop.astype(int) - 127).max() < 12


def test_a_line_is_shrunk_to_a_line() -> None:
    for shape in ((1, 2000, 3), (2000, 1, 3)):
        small, scale = shrink(np.zeros(shape, np.uint8), 480)
        assert small.shape == tuple(min(side, 480) for side in shape)
        assert scale == 0.24


def test_shrinking_equals_inter_area_where_both_apply() -> None:
    image = render_frame(0)
    gray = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    crop = align(image, Face(square(320, 240, 192), 1.0), 48).crop
    expected = cv2.resize(gray[144:336, 224:416], (48, 48), interpolation=cv2.INTER_AREA)
    assert np.abs(crop.astype(int) - expected.astype(int)).max() <= 1


def test_without_landmarks_the_box_is_the_crop() -> None:
    image = np.random.default_rng(0).integers(0, 256, (60, 80), dtype=np.uint8)
    alignment = align(image, Face(square(40, 30, 48), 1.0), 48)
    assert np.array_equal(alignment.crop, image[6:54, 16:64])
    np.testing.assert_allclose(alignment.crop_to_frame, [[1, 0, 16], [0, 1, 6]])


def test_outside_the_picture_its_edge_goes_on() -> None:
    image = np.full((100, 100, 3), 200, np.uint8)
    assert (align(image, Face(square(0, 100, 80), 1.0), 48).crop == 200).all()


def test_the_upright_square_of_a_turned_face_keeps_centre_and_size() -> None:
    centre = turned(np.array([[23.5, 23.5]]), 20, 3.0)[0]
    box = upright_square(five(turned(template(48), 20, 3.0)))
    assert box.width == pytest.approx(144, rel=0.02)
    np.testing.assert_allclose(box.centre, centre + 0.5, atol=2.0)


def test_misfit_tells_faces_from_other_triangles() -> None:
    assert misfit(actor_truth(0).landmarks) < 0.04
    squashed = five(turned(template(48), 0, 1.0) * (1.0, 0.2))
    assert misfit(squashed) > 0.12


def test_other_numbers_of_landmarks_are_refused() -> None:
    with pytest.raises(ValueError, match="68 or 5"):
        anchors(np.zeros((7, 2)))


def test_the_live_crop_of_a_small_field_is_the_middle_of_the_whole_one() -> None:
    rng = np.random.default_rng(3)
    picture = rng.integers(0, 256, (240, 320)).astype(np.uint8)
    points = np.array([[140, 100], [190, 104], [165, 130], [148, 152], [182, 155]], np.float32)
    for face in (
        Face(square(160, 120, 150), 1.0, landmarks=points),
        Face(square(160, 120, 150), 1.0),
    ):
        whole, middle = align(picture, face, 48), align(picture, face, 44, field=44)
        # As many samples a pixel, at the same places but for rounding.
        np.testing.assert_allclose(middle.crop.astype(int), whole.crop[2:46, 2:46], atol=2)
        np.testing.assert_allclose(
            middle.crop_to_frame @ (10, 30, 1), whole.crop_to_frame @ (12, 32, 1), atol=1e-6
        )
        larger = align(picture, face, 88, field=44)
        np.testing.assert_allclose(
            larger.crop_to_frame @ (-0.5, 87.5, 1), middle.crop_to_frame @ (-0.5, 43.5, 1)
        )
