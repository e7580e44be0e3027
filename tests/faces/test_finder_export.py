"""From a checkpoint to the file that the program runs, and what is measured of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
import torch

from models import finder_export, finder_settings
from models.cli.evaluate import main as evaluate
from models.cli.export_onnx import main as export
from models.finder_export import MOST_BYTES, export_finder
from models.finder_sets import SETS, read_held_back
from models.nets.face_finder import FaceFinderNet
from models.runtime.card import METADATA_KEY, ModelError, file_facts
from models.runtime.errors import UserError
from models.runtime.face_detector import FaceDetector, OpenCvDetector
from models.runtime.landmark_model import bundled_landmarks
from models.runtime.part_card import PartCard, is_part_card, read_part_card
from models.training.checkpoint import save_checkpoint
from models.training.finder_recipe import FinderRecipe
from models.training.finder_run import FinderTrainer, find_faces

pytestmark = pytest.mark.train


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a checkpoint of a network that has seen nothing yet."""
    trainer = FinderTrainer(FinderRecipe(epochs=1, side=64), torch.device("cpu"))
    torch.manual_seed(3)
    for name, values in trainer.average.network.named_buffers():
        if name.endswith("running_mean"):
            values.normal_(0, 0.05)
        elif name.endswith("running_var"):
            values.uniform_(0.5, 2)
    trainer.history.append({"epoch": 1, "average_precision": 0.5, "seconds": 2.0})
    path = tmp_path_factory.mktemp("checkpoint") / "final.pt"
    save_checkpoint(path, {**trainer.state(), "environment": {"torch": "here"}})
    return path


@pytest.fixture(scope="module")
def exported(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("weights") / "face_finder.onnx"
    export_finder(checkpoint, output=file)
    return file


def test_the_file_is_small_and_described(exported: Path) -> None:
    assert exported.stat().st_size <= MOST_BYTES == 350_000
    card = read_part_card(exported.with_suffix(".json"), "finder")
    assert card.file == file_facts(exported)
    assert card.parameters == sum(p.numel() for p in FaceFinderNet().parameters()) <= 100_000
    assert card.recipe["task"] == "face_finder"
    assert card.metrics == ()
    assert is_part_card(exported.with_suffix(".json"))
    assert sorted(path.name for path in exported.parent.iterdir()) == [
        "face_finder.json",
        "face_finder.onnx",
    ]


def test_the_card_inside_is_the_card_beside(exported: Path) -> None:
    inside = {entry.key: entry.value for entry in onnx.load(exported).metadata_props}
    beside = read_part_card(exported.with_suffix(".json"), "finder")
    assert PartCard.from_json(inside[METADATA_KEY], "inside") == beside.without_file()
    data = exported.read_bytes()
    assert b"site-packages" not in data
    assert b'.py"' not in data


def test_the_outputs_are_those_opencv_asks_for(exported: Path) -> None:
    names = [output.name for output in onnx.load(exported).graph.output]
    assert names == [f"{kind}_{s}" for kind in ("cls", "obj", "bbox", "kps") for s in (8, 16, 32)]
    detector = FaceDetector(exported, score=0.07, overlap=0.3)
    rng = np.random.default_rng(0)
    for height, width in ((240, 320), (33, 100), (480, 640), (1, 1)):
        found = detector.find(rng.integers(0, 256, (height, width, 3), np.uint8))
        assert found.boxes.shape == (len(found.scores), 4)
        assert found.points.shape == (len(found.scores), 5, 2)
        assert (np.diff(found.scores) <= 0).all()


@pytest.mark.parametrize("detector", [FaceDetector, OpenCvDetector])
def test_the_program_and_opencv_find_what_torch_finds(
    checkpoint: Path, exported: Path, detector: type[FaceDetector | OpenCvDetector]
) -> None:
    network = FaceFinderNet().eval()
    network.load_state_dict(torch.load(checkpoint, weights_only=True)["average"])
    picture = np.random.default_rng(2).integers(0, 256, (96, 128, 3), np.uint8)
    (torchs,) = find_faces(network, [picture], torch.device("cpu"))
    found = detector(exported, score=0.02, overlap=0.3).find(picture)
    best = found.boxes[0]
    np.testing.assert_allclose(found.scores[0], torchs.scores.max(), atol=1e-4)
    corners = torchs.boxes[torchs.scores.argmax()]
    np.testing.assert_allclose([*best[:2], *(best[:2] + best[2:])], corners, atol=0.02)


def test_gray_is_colour_without_colour(exported: Path) -> None:
    detector = FaceDetector(exported, score=0.01, overlap=0.3)
    gray = cv2.resize(
        np.random.default_rng(1).integers(0, 256, (12, 16), np.uint8), (160, 128)
    ).astype(np.uint8)
    first, second = detector.find(gray), detector.find(np.repeat(gray[:, :, None], 3, 2))
    assert len(first.scores) > 0
    np.testing.assert_allclose(first.boxes, second.boxes)


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "other.onnx"
    file.write_bytes(b"not a network" * 100)
    with pytest.raises(ModelError, match=r"other\.onnx: expected a face finder"):
        OpenCvDetector(file, score=0.5, overlap=0.3)
    with pytest.raises(ModelError, match=r"other\.onnx: expected an ONNX model"):
        FaceDetector(file, score=0.5, overlap=0.3)
    with pytest.raises(ModelError, match=r"landmarks68\.onnx: expected a face finder"):
        FaceDetector(bundled_landmarks(), score=0.5, overlap=0.3)


def test_only_a_finders_checkpoint_is_exported(checkpoint: Path, tmp_path: Path) -> None:
    values = torch.load(checkpoint, weights_only=True)
    other = tmp_path / "other.pt"
    torch.save({**values, "recipe": {"task": "landmarks68"}}, other)
    with pytest.raises(UserError, match="expected a checkpoint of face_finder"):
        export_finder(other, output=tmp_path / "x.onnx")
    torch.save({**values, "average": {}}, other)
    with pytest.raises(UserError, match="another version of this network"):
        export_finder(other, output=tmp_path / "x.onnx")
    with pytest.raises(UserError, match=r"ends in \.onnx"):
        export_finder(checkpoint, output=tmp_path / "x.bin")
    assert not (tmp_path / "x.onnx").exists()


def test_every_set_is_held_back_and_the_same_each_time(face_folder: Path) -> None:
    held = read_held_back(face_folder)
    for name in SETS:
        first, again = (list(held.examples(name, 6)) for _ in range(2))
        assert 0 < len(first) <= 6
        for one, other in zip(first, again, strict=True):
            assert np.array_equal(one.pixels, other.pixels)
            assert one.truth.boxes.shape == (len(one.sides), 4)
            assert one.turns.shape == one.truth.counts.shape == one.sides.shape


def test_the_commands_export_measure_and_compare(
    checkpoint: Path,
    exported: Path,
    face_folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def again(_: FaceFinderNet, path: Path) -> None:
        path.write_bytes(exported.read_bytes())  # of the same checkpoint; making it takes long

    monkeypatch.setattr(finder_export, "_write_graph", again)
    monkeypatch.setattr(finder_settings, "_EXAMPLES", {"pictures": 6, "mosaics": 4, "films": 4})
    file, written = tmp_path / "mine.onnx", tmp_path / "out.json"
    assert export([str(checkpoint), "-o", str(file), "--data", str(face_folder)]) == 0
    card = read_part_card(file.with_suffix(".json"), "finder")
    assert [metric["set"] for metric in card.metrics] == list(SETS.values())
    assert 0.3 <= card.settings["score"] <= 0.9
    told = ["face_finder", "--data", str(face_folder), "--file", str(file), "--against"]
    asked = [*told, "app.faces.hog:HogFinder", "--pictures", "2", "--json", str(written)]
    asked += ["--sheet", str(tmp_path / "sheet.png")]
    assert evaluate(asked) == 0
    shown = capsys.readouterr().out
    assert "mien quick" in shown
    assert "hog" in shown
    sheet = cv2.imread(str(tmp_path / "sheet.png"))
    assert sheet is not None
    assert sheet.shape == (960, 1920, 3)
    figures = json.loads(written.read_text())
    assert set(figures["sets"]) == set(SETS)
    assert figures["sets"]["films"]["mien"]["pictures"] == 2
    assert figures["milliseconds"]["hog"] > 0
    assert evaluate([*told, "app.faces.none:Finder"]) == 2
    assert "app.faces.none" in capsys.readouterr().err
    assert evaluate([*told[:-1], "--yunet", str(tmp_path / "absent.onnx")]) == 2
    assert "absent.onnx" in capsys.readouterr().err


def test_a_card_that_is_none_is_refused(exported: Path, tmp_path: Path) -> None:
    card = read_part_card(exported.with_suffix(".json"), "finder")
    assert PartCard.from_json(card.to_json(), "again") == card
    with pytest.raises(ModelError, match="kind landmarks"):
        read_part_card(exported.with_suffix(".json"), "landmarks")
    broken = tmp_path / "card.json"
    wrong: list[object] = [{"kind": "finder"}, {**json.loads(card.to_json()), "kind": "hat"}, []]
    for values in wrong:
        broken.write_text(json.dumps(values))
        with pytest.raises(ModelError, match=r"card\.json: expected the card"):
            read_part_card(broken, "finder")
    with pytest.raises(ModelError, match=r"absent\.json"):
        read_part_card(tmp_path / "absent.json", "finder")
    assert not is_part_card(tmp_path / "absent.json")
    assert replace(card, file=None) == card.without_file()
