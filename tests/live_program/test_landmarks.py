from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from app.errors import FinderError
from app.faces import landmarks as module
from app.faces.alignment import upright_square
from app.faces.base import square
from app.faces.landmarks import Landmarker, landmark_file
from app.sources.actor import actor_truth, render_frame


@pytest.fixture(scope="module")
def landmarker() -> Landmarker:
    return Landmarker()


def test_landmarks_sit_where_they_were_drawn(landmarker: Landmarker) -> None:
    image = render_frame(0)
    truth = actor_truth(0).landmarks
    points = landmarker.fit(image, upright_square(truth))
    assert points.shape == (68, 2)
    assert points.dtype == np.float32
    eyes_apart = np.linalg.norm(truth[45] - truth[36])
    inner = np.linalg.norm(points[17:] - truth[17:], axis=1)
    assert inner.mean() < 0.06 * eyes_apart


def test_a_gray_picture_gives_the_same(landmarker: Landmarker) -> None:
    image = render_frame(0)
    box = upright_square(actor_truth(0).landmarks)
    gray = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.uint8)
    assert np.array_equal(landmarker.fit(image, box), landmarker.fit(gray, box))


def test_two_fits_agree_on_a_face_and_not_elsewhere(landmarker: Landmarker) -> None:
    image = render_frame(0)
    box = upright_square(actor_truth(0).landmarks)
    assert landmarker.fit_twice(image, box).spread < 0.02
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (24, 32, 3), dtype=np.uint8)
    texture = cv2.resize(coarse, (640, 480), interpolation=cv2.INTER_CUBIC).astype(np.uint8)
    spreads = [
        landmarker.fit_twice(texture, square(x, 240, 150)).spread for x in range(100, 600, 50)
    ]
    assert np.median(spreads) > 0.04


def test_a_box_may_lie_outside_the_picture(landmarker: Landmarker) -> None:
    points = landmarker.fit(np.zeros((40, 40, 3), np.uint8), square(-500, 900, 100))
    assert np.isfinite(points).all()


def test_the_file_is_found_without_importing_its_package() -> None:
    import sys

    assert landmark_file().is_file()
    assert "face_recognition_models" not in sys.modules


def test_a_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PACKAGE", "no_such_package_of_landmarks")
    with pytest.raises(FinderError, match="pip install face-recognition-models"):
        Landmarker()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FinderError, match=r"absent\.dat"):
        Landmarker(tmp_path / "absent.dat")


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "landmarks.dat"
    file.write_bytes(b"damaged" * 1000)
    with pytest.raises(FinderError, match=r"landmarks.dat.*damaged"):
        Landmarker(file)
