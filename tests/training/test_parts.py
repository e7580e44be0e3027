"""Which part of a data set is trained on, which is chosen on, and which is left alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.card_making import SOURCES
from models.cli.export_onnx import main as export_main
from models.cli.train import main
from models.data.face_set import FaceSet
from models.runtime.card import read_card
from models.runtime.errors import UserError
from models.training.checkpoint import load_checkpoint, save_checkpoint
from models.training.fingerprint import told_of_others
from models.training.parts import _hold_out, read_held_out, read_parts
from models.training.recipe import Recipe

pytestmark = pytest.mark.train


def _raf_db(root: Path, training: int = 40, test: int = 9) -> Path:
    """Write pictures of noise in RAF-DB's layout, which has no validation part."""
    rng = np.random.default_rng(1)
    aligned = root / "basic" / "Image" / "aligned"
    aligned.mkdir(parents=True)
    lines = []
    for part, count in (("train", training), ("test", test)):
        for number in range(count):
            name = f"{part}_{number:05}"
            picture = rng.integers(0, 256, (48, 48)).astype(np.uint8)
            assert cv2.imwrite(str(aligned / f"{name}_aligned.jpg"), picture)
            lines.append(f"{name}.jpg {number % 4 + 4}")
    labels = root / "basic" / "EmoLabel" / "list_patition_label.txt"
    labels.parent.mkdir()
    labels.write_text("\n".join(lines))
    return root


def test_fer2013_keeps_its_own_parts(data: Path) -> None:
    parts = read_parts(data, None, "none")
    assert (len(parts.training), len(parts.validation)) == (62, 32)
    assert (
        parts.told
        == "dropped from training: 1 copies of test pictures, 0 that are nearly one, 1 blank"
    )


def test_a_tenth_is_held_out_where_there_is_no_validation_part(tmp_path: Path) -> None:
    root = _raf_db(tmp_path)
    parts = read_parts(root, None, "none")
    count = len(parts.validation)
    assert 4 <= count <= 10
    assert len(parts.training) == 40 - count
    assert parts.told.startswith(f"held out to choose on: {count} of 40 pictures, by pictures; ")
    names = set(parts.training.names) | set(parts.validation.names)
    assert len(names) == 40
    assert not any("test_" in name for name in names)
    # Some of each expression, and the same ones again.
    assert len(set(parts.validation.labels)) == 4
    again = read_parts(root, None, "none")
    assert list(again.validation.names) == list(parts.validation.names)


def test_whole_subjects_are_held_out_where_they_are_known(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    for subject in ("KA", "KL", "NM", "TM"):
        for number, code in enumerate(("AN", "HA", "SA", "SU", "NE", "DI")):
            picture = rng.integers(0, 256, (256, 256)).astype(np.uint8)
            assert cv2.imwrite(str(tmp_path / f"{subject}.{code}1.{number}.tiff"), picture)
    parts = read_parts(tmp_path, None, "none")
    assert parts.validation.subjects is not None
    assert parts.training.subjects is not None
    assert len(set(parts.validation.subjects)) == 1
    assert not set(parts.validation.subjects) & set(parts.training.subjects)
    assert len(parts.training) + len(parts.validation) == 24


def test_pictures_of_one_person_are_held_out_one_by_one() -> None:
    one = FaceSet(
        pixels=np.random.default_rng(1).integers(0, 256, (40, 48, 48)).astype(np.uint8),
        labels=np.arange(40) % 4,
        label_set="fer2013",
        votes=None,
        splits=np.array(["all"] * 40),
        names=np.array([f"{number}.png" for number in range(40)]),
        subjects=np.array(["KA"] * 40),
    )
    held, told = _hold_out(one)
    count = len(held.split("PublicTest"))
    assert 4 <= count <= 10
    assert told.endswith(f"{count} of 40 pictures, by pictures")


def test_copies_of_one_picture_are_refused() -> None:
    one = FaceSet(
        pixels=np.full((20, 48, 48), 7, np.uint8),
        labels=np.zeros(20, np.int64),
        votes=None,
        splits=np.array(["all"] * 20),
        names=np.array([f"{number}.png" for number in range(20)]),
    )
    with pytest.raises(UserError, match="2 different pictures or more to hold one out, found 20"):
        _hold_out(one)


def test_frames_of_one_film_are_said_to_be_one_photograph(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    still = rng.integers(40, 216, (48, 48))
    for number in range(30):
        folder = tmp_path / ("happy", "sad")[number % 2]
        folder.mkdir(exist_ok=True)
        frame = (still + rng.integers(-3, 4, (48, 48))).astype(np.uint8)
        assert cv2.imwrite(str(folder / f"{number:02}.png"), frame)
    with pytest.raises(UserError, match=r"left to train on, found 0: .* nearly one.* one film"):
        read_parts(tmp_path, None, "none")


def test_too_few_pictures_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"at least 20 pictures .* found 8"):
        read_parts(_raf_db(tmp_path, training=8), None, "none")


def test_votes_are_for_fer2013_alone(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"found votes\.csv with .*, which is raf_db: leave --fer"):
        read_parts(_raf_db(tmp_path), Path("votes.csv"), "none")


def test_fer2013_without_a_part_is_refused(
    faces: FaceSet, write_data: Callable[[FaceSet, str, Path], Path], tmp_path: Path
) -> None:
    path = write_data(faces.split("Training"), "parquet", tmp_path)
    with pytest.raises(UserError, match="expected Training and PublicTest rows, found 64 and 0"):
        read_parts(path, None, "none")


def test_another_data_set_is_trained_on_and_named_in_the_checkpoint(
    recipe: Recipe,
    write_recipe: Callable[[Recipe, Path], str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    name = write_recipe(replace(recipe, labels={"fer2013": 1.0}, epochs=1), tmp_path)
    root, out = _raf_db(tmp_path / "raf"), tmp_path / "run"
    common = ["--data", str(root), "--device", "cpu", "--threads", "1"]
    assert main([name, *common, "--out", str(out)]) == 0
    values = load_checkpoint(out / "last.pt")
    assert (values["source"], values["sources"]) == ("raf_db", ["raf_db"])
    assert 0 <= values["history"][0]["fer2013"] <= 1
    # It is measured on the pictures that were held out.
    model = tmp_path / "own.onnx"
    assert export_main([str(out / "last.pt"), "-o", str(model), "--data", str(root)]) == 0
    assert "other pictures" not in capsys.readouterr().err
    card = read_card(model.with_suffix(".json"))
    assert card.training["chosen_on"] == "validation part of raf_db"
    metric = card.metric("one")
    assert metric is not None
    assert metric.n == len(read_parts(root, None, "none").validation)
    assert metric.accuracy == pytest.approx(values["history"][0]["fer2013"], abs=1e-4)
    assert metric.split == "validation part of raf_db"
    assert metric.rule.startswith("labels of raf_db, every picture")
    assert card.data == (SOURCES["raf_db"],)
    # A checkpoint of which another part was held out may know what it is measured on.
    other = out / "other.pt"
    save_checkpoint(other, {**values, "pictures": "drawn by lot"})
    assert export_main([str(other), "-o", str(model), "--data", str(root)]) == 0
    assert "note: " in (said := capsys.readouterr().err)
    assert "trained on other pictures than raf_db would give now" in said
    faces = read_held_out(root, None)[0]
    assert told_of_others(other, replace(faces, source="affectnet")) == ""
    later = out / "later.pt"
    save_checkpoint(later, {**values, "source": "jaffe", "sources": ["raf_db", "jaffe"]})
    assert "other pictures than raf_db" in told_of_others(later, faces)
