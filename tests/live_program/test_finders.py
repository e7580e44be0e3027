"""What every face finder keeps, run over each of them and a fake."""

from __future__ import annotations

from pathlib import Path

import cv2
import cv2.data
import numpy as np
import pytest
from numpy.typing import NDArray

from app.errors import FinderError
from app.faces import FINDERS, FaceFinder, make_finder
from app.faces.alignment import upright_square
from app.faces.base import square
from app.faces.haar import HaarFinder
from app.faces.yunet import YunetFinder
from app.messages import Face
from app.sources.actor import actor_truth, render_frame
from models.runtime.face_detector import Detected

Image = NDArray[np.uint8]


class FakeFinder:
    """Sees a face where a picture differs from its corner."""

    name = "fake"

    def find(self, image: Image) -> list[Face]:
        off = np.argwhere(image.reshape(*image.shape[:2], -1).max(2) != image.max())
        if not len(off):
            return []
        truth = upright_square(actor_truth(0).landmarks)
        scale = image.shape[0] / 480
        x, y = truth.centre
        return [Face(square(x * scale, y * scale, truth.width * scale), 1.0)]


class CannedDetector:
    """Stands in for YuNet's network: one row wherever the picture is not plain."""

    def __init__(self) -> None:
        self.sizes: list[tuple[int, ...]] = []

    def find(self, image: Image) -> Detected:
        self.sizes.append(image.shape)
        landmarks = actor_truth(0).landmarks
        x, y = upright_square(landmarks).centre
        side = upright_square(landmarks).width / 1.04
        width, height = side * 0.87, side / 0.87
        boxes = np.array([[x - width / 2, y - height / 2, width, height]], np.float32)
        points = landmarks[None, [37, 44, 30, 48, 54]].astype(np.float32)
        scale, seen = image.shape[0] / 480, int(image.min() != image.max())
        return Detected(
            boxes[:seen] * scale, points[:seen] * scale, np.array([0.93], np.float32)[:seen]
        )


def yunet_with(tmp_path: Path, detector: CannedDetector) -> YunetFinder:
    file = tmp_path / "yunet.onnx"
    file.write_bytes(b"stands in")
    return YunetFinder(file, load=lambda _: detector)


@pytest.fixture(params=["mien", "mien-quick", "haar", "hog", "yunet", "fake"])
def finder(request: pytest.FixtureRequest, tmp_path: Path) -> FaceFinder:
    if request.param == "fake":
        return FakeFinder()
    if request.param == "yunet":
        return yunet_with(tmp_path, CannedDetector())
    return make_finder(request.param)


@pytest.fixture(scope="module")
def actor() -> Image:
    image = render_frame(0)
    image.flags.writeable = False
    return image


def test_one_face_gives_one_square_in_the_framing_of_fer2013(
    finder: FaceFinder, actor: Image
) -> None:
    (face,) = finder.find(actor)
    truth = upright_square(actor_truth(0).landmarks)
    assert face.box.width == pytest.approx(face.box.height)
    assert face.box.width == pytest.approx(truth.width, rel=0.15)
    assert np.hypot(*np.subtract(face.box.centre, truth.centre)) < 0.08 * truth.width
    assert face.track_id is None


def test_a_large_picture_gives_boxes_in_its_own_pixels(finder: FaceFinder, actor: Image) -> None:
    (small,) = finder.find(actor)
    x, y = small.box.centre
    (large,) = finder.find(cv2.resize(actor, None, fx=2, fy=2).astype(np.uint8))
    assert large.box.overlap(square(2 * x, 2 * y, 2 * small.box.width)) > 0.7


def test_a_gray_picture_will_do(finder: FaceFinder, actor: Image) -> None:
    gray = cv2.cvtColor(actor, cv2.COLOR_BGR2GRAY).astype(np.uint8)
    (face,) = finder.find(gray)
    assert face.box.overlap(finder.find(actor)[0].box) > 0.8


def test_a_plain_picture_of_any_shape_has_no_face(finder: FaceFinder) -> None:
    for shape in ((480, 640, 3), (1, 1, 3), (20, 300, 3), (300, 20, 3)):
        assert finder.find(np.full(shape, 120, np.uint8)) == []


def test_finding_changes_neither_the_picture_nor_the_next_answer(
    finder: FaceFinder, actor: Image
) -> None:
    before = actor.copy()
    first = finder.find(actor)
    second = finder.find(actor)
    assert np.array_equal(actor, before)
    assert [face.box for face in first] == [face.box for face in second]


@pytest.mark.parametrize("name", ["mien", "mien-quick", "haar", "hog"])
def test_the_actor_is_found_in_every_expression(name: str) -> None:
    finder = make_finder(name)
    for index in range(10, 525, 75):
        (face,) = finder.find(render_frame(index))
        truth = upright_square(actor_truth(index).landmarks)
        assert face.box.overlap(truth) > 0.6


@pytest.mark.parametrize("name", ["mien", "mien-quick", "haar", "hog"])
def test_noise_is_no_face(name: str) -> None:
    rng = np.random.default_rng(0)
    finder = make_finder(name)
    coarse = rng.integers(0, 256, (24, 32, 3), dtype=np.uint8)
    for picture in (
        rng.integers(0, 256, (240, 320, 3), dtype=np.uint8),
        cv2.resize(coarse, (640, 480), interpolation=cv2.INTER_CUBIC).astype(np.uint8),
    ):
        assert finder.find(picture) == []


def test_names_are_those_offered(tmp_path: Path) -> None:
    names = ["mien", "mien-quick", "haar", "hog"]
    assert [make_finder(name).name for name in names] == names
    assert yunet_with(tmp_path, CannedDetector()).name in FINDERS


def test_an_unknown_finder_names_the_known_ones() -> None:
    with pytest.raises(FinderError, match="haar, hog, yunet"):
        make_finder("mtcnn")


def test_yunet_rows_become_boxes_and_five_landmarks(tmp_path: Path, actor: Image) -> None:
    (face,) = yunet_with(tmp_path, CannedDetector()).find(actor)
    landmarks = actor_truth(0).landmarks
    assert face.landmarks is not None
    assert face.landmarks.dtype == np.float32
    np.testing.assert_allclose(face.landmarks, landmarks[[37, 44, 30, 48, 54]], atol=0.01)
    assert face.score == pytest.approx(0.93)


def test_yunet_searches_no_more_than_it_needs(tmp_path: Path) -> None:
    detector = CannedDetector()
    finder = yunet_with(tmp_path, detector)
    for shape in ((480, 640, 3), (100, 100, 3)):
        finder.find(np.zeros(shape, np.uint8))
    assert detector.sizes == [(360, 480, 3), (100, 100, 3)]


def test_yunet_without_a_file_says_how_to_give_one() -> None:
    with pytest.raises(FinderError, match="--yunet FILE"):
        make_finder("yunet")


def test_yunet_with_a_missing_file_names_it(tmp_path: Path) -> None:
    with pytest.raises(FinderError, match=r"absent\.onnx"):
        make_finder("yunet", tmp_path / "absent.onnx")


def test_yunet_with_a_damaged_file_names_it(tmp_path: Path) -> None:
    file = tmp_path / "damaged.onnx"
    file.write_bytes(b"not a network" * 100)
    with pytest.raises(FinderError, match=r"damaged.onnx.*cannot use it"):
        make_finder("yunet", file)


def test_a_cascade_is_read_whatever_its_folder_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "Jörg 顔"
    folder.mkdir()
    name = "haarcascade_frontalface_default.xml"
    (folder / name).write_bytes((Path(cv2.data.haarcascades) / name).read_bytes())
    monkeypatch.setattr("cv2.data.haarcascades", f"{folder}/")
    assert HaarFinder().find(np.full((120, 160, 3), 90, np.uint8)) == []
    for broken in (b"", b"<?xml version='1.0'?><opencv_storage></opencv_storage>", b"\xff\xfe"):
        (folder / name).write_bytes(broken)
        with pytest.raises(FinderError, match=r"cascade at .* is damaged; reinstall"):
            HaarFinder()
