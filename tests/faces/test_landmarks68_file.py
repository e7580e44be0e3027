"""The file of the landmark network: its export, its answers, and the command that measures it."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
import torch

from models.cli.evaluate import main as evaluate
from models.folding import fold_norms
from models.nets.landmarks68 import Landmarks68
from models.runtime.card import ModelError
from models.runtime.landmark_crop import MIRRORED
from models.runtime.landmark_model import LandmarkModel
from models.runtime.part_card import is_part_card
from models.training.checkpoint import load_checkpoint
from models.training.exported import take_back

pytestmark = pytest.mark.train


@pytest.fixture(autouse=True)
def _one_thread_of_torch() -> None:
    torch.set_num_threads(1)


def test_folding_changes_no_answer() -> None:
    torch.manual_seed(0)
    network = Landmarks68()
    for _ in range(2):
        network(torch.rand(8, 1, 64, 64))  # other statistics than those it begins with
    network.eval()
    crops = torch.rand(3, 1, 64, 64)
    with torch.no_grad():
        for whole, parts in zip(network(crops), fold_norms(network)(crops), strict=True):
            torch.testing.assert_close(whole, parts, atol=1e-5, rtol=0)


def test_an_exported_file_can_be_trained_on(landmark_training: Path, landmark_file: Path) -> None:
    torch.manual_seed(0)
    crops = torch.rand(40, 1, 64, 64)
    before, again = Landmarks68().eval(), Landmarks68().eval()
    before.load_state_dict(load_checkpoint(landmark_training / "last.pt")["average"])
    take_back(again, landmark_file, crops)
    with torch.no_grad():
        for wanted, found in zip(before(crops), again(crops), strict=True):
            torch.testing.assert_close(found, wanted, atol=5e-3, rtol=0)
        # Over these very crops batch statistics are the ones taken back.
        for wanted, found in zip(before(crops), again.train()(crops), strict=True):
            torch.testing.assert_close(found, wanted, atol=5e-3, rtol=0)


def test_light_hardly_matters() -> None:
    torch.manual_seed(0)
    network = Landmarks68().eval()
    crops = torch.rand(2, 1, 64, 64)
    with torch.no_grad():
        points, dark = network(crops)[0], network(crops * 0.5 + 0.1)[0]
        others = network(torch.rand(2, 1, 64, 64))[0]
    torch.testing.assert_close(points, dark, atol=1e-4, rtol=0)
    assert not torch.allclose(points, others, atol=1e-3)


def test_the_file_is_small_and_says_what_it_is(landmark_file: Path) -> None:
    assert landmark_file.stat().st_size < 1_000_000
    card = LandmarkModel(landmark_file).card
    assert card.kind == "landmarks"
    assert is_part_card(landmark_file.with_suffix(".json"))
    boxes = [metric["box"] for metric in card.metrics if "box" in metric]
    assert boxes == 2 * ["in place", "shifted by 10 %", "scaled by 20 %", "both"]
    assert b"site-packages" not in landmark_file.read_bytes()
    assert any(node.op_type == "Cast" for node in onnx.load(landmark_file).graph.node)


def test_many_faces_at_once_get_what_each_gets_alone(landmark_file: Path) -> None:
    model = LandmarkModel(landmark_file)
    picture = np.random.default_rng(0).integers(0, 256, (240, 320), dtype=np.uint8)
    squares = [(60.0, 80.0, 50.0), (200.0, 120.0, 90.0), (500.0, -40.0, 70.0)]
    points, confidence = model.fit(picture, squares)
    for row, square in enumerate(squares):
        alone, sure = model.fit(picture, [square])
        np.testing.assert_allclose(alone[0], points[row], atol=0.01)
        np.testing.assert_allclose(sure[0], confidence[row], atol=1e-4)
    assert model.fit(picture, [])[0].shape == (0, 68, 2)


def test_two_looks_at_a_picture_and_at_its_mirror_image_agree(landmark_file: Path) -> None:
    model = LandmarkModel(landmark_file)
    rng = np.random.default_rng(1)
    noise = rng.integers(0, 256, (200, 300), dtype=np.uint8)
    picture = np.asarray(cv2.GaussianBlur(noise, (0, 0), 3), np.uint8)
    mirrored = np.ascontiguousarray(picture[:, ::-1])
    points, sure = model.fit(picture, [(120.0, 90.0, 60.0)], twice=True)
    others, as_sure = model.fit(mirrored, [(180.0, 90.0, 60.0)], twice=True)
    back = others[0][list(MIRRORED)] * (-1, 1) + (299, 0)
    np.testing.assert_allclose(back, points[0], atol=0.3)
    np.testing.assert_allclose(as_sure, sure, atol=0.02)
    once, _ = model.fit(picture, [(120.0, 90.0, 60.0)])
    assert np.abs(once - points).max() > 0.01


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda file: file.unlink(), "found no file"),
        (lambda file: file.write_bytes(file.read_bytes()[:-9]), "that its card describes"),
        (lambda file: file.with_suffix(".json").unlink(), "a card in JSON"),
        (lambda file: _rewrite(file, "kind", "finder"), "of the kind landmarks"),
        (lambda file: _rewrite(file, "title", "another"), "the card that is inside"),
        (lambda file: _rewrite(file, "settings", {"size": 64}), "found no wider"),
    ],
)
def test_a_file_that_is_not_what_it_says_is_refused(
    landmark_file: Path,
    tmp_path: Path,
    harm: object,
    said: str,
) -> None:
    file = tmp_path / landmark_file.name
    for each in (landmark_file, landmark_file.with_suffix(".json")):
        (tmp_path / each.name).write_bytes(each.read_bytes())
    assert callable(harm)
    harm(file)
    with pytest.raises(ModelError, match=said):
        LandmarkModel(file)


def _rewrite(file: Path, key: str, value: object) -> None:
    beside = file.with_suffix(".json")
    beside.write_text(json.dumps(json.loads(beside.read_text()) | {key: value}))


def test_the_command_measures_it_beside_dlib(
    landmark_file: Path, marked_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "figures.json"
    arguments = ["--data", str(marked_folder), "--model", str(landmark_file), "--json", str(out)]
    arguments += ["--against", "app.faces.landmark_fitters:dlib_once"]
    assert evaluate(["landmarks68", *arguments, "--faces", "1"]) == 0
    figures = json.loads(out.read_text())["landmarks"]
    assert set(figures) == {"landmarks68", "landmarks68 twice", "dlib_once"}
    # dlib was made for faces, and finds the drawn one's landmarks; two epochs are not enough.
    assert figures["dlib_once"]["scores"][0]["mean"] < 0.08
    assert figures["landmarks68"]["scores"][0]["mean"] > figures["dlib_once"]["scores"][0]["mean"]
    assert "squares without one" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--against", "app.faces.nothing:here"], "MODULE:FUNCTION"),
        (["--faces", "0"], "--faces of at least 1"),
        (["--json", "no/such/folder/out.json"], "expected a folder"),
    ],
)
def test_the_command_says_what_to_correct(
    landmark_file: Path,
    marked_folder: Path,
    arguments: list[str],
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = ["--data", str(marked_folder), "--model", str(landmark_file), *arguments]
    assert evaluate(["landmarks68", *given]) == 2
    assert said in capsys.readouterr().err
