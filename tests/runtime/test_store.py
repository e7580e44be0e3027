from __future__ import annotations

import shutil
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import pytest

from models.runtime.card import ModelError
from models.runtime.store import DEFAULT_MODEL, bundled, find_model, load_model

pytestmark = pytest.mark.train  # making a model needs the package onnx

MakeModel = Callable[..., Path]


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_model: MakeModel) -> Path:
    """Put three models where the bundled ones are looked for; one of them has no card beside."""
    folder = tmp_path / "weights"
    folder.mkdir()
    for name in ("alpha.fer2013", DEFAULT_MODEL):
        made = make_model()
        shutil.move(made, folder / f"{name}.onnx")
        shutil.move(made.with_suffix(".json"), folder / f"{name}.json")
    shutil.move(make_model(beside=None), folder / "stray.onnx")
    monkeypatch.setattr(resources, "files", {"weights": folder}.__getitem__)
    return folder


def test_the_default_comes_first_and_strays_are_left_out(weights: Path) -> None:
    entries = bundled()
    assert [entry.name for entry in entries] == [DEFAULT_MODEL, "alpha.fer2013"]
    assert entries[1].file == weights / "alpha.fer2013.onnx"
    assert entries[1].card.file is not None


def test_a_bundled_model_is_found_and_loaded_by_name(weights: Path) -> None:
    assert find_model("alpha.fer2013") == weights / "alpha.fer2013.onnx"
    model = load_model("alpha.fer2013", provider="CPU", mirror=False)
    assert model.provider == "CPU"
    assert model.path == weights / "alpha.fer2013.onnx"


def test_a_model_of_ones_own_is_found_by_path(weights: Path, make_model: MakeModel) -> None:
    mine = make_model("mine")
    assert find_model(str(mine)) == mine
    assert load_model(str(mine)).card.name == "stripes.fer2013"


def test_a_path_may_begin_at_home(
    weights: Path, make_model: MakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = make_model("mine")
    monkeypatch.setenv("HOME", str(mine.parent))
    monkeypatch.setenv("USERPROFILE", str(mine.parent))
    assert find_model("~/mine.onnx") == mine


def test_an_unknown_name_gets_the_nearest(weights: Path) -> None:
    with pytest.raises(ModelError, match=r"found neither under 'alpha\.fer13': did you mean alpha"):
        find_model("alpha.fer13")
    with pytest.raises(ModelError, match=rf"one of {DEFAULT_MODEL}, alpha.fer2013, found neither"):
        find_model("zzz")
    for name in ("~no-such-user-here/net.onnx", "z" * 5000):
        with pytest.raises(ModelError, match="found neither under"):
            find_model(name)


def test_a_damaged_bundled_card_is_named(weights: Path) -> None:
    (weights / "alpha.fer2013.json").write_text("{")
    with pytest.raises(ModelError, match=r"^alpha\.fer2013\.json: expected a model card"):
        bundled()


@pytest.mark.parametrize("name", ["face_finder", "landmarks68"])
def test_a_network_that_names_no_expressions_is_refused(name: str) -> None:
    file = Path(str(resources.files("weights"))) / f"{name}.onnx"
    with pytest.raises(ModelError, match="expected a model that names expressions, found one of"):
        load_model(str(file), provider="CPU")
