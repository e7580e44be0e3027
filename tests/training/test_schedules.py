"""The learning rate over a run, at values worked out by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from models.data.face_set import FaceSet
from models.training.examples import make_examples
from models.training.loop import Trainer
from models.training.recipe import Recipe
from models.training.schedule import hold, one_cycle, plateau, warmup_cosine

pytestmark = pytest.mark.train


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (0, 0.04),  # 1/25
        (10, 0.52),  # half way up, half way between
        (20, 1.0),
        (60, 0.5),  # half way down
        (100, 0.0),
    ],
)
def test_one_cycle(step: int, expected: float) -> None:
    assert one_cycle(step, 100, 0.2) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (0, 0.1),
        (4, 0.5),
        (9, 1.0),
        (10, 1.0),
        (40, 0.75),  # a third of the way down: half of 1 + cos(60 degrees)
        (55, 0.5),
        (100, 0.0),
    ],
)
def test_warmup_cosine(step: int, expected: float) -> None:
    assert warmup_cosine(step, 100, 0.1) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("steps", "warmup"), [(10, 0.15), (7, 0.4), (3, 1.0), (1, 0.0), (5, 0.0)])
def test_a_warm_up_that_ends_between_two_steps_never_overshoots(steps: int, warmup: float) -> None:
    rates = [warmup_cosine(step, steps, warmup) for step in range(steps)]
    assert all(0 < rate <= 1 for rate in rates)
    assert max(rates) == 1


@pytest.mark.parametrize(
    ("losses", "expected"),
    [
        ([], 1.0),
        ([3.0, 2.0, 1.0], 1.0),
        ([1.0, 1.0], 1.0),
        ([1.0, 1.0, 1.0], 0.1),  # two epochs without a lower one
        ([1.0, 1.2, 1.1, 0.9], 0.1),  # what is lost stays lost
        ([1.0, 1.2, 0.9, 1.0], 1.0),  # a lower one begins the waiting anew
        ([1.0, 2.0, 2.0, 2.0], 0.1),  # and so does a fall
        ([1.0, 2.0, 2.0, 2.0, 2.0], 0.01),
        ([math.nan, math.nan], 0.1),
    ],
)
def test_plateau(losses: list[float], expected: float) -> None:
    assert plateau(losses, patience=2) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("step", "expected"),
    [(0, 0.1), (4, 0.5), (9, 1.0), (10, 1.0), (79, 1.0), (80, 1.0), (90, 0.5), (99, 0.05)],
)
def test_hold(step: int, expected: float) -> None:
    assert hold(step, 100, 0.1, 0.2) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("warmup", "fall"), [(0.0, 0.0), (1.0, 1.0), (0.3, 0.9), (0.0, 1.0)])
def test_a_rate_that_is_held_has_a_part_at_every_step(warmup: float, fall: float) -> None:
    for steps in (1, 3, 10):
        rates = [hold(step, steps, warmup, fall) for step in range(steps)]
        assert all(0 < rate <= 1 for rate in rates)


@pytest.mark.parametrize("schedule", ["one_cycle", "cosine", "hold", "plateau"])
def test_a_run_follows_the_schedule_of_its_recipe(
    schedule: str, recipe: Recipe, faces: FaceSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    how = replace(recipe, schedule=schedule, epochs=3, patience=1, learning_rate=0.5, warmup=0.25)
    trainer = Trainer(how, torch.device("cpu"))
    rates: list[float] = []

    def note(*arguments: object) -> float:
        rates.extend(group["lr"] / 0.5 for group in trainer.optimiser.param_groups[:1])
        return 1.0

    monkeypatch.setattr(trainer, "_step", note)
    examples = make_examples(faces.split("Training"), trainer.label_sets, torch.device("cpu"))
    for loss in (2.0, 3.0, 3.0):  # epochs of four steps
        trainer.train_epoch(examples)
        trainer.history.append({"validation_loss": loss})
    expected = {
        "one_cycle": [one_cycle(step, 12, 0.25) for step in range(12)],
        "cosine": [warmup_cosine(step, 12, 0.25) for step in range(12)],
        "hold": [1 / 3, 2 / 3, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 2 / 3, 1 / 3],
        "plateau": [1.0] * 8 + [0.1] * 4,
    }
    assert rates == pytest.approx(expected[schedule])
