"""Training and testing on the folds of a small data set."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from models.bundle import WEIGHTS
from models.cli.train import main
from models.data.face_set import FaceSet
from models.data.jaffe import SQUARE
from models.data.labels_map import JAFFE
from models.data.read import read_dataset
from models.runtime.errors import UserError
from models.runtime.labels import FER2013
from models.training.checkpoint import save_checkpoint
from models.training.examples import Examples, make_examples
from models.training.folds import Fold, Protocol, cut, protocols_of, run_protocol
from models.training.folds_file import FoldsFile, facts_of
from models.training.loop import Trainer
from models.training.recipe import Augmentation, Distillation, Recipe
from models.training.start import sources_of
from models.training.unseen import told_of_seen

pytestmark = pytest.mark.train

CPU = torch.device("cpu")
SUBJECTS = ("KA", "KL", "NM")


def _stripes(kind: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return a picture of JAFFE's size whose stripes tell the expression."""
    wave = 70 * np.sin(2 * np.pi * ((2, 4, 7, 11)[kind % 4] * np.arange(160) / 160 + rng.random()))
    stripes = wave[None, :] if kind < 4 else wave[:, None]
    picture = np.full((256, 256), 128.0)
    left, top, side = SQUARE
    picture[top : top + side, left : left + side] += stripes
    return np.clip(picture + rng.normal(0, 8, picture.shape), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def jaffe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of drawn pictures named as JAFFE names its own: 3 subjects, 7 of each 3."""
    root, rng, number = tmp_path_factory.mktemp("jaffe"), np.random.default_rng(0), 0
    for subject in SUBJECTS:
        for code, word in JAFFE.items():
            for take in (1, 2, 3):
                number += 1
                picture = _stripes(FER2013.index(word), rng)
                assert cv2.imwrite(str(root / f"{subject}.{code}{take}.{number}.tiff"), picture)
    return root


@pytest.fixture(scope="module")
def people(jaffe: Path) -> FaceSet:
    return read_dataset(jaffe).faces


@pytest.fixture
def quick(recipe: Recipe) -> Recipe:
    return replace(recipe, labels={"fer2013": 1.0}, epochs=1, augmentation=Augmentation(), ema=0.5)


def test_the_folds_hold_every_picture_out_once(people: FaceSet) -> None:
    five = cut(people, "5", seed=1)
    assert [name for name, _, _ in five] == ["1", "2", "3", "4", "5"]
    held = np.concatenate([test for _, _, test in five])
    assert sorted(held.tolist()) == list(range(len(people)))
    for name, training, test in cut(people, "subjects", seed=1):
        assert people.subjects is not None
        assert set(people.subjects[test]) == {name}
        assert name not in people.subjects[training]


@pytest.mark.parametrize("which", ["five", "", "5.5", "-3"])
def test_another_word_for_folds_is_refused(which: str) -> None:
    with pytest.raises(UserError, match=r"expected --folds with a number or subjects"):
        protocols_of(f"5, subjects,{which}")
    assert protocols_of("5, subjects") == ["5", "subjects"]


def test_each_fold_trains_anew_on_its_own_part_and_the_figures_add_up(
    people: FaceSet, quick: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    lengths: list[int] = []
    whole = Trainer.train_epoch

    def noted(trainer: Trainer, examples: object) -> float:
        assert trainer.epoch == 0
        lengths.append(len(examples))  # type: ignore[arg-type]
        return whole(trainer, examples)  # type: ignore[arg-type]

    monkeypatch.setattr(Trainer, "train_epoch", noted)
    told: list[Fold] = []
    found = run_protocol(quick, people, "subjects", CPU, on_fold=told.append)
    assert lengths == [42, 42, 42]
    assert [fold.name for fold in found.folds] == list(SUBJECTS)
    assert found.folds == tuple(told)
    parts = [fold.accuracy["none"] for fold in found.folds]
    assert found.mean["none"] == pytest.approx(sum(parts) / 3)
    assert found.sd["none"] == pytest.approx(np.std(parts, ddof=1))
    assert found.pooled["none"] == pytest.approx(sum(parts) / 3)  # folds of one size
    assert found.mean.keys() == {"none", "flip", "ten-crop"}
    assert found.per_class_recall.keys() == set(FER2013)


def test_copies_of_its_test_pictures_are_no_part_of_a_folds_training(
    people: FaceSet, quick: Recipe
) -> None:
    pixels = people.pixels.copy()
    pixels[30:33] = pixels[0]  # of another person
    found = run_protocol(quick, replace(people, pixels=pixels), "subjects", CPU)
    assert [fold.trained_on for fold in found.folds] == [39, 41, 42]
    assert [fold.copies for fold in found.folds] == [3, 1, 0]


def test_a_fold_of_copies_alone_is_said(people: FaceSet, quick: Recipe) -> None:
    pixels = np.repeat(people.pixels[:1], len(people), axis=0)
    with pytest.raises(UserError, match="expected at least 2 training pictures that are no copies"):
        run_protocol(quick, replace(people, pixels=pixels), "2", CPU)


def test_a_network_that_has_learnt_elsewhere_is_better_at_once(
    people: FaceSet, quick: Recipe, tmp_path: Path
) -> None:
    teacher = Trainer(replace(quick, epochs=8, batch_size=8), CPU)
    examples = make_examples(people, ["fer2013"], CPU)
    for _ in range(8):
        teacher.train_epoch(examples)
    save_checkpoint(tmp_path / "start.pt", {**teacher.state(), "environment": {}})
    cold: Protocol = run_protocol(quick, people, "2", CPU)
    warm = run_protocol(quick, people, "2", CPU, start=tmp_path / "start.pt")
    assert warm.mean["none"] > cold.mean["none"] + 0.3


def test_folds_want_one_label_set_and_known_subjects(people: FaceSet, recipe: Recipe) -> None:
    with pytest.raises(UserError, match="one label set for folds, found fer2013 and ferplus"):
        run_protocol(recipe, people, "5", CPU)
    one = replace(recipe, labels={"fer2013": 1.0})
    with pytest.raises(UserError, match="expected pictures whose subjects are known"):
        run_protocol(one, replace(people, subjects=None), "subjects", CPU)


def test_what_folds_cannot_give_is_refused(people: FaceSet, quick: Recipe) -> None:
    parted = replace(people, splits=np.array(["Training"] * 100 + ["PrivateTest"] * 26))
    with pytest.raises(UserError, match="without parts of its own for folds, found PrivateTest, T"):
        run_protocol(quick, parted, "2", CPU)
    for changes in ({"cleaning": "four"}, {"schedule": "plateau"}):
        with pytest.raises(UserError, match="for folds, found"):
            run_protocol(replace(quick, **changes), people, "2", CPU)  # type: ignore[arg-type]


def test_one_command_runs_both_protocols_and_writes_json(
    jaffe: Path,
    quick: Recipe,
    write_recipe: Callable[[Recipe, Path], str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    name = write_recipe(quick, tmp_path)
    out = tmp_path / "run"
    common = ["--data", str(jaffe), "--out", str(out), "--device", "cpu", "--threads", "1"]
    assert main([name, "--folds", "2,subjects", "--set", "batch_size=21", *common]) == 0
    told = capsys.readouterr().out
    assert "JAFFE: 63 pictures of 3 subjects" in told
    assert "subjects  ten-crop" in told
    values = json.loads((out / "folds.json").read_text(encoding="utf-8"))
    assert [protocol["name"] for protocol in values["protocols"]] == ["2", "subjects"]
    assert values["recipe"]["batch_size"] == 21
    assert values["begun_from"] is None
    assert values["date"] >= "2026"
    assert values["environment"]["torch"] == torch.__version__
    for protocol in values["protocols"]:
        assert sum(fold["tested_on"] for fold in protocol["folds"]) == 63
        assert 0 <= protocol["mean"]["ten-crop"] <= 1
    out = tmp_path / "other"
    common[3] = str(out)
    # Another recipe's network, learnt before, is what is trained on: no key has to be repeated.
    teacher = Trainer(replace(quick, input_size=44, field=44), CPU)
    save_checkpoint(tmp_path / "start.pt", {**teacher.state(), "environment": {}})
    other = [name, "--folds", "2", "--from", str(tmp_path / "start.pt"), *common]
    assert main([*other, "--set", "architecture=acn"]) == 2
    assert "expected input_size 48 with acn, found 44" in capsys.readouterr().err
    assert main(other) == 0
    values = json.loads((out / "folds.json").read_text(encoding="utf-8"))
    assert values["recipe"]["field"] == 44
    assert values["begun_from"] == "start.pt"
    assert "note" not in values
    assert main([name, "--folds", "2,many", *common]) == 2
    assert "expected --folds with a number" in capsys.readouterr().err
    assert main([name, "--folds", "2", "--minutes", "3", *common]) == 2
    assert "expected --minutes without --folds" in capsys.readouterr().err
    nowhere = tmp_path / "nowhere"
    common[3] = str(nowhere)
    assert main([name, "--folds", "2,70", *common]) == 2
    assert "error: " in capsys.readouterr().err
    assert not nowhere.exists(), "what cannot be cut is said before anything is trained"


def _learnt_from(path: Path, quick: Recipe, source: str) -> Path:
    state = Trainer(quick, CPU).state()
    save_checkpoint(path, {**state, "sources": ["fer2013", source], "environment": {}})
    return path


def test_folds_of_pictures_that_a_network_knows_are_refused(
    jaffe: Path,
    people: FaceSet,
    quick: Recipe,
    write_recipe: Callable[[Recipe, Path], str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    knowing = _learnt_from(tmp_path / "knowing.pt", quick, "jaffe")
    name, out = write_recipe(quick, tmp_path), tmp_path / "run"
    common = ["--data", str(jaffe), "--out", str(out), "--device", "cpu", "--threads", "1"]
    assert main([name, "--folds", "2", "--from", str(knowing), *common]) == 2
    said = "learnt nothing of jaffe for folds of it, found one that has"
    assert said in capsys.readouterr().err
    assert not out.exists()
    taught = replace(quick, distillation=Distillation(teachers=(str(knowing),)))
    with pytest.raises(UserError, match=f"{said}.* leave that teacher out"):
        told_of_seen(taught, people, None)
    assert told_of_seen(quick, people, _learnt_from(tmp_path / "raf.pt", quick, "raf_db")) == ""
    # An exported file has learnt from what its card names.
    exported = WEIGHTS / "simple_cnn.fer2013.onnx"
    assert told_of_seen(quick, people, exported) == ""
    assert sources_of(exported) == ["fer2013", "ferplus"]


def test_folds_of_a_folder_that_a_network_may_know_bear_a_note(
    people: FaceSet, quick: Recipe, tmp_path: Path
) -> None:
    own = replace(people, source="image_folder", subjects=None)
    knowing = _learnt_from(tmp_path / "knowing.pt", quick, "image_folder")
    note = told_of_seen(quick, own, knowing)
    assert note.startswith("knowing.pt has learnt from a folder of the trainer's own: if that was")
    assert facts_of(quick, own, tmp_path / "own", knowing, note)["note"] == note


def test_folds_that_were_stopped_are_gone_on_with(
    jaffe: Path,
    quick: Recipe,
    write_recipe: Callable[[Recipe, Path], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    start = tmp_path / "start.pt"
    save_checkpoint(start, {**Trainer(quick, CPU).state(), "environment": {}})
    name = write_recipe(quick, tmp_path)
    common = [name, "--data", str(jaffe), "--from", str(start), "--device", "cpu"]
    common += ["--threads", "1", "--folds", "subjects", "--out"]
    whole, cut_off = tmp_path / "whole", tmp_path / "cut_off"
    assert main([*common, str(whole)]) == 0
    trained: list[int] = []
    train_epoch = Trainer.train_epoch

    def stop_at_the_third(trainer: Trainer, examples: Examples) -> float:
        if len(trained) == 2:
            raise UserError("stopped")
        trained.append(len(examples))
        return train_epoch(trainer, examples)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "train_epoch", stop_at_the_third)
        assert main([*common, str(cut_off)]) == 2
    file = cut_off / "folds.json"
    (known,) = json.loads(file.read_text(encoding="utf-8"))["protocols"]
    assert [fold["name"] for fold in known["folds"]] == ["KA", "KL"]
    before = file.read_bytes()
    capsys.readouterr()
    other = ["--from", str(tmp_path / "other.pt")]
    save_checkpoint(Path(other[1]), {**Trainer(quick, CPU).state(), "environment": {"a": "b"}})
    for more, said in (
        ([], "expected a folder without folds"),
        (["--resume", "--set", "seed=2"], "expected the recipe that it was begun with"),
        (["--resume", *other], "expected the --from that it was begun with"),
    ):
        assert main([*common, str(cut_off), *more]) == 2
        assert said in capsys.readouterr().err
    assert file.read_bytes() == before
    assert main([*common, str(cut_off), "--resume"]) == 0
    ours, theirs = (
        json.loads((out / "folds.json").read_text(encoding="utf-8"))["protocols"]
        for out in (cut_off, whole)
    )
    assert ours == theirs


@pytest.mark.parametrize("content", [None, "", "[]", "{}", '{"protocols": [{"name": "5"}]}'])
def test_a_file_without_folds_is_not_gone_on_with(content: str | None, tmp_path: Path) -> None:
    path = tmp_path / "folds.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UserError, match=r"folds\.json: expected folds to go on with, found none"):
        FoldsFile(path, {}, resume=True)
