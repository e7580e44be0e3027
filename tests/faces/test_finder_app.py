"""The program's own finder: offered where its file is, and framed as FER2013 frames faces."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from app.errors import FinderError
from app.faces import finder_net, make_finder
from app.faces.finder_net import MienFinder
from app.settings import OWN_FINDER
from models.runtime.card import METADATA_KEY
from models.runtime.face_detector import Detected
from models.runtime.part_card import PartCard

SETTINGS = {"score": 0.6, "overlap": 0.3, "side": 1.1, "right": 0.1, "down": -0.2}


class CannedDetector:
    """Stands in for the network: one face of 8 x 18 pixels, and notes what it was shown."""

    made: list[tuple[Path, float, float]] = []  # noqa: RUF012 (one list for all, to look at)
    shown: list[tuple[int, ...]] = []  # noqa: RUF012

    def __init__(self, file: Path, *, score: float, overlap: float) -> None:
        self.made.append((file, score, overlap))

    def find(self, image: NDArray[np.uint8]) -> Detected:
        self.shown.append(image.shape)
        return Detected(
            np.array([[10, 20, 8, 18]], np.float32),
            np.arange(10, dtype=np.float32).reshape(1, 5, 2),
            np.array([0.75], np.float32),
        )


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    card = PartCard(
        kind="finder", name="face_finder", title="", paper="", input="", outputs={}, parameters=1,
        settings=SETTINGS, metrics=(), recipe={}, training={}, data=(), licence="", limits=(),
    )  # fmt: skip
    path = tmp_path / "face_finder.onnx"
    path.with_suffix(".json").write_text(card.to_json())
    CannedDetector.made.clear()
    CannedDetector.shown.clear()
    monkeypatch.setattr(finder_net, "FaceDetector", CannedDetector)
    return path


def test_a_box_becomes_the_square_its_card_places(file: Path) -> None:
    (face,) = MienFinder(file=file).find(np.zeros((100, 200, 3), np.uint8))
    side = 1.1 * 12
    assert face.box.width == pytest.approx(side)
    assert face.box.height == pytest.approx(side)
    assert face.box.centre == pytest.approx((14 + 0.1 * side, 29 - 0.2 * side))
    assert face.score == pytest.approx(0.75)
    assert face.landmarks is not None
    assert face.landmarks.dtype == np.float32
    assert face.landmarks[1].tolist() == [2, 3]
    assert CannedDetector.made == [(file, 0.6, 0.3)]


@pytest.mark.parametrize(("quick", "longest"), [(False, 640), (True, 320)])
def test_a_large_picture_is_shrunk_and_its_faces_come_in_its_pixels(
    file: Path, quick: bool, longest: int
) -> None:
    finder = MienFinder(quick=quick, file=file)
    (face,) = finder.find(np.zeros((960, 1280, 3), np.uint8))
    scale = 1280 / longest
    assert CannedDetector.shown == [(960 * longest // 1280, longest, 3)]
    assert face.box.width == pytest.approx(1.1 * 12 * scale)
    assert face.landmarks is not None
    assert face.landmarks[1].tolist() == [2 * scale, 3 * scale]
    assert finder.name == ("mien-quick" if quick else "mien")


def test_without_its_file_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(FinderError, match=r"absent\.onnx.*reinstall"):
        MienFinder(file=tmp_path / "absent.onnx")


def test_a_card_without_a_setting_is_refused(file: Path) -> None:
    beside = file.with_suffix(".json")
    values = json.loads(beside.read_text())
    del values["settings"]["score"]
    beside.write_text(json.dumps(values))
    with pytest.raises(FinderError, match="cannot be used"):
        MienFinder(file=file)


def test_the_bundled_finder_is_what_its_card_says() -> None:
    from models.runtime.card import file_facts
    from models.runtime.part_card import read_part_card

    card = read_part_card(OWN_FINDER.with_suffix(".json"), "finder")
    assert card.file == file_facts(OWN_FINDER)
    assert card.file.bytes <= 350_000
    assert card.parameters <= 100_000
    assert len(card.metrics) == 3
    assert METADATA_KEY.encode() in OWN_FINDER.read_bytes()


@pytest.mark.parametrize("name", ["mien", "mien-quick"])
def test_the_bundled_finder_takes_any_picture(name: str) -> None:
    finder = make_finder(name)
    assert finder.name == name
    rng = np.random.default_rng(0)
    for shape in ((480, 640, 3), (1, 1, 3), (20, 300, 3), (300, 20)):
        assert finder.find(np.full(shape, 120, np.uint8)) == []
    assert finder.find(rng.integers(0, 256, (240, 320, 3), np.uint8)) == []
