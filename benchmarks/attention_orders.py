"""Make the tables of Wen et al. 2020: CBAM-ResNet by its loss and by the order of its attention.

    python benchmarks/attention_orders.py --data fer2013.csv --out runs/orders --seeds 1,2,3

Every network is trained by the same recipe, which only its loss, its order and its seed change, and
is measured on PublicTest as it is after the last epoch: none is picked by what it reaches. One seed
is finished before the next begins, so that a table can be read early. A run that was stopped, or
that --minutes ends, goes on when the same command is given again. On a GPU add --every 20.

A-Softmax does not get off the ground in a run of few epochs. --from FOLDER lets every network begin
with the softmax network of its order and seed that an earlier table left in that folder:

    python benchmarks/attention_orders.py --data fer2013.csv --out runs/later --from runs/orders \
        --set learning_rate=0.02 --set epochs=4
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean, stdev

import numpy as np
import torch

from models.cli.shell import run
from models.crops import TTAS, Tta
from models.data.face_set import FaceSet
from models.data.fer2013 import read_fer2013
from models.export import load_network
from models.runtime.errors import UserError
from models.runtime.files import written_whole
from models.scoring import score_crops
from models.training.checkpoint import load_checkpoint
from models.training.device import choose_device
from models.training.metrics import accuracy
from models.training.predict import network_logits
from models.training.run import Pace, train

LOSSES = ("softmax", "a_softmax")
ORDERS = ("channel_first", "spatial_first", "parallel")
CROPS: dict[Tta, str] = {"none": "one crop", "flip": "mirror", "ten-crop": "ten crops"}


@dataclass(frozen=True, slots=True)
class Network:
    """Name one training."""

    loss: str
    order: str
    seed: int

    @property
    def name(self) -> str:
        return f"{self.order}-{self.loss}-{self.seed}"


def main(argv: list[str] | None = None) -> int:
    arguments = _parser().parse_args(argv)
    return run(lambda: _tables(arguments))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="FER2013")
    parser.add_argument("--out", type=Path, required=True, help="folder, one inside it a network")
    parser.add_argument(
        "--from", dest="start", type=Path, help="folder of an earlier table, to begin with"
    )
    parser.add_argument("--recipe", default="cbam_resnet18_asoftmax")
    parser.add_argument("--set", dest="changes", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--orders", type=_names, default=list(ORDERS))
    parser.add_argument("--losses", type=_names, default=list(LOSSES))
    parser.add_argument("--seeds", type=_numbers, default=[1])
    parser.add_argument("--minutes", type=float, help="begin no epoch that would end after so many")
    parser.add_argument("--every", type=int, default=1, help="measure every so many epochs")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int)
    return parser


def _names(text: str) -> list[str]:
    return text.split(",")


def _numbers(text: str) -> list[int]:
    return [int(each) for each in text.split(",")]


def _tables(arguments: argparse.Namespace) -> None:
    ends = None if arguments.minutes is None else time.monotonic() + 60 * arguments.minutes
    networks = [
        Network(loss, order, seed)
        for seed in arguments.seeds
        for order in arguments.orders
        for loss in arguments.losses
    ]
    faces = read_fer2013(arguments.data, None).split("PublicTest")
    known: dict[str, dict[str, float]] = {}
    for network in networks:
        folder = arguments.out / network.name
        if not (folder / "reached.json").is_file():
            left = None if ends is None else (ends - time.monotonic()) / 60
            if left is not None and left <= 0:
                break
            if not _trained(network, folder, arguments, left):
                break
            _measure(folder, faces, choose_device(arguments.device))
        known[network.name] = json.loads((folder / "reached.json").read_text())
    print(table(networks, known, len(faces)))


def _trained(
    network: Network, folder: Path, arguments: argparse.Namespace, minutes: float | None
) -> bool:
    """Train, or go on; return whether all epochs are done."""
    print(network.name, flush=True)
    resume = (folder / "last.pt").is_file()
    begun = arguments.start is not None and not resume
    train(
        recipe_name=arguments.recipe,
        data=arguments.data,
        out=folder,
        resume=resume,
        start=_beginning(network, arguments.start) if begun else None,
        changes=[
            *arguments.changes,
            f"loss={network.loss}",
            f"network.order={network.order}",
            f"seed={network.seed}",
        ],
        device=arguments.device,
        threads=arguments.threads,
        pace=Pace(arguments.every, minutes, arguments.compile),
    )
    if not (folder / "last.pt").is_file():  # there was no time for an epoch
        return False
    values = load_checkpoint(folder / "last.pt")
    return bool(values["epoch"] == values["recipe"]["epochs"])


def _beginning(network: Network, earlier: Path) -> Path:
    """Return the finished softmax network of an earlier table that this one begins with."""
    folder = earlier / replace(network, loss="softmax").name
    if not (folder / "reached.json").is_file():
        raise UserError(
            f"expected a finished network to begin {network.name} with, found none in {folder}: "
            "finish that table first"
        )
    return folder / "last.pt"


def _measure(folder: Path, faces: FaceSet, device: torch.device) -> None:
    """Write what the averaged weights after the last epoch reach with each kind of crops."""
    trained, recipe, _ = load_network(folder / "last.pt", "fer2013")
    logits = network_logits(trained.to(device), recipe.input)
    truth = faces.labels.astype(np.int64)
    reached = {
        tta: accuracy(score_crops(logits, recipe.input, faces.pixels, tta), truth) for tta in TTAS
    }
    with written_whole(folder / "reached.json") as partial:
        partial.write_text(json.dumps(reached))


def table(networks: Iterable[Network], known: dict[str, dict[str, float]], n: int) -> str:
    """Return a Markdown table of what is known so far, a row for each loss and order."""
    rows: dict[tuple[str, str], list[dict[str, float]]] = {}
    for network in networks:
        if network.name in known:
            rows.setdefault((network.loss, network.order), []).append(known[network.name])
    if not rows:
        raise UserError("no network is trained to its last epoch yet: give the command again")
    header = ["loss", "attention", "seeds", *(f"{CROPS[tta]}, n = {n:,}" for tta in TTAS)]
    lines = [header, ["---"] * len(header)]
    for (loss, order), found in rows.items():
        cells = [_cell([each[tta] for each in found]) for tta in TTAS]
        lines.append([loss, order.replace("_", "-"), str(len(found)), *cells])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(values: list[float]) -> str:
    spread = f" ± {100 * stdev(values):.2f}" if len(values) > 1 else ""
    return f"{100 * mean(values):.2f}{spread} %"


if __name__ == "__main__":
    sys.exit(main())
