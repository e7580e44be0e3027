"""A training of the face finder: what it sees, how it goes on, where it ends."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from torch import Tensor

from models.cli.train import main
from models.finder_export import export_finder
from models.runtime.card import ModelError
from models.runtime.errors import UserError
from models.runtime.landmark_model import bundled_landmarks
from models.training import finder_data, finder_run
from models.training.checkpoint import environment, load_checkpoint, save_checkpoint
from models.training.finder_data import batches, read_finder_data
from models.training.finder_recipe import FinderRecipe
from models.training.finder_run import FinderTrainer, begin_from, find_faces, train_finder
from models.training.recipe import all_recipes, bundled_recipes
from models.training.tasks import TaskRun, task_of, task_values

pytestmark = pytest.mark.train
RECIPE = FinderRecipe(
    epochs=2, steps=2, batch_size=2, side=64, warmup=2, learning_rate=1e-3, ema=0.5, decay=0.5
)


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_num_threads(1)
    monkeypatch.setattr(finder_data, "VALIDATION_MOSAICS", 5)


@pytest.fixture
def recipe_file(tmp_path: Path) -> Path:
    file = tmp_path / "small.toml"
    lines = [f"{key} = {value!r}" for key, value in RECIPE.as_dict().items()]
    file.write_text("\n".join(lines).replace("'", '"'))
    return file


def weights_of(state: dict[str, Tensor]) -> Tensor:
    return torch.cat([value.flatten().float() for value in state.values()])


@pytest.mark.parametrize("name", ["face_finder", "face_finder.second"])
def test_the_bundled_recipes_are_a_finders(name: str) -> None:
    assert task_of(name) == "face_finder"
    recipe = FinderRecipe.from_dict(task_values(name))
    assert recipe.epochs >= 1
    assert name in all_recipes()
    assert name not in bundled_recipes()  # those are classifiers'


def test_a_key_can_be_set_for_one_run(recipe_file: Path) -> None:
    values = task_values(str(recipe_file), ["batch_size=5", "seed=3"])
    recipe = FinderRecipe.from_dict(values)
    assert (recipe.batch_size, recipe.seed, recipe.side) == (5, 3, 64)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"side": 100}, "side"),
        ({"steps": 0}, "steps"),
        ({"seed": 2**32}, "seed"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"decay": 1.5}, "decay"),
        ({"clutter": -0.1}, "clutter"),
        ({"precision": "fp8"}, "precision"),
        ({"task": "landmarks68"}, "task"),
        ({"speed": 3}, "unknown key 'speed'"),
    ],
)
def test_a_wrong_recipe_says_which_key(change: dict[str, object], said: str) -> None:
    with pytest.raises(UserError, match=said):
        FinderRecipe.from_dict({**RECIPE.as_dict(), **change})


def test_an_unknown_task_names_the_known_ones(tmp_path: Path) -> None:
    file = tmp_path / "other.toml"
    file.write_text('task = "sing"')
    with pytest.raises(UserError, match="face_finder, landmarks68"):
        task_of(str(file))


def test_held_back_people_are_not_trained_on(face_folder: Path) -> None:
    data = read_finder_data(face_folder, 64)
    assert data.counts["held back"] > 0
    assert data.counts["with faces"] + data.counts["scenes"] + data.counts["held back"] == 70
    assert any(mosaic.counts.any() for mosaic in data.validation)
    again = read_finder_data(face_folder, 64)
    assert (data.validation[3].pixels == again.validation[3].pixels).all()


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_pictures_made_in_the_background_are_the_same(face_folder: Path) -> None:
    maker = read_finder_data(face_folder, 64).training
    told = {"seed": 1, "epoch": 3, "steps": 3, "batch_size": 2}
    here = list(batches(maker, **told, workers=0))
    there = list(batches(maker, **told, workers=1))
    assert len(here) == len(there) == 3
    for one, other in zip(here, there, strict=True):
        assert torch.equal(one.pixels, other.pixels)
        assert torch.equal(one.targets.boxes, other.targets.boxes)
        assert torch.equal(one.targets.picture, other.targets.picture)
    later = next(iter(batches(maker, **{**told, "epoch": 4}, workers=0)))
    assert not torch.equal(later.pixels, here[0].pixels)


def test_a_resumed_training_equals_an_unbroken_one(face_folder: Path, tmp_path: Path) -> None:
    data = read_finder_data(face_folder, RECIPE.side)
    unbroken = FinderTrainer(RECIPE, torch.device("cpu"))
    for _ in range(2):
        unbroken.train_epoch(data)
    first = FinderTrainer(RECIPE, torch.device("cpu"))
    first.train_epoch(data)
    save_checkpoint(tmp_path / "last.pt", {**first.state(), "environment": {}})
    second = FinderTrainer(replace(RECIPE, epochs=9), torch.device("cpu"))
    second.restore(load_checkpoint(tmp_path / "last.pt"))
    second.train_epoch(data)
    for name in ("network", "average"):
        assert torch.equal(weights_of(unbroken.state()[name]), weights_of(second.state()[name]))


def test_a_run_leaves_what_it_promises_and_goes_on(
    face_folder: Path, recipe_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    told = ["--data", str(face_folder), "--out", str(out), "--device", "cpu", "--threads", "1"]
    assert main([str(recipe_file), *told, "--epochs", "1"]) == 0
    last, final = load_checkpoint(out / "last.pt"), load_checkpoint(out / "final.pt")
    assert (last["epoch"], final["epoch"]) == (1, 2)  # one at the full rate, one falling
    assert final["history"][-1]["falling"] == 1
    assert not torch.equal(weights_of(last["network"]), weights_of(final["network"]))
    assert "more epochs go on from" in capsys.readouterr().out
    assert main([str(recipe_file), *told]) == 2
    assert "--resume" in capsys.readouterr().err
    assert main([str(recipe_file), *told, "--resume"]) == 0
    assert load_checkpoint(out / "last.pt")["epoch"] == 2
    with (out / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert [float(row["falling"]) for row in rows] == [0, 0, 1]
    assert float(rows[0]["average_precision"]) >= 0


def test_other_pictures_are_not_gone_on_with(
    face_folder: Path, recipe_file: Path, tmp_path: Path
) -> None:
    out, other = tmp_path / "run", tmp_path / "other"
    run = TaskRun(str(recipe_file), face_folder, out, epochs=1, device="cpu", threads=1)
    train_finder(run)
    other.mkdir()
    for file in face_folder.iterdir():
        pq.write_table(pq.read_table(file).slice(1), other / file.name)
    with pytest.raises(UserError, match="pictures and labels that the training began with"):
        train_finder(replace(run, data=other, epochs=2, resume=True))
    state = load_checkpoint(out / "last.pt")
    del state["pictures"]  # as an older version wrote it
    save_checkpoint(out / "last.pt", state)
    train_finder(replace(run, data=other, epochs=2, resume=True))
    assert load_checkpoint(out / "last.pt")["epoch"] == 2


def test_it_stops_when_the_minutes_are_over(
    face_folder: Path, recipe_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    run = TaskRun(str(recipe_file), face_folder, out, epochs=50, minutes=1e-4, device="cpu")
    train_finder(run)
    assert load_checkpoint(out / "last.pt")["epoch"] == 1
    assert (out / "final.pt").is_file()
    assert "stopped after epoch 1 of 50: another would run over" in capsys.readouterr().out
    written = (out / "final.pt").read_bytes()
    train_finder(replace(run, resume=True))  # the epochs of the call before are known
    assert load_checkpoint(out / "last.pt")["epoch"] == 1
    assert (out / "final.pt").read_bytes() == written
    told = capsys.readouterr().out
    assert "no epoch begun: expected --minutes for one more after 1 of 50" in told
    assert "wrote" not in told


def test_it_begins_with_the_weights_of_another(
    face_folder: Path, recipe_file: Path, tmp_path: Path
) -> None:
    trained = FinderTrainer(replace(RECIPE, seed=7), torch.device("cpu"))
    save_checkpoint(tmp_path / "start.pt", {**trained.state(), "environment": {}})
    still = tmp_path / "still.toml"
    rate = f"learning_rate = {RECIPE.learning_rate!r}"
    still.write_text(recipe_file.read_text().replace(rate, "learning_rate = 1e-12"))
    run = TaskRun(str(still), face_folder, tmp_path / "run", start=tmp_path / "start.pt", epochs=1)
    train_finder(replace(run, device="cpu"))
    weights = load_checkpoint(tmp_path / "run" / "last.pt")["network"]["head8.weight"]
    torch.testing.assert_close(weights, trained.network.state_dict()["head8.weight"])


def test_it_begins_with_an_exported_file(face_folder: Path, tmp_path: Path) -> None:
    trained = FinderTrainer(replace(RECIPE, seed=7), torch.device("cpu"))
    data = read_finder_data(face_folder, RECIPE.side, clutter=0.5)
    trained.train_epoch(data)  # so that the normalisations have something to say
    trained.history.append({"seconds": 1.0, **trained.evaluate(data.validation)})
    save_checkpoint(tmp_path / "start.pt", {**trained.state(), "environment": environment()})
    exported = export_finder(tmp_path / "start.pt", output=tmp_path / "start.onnx")
    begun = FinderTrainer(RECIPE, torch.device("cpu"))
    begin_from(begun, exported.path, data.training)
    pictures = [mosaic.pixels for mosaic in data.validation]
    theirs = find_faces(trained.average.network, pictures, trained.device)
    ours = find_faces(begun.average.network, pictures, begun.device)
    assert sum(len(found.scores) for found in theirs) > 0
    for one, other in zip(theirs, ours, strict=True):
        torch.testing.assert_close(
            torch.from_numpy(one.scores), torch.from_numpy(other.scores), atol=1e-4, rtol=0
        )
    # The statistics are those of its training pictures again: a step is one of an ordinary run.
    rng = np.random.default_rng(RECIPE.seed)
    made = [data.training.make(rng).pixels for _ in range(finder_run._PICTURES_TO_START)]
    inputs = finder_run.to_input(torch.from_numpy(np.stack(made)), begun.device)
    with torch.no_grad():
        said = [each.clone() for each in begun.network.eval()(inputs)]
        for one, other in zip(said, begun.network.train()(inputs), strict=True):
            torch.testing.assert_close(other, one, atol=0.05, rtol=0)


def test_a_file_of_another_network_is_no_start(face_folder: Path) -> None:
    data = read_finder_data(face_folder, RECIPE.side)
    begun = FinderTrainer(RECIPE, torch.device("cpu"))
    with pytest.raises(ModelError, match=r"landmarks68\.onnx"):
        begin_from(begun, bundled_landmarks(), data.training)


def test_another_recipe_cannot_go_on(tmp_path: Path) -> None:
    first = FinderTrainer(RECIPE, torch.device("cpu"))
    other = FinderTrainer(replace(RECIPE, seed=2, learning_rate=5e-3), torch.device("cpu"))
    with pytest.raises(UserError, match="learning_rate, seed"):
        other.restore(first.state())


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (["--minutes", "0"], "--minutes above 0"),
        (["--threads", "0"], "--threads of 1 to 1024"),
        (["--ferplus", "votes.csv"], "--ferplus with a classifier"),
        (["--compile"], "--compile with a classifier"),
        (["--every", "2"], "--every 1"),
        (["--set", "side=70"], "side of 64 to 1024"),
    ],
)
def test_wrong_arguments_are_said(
    told: list[str],
    said: str,
    face_folder: Path,
    recipe_file: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked = [str(recipe_file), "--data", str(face_folder), "--out", str(tmp_path / "run"), *told]
    assert main(asked) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "run" / "last.pt").exists()


def test_the_list_names_the_task(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    listed = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["face_finder", "face_finder"] in listed
