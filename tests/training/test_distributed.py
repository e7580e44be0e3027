"""Two processes that train one network, started as torchrun starts them.

On CPUs each process normalises by the statistics of its own share, so two processes can only be
near one. What must be equal is everything else: the views, the targets, the gradient averaged over
the shares, the steps. So the comparison freezes batch normalisation at fixed statistics, takes a
label set that every picture has and batches that halve evenly; then the gradient of a batch is the
mean of those of its halves, and only the order of float32 sums is left: 1e-5 after two epochs.
"""

from __future__ import annotations

import csv
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from models.runtime.errors import UserError
from models.training.checkpoint import load_checkpoint
from models.training.distributed import Group, join_group
from models.training.loop import Trainer
from models.training.recipe import Recipe

pytestmark = pytest.mark.train

CPU = torch.device("cpu")
LIMIT = 120
"""Seconds after which processes that wait for each other are ended."""

WORKER = '''
"""Train RECIPE on DATA twice, with batch statistics frozen and as they are, into OUT."""
import sys
from pathlib import Path

import torch

torch.set_num_threads(1)
# In float32 a half batch rounds otherwise than a whole one on some processors, which turns what a
# maximum is of, and so where a gradient goes.
torch.set_default_dtype(torch.float64)

from models.data.fer2013 import read_fer2013
from models.training.distributed import join_group, leave_group
from models.training.examples import make_examples
from models.training.loop import Trainer
from models.training.predict import normalise
from models.training.recipe import read_recipe

cpu = torch.device("cpu")
group = join_group(cpu)
recipe = read_recipe(sys.argv[1])
faces = read_fer2013(Path(sys.argv[2]), None).split("Training")
examples = make_examples(faces, ["fer2013"], cpu)
states = {}
for name in ("frozen", "live"):
    trainer = Trainer(recipe, cpu, group)
    if name == "frozen":
        states["start"] = {k: v.clone() for k, v in trainer.network.state_dict().items()}
        norms = [m for m in trainer.network.modules() if isinstance(m, torch.nn.BatchNorm2d)]
        for norm in norms:
            norm.momentum = 1.0
        with torch.no_grad():  # the statistics of all pictures, before the first step
            trainer.network.train()(normalise(examples.pixels / 255, recipe))
        for norm in norms:
            norm.training = False
            norm.train = lambda mode=True, norm=norm: norm
    losses = [trainer.train_epoch(examples) for _ in range(2)]
    states[name] = trainer.network.state_dict()
    states[name + " losses"] = losses
states["told"] = group.tell({"loss": 3.0} if group.leads else {})
torch.save(states, Path(sys.argv[3]) / f"{group.rank}.pt")
group.wait()
leave_group()
'''


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


@pytest.fixture
def even(recipe: Recipe) -> Recipe:
    """Return a recipe whose batches of 16, out of 64 pictures, halve evenly."""
    return replace(recipe, labels={"fer2013": 1.0}, optimiser="sgd", learning_rate=0.02, epochs=2)


def test_two_processes_take_the_steps_of_one(
    even: Recipe,
    data: Path,
    write_recipe: Callable[[Recipe, Path], str],
    tmp_path: Path,
) -> None:
    script = tmp_path / "worker.py"
    script.write_text(WORKER)
    arguments = [str(script), write_recipe(even, tmp_path), str(data)]
    done = torchrun(*arguments, str(tmp_path))
    assert done.returncode == 0, done.stderr
    first, second = (torch.load(tmp_path / f"{rank}.pt") for rank in range(2))
    assert first["told"] == second["told"] == {"loss": 3.0}

    lone = tmp_path / "lone"
    lone.mkdir()
    command = [sys.executable, *arguments, str(lone)]
    subprocess.run(command, check=True, timeout=LIMIT, env=environment())
    alone = torch.load(lone / "0.pt")

    for name, value in alone["frozen"].items():
        torch.testing.assert_close(first["frozen"][name], value, atol=1e-9, rtol=1e-9, msg=name)
    # Each process tells the mean over its own half.
    both = np.add(first["frozen losses"], second["frozen losses"]) / 2
    np.testing.assert_allclose(both, alone["frozen losses"], rtol=1e-6)
    assert first["frozen losses"] != second["frozen losses"]

    # The steps were longer than what is allowed between them.
    for kernel in ("stem.0.weight", "classifier.weight"):
        assert (alone["frozen"][kernel] - alone["start"][kernel]).abs().max() > 1e-3, kernel

    # As they train in earnest the statistics differ, and never the weights.
    for name, _ in Trainer(even, CPU).network.named_parameters():
        assert torch.equal(first["live"][name], second["live"][name]), name


def test_the_first_process_alone_writes_and_prints(
    recipe: Recipe,
    data: Path,
    write_recipe: Callable[[Recipe, Path], str],
    tmp_path: Path,
) -> None:
    name = write_recipe(replace(recipe, schedule="plateau", patience=1, epochs=2), tmp_path)
    out = tmp_path / "run"
    common = ["--data", str(data), "--out", str(out), "--device", "cpu", "--threads", "1"]
    done = torchrun("-m", "models.cli.train", name, *common)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("dropped from training") == 1
    assert done.stdout.count("epoch 2/2") == 1
    assert {path.name for path in out.iterdir()} == {
        "last.pt",
        "best.fer2013.pt",
        "best.ferplus.pt",
        "log.csv",
        "tensorboard",
    }
    assert len(list((out / "tensorboard").iterdir())) == 1
    with (out / "log.csv").open(newline="") as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == ["1", "2"]
    # One process goes on where two stopped.
    trainer = Trainer(Recipe.from_dict(load_checkpoint(out / "last.pt")["recipe"]), CPU)
    trainer.restore(load_checkpoint(out / "last.pt"))
    assert trainer.epoch == 2


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
