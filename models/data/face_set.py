"""Labelled faces in memory."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

Split = Literal["Training", "PublicTest", "PrivateTest"]
SPLITS: tuple[Split, ...] = ("Training", "PublicTest", "PrivateTest")


@dataclass(frozen=True, slots=True, eq=False)
class FaceSet:
    """Hold N aligned gray faces with what people said of them.

    pixels: (N, 48, 48) uint8. labels: (N,) int64, an index into FER2013.
    votes: (N, 10) uint8, FER+ votes (its 8 labels, unknown, not a face), or None.
    splits: (N,) str, as in the challenge. names: (N,) str, the FER+ picture names or row numbers.
    """

    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]
    votes: NDArray[np.uint8] | None
    splits: NDArray[np.str_]
    names: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.pixels)

    def select(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> Self:
        """Return only the rows that a mask or an index array chooses."""
        return replace(
            self,
            pixels=self.pixels[rows],
            labels=self.labels[rows],
            votes=None if self.votes is None else self.votes[rows],
            splits=self.splits[rows],
            names=self.names[rows],
        )

    def split(self, name: Split) -> Self:
        """Return the faces of one split."""
        return self.select(self.splits == name)


@dataclass(frozen=True, slots=True)
class Cleaning:
    """Count what was dropped from the training part, and why."""

    copies: int
    blank: int


def clean_training(faces: FaceSet) -> tuple[FaceSet, Cleaning]:
    """Return the training part without blank pictures and copies of the other splits.

    A copy is a training picture whose pixels all equal those of a PublicTest or PrivateTest
    picture; a blank one has no contrast (standard deviation below 1 of 255) and shows no face.
    """
    train = faces.split("Training")
    held_back = {face.tobytes() for face in faces.pixels[faces.splits != "Training"]}
    copies = np.array([face.tobytes() in held_back for face in train.pixels], dtype=bool)
    blank = train.pixels.std(axis=(1, 2)) < 1.0
    kept = train.select(~copies & ~blank)
    return kept, Cleaning(copies=int(copies.sum()), blank=int((blank & ~copies).sum()))
