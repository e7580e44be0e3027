"""The mean of the weights of several trainings, and what has none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from models.cli.average import main
from models.data.face_set import FaceSet, clean_training
from models.export import export
from models.runtime.errors import UserError
from models.training.checkpoint import load_checkpoint, save_checkpoint
from models.training.examples import make_examples
from models.training.loop import Trainer
from models.training.predict import build_network, predict
from models.training.recipe import Recipe
from models.training.soup import write_soup
from models.training.warm_start import begin_from

pytestmark = pytest.mark.train

CPU = torch.device("cpu")
Learn = Callable[..., Path]


@pytest.fixture
def learn(recipe: Recipe, faces: FaceSet, tmp_path: Path) -> Learn:
    """Return how to train for an epoch; it gives the path of the checkpoint."""

    def call(name: str, **changes: object) -> Path:
        how = replace(recipe, ema=0.0, **changes)  # type: ignore[arg-type]
        trainer = Trainer(how, CPU)
        trainer.sources, trainer.taught_by = ["fer2013"], [{"file": "teacher.pt"}]
        trainer.train_epoch(make_examples(clean_training(faces)[0], [*how.labels], CPU))
        path = tmp_path / f"{name}.pt"
        save_checkpoint(path, {**trainer.state(), "environment": {"commit": name}})
        return path

    return call


def test_every_weight_is_the_mean(learn: Learn, tmp_path: Path) -> None:
    paths = [learn("one", seed=1), learn("two", seed=2), learn("three", seed=3)]
    output = tmp_path / "mean.pt"
    write_soup(paths, output)
    found = load_checkpoint(output)
    each = [load_checkpoint(path)["average"] for path in paths]
    assert found["average"].keys() == each[0].keys()
    for name, value in found["average"].items():
        if value.is_floating_point():
            expected = (each[0][name] + each[1][name] + each[2][name]) / 3
            torch.testing.assert_close(value, expected)
    assert found["history"] == []
    assert found["sources"] == ["fer2013", "ferplus"]
    assert found["taught_by"] == [{"file": "teacher.pt"}]
    for name in ("one", "two", "three"):
        assert f"commit {name}" in found["begun_from"]
    write_soup([output, paths[0]], tmp_path / "again.pt")
    told = load_checkpoint(tmp_path / "again.pt")["begun_from"]
    assert told.startswith("the mean of 2 trainings: (the mean of 3 trainings: epoch 1 of ")


def test_where_the_parts_began_is_told_once_if_it_is_the_same(learn: Learn, tmp_path: Path) -> None:
    paths = [learn("one", seed=1), learn("two", seed=2)]
    for path in paths:
        save_checkpoint(path, {**load_checkpoint(path), "begun_from": "a drawing"})
    told = write_soup(paths, tmp_path / "mean.pt")["begun_from"]
    assert told.count("begun from") == 1
    assert told.endswith("commit two, all begun from a drawing")
    save_checkpoint(paths[0], {**load_checkpoint(paths[0]), "begun_from": ""})
    told = write_soup(paths, tmp_path / "mean.pt")["begun_from"]
    assert "commit one and " in told
    assert told.endswith("commit two (begun from a drawing)")


def test_a_mean_cannot_be_gone_on_with(learn: Learn, tmp_path: Path) -> None:
    output = tmp_path / "mean.pt"
    write_soup([learn("one", seed=1), learn("two", seed=2)], output)
    values = load_checkpoint(output)
    assert values["optimiser"] == {}
    how = Recipe.from_dict(values["recipe"])
    with pytest.raises(UserError, match=r"found a mean of several.*--from"):
        Trainer(how, CPU).restore(values)
    trainer = Trainer(how, CPU)
    begin_from(trainer, output, torch.zeros(0, 1, 48, 48, dtype=torch.uint8))
    assert trainer.begun_from.startswith("the mean of 2 trainings: epoch 1 of ")


def test_of_two_that_are_the_same_it_is_the_same(
    learn: Learn, tmp_path: Path, faces: FaceSet
) -> None:
    path = learn("one")
    write_soup([path, path], tmp_path / "mean.pt")
    said = []
    for each in (path, tmp_path / "mean.pt"):
        values = load_checkpoint(each)
        recipe = Recipe.from_dict(values["recipe"])
        network = build_network(recipe)
        network.load_state_dict(values["average"])
        said.append(predict(network, torch.from_numpy(faces.pixels[:9]).unsqueeze(1), recipe))
    assert (said[0] == said[1]).all()


def test_it_exports_and_its_card_says_what_it_is(learn: Learn, tmp_path: Path) -> None:
    write_soup([learn("one", seed=1), learn("two", seed=2)], tmp_path / "mean.pt")
    done = export(tmp_path / "mean.pt", output=tmp_path / "mean.onnx", label_set="fer2013")
    assert done.same_labels
    assert done.card.training["begun_from"].startswith("the mean of 2 trainings: epoch 1 of")
    assert not {"epoch", "epochs", "seconds"} & done.card.training.keys()  # of no one training


def test_label_sets_may_weigh_differently_but_not_be_others(learn: Learn, tmp_path: Path) -> None:
    one = learn("one", labels={"fer2013": 1.0, "ferplus": 1.0})
    write_soup([one, learn("two", labels={"fer2013": 1.0, "ferplus": 0.5})], tmp_path / "mean.pt")
    other = learn("other", labels={"ferplus": 1.0, "fer2013": 1.0})
    with pytest.raises(UserError, match=r"for the same labels, found in .*one\.pt and .*labels"):
        write_soup([one, other], tmp_path / "no.pt")
    assert not (tmp_path / "no.pt").exists()


def test_what_was_dropped_out_does_not_matter(learn: Learn, tmp_path: Path) -> None:
    half = learn("half", architecture="simple_cnn")
    tenth = learn("tenth", architecture="simple_cnn", network={"dropout": 0.1})
    write_soup([half, tenth], tmp_path / "mean.pt")
    assert load_checkpoint(tmp_path / "mean.pt")["recipe"]["network"] == {"dropout": 0.1}


def test_other_networks_are_refused(learn: Learn, tmp_path: Path) -> None:
    one, two = learn("one"), learn("two", architecture="simple_cnn")
    with pytest.raises(UserError, match="architecture mini_xception and simple_cnn"):
        write_soup([one, two], tmp_path / "no.pt")
    with pytest.raises(UserError, match=r"expected --data with some\.onnx"):
        write_soup([Path("some.onnx"), two], tmp_path / "no.pt")
    values = load_checkpoint(two)
    values.pop("format")
    values["recipe"]["architecture"] = "mini_xception"
    save_checkpoint(two, values)
    with pytest.raises(UserError, match="expected the layers of"):
        write_soup([one, two], tmp_path / "no.pt")
    values["recipe"] = {"task": "landmarks68"}
    save_checkpoint(two, values)
    with pytest.raises(UserError, match="that names expressions, found one of landmarks68"):
        write_soup([one, two], tmp_path / "no.pt")


def test_the_command_writes_it(
    learn: Learn, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [str(learn("one", seed=1)), str(learn("two", seed=2))]
    assert main([*paths, "-o", str(tmp_path / "mean.pt")]) == 0
    assert "the mean of 2 trainings" in capsys.readouterr().out
    assert (tmp_path / "mean.pt").is_file()


def test_an_exported_file_counts_as_what_it_was_made_of(
    learn: Learn, tmp_path: Path, data: Path, faces: FaceSet
) -> None:
    """Between a training and the file it began with lies what both say, by their shares."""
    first = learn("first", labels={"ferplus": 1.0})
    file = export(first, output=tmp_path / "first.onnx").path
    shown = make_examples(clean_training(faces)[0], ["ferplus"], CPU).pixels
    trainer = Trainer(Recipe.from_dict(load_checkpoint(first)["recipe"]), CPU)
    trainer.sources = ["fer2013"]
    begin_from(trainer, file, shown)
    begun = {name: value.clone() for name, value in trainer.network.state_dict().items()}
    trainer.train_epoch(make_examples(clean_training(faces)[0], ["ferplus"], CPU))
    second = tmp_path / "second.pt"
    save_checkpoint(second, {**trainer.state(), "environment": {"commit": "second"}})
    arguments = [str(file), str(second), "--shares", "1,3", "--data", str(data)]
    assert main([*arguments, "-o", str(tmp_path / "between.pt")]) == 0
    found = load_checkpoint(tmp_path / "between.pt")
    trained = load_checkpoint(second)["average"]
    for name, value in found["average"].items():
        if value.is_floating_point():
            expected = 0.25 * begun[name] + 0.75 * trained[name]
            torch.testing.assert_close(value, expected, atol=1e-5, rtol=1e-4)
    assert found["begun_from"].startswith("the mean of 2 trainings by 1 to 3 parts: epoch 1 of ")
    assert found["sources"] == ["fer2013", "ferplus"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["a.onnx", "b.onnx", "-o", "mean.pt"], "a checkpoint as the last to average"),
        (["a.pt", "b.pt", "--shares", "1", "-o", "mean.pt"], "one for each checkpoint and commas"),
        (["a.pt", "b.pt", "--data", "c", "-o", "mean.pt"], "no --data or --ferplus without an"),
        (["a.pt", "-o", "mean.pt"], "at least two checkpoints to average, found 1"),
        (["a.pt", "b.pt", "-o", "mean.onnx"], "ends in .pt, found 'mean.onnx'"),
        (["a.pt", "b.pt", "-o", "no/mean.pt"], "a folder to write to, found none at no"),
        (["a.pt", "b.pt", "-o", "mean.pt"], "found no file a.pt"),
    ],
)
def test_a_wrong_argument_is_a_sentence(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert said in capsys.readouterr().err
