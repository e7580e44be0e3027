"""What the face finder trains on: mosaics, made in the background while the last step runs."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from models.data.faces_parquet import (
    SURE,
    FacePicture,
    is_scene,
    read_face_pictures,
    training_part,
    validation_part,
    without_copies,
)
from models.data.mosaics import Mosaic, MosaicMaker
from models.data.pasting import StoredPicture
from models.runtime.errors import UserError
from models.training.finder_loss import Targets

__all__ = ["Batch", "FinderData", "batches", "make_batch", "read_finder_data"]

VALIDATION_MOSAICS = 64
_VALIDATION_SEED = 987_654_321


@dataclass(frozen=True, slots=True)
class Batch:
    """Hold pictures (N, S, S, 3) uint8 BGR and the faces on them."""

    pixels: Tensor
    targets: Targets


@dataclass(frozen=True, slots=True, eq=False)
class FinderData:
    """Hold the maker of training pictures, the pictures to validate on, and how many were read.

    counts: pictures with faces and without to train on, dropped as copies, held back. digest: the
    sha256 of all of them and their faces. sources: the words of where those to train on are from.
    """

    training: MosaicMaker
    validation: list[Mosaic]
    counts: dict[str, int]
    digest: str
    sources: list[str]


class _Epoch(Dataset[Mosaic]):
    """Make the mosaics of one epoch, each from a seed of its own, whoever makes it."""

    def __init__(self, maker: MosaicMaker, seed: int, epoch: int, count: int) -> None:
        self._maker = maker
        self._seed = (seed, epoch)
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Mosaic:
        if index >= self._count:
            raise IndexError(index)
        return self._maker.make(np.random.default_rng((*self._seed, index)))


def read_finder_data(path: Path, side: int, clutter: float = 0.0) -> FinderData:
    """Read a parquet file or a folder of them; raise `UserError` where it is not enough.

    clutter: of the training pictures, as `MosaicMaker` has it; those to validate on stay as they
    are, so that trainings can be compared.
    """
    pictures = read_face_pictures(path)
    held = validation_part(pictures)
    own = training_part(pictures)
    kept = without_copies(own, held)
    makers = []
    for part, name in ((kept, "training"), (held, "validation")):
        faces = [StoredPicture.of(one) for one in part if (one.faces[:, 14] >= SURE).any()]
        scenes = [StoredPicture.of(one) for one in part if is_scene(one)]
        if not faces or not scenes:
            raise UserError(
                f"{path}: expected pictures with faces and without any in the {name} part, found "
                f"{len(faces)} and {len(scenes)}: give more pictures"
            )
        pieces = clutter if name == "training" else 0.0
        makers.append(MosaicMaker(faces, scenes, side, clutter=pieces))
    seeds = ((_VALIDATION_SEED, number) for number in range(VALIDATION_MOSAICS))
    counts = {
        "with faces": sum(len(one.faces) > 0 for one in kept),
        "scenes": sum(is_scene(one) for one in kept),
        "copies": len(own) - len(kept),
        "held back": len(held),
    }
    validation = [makers[1].make(np.random.default_rng(seed)) for seed in seeds]
    sources = sorted({one.source for one in kept})
    return FinderData(makers[0], validation, counts, _digest_of([*kept, *held]), sources)


def _digest_of(pictures: list[FacePicture]) -> str:
    digest = hashlib.sha256()
    for one in pictures:
        digest.update(one.encoded)
        digest.update(one.faces.tobytes())
    return digest.hexdigest()


def batches(
    maker: MosaicMaker, *, seed: int, epoch: int, steps: int, batch_size: int, workers: int
) -> Iterator[Batch]:
    """Give the batches of an epoch, the same whatever the number of worker processes."""
    epoch_set = _Epoch(maker, seed, epoch, steps * batch_size)
    if not workers:
        for step in range(steps):
            first = step * batch_size
            yield make_batch([epoch_set[number] for number in range(first, first + batch_size)])
        return
    yield from DataLoader(
        epoch_set,
        batch_size=batch_size,
        num_workers=workers,
        collate_fn=make_batch,
        worker_init_fn=_lone_worker,
        prefetch_factor=3,
    )


def workers_for(device: torch.device) -> int:
    """Return how many processes make pictures: one beside a CPU training, most beside a GPU's."""
    cores = os.cpu_count() or 1
    return min(12, max(1, cores - 2)) if device.type == "cuda" else 1


def make_batch(mosaics: Sequence[Mosaic]) -> Batch:
    """Put mosaics of one size together."""
    numbers = [np.full(len(one.boxes), number) for number, one in enumerate(mosaics)]
    return Batch(
        torch.from_numpy(np.stack([one.pixels for one in mosaics])),
        Targets(
            torch.from_numpy(np.concatenate(numbers).astype(np.int64)),
            torch.from_numpy(np.concatenate([one.boxes for one in mosaics])),
            torch.from_numpy(np.concatenate([one.points for one in mosaics])),
            torch.from_numpy(np.concatenate([one.counts for one in mosaics])),
        ),
    )


def _lone_worker(_: int) -> None:
    """Keep a worker to one thread: the training needs the others."""
    cv2.setNumThreads(0)
    torch.set_num_threads(1)
