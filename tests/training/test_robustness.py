"""Spoilt pictures, what models keep of their accuracy on them, and where that is said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from models.robustness import (
    Robustness,
    as_json,
    choose,
    measure_robustness,
    rounds,
    section,
    table,
)
from models.runtime.card import InputSpec
from models.scoring import Model
from models.spoil import KINDS, SPOILINGS, Spoiling, blurred, framed

SIDE = 48


def faces(count: int = 12, side: int = SIDE) -> NDArray[np.uint8]:
    """Return smooth pictures with something in every place."""
    down, across = np.mgrid[:side, :side] / side
    waves = [
        120 + 50 * np.sin(6 * across + number) * np.cos(5 * down) + 30 * across
        for number in range(count)
    ]
    return np.stack(waves).astype(np.uint8)


def bright_model() -> Model:
    """Return a model that says 1 where the middle of a picture is lighter than its rim."""

    def logits(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        middle = crops[:, 16:32, 16:32].mean((1, 2))
        rim = crops[:, :8].mean((1, 2))
        return np.stack([rim, middle], axis=1).astype(np.float32)

    spec = InputSpec(SIDE, 0.5, 0.25)
    return Model("bright", Path("b.onnx"), "0", "fer2013", ("no", "yes"), spec, None, logits)


@pytest.mark.parametrize("spoiling", SPOILINGS, ids=lambda one: one.name)
@pytest.mark.parametrize("side", [48, 64])
def test_each_step_spoils_more_and_the_same_seed_alike(spoiling: Spoiling, side: int) -> None:
    pixels = faces(side=side)
    before = pixels.copy()
    ways = []
    for step in spoiling.steps:
        spoilt = spoiling.apply(pixels, step)
        assert spoilt.shape == pixels.shape
        assert spoilt.dtype == np.uint8
        assert (spoilt == spoiling.apply(pixels, step)).all()
        ways.append(np.abs(spoilt.astype(float) - pixels).mean())
    assert 0 < ways[0] < ways[1] < ways[2]
    assert (pixels == before).all()


def test_chance_goes_both_ways() -> None:
    one_side = next(each for each in SPOILINGS if each.name == "one side")
    spoilt = one_side.apply(faces(40), 0.5)
    left, right = (half.std((1, 2)) == 0 for half in np.split(spoilt, 2, axis=2))
    assert 5 < left.sum() < 35
    assert (left ^ right).all()


def test_another_seed_spoils_otherwise() -> None:
    moved = next(each for each in SPOILINGS if each.name == "moved")
    assert (moved.apply(faces(), 5) != moved.apply(faces(), 5, seed=1)).any()


def test_a_face_is_moved_by_as_many_pixels_as_is_said() -> None:
    face = np.zeros((SIDE, SIDE), np.float32)
    face[20:28, 20:28] = 200
    there = framed(face, move=(5, -3))
    assert (there[17:25, 25:33] == 200).all()
    assert there.sum() == pytest.approx(face.sum())


def test_blur_is_as_wide_a_share_of_any_picture() -> None:
    small, large = np.zeros((48, 48), np.float32), np.zeros((96, 96), np.float32)
    small[:, 24:], large[:, 48:] = 100, 100
    assert blurred(small, 2)[10, 20] == pytest.approx(blurred(large, 2)[20, 40:42].mean(), abs=2)


def test_only_pictures_of_known_truth_are_chosen_and_always_the_same() -> None:
    truth = np.array([-1, 0, 1, -1, 1, 0, 1, 1])
    rows = choose(truth, 4)
    assert len(rows) == 4
    assert (truth[rows] >= 0).all()
    assert (np.diff(rows) > 0).all()
    assert (rows == choose(truth, 4)).all()
    assert len(choose(truth, 100)) == 6


def test_accuracy_is_that_of_the_spoilt_pictures() -> None:
    pixels = np.full((10, SIDE, SIDE), 60, np.uint8)
    pixels[:, 14:34, 14:34] = 180
    truth = np.ones(10, np.int64)
    shown: list[int] = []
    found = measure_robustness(bright_model(), pixels, truth, "none", on_batch=shown.append)
    assert (found.n, found.accuracy) == (10, 1.0)
    assert found.spoilt["blurred"] == (1.0, 1.0, 1.0)
    assert set(found.spoilt) == {each.name for each in SPOILINGS}
    assert sum(shown) == 10 * rounds()
    wrong = measure_robustness(bright_model(), pixels, 1 - truth, "none")
    assert wrong.accuracy == 0.0


def measured(value: float) -> Robustness:
    spoilt = {each.name: (value, value / 2, 0.0) for each in SPOILINGS}
    return Robustness(500, 0.9, spoilt)


def test_tables_and_json_say_the_same() -> None:
    head, rows = table({"one": measured(0.8), "<b>two": measured(0.4)})
    assert head == ["spoilt", "steps", "one", "<b>two"]
    assert rows[0][2:] == ["90.0", "90.0"]
    assert rows[1] == ["light: darker", "to 50%, to 25%, to 12%", "80 / 40 / 0", "40 / 20 / 0"]
    assert rows[-1][2:] == ["40.0", "20.0"]
    assert len(rows) == 1 + len(SPOILINGS) + len(KINDS) + 1
    assert rows[-2] == ["mean of cover", "", "40.0", "20.0"]
    values = as_json(measured(0.8))
    assert (values["n"], values["accuracy"], values["mean"]) == (500, 0.9, 0.4)
    assert values["kinds"] == dict.fromkeys(KINDS, 0.4)
    assert values["spoilt"]["JPEG"] == {
        "kind": "picture",
        "steps": ["quality 30", "quality 15", "quality 7"],
        "accuracy": [0.8, 0.4, 0.0],
    }
    page = section("ferplus", {"one": measured(0.8), "<b>two": measured(0.4)})
    assert "<b>two" not in page
    assert "80 / 40 / 0" in page
    assert "ferplus: on spoilt pictures" in page
    assert "can be off by 4 points" in page
    assert section("ferplus", {}) == ""
