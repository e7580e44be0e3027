from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from app.errors import FinderError
from app.faces import landmarks_dlib as module
from app.faces.alignment import upright_square
from app.faces.base import square
from app.faces.landmarks import LANDMARKERS, Landmarker, make_landmarker
from app.faces.landmarks_dlib import DlibLandmarker, landmark_file
from app.sources.actor import actor_truth, render_frame


@pytest.fixture(scope="module")
def dlib_landmarker() -> Landmarker:
    return make_landmarker("dlib")


def test_landmarks_sit_where_they_were_drawn(dlib_landmarker: Landmarker) -> None:
    image = render_frame(0)
    truth = actor_truth(0).landmarks
    (fit,) = dlib_landmarker.fit_all(image, [upright_square(truth)], sure=[True])
    points = fit.points
    assert points.shape == (68, 2)
    assert points.dtype == np.float32
    eyes_apart = np.linalg.norm(truth[45] - truth[36])
    inner = np.linalg.norm(points[17:] - truth[17:], axis=1)
    assert inner.mean() < 0.06 * eyes_apart


def test_a_gray_picture_gives_the_same(dlib_landmarker: Landmarker) -> None:
    image = render_frame(0)
    box = upright_square(actor_truth(0).landmarks)
    gray = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.uint8)
    ((colour,), (plain,)) = (dlib_landmarker.fit_all(each, [box]) for each in (image, gray))
    assert np.array_equal(colour.points, plain.points)


def test_two_fits_agree_on_a_face_and_not_elsewhere(dlib_landmarker: Landmarker) -> None:
    image = render_frame(0)
    box = upright_square(actor_truth(0).landmarks)
    (sure,) = dlib_landmarker.fit_all(image, [box])
    assert sure.confidence > dlib_landmarker.limits.doubtful
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (24, 32, 3), dtype=np.uint8)
    texture = cv2.resize(coarse, (640, 480), interpolation=cv2.INTER_CUBIC).astype(np.uint8)
    fits = dlib_landmarker.fit_all(texture, [square(x, 240, 150) for x in range(100, 600, 50)])
    assert np.median([fit.confidence for fit in fits]) < dlib_landmarker.limits.new


def test_a_box_may_lie_outside_the_picture(dlib_landmarker: Landmarker) -> None:
    (fit,) = dlib_landmarker.fit_all(np.zeros((40, 40, 3), np.uint8), [square(-500, 900, 100)])
    assert np.isfinite(fit.points).all()


def test_what_is_sure_is_fitted_once(dlib_landmarker: Landmarker) -> None:
    image = render_frame(0)
    box = upright_square(actor_truth(0).landmarks)
    once, twice = dlib_landmarker.fit_all(image, [box, box], sure=[True, False])
    assert once.confidence == 1.0
    assert 0 < twice.confidence < 1
    assert not np.array_equal(once.points, twice.points)


def test_another_name_is_refused() -> None:
    with pytest.raises(FinderError, match=" or ".join(LANDMARKERS)):
        make_landmarker("68")


def test_the_file_is_found_without_importing_its_package() -> None:
    import sys

    assert landmark_file().is_file()
    assert "face_recognition_models" not in sys.modules


def test_a_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PACKAGE", "no_such_package_of_landmarks")
    with pytest.raises(FinderError, match="pip install face-recognition-models"):
        DlibLandmarker()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FinderError, match=r"absent\.dat"):
        DlibLandmarker(tmp_path / "absent.dat")


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "landmarks.dat"
    file.write_bytes(b"damaged" * 1000)
    with pytest.raises(FinderError, match=r"landmarks.dat.*damaged"):
        DlibLandmarker(file)
