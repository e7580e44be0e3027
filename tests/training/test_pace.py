"""How often a run measures, when it ends, and what the command line sets."""

from __future__ import annotations

import csv
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from models.cli.train import main
from models.nets.mini_xception import MiniXception
from models.runtime.errors import UserError
from models.training.checkpoint import load_checkpoint
from models.training.distributed import Attending
from models.training.loop import Trainer
from models.training.recipe import Recipe, read_recipe
from models.training.speed import compiled

pytestmark = pytest.mark.train

CPU = torch.device("cpu")
Start = Callable[..., int]


@pytest.fixture
def start(
    recipe: Recipe, data: Path, write_recipe: Callable[[Recipe, Path], str], tmp_path: Path
) -> Start:
    """Return how to call fer-train on the drawn faces, into tmp_path / NAME."""
    name = write_recipe(replace(recipe, epochs=5), tmp_path)

    def call(*more: str, out: str = "run") -> int:
        common = ["--data", str(data), "--out", str(tmp_path / out), "--device", "cpu"]
        return main([name, *common, "--threads", "1", *more])

    return call


def same_weights(first: Path, second: Path) -> bool:
    one, other = load_checkpoint(first)["average"], load_checkpoint(second)["average"]
    return all(torch.equal(value, other[name]) for name, value in one.items())


def test_measuring_seldom_changes_what_is_known_and_nothing_else(
    start: Start, tmp_path: Path
) -> None:
    assert start(out="often") == 0
    assert start("--every", "2", out="seldom") == 0
    assert same_weights(tmp_path / "often" / "last.pt", tmp_path / "seldom" / "last.pt")
    with (tmp_path / "seldom" / "log.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["fer2013"] != "" for row in rows] == [False, True, False, True, True]
    assert all(float(row["loss"]) > 0 for row in rows)
    best = load_checkpoint(tmp_path / "seldom" / "best.fer2013.pt")
    known = [float(row["fer2013"]) for row in rows if row["fer2013"]]
    assert best["history"][-1]["fer2013"] == max(known)
    assert best["epoch"] in (2, 4, 5)


def test_a_run_out_of_time_ends_whole_and_can_be_gone_on_with(
    start: Start, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert start(out="unbroken") == 0
    # No epoch is as short as that; the first is begun all the same, and kept though none is due.
    assert start("--minutes", "1e-9", "--every", "4") == 0
    assert "stopped after epoch 1 of 5: another would run over" in capsys.readouterr().out
    last = tmp_path / "run" / "last.pt"
    assert load_checkpoint(last)["epoch"] == 1
    assert "fer2013" in load_checkpoint(last)["history"][0]
    # How long that took is known when it is gone on with.
    before = last.read_bytes()
    assert start("--minutes", "1e-9", "--every", "4", "--resume") == 0
    assert last.read_bytes() == before
    told = capsys.readouterr().out
    assert "no epoch begun: expected --minutes for one more after 1 of 5" in told
    assert "found 1e-09: give more" in told
    assert start("--minutes", "1000", "--resume") == 0
    assert "stopped after" not in capsys.readouterr().out.splitlines()[-1]
    assert load_checkpoint(last)["epoch"] == 5
    assert same_weights(last, tmp_path / "unbroken" / "last.pt")
    assert start("--resume") == 0
    assert "all 5 epochs are done, nothing is left to train" in capsys.readouterr().out


def test_the_time_that_measuring_takes_counts_before_another_epoch_is_begun(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])

    def lasting(seconds: float, whole: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            now[0] += seconds
            return whole(*arguments)

        return call

    # A second to train and ten to measure: of 15 seconds another epoch would need 22.
    monkeypatch.setattr(Trainer, "train_epoch", lasting(1, Trainer.train_epoch))
    monkeypatch.setattr(Trainer, "evaluate", lasting(10, Trainer.evaluate))
    assert start("--minutes", str(15 / 60)) == 0
    assert load_checkpoint(tmp_path / "run" / "last.pt")["epoch"] == 1


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--every", "0"], "--every of at least 1"),
        (["--minutes", "0"], "--minutes above 0"),
        (["--minutes", "nan"], "--minutes above 0"),
        (["--minutes", "inf"], "--minutes above 0"),
        (["--every", "2", "--set", "schedule=plateau"], "--every 1 with the schedule plateau"),
        (["--set", "seed"], "expected --set KEY=VALUE, such as seed=2, found 'seed'"),
        (["--set", "sed=2"], "unknown key 'sed'; did you mean 'seed'"),
        (["--set", "augmentation.flop=2"], "unknown key 'flop'; did you mean 'flip'"),
        (["--set", "epochs.more=2"], "expected epochs to be a table"),
        (["--set", "epochs=soon"], "epochs: expected int, found 'soon'"),
    ],
)
def test_what_cannot_be_is_a_sentence(
    more: list[str], said: str, start: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    assert start(*more) == 2
    assert said in capsys.readouterr().err


def test_keys_of_a_recipe_are_set_one_by_one() -> None:
    changes = ["seed=7", "network.order=parallel", "labels.ferplus = 0.25", "augmentation.mixup=0"]
    changed = read_recipe("cbam_resnet18", changes)
    assert changed.seed == 7
    assert changed.network == {"order": "parallel"}
    assert changed.labels == {"fer2013": 1.0, "ferplus": 0.25}
    assert changed.augmentation.mixup == 0
    before = read_recipe("cbam_resnet18")
    assert changed.learning_rate == before.learning_rate
    assert before.network == {}


def test_a_network_that_cannot_be_compiled_is_trained_as_it_is(
    recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Unwilling(nn.Module):
        def __init__(self, module: nn.Module) -> None:
            super().__init__()
            self.module = module

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.module(x)  # has moved the statistics by the time it fails
            raise RuntimeError("no compiler\nand more")

    monkeypatch.setattr(torch, "compile", lambda module, **_: Unwilling(module))
    module = Attending(MiniXception(7)).train()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    found, note = compiled(module, torch.rand(4, 1, 48, 48), "fp32")
    assert found is module
    assert note == "torch.compile does not take this network here (RuntimeError: no compiler)"
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    trainer = Trainer(recipe, CPU, compiling=True)
    assert "no compiler" in trainer.note


def test_compiled_batches_are_all_of_one_size(
    recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch, "compile", lambda module, **_: module)
    order = torch.arange(60)
    assert [len(rows) for rows in Trainer(recipe, CPU)._batches(order)] == [16, 16, 16, 12]
    compiling = Trainer(recipe, CPU, compiling=True)
    assert compiling.note == ""
    assert [len(rows) for rows in compiling._batches(order)] == [16, 16, 16]
    assert [len(rows) for rows in compiling._batches(order[:9])] == [9]
    # One picture alone has no batch statistics.
    for size in (2, 3):
        small = Trainer(replace(recipe, batch_size=size), CPU)
        assert [len(rows) for rows in small._batches(order[: size + 1])] == [size]
    # Trying it out has left no trace in what is trained.
    expected = Trainer(recipe, CPU).network.state_dict()
    for name, value in compiling.network.state_dict().items():
        assert torch.equal(value, expected[name]), name


def test_a_recipe_of_views_for_teachers_refuses_a_part_above_one() -> None:
    with pytest.raises(UserError, match=r"expected mixup_until of 0 to 1, found 1\.5"):
        read_recipe("vgg", ["augmentation.mixup_until=1.5"])
