from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from models.nets.registry import ARCHITECTURES
from models.runtime.errors import UserError
from models.training.recipe import Augmentation, Recipe, bundled_recipes, read_recipe

pytestmark = pytest.mark.train

LEAST: dict[str, Any] = {"architecture": "mini_xception", "labels": {"fer2013": 1}, "epochs": 3}


def test_the_least_recipe_gets_the_defaults() -> None:
    recipe = Recipe.from_dict(LEAST)
    assert recipe.labels == {"fer2013": 1.0}
    assert recipe.precision == "fp32"
    assert recipe.augmentation == Augmentation()


def test_a_recipe_survives_the_way_through_plain_values() -> None:
    values = LEAST | {"precision": "bf16", "augmentation": {"rotate": 12, "erase": 0.25}}
    recipe = Recipe.from_dict(values)
    assert recipe.augmentation.rotate == 12.0
    assert Recipe.from_dict(recipe.as_dict()) == recipe
    assert type(recipe.as_dict()["augmentation"]) is dict


def test_from_dict_leaves_its_values_alone() -> None:
    values = LEAST | {"augmentation": {"rotate": 12}}
    Recipe.from_dict(values)
    assert values["augmentation"] == {"rotate": 12}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"learning_rat": 1.0}, "unknown key 'learning_rat'; did you mean 'learning_rate'"),
        ({"xyz": 1}, "unknown key 'xyz'; known are architecture, labels, epochs"),
        ({"augmentation": {"rotat": 1}}, r"\[augmentation\]: .*'rotat'; did you mean 'rotate'"),
        ({"augmentation": {"flip": "yes"}}, r"\[augmentation\], flip: expected float, found 'yes'"),
        ({"augmentation": 3}, "augmentation: expected"),
        ({"epochs": 2.5}, "epochs: expected int, found 2.5"),
        ({"epochs": True}, "epochs: expected int, found True"),
        ({"learning_rate": "fast"}, "learning_rate: expected float, found 'fast'"),
        ({"architecture": 5}, "architecture: expected str, found 5"),
        ({"labels": "fer2013"}, "labels: expected numbers by name, found 'fer2013'"),
        ({"labels": {"fer2013": "much"}}, "labels: expected numbers by name"),
        ({"labels": {"fer2014": 1}}, "expected label set of fer2013, ferplus, .*found 'fer2014'"),
        ({"labels": {}}, "at least one label set"),
        ({"precision": "fp16"}, "expected precision of fp32, bf16, found 'fp16'"),
        ({"epochs": 0}, "expected epochs of at least 1, found 0"),
        ({"batch_size": 1}, "expected batch_size of at least 2, found 1"),
        ({"batch_size": 10**20}, "expected batch_size of at most 65,536, found 1000000"),
        ({"learning_rate": 0}, "expected learning_rate above 0"),
        ({"std": 0}, "expected std above 0"),
        ({"ema": 1.5}, "expected ema of 0 to 1, found 1.5"),
        ({"warmup": -0.1}, "expected warmup of 0 to 1"),
        ({"weight_decay": -1.0}, "expected weight_decay of 0 or more, found -1.0"),
        ({"clip_norm": 0}, "expected clip_norm above 0, found 0.0"),
        ({"learning_rate": math.inf}, "expected learning_rate above 0, found inf"),
        ({"learning_rate": math.nan}, "expected learning_rate above 0, found nan"),
        ({"mean": math.nan}, "expected mean to be a finite number, found nan"),
        ({"std": math.nan}, "expected std above 0, found nan"),
        ({"network": {"dropout": math.nan}}, "expected dropout to be a finite number, found nan"),
        ({"seed": -1}, "expected seed of at least 0, found -1"),
        ({"seed": 2**40}, "expected seed below 2 to the 32, found 1099511627776"),
        ({"labels": {"fer2013": 0}}, r"\[labels\]: expected fer2013 above 0, found 0.0"),
        ({"cleaning": "five"}, "expected cleaning of none, four, found 'five'"),
        ({"optimiser": "adam"}, "expected optimiser of adamw, sgd, sam, found 'adam'"),
        (
            {"schedule": "step"},
            "expected schedule of one_cycle, cosine, hold, plateau, found 'step'",
        ),
        ({"loss": "hinge"}, "expected loss of softmax, a_softmax, found 'hinge'"),
        ({"network": 3}, "network: expected options by name, found 3"),
        ({"distillation": {"teachers": "a.pt"}}, "teachers: expected a list of file names, found"),
        ({"distillation": {"weight": 1.5}}, r"\[distillation\]: expected weight of 0 to 1"),
        ({"distillation": {"temperature": 0}}, "expected temperature above 0, found 0.0"),
        ({"augmentation": {"scale": -1.0}}, r"\[augmentation\]: expected scale of 0 or more"),
        ({"loss": "a_softmax", "augmentation": {"mixup": 0.2}}, "no mixup with a_softmax"),
        (
            {"loss": "a_softmax", "labels": {"ferplus": 1.0}},
            "a label set with one true label for a_softmax, found ferplus: add fer2013",
        ),
    ],
)
def test_a_fault_is_named(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        Recipe.from_dict(LEAST | change)


@pytest.mark.parametrize("key", LEAST)
def test_a_missing_key_is_named(key: str) -> None:
    values = {name: value for name, value in LEAST.items() if name != key}
    with pytest.raises(UserError, match=f"expected a key '{key}', found none"):
        Recipe.from_dict(values)


@pytest.mark.parametrize("name", bundled_recipes())
def test_every_bundled_recipe_loads(name: str) -> None:
    recipe = read_recipe(name)
    assert recipe.architecture in ARCHITECTURES
    assert Recipe.from_dict(recipe.as_dict()) == recipe


def test_mini_xception_is_bundled() -> None:
    assert "mini_xception" in bundled_recipes()


def test_a_recipe_of_ones_own_is_read_by_path(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('architecture = "mini_xception"\nepochs = 2\n[labels]\nferplus = 0.5\n')
    assert read_recipe(str(path)).labels == {"ferplus": 0.5}


def test_an_unknown_recipe_names_the_bundled_ones(tmp_path: Path) -> None:
    for name in ("mini_exception", str(tmp_path)):
        with pytest.raises(UserError, match=r"one of .*mini_xception.* found neither"):
            read_recipe(name)


@pytest.mark.parametrize("content", [b"epochs = = 3", b"\xff\xfe\x00\x01"])
def test_a_file_that_is_no_toml_is_named(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"mine\.toml: expected a TOML file"):
        read_recipe(str(path))
