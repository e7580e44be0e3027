"""The bundled landmark network, as the live program runs it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from app.errors import UserError
from app.faces.alignment import upright_square
from app.faces.base import square
from app.faces.landmarks import Landmarker, make_landmarker
from app.faces.landmarks68 import NetLandmarker
from app.messages import Box
from app.sources.actor import actor_truth, render_frame
from models.runtime.landmark_model import bundled_landmarks
from models.runtime.part_card import read_part_card
from models.runtime.store import bundled

Image = NDArray[np.uint8]
FRAMES = (0, 60, 150, 300)


@pytest.fixture(scope="module")
def own() -> Landmarker:
    return make_landmarker("landmarks68")


def moved(box: Box, right: float, down: float, size: float) -> Box:
    x, y = box.centre
    return square(x + right * box.width, y + down * box.width, size * box.width)


def error(points: NDArray[np.float32], truth: NDArray[np.float32]) -> float:
    apart = float(np.linalg.norm(truth[45] - truth[36]))
    return float(np.linalg.norm(points[17:] - truth[17:], axis=1).mean()) / apart


@pytest.mark.parametrize("frame", FRAMES)
def test_landmarks_sit_where_they_were_drawn(own: Landmarker, frame: int) -> None:
    truth = actor_truth(frame).landmarks
    (fit,) = own.fit_all(render_frame(frame), [upright_square(truth)])
    assert fit.points.shape == (68, 2)
    assert fit.points.dtype == np.float32
    assert error(fit.points, truth) < 0.08
    assert fit.confidence > own.limits.doubtful


def test_a_box_may_be_a_tenth_aside_and_a_fifth_too_large(own: Landmarker) -> None:
    image, truth = render_frame(0), actor_truth(0).landmarks
    box = upright_square(truth)
    boxes = [moved(box, *how) for how in ((0.1, 0, 1), (0, -0.1, 1.2), (-0.07, 0.07, 0.83))]
    for fit in own.fit_all(image, boxes):
        assert error(fit.points, truth) < 0.09
        assert fit.confidence > own.limits.new


def test_where_no_face_is_the_confidence_is_low(own: Landmarker) -> None:
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (24, 32, 3), dtype=np.uint8)
    texture = np.asarray(cv2.resize(coarse, (640, 480), interpolation=cv2.INTER_CUBIC), np.uint8)
    fits = own.fit_all(texture, [square(x, 240, 150) for x in range(100, 600, 25)])
    assert max(fit.confidence for fit in fits) < own.limits.followed
    beside = moved(upright_square(actor_truth(0).landmarks), 1.3, 0.3, 1.0)
    (fit,) = own.fit_all(render_frame(0), [beside])
    assert fit.confidence < own.limits.followed


def test_gray_and_colour_and_others_in_the_batch_make_no_difference(own: Landmarker) -> None:
    image = render_frame(0)
    gray = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)
    box = upright_square(actor_truth(0).landmarks)
    (alone,) = own.fit_all(gray, [box])
    among = own.fit_all(image, [square(90, 90, 60), box, square(-200, 900, 100)])
    np.testing.assert_allclose(alone.points, among[1].points, atol=0.02)
    assert np.isfinite(among[2].points).all()
    assert own.fit_all(image, []) == []


def test_a_smaller_face_has_its_landmarks_at_the_same_places(own: Landmarker) -> None:
    image, truth = render_frame(0), actor_truth(0).landmarks
    small = np.asarray(cv2.resize(image, None, fx=0.4, fy=0.4, interpolation=cv2.INTER_AREA))
    scaled = ((truth + 0.5) * 0.4 - 0.5).astype(np.float32)
    (fit,) = own.fit_all(small.astype(np.uint8), [upright_square(scaled)])
    assert error(fit.points, scaled) < 0.09


def test_it_is_no_classifier_and_its_card_says_whence_it_is() -> None:
    file = bundled_landmarks()
    card = read_part_card(file.with_suffix(".json"), "landmarks")
    assert file.stem not in {entry.name for entry in bundled()}
    assert file.stat().st_size < 1_000_000
    assert card.settings["followed"] < card.settings["new"] < card.settings["doubtful"]
    assert {metric["split"] for metric in card.metrics} == {"validation"}
    assert any("YouTube Faces" in source for source in card.data)
    assert card.limits


def test_a_file_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"absent\.onnx"):
        NetLandmarker(tmp_path / "absent.onnx")
