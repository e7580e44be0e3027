"""In which precision a training computes, whatever the processor can do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from models.training.checkpoint import load_checkpoint
from models.training.examples import Examples
from models.training.loop import Trainer
from models.training.recipe import Recipe
from models.training.run import train
from models.training.speed import arithmetic, no_bf16

pytestmark = pytest.mark.train

CPU = torch.device("cpu")


def pretend(monkeypatch: pytest.MonkeyPatch, *able: str, mkldnn: bool = True) -> None:
    """Let the processor have these capabilities and no others."""
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: dict.fromkeys(able, True))
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: mkldnn)


def test_bf16_trains_in_float32_weights(
    plain: Recipe, eight: Examples, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(monkeypatch, "avx2", "avx512_bf16")
    trainer = Trainer(replace(plain, precision="bf16"), CPU)
    first, second = trainer.train_epoch(eight), trainer.train_epoch(eight)
    assert second < first
    assert {p.dtype for p in trainer.network.parameters()} == {torch.float32}
    # A processor without it trains as in fp32, to the last digit.
    pretend(monkeypatch, "avx2")
    losses = []
    for precision in ("bf16", "fp32"):
        trainer = Trainer(replace(plain, precision=precision), CPU)
        losses.append(trainer.train_epoch(eight))
    assert losses[0] == losses[1] != first


def test_bf16_is_computed_where_the_processor_multiplies_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for able, expected in (
        (["avx2"], "fp32"),
        (["avx2", "avx512_f"], "fp32"),
        (["avx2", "avx512_f", "avx512_bf16"], "bf16"),
        (["avx512_f", "amx_bf16"], "bf16"),
        (["neon"], "fp32"),
        (["neon", "bf16"], "bf16"),
    ):
        pretend(monkeypatch, *able)
        assert arithmetic(CPU, "bf16") == expected
        assert no_bf16(CPU, "bf16") == (
            "" if expected == "bf16" else " in float32, since it has no bf16 arithmetic"
        )
        assert arithmetic(CPU, "fp32") == "fp32"
        assert not no_bf16(CPU, "fp32")
    pretend(monkeypatch, "bf16", mkldnn=False)  # torch for macOS has no kernels for it
    assert arithmetic(CPU, "bf16") == "fp32"
    for expected, has in (("bf16", True), ("fp32", False)):
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda has=has, **_: has)
        assert arithmetic(torch.device("cuda"), "bf16") == expected


def test_a_run_says_in_what_it_computes(
    plain: Recipe,
    data: Path,
    write_recipe: Callable[[Recipe, Path], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    name = write_recipe(replace(plain, precision="bf16", epochs=1), tmp_path)
    pretend(monkeypatch, "avx2")
    train(recipe_name=name, data=data, out=tmp_path / "run", device="cpu")
    assert "on cpu in float32, since it has no bf16 arithmetic" in capsys.readouterr().out
    state = load_checkpoint(tmp_path / "run" / "last.pt")
    assert state["environment"]["computed_in"] == "fp32"
    assert state["recipe"]["precision"] == "bf16"


def test_pictures_are_drawn_in_full_precision(
    recipe: Recipe, eight: Examples, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(monkeypatch, "avx512_bf16")
    how = replace(recipe, precision="bf16", field=44, input_size=36)
    trainer = Trainer(how, CPU)
    seen: list[torch.dtype] = []
    trainer._attend.register_forward_pre_hook(lambda _, given: seen.append(given[0].dtype))
    trainer.train_epoch(eight)
    assert set(seen) == {torch.float32}
