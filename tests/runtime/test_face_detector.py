"""The bundled face finder, run by ONNX Runtime as the live program does and by OpenCV."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from app.settings import OWN_FINDER
from app.sources.actor import render_frame
from models.runtime.face_detector import Detected, FaceDetector, OpenCvDetector

Image = NDArray[np.uint8]
# Far below the lowest that the card allows, so that many doubles are to be suppressed.
SCORE, OVERLAP = 0.1, 0.3


@pytest.fixture(scope="module")
def own() -> FaceDetector:
    return FaceDetector(OWN_FINDER, score=SCORE, overlap=OVERLAP)


@pytest.fixture(scope="module")
def opencvs() -> OpenCvDetector:
    return OpenCvDetector(OWN_FINDER, score=SCORE, overlap=OVERLAP)


def mosaic(seed: int, height: int = 480, width: int = 640) -> Image:
    """Return faces of the actor of many sizes, some cut off, on blurred noise."""
    rng = np.random.default_rng(seed)
    noise = rng.integers(0, 256, (height // 16, width // 16, 3), np.uint8)
    canvas = np.asarray(cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)
    for _ in range(8):
        frame = render_frame(int(rng.integers(0, 500)))[90:420, 170:470]
        scale = float(rng.uniform(0.08, 0.8))
        face = cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        top, left = int(rng.integers(0, height - 20)), int(rng.integers(0, width - 20))
        place = canvas[top : top + face.shape[0], left : left + face.shape[1]]
        place[:] = face[: place.shape[0], : place.shape[1]]
    return canvas


def check(found: Detected, expected: Detected) -> None:
    assert len(found.scores) == len(expected.scores)
    np.testing.assert_allclose(found.scores, expected.scores, atol=1e-4)
    np.testing.assert_allclose(found.boxes, expected.boxes, atol=0.01)
    np.testing.assert_allclose(found.points, expected.points, atol=0.01)


def test_the_actor_is_found_alike(own: FaceDetector, opencvs: OpenCvDetector) -> None:
    for frame in range(0, 500, 100):
        found = own.find(render_frame(frame))
        assert found.scores[0] > 0.8
        check(found, opencvs.find(render_frame(frame)))


def test_many_faces_are_found_alike(own: FaceDetector, opencvs: OpenCvDetector) -> None:
    count = 0
    for seed in range(6):
        picture = mosaic(seed)
        found = own.find(picture)
        check(found, opencvs.find(picture))
        count += len(found.scores)
    assert count >= 30


@pytest.mark.parametrize("shape", [(481, 639), (50, 333), (97, 33), (240, 320), (50, 40)])
def test_pictures_of_all_sizes_are_filled_up_alike(
    own: FaceDetector, opencvs: OpenCvDetector, shape: tuple[int, int]
) -> None:
    whole = cv2.resize(mosaic(3), shape[::-1], interpolation=cv2.INTER_AREA).astype(np.uint8)
    check(own.find(whole), opencvs.find(whole))
    # What an earlier picture left beside a smaller one would be searched too.
    check(own.find(whole[:40, :40]), opencvs.find(whole[:40, :40]))
    check(own.find(whole[:, ::-1]), opencvs.find(whole[:, ::-1]))


def test_gray_is_found_alike(own: FaceDetector, opencvs: OpenCvDetector) -> None:
    gray = cv2.cvtColor(mosaic(5), cv2.COLOR_BGR2GRAY).astype(np.uint8)
    check(own.find(gray), opencvs.find(gray))
    assert len(own.find(gray).scores) > 0


def test_nothing_is_found_in_nothing(own: FaceDetector) -> None:
    found = own.find(np.zeros((1, 1, 3), np.uint8))
    assert found.boxes.shape == (0, 4)
    assert found.points.shape == (0, 5, 2)
    assert found.scores.shape == (0,)
