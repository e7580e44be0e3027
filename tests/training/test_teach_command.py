"""The command that writes down what teachers say, and the trainings that learn from its file."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from models.card_making import SOURCES, describe
from models.cli.teach import main
from models.cli.train import main as train_main
from models.export import load_network
from models.runtime.card import file_facts
from models.training.checkpoint import load_checkpoint, save_checkpoint
from models.training.loop import Trainer
from models.training.recipe import Augmentation, Distillation, Recipe
from models.training.teaching import TeacherLogits, fixed_view

pytestmark = pytest.mark.train

CPU = torch.device("cpu")
SETS = ["fer2013", "ferplus"]


def test_the_commands_teach_and_train(
    recipe: Recipe,
    trained: Path,
    data: Path,
    write_recipe: Callable[[Recipe, Path], str],
    tmp_path: Path,
    note_asked: Callable[[str], list[int]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked = note_asked("cli.teacher_table")
    name = write_recipe(replace(recipe, epochs=1), tmp_path)
    path = tmp_path / "teachers.npz"
    common = ["--data", str(data), "--device", "cpu", "--threads", "1"]
    # The teacher has learnt from other pictures than its student.
    elsewhere = {**load_checkpoint(trained / "last.pt"), "sources": ["raf_db"]}
    teacher = str(tmp_path / "teacher.pt")
    save_checkpoint(Path(teacher), elsewhere)
    arguments = [name, teacher, teacher, "--shares", "2,1", "-o", str(path)]
    arguments += ["--views", "2", *common]
    assert main(arguments) == 0
    told = capsys.readouterr().out
    assert "62 pictures, 2 views, 15 logits" in told
    assert "their mean" in told
    assert asked == [32] * 4  # PublicTest and its mirror images, each teacher once
    known = TeacherLogits.read(path)
    assert known.logits.shape == (62, 2, 15)
    assert len(known.teachers) == 2
    assert known.teachers[0]["architecture"] == "mini_xception"
    assert [each["share"] for each in known.teachers] == [2, 1]
    assert 0 < known.teachers[0]["accuracy"]["ferplus"] <= 1
    setting = f"distillation.logits={path}"
    assert train_main([name, "--set", setting, "--out", str(tmp_path / "run"), *common]) == 0
    values = load_checkpoint(tmp_path / "run" / "last.pt")
    assert (values["source"], values["sources"]) == ("fer2013", ["fer2013", "raf_db"])
    network, how, label_set = load_network(tmp_path / "run" / "last.pt", "ferplus")
    card = describe(values, network, how, label_set, "fp32")
    assert card.data == (SOURCES["fer2013"], SOURCES["raf_db"], SOURCES["ferplus"])
    assert card.training["chosen_on"] == "PublicTest"
    facts = {
        "file": f"{tmp_path.name}/teacher.pt",
        "architecture": "mini_xception",
        "sha256": file_facts(Path(teacher)).sha256,
    }
    assert card.training["teachers"] == [facts, facts]
    # So it is where the teachers run.
    live = Trainer(replace(recipe, distillation=Distillation((teacher,))), CPU)
    known_of = {**facts, "label_sets": SETS, "sources": ["raf_db"]}
    assert live.taught_by == [known_of]


def test_what_teachers_said_is_kept_after_every_view_and_gone_on_with(
    recipe: Recipe,
    trained: Path,
    data: Path,
    write_recipe: Callable[[Recipe, Path], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    name = write_recipe(recipe, tmp_path)
    common = [name, str(trained / "last.pt"), "--data", str(data), "--device", "cpu"]
    whole, cut = tmp_path / "whole.npz", tmp_path / "cut.npz"
    assert main([*common, "-o", str(whole), "--views", "3"]) == 0

    def stop_at_the_third(pixels: torch.Tensor, how: Augmentation, seed: int, view: int) -> object:
        if view == 2:
            raise KeyboardInterrupt
        return fixed_view(pixels, how, seed, view)

    with monkeypatch.context() as patch:
        patch.setattr("models.training.teaching.fixed_view", stop_at_the_third)
        main([*common, "-o", str(cut), "--views", "3"])
    assert TeacherLogits.read(cut).views == 2
    capsys.readouterr()
    for wrong, said in (
        (["--views", "3"], "expected a new file, found"),
        (["--views", "3", "--resume", "--seed", "2"], "the --seed that it was begun with"),
        (["--views", "3", "--resume", "--shares", "2"], "the teachers and --shares that it was"),
    ):
        assert main([*common, "-o", str(cut), *wrong]) == 2
        assert said in capsys.readouterr().err
    assert main([*common, "-o", str(cut), "--views", "3", "--resume"]) == 0
    assert torch.equal(TeacherLogits.read(cut).logits, TeacherLogits.read(whole).logits)
    assert TeacherLogits.read(cut).teachers == TeacherLogits.read(whole).teachers
    assert main([*common, "-o", str(cut), "--views", "2", "--resume"]) == 0
    assert "has 3 views already: nothing to do" in capsys.readouterr().out
    assert TeacherLogits.read(cut).views == 3


@pytest.mark.parametrize("more", [[], ["--folds", "5"]])
def test_a_recipe_for_students_wants_its_teachers_named(
    more: list[str], data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    common = ["--data", str(data), "--out", str(out), *more]
    for name in ("mini_xception.distilled", "simple_cnn.distilled", "cbam_resnet18_asoftmax.third"):
        assert train_main([name, *common, "--set", "distillation.weight=0.5"]) == 2
        said = capsys.readouterr().err
        assert f"expected teachers for {name}, whose [distillation] names none" in said
    assert not out.exists()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (["--views", "0"], "--views of 1 to 1000, found 0"),
        (["--views", "1000000000000"], "--views of 1 to 1000, found 1000000000000"),
        (["--seed", "-1"], "--seed of 0 to"),
        (["--shares", "2,1"], "one for each teacher and commas between them, found '2,1' for 1"),
        (["--shares", "2,-1"], "--shares of numbers above 0, .*found '2,-1'"),
        (["--shares", "many"], "found 'many' for 1"),
        (["-o", "teachers.pt"], r"ends in \.npz, found 'teachers\.pt'"),
        (["-o", "no/teachers.npz"], "a folder to write to, found none at no"),
    ],
)
def test_a_wrong_argument_is_a_sentence(
    changed: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    fixed = ["mini_xception", "a.pt", "--data", "x.csv"]
    assert main([*fixed, "-o", "t.npz", *changed]) == 2
    assert re.search(said, capsys.readouterr().err)
