from __future__ import annotations

import re
from dataclasses import MISSING, fields
from pathlib import Path

import pytest

from models.training.recipe import Augmentation, Distillation, Recipe

pytestmark = pytest.mark.train

PAGE = Path(__file__).parents[2] / "docs" / "training" / "recipes.md"
ROW = re.compile(r"^\| (`[^|]+)\|([^|]*)\|", re.MULTILINE)


def _defaults() -> dict[str, list[str]]:
    """Return what the page says of each key: the defaults, one for each of a row's keys."""
    found: dict[str, list[str]] = {}
    for keys, defaults in ROW.findall(PAGE.read_text(encoding="utf-8")):
        names = re.findall(r"`\[?(\w+)\]?`", keys)
        values = [value.strip() for value in defaults.split(",")]
        for name, value in zip(names, values * len(names), strict=False):
            found.setdefault(name, []).append(value)
    return found


@pytest.mark.parametrize("kind", [Recipe, Augmentation, Distillation])
def test_every_key_of_a_recipe_is_on_the_page_with_its_default(kind: type) -> None:
    told = _defaults()
    for field in fields(kind):
        if field.name in ("augmentation", "distillation"):
            continue  # these have parts of the page
        assert field.name in told, f"docs/training/recipes.md does not explain {field.name}"
        if field.default is not MISSING and field.default not in ((), ""):
            shown = f"{field.default:g}" if isinstance(field.default, float) else field.default
            assert str(shown) in told[field.name], field.name


def test_the_page_explains_no_key_that_there_is_not() -> None:
    known = {field.name for kind in (Recipe, Augmentation, Distillation) for field in fields(kind)}
    assert set(_defaults()) <= known
