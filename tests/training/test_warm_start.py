from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from models.card_making import SOURCES, describe
from models.export import export, load_network
from models.runtime.classifier import OnnxClassifier
from models.runtime.errors import UserError
from models.training.checkpoint import save_checkpoint
from models.training.loop import Trainer
from models.training.recipe import Recipe
from models.training.start import Start
from models.training.warm_start import begin_from

pytestmark = pytest.mark.train

CPU = torch.device("cpu")
NO_PICTURES = torch.zeros(0, 1, 48, 48, dtype=torch.uint8)


@pytest.fixture
def before(recipe: Recipe, tmp_path: Path) -> Path:
    """Return the checkpoint of an untrained network for both label sets, drawn by seed 7."""
    trainer = Trainer(replace(recipe, seed=7), CPU)
    save_checkpoint(tmp_path / "last.pt", {**trainer.state(), "environment": {}})
    return tmp_path / "last.pt"


def test_trunk_and_known_rows_are_taken_over(recipe: Recipe, before: Path) -> None:
    theirs = Trainer(replace(recipe, seed=7), CPU).network.state_dict()
    alone = Trainer(replace(recipe, labels={"ferplus": 1.0}), CPU)
    begin_from(alone, before, NO_PICTURES)
    for weights in (alone.network.state_dict(), alone.average.network.state_dict()):
        for name, value in weights.items():
            known = theirs[name][7:] if name.startswith("classifier.") else theirs[name]
            assert torch.equal(value, known), name
    assert alone.epoch == 0
    told = "mini_xception for fer2013 and ferplus, epoch 0 of 4, commit unknown"
    assert alone.begun_from == told
    # What comes after it says where it began as well, and who taught it.
    values = {**alone.state(), "environment": {"commit": "1234567"}, "epoch": 2}
    save_checkpoint(before.with_name("next.pt"), {**values, "taught_by": [{"file": "wise.pt"}]})
    after = Trainer(replace(recipe, labels={"ferplus": 1.0}), CPU)
    begin_from(after, before.with_name("next.pt"), NO_PICTURES)
    assert after.begun_from == (
        "mini_xception for ferplus, epoch 2 of 4, commit 1234567, taught by wise.pt, begun from "
        + told
    )


def test_rows_of_a_new_label_set_stay_as_drawn(recipe: Recipe, before: Path) -> None:
    labels = {"fer2013-4": 1.0, "fer2013": 1.0}
    trainer = Trainer(replace(recipe, labels=labels), CPU)
    drawn = trainer.network.classifier.weight[:4].clone()
    begin_from(trainer, before, NO_PICTURES)
    theirs = Trainer(replace(recipe, seed=7), CPU).network.classifier.weight
    assert torch.equal(trainer.network.classifier.weight[:4], drawn)
    assert torch.equal(trainer.network.classifier.weight[4:], theirs[:7])


def test_the_card_names_the_votes_that_the_training_before_learnt_from(
    recipe: Recipe, tmp_path: Path
) -> None:
    first = Trainer(recipe, CPU)
    first.sources = ["fer2013"]
    save_checkpoint(tmp_path / "first.pt", {**first.state(), "environment": {}})
    then = Trainer(replace(recipe, labels={"fer2013": 1.0}), CPU)
    then.sources = ["raf_db"]
    begin_from(then, tmp_path / "first.pt", NO_PICTURES)
    save_checkpoint(tmp_path / "then.pt", {**then.state(), "environment": {}})
    card = export(tmp_path / "then.pt", output=tmp_path / "then.onnx").card
    assert card.data == (SOURCES["fer2013"], SOURCES["ferplus"], SOURCES["raf_db"])


def test_the_card_says_what_this_training_chose_on_whatever_came_before(
    recipe: Recipe, tmp_path: Path
) -> None:
    before = Trainer(recipe, CPU)
    before.sources = ["fer2013", "raf_db"]
    save_checkpoint(tmp_path / "before.pt", {**before.state(), "environment": {}})
    then = Trainer(replace(recipe, labels={"fer2013": 1.0}), CPU)
    then.source, then.sources = "fer2013", ["fer2013"]
    begin_from(then, tmp_path / "before.pt", NO_PICTURES)
    values = {**then.state(), "environment": {}}
    card = describe(values, then.network.eval(), then.recipe, "fer2013", "fp32")
    assert card.training["chosen_on"] == "PublicTest"
    # A checkpoint of a version that did not keep it: by what was learnt from last.
    del values["source"]
    older = describe(values, then.network, then.recipe, "fer2013", "fp32")
    assert older.training["chosen_on"] == "validation part of raf_db"


def test_a_card_names_teachers_without_the_folders_they_lay_in(
    recipe: Recipe, tmp_path: Path
) -> None:
    values = Trainer(replace(recipe, labels={"fer2013": 1.0}), CPU).state()
    for how in ({"logits": "/home/me/runs/teachers.npz"}, {"teachers": ["/home/me/runs/last.pt"]}):
        state = deepcopy({**values, "environment": {}})
        state["recipe"]["distillation"] |= how
        save_checkpoint(tmp_path / "last.pt", state)
        file = tmp_path / "student.onnx"
        card = export(tmp_path / "last.pt", output=file).card
        assert "/home/me" not in card.to_json()
        assert "teachers.npz" in card.to_json() or "last.pt" in card.to_json()
        assert b"/home/me" not in file.read_bytes()


def test_a_voted_head_taught_beside_a_margin_can_be_gone_on_with(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    how = replace(
        recipe, architecture="cbam_resnet18", network={"width": 16}, loss="a_softmax",
        precision="fp32", input_size=16, field=48,
    )  # fmt: skip
    trainer = Trainer(how, CPU)
    trainer.sources = ["fer2013"]
    save_checkpoint(tmp_path / "last.pt", {**trainer.state(), "environment": {}})
    file = tmp_path / "votes.onnx"
    export(tmp_path / "last.pt", output=file, label_set="ferplus")
    alone = Trainer(replace(how, labels={"ferplus": 1.0}, loss="softmax"), CPU)
    cut, _, _ = load_network(tmp_path / "last.pt", "ferplus")

    def unfold(path: Path, _: torch.Tensor) -> tuple[torch.nn.Module, OnnxClassifier]:
        return cut, OnnxClassifier(path, provider="CPU")

    monkeypatch.setattr("models.training.start.unfold", unfold)
    begin_from(alone, file, NO_PICTURES)
    assert alone.begun_from.startswith("cbam_resnet18 for ferplus")


def test_a_mean_says_of_what_it_is_one(recipe: Recipe) -> None:
    mean = "the mean of 2 trainings: one and two"
    assert Start(recipe, {}, [], {"epoch": 0, "begun_from": mean}).told == mean
    assert Start(recipe, {}, [], {"epoch": 3, "begun_from": mean}).told.endswith(
        f"epoch 3 of 4, commit unknown, begun from {mean}"
    )


def test_another_architecture_is_refused(recipe: Recipe, before: Path) -> None:
    trainer = Trainer(replace(recipe, architecture="deep_emotion"), CPU)
    with pytest.raises(UserError, match="expected a checkpoint of deep_emotion, found one of mini"):
        begin_from(trainer, before, NO_PICTURES)


def test_a_trunk_of_another_name_or_of_other_layers(recipe: Recipe, tmp_path: Path) -> None:
    small = replace(recipe, precision="fp32", input_size=32, field=48)
    teacher = Trainer(replace(small, architecture="vgg", network={"depth": 16}), CPU)
    save_checkpoint(tmp_path / "vgg.pt", {**teacher.state(), "environment": {}})
    ran = replace(small, architecture="ran", network={"trunk": "vgg16"})
    trainer = Trainer(ran, CPU)
    begin_from(trainer, tmp_path / "vgg.pt", NO_PICTURES)
    name = "trunk.layers.0.weight"
    assert torch.equal(trainer.network.state_dict()[name], teacher.network.state_dict()[name])
    one = replace(ran, network={"trunk": "mini_xception"}, labels={"fer2013": 1.0})
    save_checkpoint(tmp_path / "ran.pt", {**Trainer(one, CPU).state(), "environment": {}})
    with pytest.raises(UserError, match=r"the layers that the recipe's \[network\] makes"):
        begin_from(trainer, tmp_path / "ran.pt", NO_PICTURES)
