"""The tables of orders and losses: what is trained, gone on with and printed."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from models.training.checkpoint import load_checkpoint
from models.training.recipe import Augmentation, Recipe

pytestmark = pytest.mark.train


@pytest.fixture(scope="module")
def orders() -> ModuleType:
    path = Path(__file__).parents[2] / "benchmarks" / "attention_orders.py"
    spec = importlib.util.spec_from_file_location("attention_orders", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclasses look themselves up
    spec.loader.exec_module(module)
    return module


def test_networks_are_trained_measured_once_and_gone_on_with(
    orders: ModuleType,
    recipe: Recipe,
    data: Path,
    write_recipe: Callable[[Recipe, Path], str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    small = replace(
        recipe,
        architecture="cbam_resnet18",
        network={"width": 16},
        labels={"fer2013": 1.0},
        augmentation=Augmentation(),
        input_size=16,
        field=44,
        epochs=1,
        batch_size=16,
        optimiser="sgd",
        precision="fp32",
    )
    name, out = write_recipe(small, tmp_path), tmp_path / "orders"
    command = ["--data", str(data), "--out", str(out), "--recipe", name, "--device", "cpu"]
    command += ["--orders", "parallel", "--seeds", "1,2", "--threads", "1"]
    assert orders.main([*command, "--losses", "a_softmax", "--minutes", "0"]) == 2
    assert "no network is trained to its last epoch yet" in capsys.readouterr().err
    assert orders.main([*command, "--losses", "a_softmax"]) == 0
    told = capsys.readouterr().out
    assert "| loss | attention | seeds | one crop, n = " in told
    assert "| a_softmax | parallel | 2 | " in told
    assert "±" in told.splitlines()[-1]
    before = (out / "parallel-a_softmax-2" / "last.pt").stat().st_mtime_ns
    assert orders.main([*command, "--seeds", "1"]) == 0
    told = capsys.readouterr().out
    assert [line.split(" |")[0] for line in told.splitlines()[-2:]] == ["| softmax", "| a_softmax"]
    assert "parallel-softmax-1" in told
    assert "parallel-a_softmax-1" not in told  # it is known
    assert (out / "parallel-a_softmax-2" / "last.pt").stat().st_mtime_ns == before

    later = [*command, "--losses", "a_softmax", "--out", str(tmp_path / "later")]
    assert orders.main([*later, "--seeds", "1", "--from", str(out)]) == 0
    begun = load_checkpoint(tmp_path / "later" / "parallel-a_softmax-1" / "last.pt")["begun_from"]
    assert begun.startswith("cbam_resnet18 for fer2013, epoch 1 of 1")
    capsys.readouterr()
    assert orders.main([*later, "--seeds", "2", "--from", str(out)]) == 2  # no softmax network
    assert (
        "expected a finished network to begin parallel-a_softmax-2 with" in capsys.readouterr().err
    )


def test_a_row_is_the_mean_over_seeds_and_their_spread(orders: ModuleType) -> None:
    networks = [orders.Network("softmax", "channel_first", seed) for seed in (1, 2, 3)]
    known = {
        networks[0].name: {"none": 0.70, "flip": 0.71, "ten-crop": 0.72},
        networks[2].name: {"none": 0.72, "flip": 0.71, "ten-crop": 0.73},
    }
    assert orders.table(networks, known, 3589).splitlines()[-1] == (
        "| softmax | channel-first | 2 | 71.00 ± 1.41 % | 71.00 ± 0.00 % | 72.50 ± 0.71 % |"
    )
