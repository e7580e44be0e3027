"""Two processes that train one network, started as torchrun starts them.

On CPUs each process normalises by the statistics of its own share, so two processes can only be
near one. What must be equal is everything else: the views, the targets, the gradient averaged over
the shares, the steps, also where shares are unlike and teach by unlike many pictures. So the
comparison freezes batch normalisation at fixed statistics; then the gradient of a batch is the mean
of those of its shares, and only the order of float64 sums is left.
"""

from __future__ import annotations

import csv
import os
import runpy
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from models.data.face_set import FaceSet
from models.runtime.errors import UserError
from models.runtime.labels import LABEL_SETS
from models.training import loop
from models.training.checkpoint import load_checkpoint
from models.training.distributed import Attending, Group, join_group
from models.training.examples import Examples, make_examples
from models.training.folder import training_folder
from models.training.loop import Trainer
from models.training.recipe import Augmentation, Distillation, Recipe

pytestmark = pytest.mark.train

CPU = torch.device("cpu")
LIMIT = 120
"""Seconds after which processes that wait for each other are ended."""

WORKER = Path(__file__).with_name("two_processes.py")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment() -> dict[str, str]:
    values = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[2])}
    if sys.platform.startswith("linux"):
        values["GLOO_SOCKET_IFNAME"] = "lo"  # a host name may lead nowhere
    return values


def torchrun(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run two processes on this machine; end them all when they take too long."""
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    command += ["--master-addr", "127.0.0.1", "--master-port", str(free_port()), *arguments]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
        start_new_session=True,
    ) as process:
        try:
            said, errors = process.communicate(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    return subprocess.CompletedProcess(command, process.returncode, said, errors)


@dataclass(frozen=True)
class Pair:
    """Hold what two processes left: that of fer-train, and that of `two_processes`.

    recipe: of the latter. told: by rank.
    """

    out: Path
    said: str
    recipe: Recipe
    told: tuple[dict[str, Any], dict[str, Any]]


@pytest.fixture(scope="module")
def pair(
    recipe: Recipe,
    data: Path,
    write_recipe: Callable[[Recipe, Path], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Pair:
    """Start two processes once for all tests: torch alone takes seconds to begin."""
    folders = [tmp_path_factory.mktemp(name) for name in ("run", "uneven")]
    plateau = replace(recipe, schedule="plateau", patience=1, epochs=2)
    # Half of the pictures have none of the four labels, and 15 do not halve.
    uneven = replace(
        recipe,
        labels={"fer2013-4": 1.0},
        optimiser="sgd",
        learning_rate=0.02,
        epochs=1,
        batch_size=15,
    )
    arguments = [write_recipe(plateau, folders[0]), write_recipe(uneven, folders[1]), str(data)]
    out = folders[0] / "out"
    done = torchrun(str(WORKER), *arguments, str(out), str(folders[1]))
    assert done.returncode == 0, done.stderr
    first, second = (torch.load(folders[1] / f"{rank}.pt") for rank in range(2))
    return Pair(out, done.stdout, uneven, (first, second))


def test_two_processes_take_the_steps_of_one(pair: Pair, data: Path) -> None:
    first, second = pair.told
    assert first["told"] == second["told"] == {"loss": 3.0}
    states_of = runpy.run_path(str(WORKER))["states_of"]
    alone = states_of(pair.recipe, data, Group(), names=("frozen",))

    for name, value in alone["frozen"].items():
        torch.testing.assert_close(first["frozen"][name], value, atol=1e-9, rtol=1e-9, msg=name)
    # Each process tells the mean over its own share.
    both = (first["frozen loss"] + second["frozen loss"]) / 2
    assert both == pytest.approx(alone["frozen loss"], rel=1e-6)
    assert first["frozen loss"] != second["frozen loss"]

    # The steps were longer than what is allowed between them.
    for kernel in ("stem.0.weight", "classifier.weight"):
        assert (alone["frozen"][kernel] - alone["start"][kernel]).abs().max() > 1e-3, kernel

    # As they train in earnest the statistics differ, and never the weights.
    for name, _ in Trainer(pair.recipe, CPU).network.named_parameters():
        assert torch.equal(first["live"][name], second["live"][name]), name


def test_the_first_process_alone_writes_and_prints(pair: Pair) -> None:
    assert pair.said.count("dropped from training") == 1
    assert pair.said.count("epoch 2/2") == 1
    assert {path.name for path in pair.out.iterdir()} == {
        "last.pt",
        "best.fer2013.pt",
        "best.ferplus.pt",
        "log.csv",
        "tensorboard",
    }
    assert len(list((pair.out / "tensorboard").iterdir())) == 1
    with (pair.out / "log.csv").open(newline="") as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == ["1", "2"]
    # One process goes on where two stopped.
    state = load_checkpoint(pair.out / "last.pt")
    trainer = Trainer(Recipe.from_dict(state["recipe"]), CPU)
    trainer.restore(state)
    assert trainer.epoch == 2


class Sure:
    """Stand for a teacher that is the surer the brighter a picture is."""

    facts: tuple[dict[str, Any], ...] = ()

    def probabilities(self, views: Tensor, parts: Tensor) -> dict[str, Tensor]:
        bright = parts.mean((1, 2, 3))[:, None]
        return {
            name: torch.softmax(20 * bright * torch.arange(len(LABEL_SETS[name])), dim=1)
            for name in ("fer2013", "ferplus")
        }


@pytest.mark.parametrize(
    "changes",
    [
        {"label_smoothing": 0.1},
        {"augmentation": Augmentation(mixup=0.5)},
        {"architecture": "cbam_resnet18", "network": {"width": 16}, "loss": "a_softmax"},
        {"architecture": "ran", "network": {"trunk": "mini_xception"}, "region_margin": 0.5},
        {"distillation": Distillation(weight=0.6)},
    ],
    ids=lambda changes: next(reversed(changes)),
)
def test_the_mean_of_the_shares_is_the_whole_batch(
    changes: dict[str, Any], recipe: Recipe, faces: FaceSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Without other processes to average with, it is done here.
    monkeypatch.setattr(loop, "attending", lambda network, *_: Attending(network))
    examples = make_examples(faces.select(np.arange(24, 37)), ["fer2013", "ferplus"], CPU)
    examples.targets["fer2013"][:8:2] = 0  # all of them the first one's
    found = []
    for group in (Group(), Group(0, 2), Group(1, 2)):
        trainer = Trainer(replace(recipe, **changes), CPU, group)
        if "distillation" in changes:
            monkeypatch.setattr(trainer, "_teachers", Sure())
        trainer.network.eval()  # every picture by itself
        batch = trainer._batch(examples, torch.arange(13), torch.Generator().manual_seed(1))
        loss = trainer._loss(batch, done=1.0)
        weights = list(trainer.network.parameters())
        slopes = torch.autograd.grad(loss, weights, allow_unused=True)
        slope = torch.cat([each.flatten() for each in slopes if each is not None])
        found.append(torch.cat([loss.detach()[None], slope]))
    whole, first, second = found
    most = 1e-5 * float(whole.abs().max())
    torch.testing.assert_close((first + second) / 2, whole, atol=most, rtol=1e-4)
    assert not torch.allclose(first, second, atol=most, rtol=1e-4)


def test_what_processes_draw_as_they_compute_is_their_own(
    recipe: Recipe, eight: Examples, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "attending", lambda network, *_: Attending(network))
    drawn: dict[tuple[int, int], list[Tensor]] = {}
    for rank in (0, 1):
        trainer = Trainer(recipe, CPU, Group(rank, 2))

        def note(_: Examples, rows: Tensor, __: float, generator: torch.Generator) -> float:
            views = torch.rand(5, generator=generator)
            drawn[trainer.group.rank, trainer.epoch] = [rows, views, torch.rand(5)]  # noqa: B023
            return 1.0

        monkeypatch.setattr(trainer, "_step", note)
        for _ in range(2):
            trainer.train_epoch(eight)
    for epoch in (0, 1):
        (rows, views, dropped), (others, seen, left) = drawn[0, epoch], drawn[1, epoch]
        assert torch.equal(rows, others)
        assert torch.equal(views, seen)
        assert not torch.equal(dropped, left)
    assert not torch.equal(drawn[1, 0][2], drawn[0, 1][2])


def test_shares_are_a_batch_between_them() -> None:
    rows = torch.arange(7)
    shares = [Group(rank, 3).share(rows).tolist() for rank in range(3)]
    assert shares == [[0, 3, 6], [1, 4], [2, 5]]
    assert torch.equal(Group().share(rows), rows)


def test_a_lone_process_leads_and_waits_for_nobody() -> None:
    group = join_group(CPU)
    assert group == Group(rank=0, size=1)
    assert group.leads
    group.wait()
    assert group.tell({"loss": 2.0}) == {"loss": 2.0}


def test_a_batch_too_small_to_share_is_refused(recipe: Recipe) -> None:
    with pytest.raises(UserError, match="at least 4 for each process, found 16 for 5"):
        Trainer(recipe, CPU, Group(rank=1, size=5))


@pytest.mark.parametrize("missing", ["RANK", "MASTER_ADDR", "MASTER_PORT"])
def test_processes_that_do_not_find_each_other_are_a_sentence(
    missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {
        "WORLD_SIZE": "2",
        "RANK": "0",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(free_port()),
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv(missing)
    with pytest.raises(UserError, match=f"expected 2 processes .*{missing}.*unset WORLD_SIZE"):
        join_group(CPU)


def test_more_processes_than_gpus_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(UserError, match="a GPU for each process of this machine, found 1"):
        join_group(torch.device("cuda", 1))


@pytest.mark.parametrize("size", ["two", "", "0", "-2", "2.0"])
def test_no_number_of_processes_is_a_sentence(size: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", size)
    with pytest.raises(UserError, match=f"expected WORLD_SIZE to be a number .*found '{size}'"):
        join_group(CPU)


def test_two_processes_that_fail_alike_both_say_why(tmp_path: Path) -> None:
    out = tmp_path / "run"

    def fail() -> None:
        with training_folder(out, resume=False):
            out.rmdir()  # as the other one does
            raise UserError("the data")

    with pytest.raises(UserError, match="the data"):
        fail()
