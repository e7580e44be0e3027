"""A training of the landmark network, its export, and the command that measures it."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
import torch

from models.cli.evaluate import main as evaluate
from models.cli.export_onnx import main as export
from models.cli.train import main as train
from models.data.faces_parquet import (
    FacePicture,
    read_face_pictures,
    training_part,
    validation_part,
    without_copies,
)
from models.data.landmarks import LandmarkSet, make_landmark_set
from models.folding import fold_norms
from models.nets.landmarks68 import Landmarks68
from models.runtime.card import ModelError
from models.runtime.errors import UserError
from models.runtime.landmark_crop import MIRRORED
from models.runtime.landmark_model import LandmarkModel
from models.runtime.part_card import is_part_card
from models.training import landmarks_run
from models.training.checkpoint import load_checkpoint, save_checkpoint
from models.training.digest import digest_of
from models.training.exported import take_back
from models.training.landmark_loop import LandmarkData, LandmarkTrainer
from models.training.landmark_recipe import LandmarkRecipe, Views
from models.training.recipe import all_recipes, bundled_recipes
from models.training.tasks import TaskRun, task_of, task_values

pytestmark = pytest.mark.train

RECIPE = """task = "landmarks68"
epochs = 2
batch_size = 12
five = 3
empty = 3
learning_rate = 2e-3
ema = 0.5
"""


@pytest.fixture(autouse=True)
def _one_thread_of_torch() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, marked_folder: Path) -> Path:
    """Return the folder of a training of two epochs."""
    folder = tmp_path_factory.mktemp("landmarks")
    (folder / "small.toml").write_text(RECIPE)
    out = folder / "out"
    arguments = ["--data", str(marked_folder), "--out", str(out), "--device", "cpu"]
    assert train([str(folder / "small.toml"), *arguments, "--threads", "1"]) == 0
    return out


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory, trained: Path, marked_folder: Path) -> Path:
    file = tmp_path_factory.mktemp("weights") / "landmarks68.onnx"
    data = ["--data", str(marked_folder)]
    assert export([str(trained / "last.pt"), "-o", str(file), *data]) == 0
    return file


def test_the_bundled_recipe_is_no_classifiers() -> None:
    assert task_of("landmarks68") == "landmarks68"
    recipe = LandmarkRecipe.from_dict(task_values("landmarks68"))
    assert LandmarkRecipe.from_dict(recipe.as_dict()) == recipe
    assert "landmarks68" in all_recipes()
    assert "landmarks68" not in bundled_recipes()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"epoch": 3}, "did you mean 'epochs'"),
        ({"epochs": 0}, "epochs of at least 1"),
        ({"batch_size": 40}, "batch_size of at least"),
        ({"learning_rate": 0.0}, "learning_rate above 0"),
        ({"ema": 2.0}, "ema of 0 to 1"),
        ({"task": "face_finder"}, "expected task of landmarks68"),
        ({"seed": -1}, "seed"),
        ({"views": {"rotat": 3.0}}, "did you mean 'rotate'"),
        ({"views": {"cover": 3.0}}, "cover of 0 to 1, found 3"),
        ({"views": {"shift": 3.0}}, "shift of 0 to 1"),
    ],
)
def test_a_recipe_says_what_is_wrong_with_it(change: dict[str, object], said: str) -> None:
    values = {"epochs": 1, "five": 20, "empty": 20, **change}
    with pytest.raises(UserError, match=said):
        LandmarkRecipe.from_dict(values)


def test_people_held_back_are_not_trained_on(marked_folder: Path) -> None:
    pictures = read_face_pictures(marked_folder)
    training, held = training_part(pictures), validation_part(pictures)
    assert {p.person for p in training}.isdisjoint({p.person for p in held})
    sets = [make_landmark_set(part) for part in (training, held)]
    assert all(data.marked.any() and not data.faces.all() for data in sets)
    assert (sets[0].faces & ~sets[0].marked).any()


def test_a_copy_of_a_held_back_picture_is_not_trained_on(
    marked_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = read_face_pictures(marked_folder)
    known = next(one for one in training_part(pictures) if one.points68 is not None)
    held = next(one for one in validation_part(pictures) if one.points68 is not None)
    copy = replace(held, path=known.path)
    seen: list[int] = []
    run = TaskRun("landmarks68", marked_folder, tmp_path / "out", device="cpu", epochs=1)

    def note(trainer: LandmarkTrainer, training: LandmarkData, *_: object) -> None:
        seen.append(len(training.marked))

    monkeypatch.setattr(landmarks_run, "_run_epochs", note)
    landmarks_run.train_landmarks(run)
    monkeypatch.setattr(landmarks_run, "read_face_pictures", lambda _: [*pictures, copy])
    landmarks_run.train_landmarks(run)
    assert seen[0] == seen[1]


def test_few_faces_are_one_batch(marked_folder: Path) -> None:
    recipe = LandmarkRecipe(epochs=1, batch_size=400, five=2, empty=2)
    trainer = LandmarkTrainer(recipe, torch.device("cpu"))
    made = make_landmark_set(read_face_pictures(marked_folder))
    data = LandmarkData.of(made, recipe.trusted, trainer.device)
    assert len(data.marked) < 198
    assert np.isfinite(trainer.train_epoch(data))


def test_what_keeps_to_a_network_wants_one_to_begin_with(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"expected --from with landmarks68\.fifth"):
        landmarks_run.train_landmarks(TaskRun("landmarks68.fifth", tmp_path, tmp_path / "out"))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("minutes", [0.0, -5.0, float("nan"), float("inf")])
def test_minutes_that_make_no_sense_are_refused(minutes: float, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--minutes above 0"):
        landmarks_run.train_landmarks(TaskRun("landmarks68", tmp_path, tmp_path, minutes=minutes))


def test_pictures_without_68_points_are_refused(face_folder: Path) -> None:
    with pytest.raises(UserError, match="faces with 68 points"):
        make_landmark_set(read_face_pictures(face_folder))


def test_a_training_writes_its_figures_and_checkpoints(trained: Path) -> None:
    with (trained / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert all(0 <= float(row["separated"]) <= 1 for row in rows)
    assert load_checkpoint(trained / "best.pt")["recipe"]["task"] == "landmarks68"


def test_a_resumed_training_equals_an_unbroken_one(
    trained: Path, marked_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = tmp_path / "small.toml"
    recipe.write_text(RECIPE)
    arguments = [str(recipe), "--data", str(marked_folder), "--out", str(tmp_path / "out")]
    arguments += ["--device", "cpu", "--threads", "1"]
    assert train([*arguments, "--minutes", "0.0001"]) == 0
    assert load_checkpoint(tmp_path / "out/last.pt")["epoch"] == 1
    assert "stopped after epoch 1 of 2: another would run over" in capsys.readouterr().out
    assert train([*arguments, "--minutes", "0.0001", "--resume"]) == 0
    assert "no epoch begun: expected --minutes for one more" in capsys.readouterr().out
    assert load_checkpoint(tmp_path / "out/last.pt")["epoch"] == 1
    assert train([*arguments, "--resume"]) == 0
    assert train([*arguments, "--resume"]) == 0
    assert "all 2 epochs are done, nothing is left to train" in capsys.readouterr().out
    whole, parts = (load_checkpoint(folder / "last.pt") for folder in (trained, tmp_path / "out"))
    assert parts["epoch"] == whole["epoch"] == 2
    for name, value in whole["average"].items():
        assert torch.equal(parts["average"][name], value), name


@pytest.mark.parametrize(("part", "which"), [(0, "points"), (0, "five"), (1, "points")])
def test_other_labels_are_not_gone_on_with(
    part: int,
    which: str,
    trained: Path,
    marked_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recipe, out, parts = tmp_path / "small.toml", tmp_path / "out", iter(range(9))
    recipe.write_text(RECIPE)
    shutil.copytree(trained, out)
    run = TaskRun(str(recipe), marked_folder, out, resume=True, device="cpu", threads=1)

    def changed(pictures: Iterable[FacePicture]) -> LandmarkSet:
        made = make_landmark_set(pictures)
        return replace(made, **{which: getattr(made, which) + (next(parts) == part) * 0.01})

    with monkeypatch.context() as patch:
        patch.setattr(landmarks_run, "make_landmark_set", changed)
        with pytest.raises(UserError, match="pictures and labels that the training began with"):
            landmarks_run.train_landmarks(run)
    # An older version's fingerprint was of the training pictures alone.
    pictures = read_face_pictures(marked_folder)
    kept = make_landmark_set(without_copies(training_part(pictures), validation_part(pictures)))
    state = load_checkpoint(out / "last.pt")
    before = state["pictures"]
    state["pictures"] = digest_of(torch.from_numpy(kept.patches))
    assert state["pictures"] != before
    save_checkpoint(out / "last.pt", state)
    landmarks_run.train_landmarks(run)


def test_another_recipe_is_not_gone_on_with(
    trained: Path, marked_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.toml"
    other.write_text(RECIPE.replace("2e-3", "1e-3"))
    arguments = ["--data", str(marked_folder), "--out", str(trained), "--device", "cpu"]
    assert train([str(other), *arguments, "--resume"]) == 2
    assert "differs in learning_rate" in capsys.readouterr().err


def test_training_lowers_the_error(marked_folder: Path) -> None:
    still = Views(rotate=5, shift=0.05, scale=0.05, light=0, coarse=0, noise=0, blocks=0, cover=0)
    recipe = LandmarkRecipe(
        epochs=40, batch_size=12, five=1, empty=2, learning_rate=4e-3, ema=0.9, views=still
    )
    trainer = LandmarkTrainer(recipe, torch.device("cpu"))
    made = make_landmark_set(read_face_pictures(marked_folder))
    data = LandmarkData.of(made, recipe.trusted, trainer.device)
    before = trainer.evaluate(data)["error"]
    for _ in range(recipe.epochs):
        trainer.train_epoch(data)
    assert trainer.evaluate(data)["error"] < 0.7 * before


def test_a_network_labels_what_it_was_not_told(trained: Path, marked_folder: Path) -> None:
    made = make_landmark_set(read_face_pictures(marked_folder))
    labels = {}
    for own in (0.0, 0.5, 1.0):
        recipe = LandmarkRecipe(epochs=1, batch_size=12, five=1, empty=2, own=own, trusted=9.0)
        trainer = LandmarkTrainer(recipe, torch.device("cpu"))
        trainer.begin_with(load_checkpoint(trained / "last.pt")["average"])
        data = LandmarkData.of(made, recipe.trusted, trainer.device)
        labels[own] = trainer.own_labels(data)
        restored = LandmarkTrainer(recipe, torch.device("cpu"))
        restored.restore(trainer.state())
        torch.testing.assert_close(
            restored.own_labels(data).points, labels[own].points, equal_nan=True
        )
    assert not torch.isfinite(labels[0.0].points[data.only_five]).any()
    assert torch.isfinite(labels[0.5].points[data.only_five]).all()
    marked = data.marked
    halfway = (labels[0.0].points[marked] + labels[1.0].points[marked]) / 2
    torch.testing.assert_close(labels[0.5].points[marked], halfway)


def test_part_of_the_first_weights_is_kept(trained: Path, marked_folder: Path) -> None:
    made = make_landmark_set(read_face_pictures(marked_folder))
    before = load_checkpoint(trained / "last.pt")["average"]
    ends = {}
    for kept in (0.0, 0.5, 1.0):
        recipe = LandmarkRecipe(epochs=1, batch_size=12, five=1, empty=2, kept=kept)
        trainer = LandmarkTrainer(recipe, torch.device("cpu"))
        trainer.begin_with(before)
        trainer.train_epoch(LandmarkData.of(made, recipe.trusted, trainer.device))
        ends[kept] = trainer.average.network.state_dict()["maps.3.weight"]
    torch.testing.assert_close(ends[1.0], before["maps.3.weight"])
    torch.testing.assert_close(ends[0.5], (ends[0.0] + ends[1.0]) / 2)
    assert not torch.allclose(ends[0.0], ends[1.0])


def test_what_the_network_says_against_five_points_is_not_taught(
    trained: Path, marked_folder: Path
) -> None:
    made = make_landmark_set(read_face_pictures(marked_folder))
    recipe = LandmarkRecipe(epochs=1, batch_size=12, five=1, empty=2, own=0.5, trusted=1e-3)
    trainer = LandmarkTrainer(recipe, torch.device("cpu"))
    trainer.begin_with(load_checkpoint(trained / "last.pt")["average"])
    data = trainer.own_labels(LandmarkData.of(made, 9.0, trainer.device))
    assert not torch.isfinite(data.points[data.only_five]).any()


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


def test_an_exported_file_can_be_trained_on(trained: Path, exported: Path) -> None:
    torch.manual_seed(0)
    crops = torch.rand(40, 1, 64, 64)
    before, again = Landmarks68().eval(), Landmarks68().eval()
    before.load_state_dict(load_checkpoint(trained / "last.pt")["average"])
    take_back(again, exported, crops)
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


def test_the_file_is_small_and_says_what_it_is(exported: Path) -> None:
    assert exported.stat().st_size < 1_000_000
    card = LandmarkModel(exported).card
    assert card.kind == "landmarks"
    assert is_part_card(exported.with_suffix(".json"))
    boxes = [metric["box"] for metric in card.metrics if "box" in metric]
    assert boxes == 2 * ["in place", "shifted by 10 %", "scaled by 20 %", "both"]
    assert b"site-packages" not in exported.read_bytes()
    assert any(node.op_type == "Cast" for node in onnx.load(exported).graph.node)


def test_many_faces_at_once_get_what_each_gets_alone(exported: Path) -> None:
    model = LandmarkModel(exported)
    picture = np.random.default_rng(0).integers(0, 256, (240, 320), dtype=np.uint8)
    squares = [(60.0, 80.0, 50.0), (200.0, 120.0, 90.0), (500.0, -40.0, 70.0)]
    points, confidence = model.fit(picture, squares)
    for row, square in enumerate(squares):
        alone, sure = model.fit(picture, [square])
        np.testing.assert_allclose(alone[0], points[row], atol=0.01)
        np.testing.assert_allclose(sure[0], confidence[row], atol=1e-4)
    assert model.fit(picture, [])[0].shape == (0, 68, 2)


def test_two_looks_at_a_picture_and_at_its_mirror_image_agree(exported: Path) -> None:
    model = LandmarkModel(exported)
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
    exported: Path,
    tmp_path: Path,
    harm: object,
    said: str,
) -> None:
    file = tmp_path / exported.name
    for each in (exported, exported.with_suffix(".json")):
        (tmp_path / each.name).write_bytes(each.read_bytes())
    assert callable(harm)
    harm(file)
    with pytest.raises(ModelError, match=said):
        LandmarkModel(file)


def _rewrite(file: Path, key: str, value: object) -> None:
    beside = file.with_suffix(".json")
    beside.write_text(json.dumps(json.loads(beside.read_text()) | {key: value}))


def test_the_command_measures_it_beside_dlib(
    exported: Path, marked_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "figures.json"
    arguments = ["--data", str(marked_folder), "--model", str(exported), "--json", str(out)]
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
    exported: Path,
    marked_folder: Path,
    arguments: list[str],
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = ["--data", str(marked_folder), "--model", str(exported), *arguments]
    assert evaluate(["landmarks68", *given]) == 2
    assert said in capsys.readouterr().err
