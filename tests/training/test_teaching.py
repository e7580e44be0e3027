"""What teachers said of fixed views, kept in a file: the views, the file, the student."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from models.data.face_set import FaceSet, clean_training
from models.export import export
from models.runtime.errors import UserError
from models.training.checkpoint import load_checkpoint, save_checkpoint
from models.training.digest import digest_of
from models.training.distillation import Ensemble
from models.training.examples import Examples, make_examples
from models.training.loop import Trainer
from models.training.recipe import Augmentation, Distillation, Recipe
from models.training.teachers import load_teachers, mean_logits
from models.training.teaching import (
    Answers,
    TeacherLogits,
    fixed_view,
    single_view,
    teach,
)

pytestmark = pytest.mark.train

CPU = torch.device("cpu")
SETS = ["fer2013", "ferplus"]
HOW = Augmentation(rotate=10.0, shift=0.1, erase=0.3)


@pytest.fixture
def examples(faces: FaceSet) -> Examples:
    return make_examples(clean_training(faces)[0], SETS, CPU)


@pytest.fixture
def asked(trained: Path, examples: Examples, tmp_path: Path) -> Path:
    """Return a file of what the trained network says of three views."""
    teachers = load_teachers([trained / "last.pt"], SETS, CPU)
    logits = teach(teachers, examples.pixels, HOW, label_sets=SETS, views=3, seed=5)
    path = tmp_path / "teachers.npz"
    TeacherLogits(
        logits=logits,
        label_sets=tuple(SETS),
        digest=digest_of(examples.pixels),
        augmentation=single_view(HOW),
        seed=5,
        teachers=[{"file": "last.pt"}],
    ).write(path)
    return path


def student_of(recipe: Recipe, path: Path, **changes: object) -> Recipe:
    how = Distillation(logits=str(path), weight=1.0, temperature=2.0)
    return replace(recipe, augmentation=HOW, distillation=how, **changes)  # type: ignore[arg-type]


def test_a_view_comes_from_its_seed_and_number(examples: Examples) -> None:
    first = fixed_view(examples.pixels, HOW, seed=1, view=0)
    assert first.dtype == torch.uint8
    assert first.shape == examples.pixels.shape
    torch.manual_seed(99)
    assert torch.equal(first, fixed_view(examples.pixels, HOW, seed=1, view=0))
    assert not torch.equal(first, fixed_view(examples.pixels, HOW, seed=1, view=1))
    assert not torch.equal(first, fixed_view(examples.pixels, HOW, seed=2, view=0))


def test_the_file_keeps_what_was_said(
    asked: Path, trained: Path, examples: Examples, recipe: Recipe
) -> None:
    known = TeacherLogits.read(asked)
    assert known.logits.shape == (len(examples), 3, 15)
    assert known.logits.dtype == torch.float16
    # One teacher's answers are those that it would give if it ran.
    path = str(trained / "last.pt")
    live = Ensemble(Distillation((path,), temperature=2.0), SETS, CPU)
    answers = Answers(student_of(recipe, asked), CPU)
    for epoch in (0, 1, 4):
        pictures = answers.pictures(examples.pixels, epoch)
        assert torch.equal(pictures, fixed_view(examples.pixels, HOW, 5, epoch % 3))
        rows = torch.tensor([4, 40, 7])
        expected = live.probabilities(pictures[rows] / 255)
        found = answers.probabilities(rows, epoch)
        for name in SETS:
            torch.testing.assert_close(found[name], expected[name], atol=2e-3, rtol=0)


def test_teachers_are_asked_of_few_pictures_at_once(
    trained: Path, examples: Examples, note_asked: Callable[[str], list[int]]
) -> None:
    asked = note_asked("training.teaching")
    teachers = load_teachers([trained / "last.pt"], SETS, CPU)
    many = examples.pixels.repeat(9, 1, 1, 1)
    found = teach(teachers, many, HOW, label_sets=SETS, views=1, seed=5)
    assert asked == [256, 256, 46]
    views = fixed_view(many, HOW, seed=5, view=0)
    expected = mean_logits(teachers, views / 255, SETS)
    torch.testing.assert_close(found[:, 0].float(), expected, atol=1e-2, rtol=1e-2)


def test_files_of_teachers_are_found_in_a_home_folder(
    recipe: Recipe, asked: Path, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(asked.parent))
    monkeypatch.setenv("USERPROFILE", str(asked.parent))
    Answers(student_of(recipe, Path("~") / asked.name), CPU)
    monkeypatch.setenv("HOME", str(trained))
    monkeypatch.setenv("USERPROFILE", str(trained))
    Ensemble(Distillation(("~/last.pt",)), SETS, CPU)


def test_several_teachers_are_averaged_each_with_its_own_framing(
    recipe: Recipe, examples: Examples, tmp_path: Path
) -> None:
    teachers = []
    for name, field in (("one", 48), ("two", 44)):
        trainer = Trainer(replace(recipe, input_size=field, field=field, seed=field), CPU)
        trainer.train_epoch(examples)
        save_checkpoint(tmp_path / f"{name}.pt", {**trainer.state(), "environment": {}})
        teachers += load_teachers([tmp_path / f"{name}.pt"], SETS, CPU)
    pixels = examples.pixels[:9] / 255
    each = [mean_logits([teacher], pixels, SETS) for teacher in teachers]
    assert not torch.allclose(each[0], each[1])
    torch.testing.assert_close(mean_logits(teachers, pixels, SETS), (each[0] + each[1]) / 2)


def test_exported_files_of_one_training_are_one_teacher_again(
    trained: Path, examples: Examples, tmp_path: Path
) -> None:
    files = [tmp_path / f"{name}.onnx" for name in SETS]
    for name, file in zip(SETS, files, strict=True):
        export(trained / "last.pt", output=file, label_set=name)
    pixels = examples.pixels[:9] / 255
    expected = mean_logits(load_teachers([trained / "last.pt"], SETS, CPU), pixels, SETS)
    (teacher,) = load_teachers(files, SETS, CPU)
    assert [each["file"] for each in teacher.facts] == [
        f"{tmp_path.name}/fer2013.onnx",
        f"{tmp_path.name}/ferplus.onnx",
    ]
    assert [each["label_sets"] for each in teacher.facts] == [["fer2013"], ["ferplus"]]
    torch.testing.assert_close(mean_logits([teacher], pixels, SETS), expected, atol=1e-4, rtol=1e-4)
    # That of another training stays another teacher, and one alone answers its own labels.
    values = load_checkpoint(trained / "last.pt")
    first = next(iter(values["average"]))
    values["average"][first] = values["average"][first] * 1.5
    save_checkpoint(tmp_path / "other.pt", values)
    other = tmp_path / "other.onnx"
    export(tmp_path / "other.pt", output=other, label_set="ferplus")
    apart = load_teachers([files[0], other], SETS, CPU)
    assert [list(each.recipe.labels) for each in apart] == [["fer2013"], ["ferplus"]]
    assert len(load_teachers(files, SETS, CPU, shares=[2, 1])) == 2
    found = mean_logits(apart, pixels, SETS)
    torch.testing.assert_close(found[:, :7], expected[:, :7], atol=1e-4, rtol=1e-4)
    with pytest.raises(UserError, match="found none for ferplus: add one or drop ferplus"):
        load_teachers(files[:1], SETS, CPU)
    with pytest.raises(UserError, match=r"other\.onnx: expected a teacher for fer2013, found one"):
        load_teachers([files[0], other], ["fer2013"], CPU)


def test_a_teacher_counts_by_its_share(recipe: Recipe, examples: Examples, tmp_path: Path) -> None:
    paths = [tmp_path / f"{seed}.pt" for seed in (1, 2)]
    for seed, path in enumerate(paths, start=1):
        labels = {"fer2013": 1.0, "ferplus": 1.0} if seed == 1 else {"fer2013": 1.0}
        trainer = Trainer(replace(recipe, seed=seed, ema=0.0, labels=labels), CPU)
        trainer.train_epoch(examples)
        save_checkpoint(path, {**trainer.state(), "environment": {}})
    teachers = load_teachers(paths, SETS, CPU, shares=[3, 1])
    pixels = examples.pixels[:9] / 255
    one = mean_logits(teachers[:1], pixels, SETS)
    two = mean_logits(teachers[1:], pixels, ["fer2013"])
    found = mean_logits(teachers, pixels, SETS)
    assert not torch.allclose(one[:, :7], two)
    torch.testing.assert_close(found[:, :7], (3 * one[:, :7] + two) / 4)
    torch.testing.assert_close(found[:, 7:], one[:, 7:])  # the other one does not know these


def test_teachers_that_run_and_teachers_in_a_file_set_the_same_targets(
    recipe: Recipe, examples: Examples, tmp_path: Path
) -> None:
    paths = [tmp_path / f"{seed}.pt" for seed in (1, 2)]
    for seed, path in enumerate(paths, start=1):
        trainer = Trainer(replace(recipe, seed=seed, ema=0.0, learning_rate=0.05), CPU)
        trainer.train_epoch(examples)
        save_checkpoint(path, {**trainer.state(), "environment": {}})
    teachers = load_teachers(paths, SETS, CPU)
    logits = teach(teachers, examples.pixels, HOW, label_sets=SETS, views=1, seed=5)
    file = tmp_path / "teachers.npz"
    how, digest = single_view(HOW), digest_of(examples.pixels)
    TeacherLogits(logits, tuple(SETS), digest, how, seed=5, teachers=[]).write(file)
    answers = Answers(student_of(recipe, file), CPU)
    names = tuple(str(path) for path in paths)
    live = Ensemble(Distillation(names, temperature=2.0), SETS, CPU)
    rows = torch.arange(8)
    expected = live.probabilities(answers.pictures(examples.pixels, 0)[rows] / 255)
    for name, found in answers.probabilities(rows, 0).items():
        torch.testing.assert_close(found, expected[name], atol=5e-4, rtol=0)


def test_a_student_learns_from_the_file_and_a_resumed_one_goes_on_with_it(
    recipe: Recipe, asked: Path, examples: Examples
) -> None:
    how = student_of(recipe, asked, epochs=6, batch_size=8, ema=0.9)
    student, resumed = Trainer(how, CPU), Trainer(how, CPU)
    # All weight is on the teachers, so labels of other pictures do no harm.
    wrong = replace(
        examples, targets={name: each.roll(1, 0) for name, each in examples.targets.items()}
    )
    losses = [student.train_epoch(wrong) for _ in range(4)]
    assert losses[-1] < 0.7 * losses[0]
    resumed.restore(deepcopy(student.state()))
    assert resumed.train_epoch(examples) == student.train_epoch(wrong)


def test_a_student_is_not_resumed_with_other_teachers(recipe: Recipe, asked: Path) -> None:
    begun = Trainer(student_of(recipe, asked), CPU).state()
    known = TeacherLogits.read(asked)
    others = [{"file": "other.pt", "sha256": "0123456789abcdef"}]
    replace(known, teachers=others).write(asked)
    with pytest.raises(UserError, match=r"began with, last\.pt .*, found other\.pt \(01234567\)"):
        Trainer(student_of(recipe, asked), CPU).restore(begun)
    known.write(asked)
    Trainer(student_of(recipe, asked), CPU).restore(begun)


def test_a_student_of_a_smaller_field_sees_the_middle_that_the_answers_are_of(
    recipe: Recipe, asked: Path, examples: Examples
) -> None:
    student = Trainer(student_of(recipe, asked, input_size=40, field=40), CPU)
    rows = torch.arange(8)
    parts = student._batch(examples, rows, torch.Generator().manual_seed(1)).parts
    assert torch.equal(parts, examples.pixels[rows, :, 4:44, 4:44] / 255)


def test_with_new_views_what_was_said_of_a_picture_stands_for_all_of_them(
    recipe: Recipe, asked: Path, examples: Examples
) -> None:
    how = student_of(recipe, asked, input_size=40, field=40)
    how = replace(how, distillation=replace(how.distillation, views="new"))
    how = replace(how, augmentation=Augmentation(rotate=30.0))  # not that of the file
    student = Trainer(how, CPU)
    said = TeacherLogits.read(asked).logits.float().mean(1)[:8, :7] / 2
    seen = []
    for epoch in (0, 1):
        student.epoch = epoch
        generator = torch.Generator().manual_seed(epoch)
        batch = student._batch(examples, torch.arange(8), generator)
        torch.testing.assert_close(batch.taught["fer2013"], torch.softmax(said, dim=1))
        seen.append(batch.parts)
    assert seen[0].shape == (8, 1, 40, 40)
    assert not torch.allclose(seen[0], seen[1])
    losses = [student.train_epoch(examples) for _ in range(3)]
    assert losses[-1] < losses[0]
    with pytest.raises(UserError, match="pictures that the teachers saw, found 62"):
        Trainer(how, CPU).train_epoch(replace(examples, pixels=examples.pixels.flip(0)))
    with pytest.raises(UserError, match="expected views of same, new, found 'old'"):
        Distillation(logits="a.npz", views="old")


def test_a_student_of_fewer_labels_learns_what_is_said_of_those(
    recipe: Recipe, asked: Path, trained: Path, examples: Examples
) -> None:
    labels = {"fer2013-4": 1.0, "ferplus": 1.0}
    rows = torch.arange(6)
    answers = Answers(student_of(recipe, asked, labels=labels), CPU)
    views = answers.pictures(examples.pixels, 1)[rows] / 255
    live = Ensemble(Distillation((str(trained / "last.pt"),), temperature=2.0), [*labels], CPU)
    for found in (answers.probabilities(rows, 1), live.probabilities(views)):
        whole = Answers(student_of(recipe, asked), CPU).probabilities(rows, 1)["fer2013"]
        four = whole[:, [0, 3, 4, 6]]  # anger, happiness, sadness, neutral
        expected = four / four.sum(1, keepdim=True)
        torch.testing.assert_close(found["fer2013-4"], expected, atol=2e-3, rtol=0)
        assert found["ferplus"].shape == (6, 8)


def test_mixup_blends_the_answers_too(recipe: Recipe, asked: Path, examples: Examples) -> None:
    how = student_of(recipe, asked)
    mixed = replace(how, augmentation=replace(HOW, mixup=1.0, mixup_until=0.5), epochs=2)
    trainer = Trainer(mixed, CPU)
    rows = torch.arange(8)
    mean = trainer._batch(examples, rows, torch.Generator().manual_seed(1))
    pure = Trainer(how, CPU)._batch(examples, rows, torch.Generator().manual_seed(1))
    other = pure.parts.roll(1, 0)
    own = (mean.parts - other)[:, 0, 20, 20] / (pure.parts - other)[:, 0, 20, 20]
    for after, before in ((mean.targets, pure.targets), (mean.taught, pure.taught)):
        for name in SETS:
            expected = before[name] * own[:, None] + before[name].roll(1, 0) * (1 - own[:, None])
            torch.testing.assert_close(after[name], expected, atol=1e-3, rtol=1e-3)
    # Its end has pictures as they are.
    trainer.epoch = 1
    last = trainer._batch(examples, rows, torch.Generator().manual_seed(1))
    assert torch.equal(last.parts, pure.parts)


def test_other_pictures_views_or_labels_are_refused(
    recipe: Recipe, asked: Path, examples: Examples, tmp_path: Path
) -> None:
    fewer = replace(examples, pixels=examples.pixels.flip(0))
    with pytest.raises(UserError, match="training pictures that the teachers saw, found 62"):
        Trainer(student_of(recipe, asked), CPU).train_epoch(fewer)
    turned = replace(student_of(recipe, asked), augmentation=Augmentation(rotate=11))
    with pytest.raises(UserError, match=r"views of the recipe's \[augmentation\], found others"):
        Trainer(turned, CPU)
    known = TeacherLogits.read(asked)
    replace(known, logits=known.logits[..., 7:], label_sets=("ferplus",)).write(asked)
    with pytest.raises(UserError, match="teachers for fer2013-4, found some for ferplus"):
        Trainer(student_of(recipe, asked, labels={"fer2013-4": 1.0}), CPU)
    with pytest.raises(UserError, match="expected teachers or logits, found both"):
        Distillation(("a.pt",), logits="b.npz")


@pytest.mark.parametrize("content", [None, b"", b"text", b"PK\x03\x04 cut"])
def test_a_file_that_is_none_is_named(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "teachers.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=r"teachers\.npz: expected a file of fer-teach, found none"):
        TeacherLogits.read(path)
    np.savez(path, logits=np.zeros(3))
    with pytest.raises(UserError, match=r"teachers\.npz: expected a file of fer-teach, found none"):
        TeacherLogits.read(path)
