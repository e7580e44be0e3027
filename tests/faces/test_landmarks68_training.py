"""A training of the landmark network: its recipe, its data, its checkpoints and what it learns."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from models.cli.train import main as train
from models.data.faces_parquet import (
    FacePicture,
    read_face_pictures,
    training_part,
    validation_part,
    without_copies,
)
from models.data.landmarks import LandmarkSet, make_landmark_set
from models.runtime.errors import UserError
from models.training import landmarks_run
from models.training.checkpoint import load_checkpoint, save_checkpoint
from models.training.digest import digest_of
from models.training.landmark_loop import LandmarkData, LandmarkTrainer
from models.training.landmark_recipe import LandmarkRecipe, Views
from models.training.recipe import all_recipes, bundled_recipes
from models.training.tasks import TaskRun, task_of, task_values
from tests.faces.conftest import LANDMARK_RECIPE

pytestmark = pytest.mark.train


@pytest.fixture(autouse=True)
def _one_thread_of_torch() -> None:
    torch.set_num_threads(1)


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


def test_a_training_writes_its_figures_and_checkpoints(landmark_training: Path) -> None:
    with (landmark_training / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert all(0 <= float(row["separated"]) <= 1 for row in rows)
    assert load_checkpoint(landmark_training / "best.pt")["recipe"]["task"] == "landmarks68"


def test_a_resumed_training_equals_an_unbroken_one(
    landmark_training: Path, marked_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = tmp_path / "small.toml"
    recipe.write_text(LANDMARK_RECIPE)
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
    whole, parts = (
        load_checkpoint(folder / "last.pt") for folder in (landmark_training, tmp_path / "out")
    )
    assert parts["epoch"] == whole["epoch"] == 2
    for name, value in whole["average"].items():
        assert torch.equal(parts["average"][name], value), name


@pytest.mark.parametrize(("part", "which"), [(0, "points"), (0, "five"), (1, "points")])
def test_other_labels_are_not_gone_on_with(
    part: int,
    which: str,
    landmark_training: Path,
    marked_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recipe, out, parts = tmp_path / "small.toml", tmp_path / "out", iter(range(9))
    recipe.write_text(LANDMARK_RECIPE)
    shutil.copytree(landmark_training, out)
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
    landmark_training: Path, marked_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.toml"
    other.write_text(LANDMARK_RECIPE.replace("2e-3", "1e-3"))
    arguments = ["--data", str(marked_folder), "--out", str(landmark_training), "--device", "cpu"]
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


def test_a_network_labels_what_it_was_not_told(
    landmark_training: Path, marked_folder: Path
) -> None:
    made = make_landmark_set(read_face_pictures(marked_folder))
    labels = {}
    for own in (0.0, 0.5, 1.0):
        recipe = LandmarkRecipe(epochs=1, batch_size=12, five=1, empty=2, own=own, trusted=9.0)
        trainer = LandmarkTrainer(recipe, torch.device("cpu"))
        trainer.begin_with(load_checkpoint(landmark_training / "last.pt")["average"])
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


def test_part_of_the_first_weights_is_kept(landmark_training: Path, marked_folder: Path) -> None:
    made = make_landmark_set(read_face_pictures(marked_folder))
    before = load_checkpoint(landmark_training / "last.pt")["average"]
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
    landmark_training: Path, marked_folder: Path
) -> None:
    made = make_landmark_set(read_face_pictures(marked_folder))
    recipe = LandmarkRecipe(epochs=1, batch_size=12, five=1, empty=2, own=0.5, trusted=1e-3)
    trainer = LandmarkTrainer(recipe, torch.device("cpu"))
    trainer.begin_with(load_checkpoint(landmark_training / "last.pt")["average"])
    data = trainer.own_labels(LandmarkData.of(made, 9.0, trainer.device))
    assert not torch.isfinite(data.points[data.only_five]).any()
