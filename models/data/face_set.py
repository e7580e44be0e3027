"""Labelled faces in memory."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from models.data.copies import BLANK, copies_of, near_copies_of
from models.data.labels_map import translate
from models.runtime.labels import LABEL_SETS

Split = Literal["Training", "PublicTest", "PrivateTest", "all"]
SPLITS: tuple[Split, ...] = ("Training", "PublicTest", "PrivateTest")
"""Train, validation and test, by their names in FER2013. Faces of a data set that is published
without a split are in none of the three: theirs is called `all`."""


@dataclass(frozen=True, slots=True, eq=False)
class FaceSet:
    """Hold N aligned gray faces with what people said of them.

    pixels: (N, S, S) uint8; the readers make S = 48. labels: (N,) int64, an index into
    `LABEL_SETS[label_set]`. votes: (N, 10) uint8, FER+ votes (its 8 labels, unknown, not a face),
    or None. splits: (N,) str, one of `SPLITS` or `all`. names: (N,) str, the FER+ picture names,
    row numbers, or paths inside the data set. subjects: (N,) str, who is shown, or None where
    that is not known. sequences: (N,) str, the film that each picture is a frame of, or None where
    they are single pictures. source: the data set, as `read_dataset` names its kinds.
    """

    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]
    votes: NDArray[np.uint8] | None
    splits: NDArray[np.str_]
    names: NDArray[np.str_]
    label_set: str = "fer2013"
    subjects: NDArray[np.str_] | None = None
    sequences: NDArray[np.str_] | None = None
    source: str = "fer2013"

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
            subjects=None if self.subjects is None else self.subjects[rows],
            sequences=None if self.sequences is None else self.sequences[rows],
        )

    def split(self, name: Split) -> Self:
        """Return the faces of one split."""
        return self.select(self.splits == name)

    def labels_in(self, label_set: str) -> NDArray[np.int64]:
        """Return the labels (N,) as indices into another label set, -1 where it lacks the word."""
        if label_set == self.label_set:
            return self.labels
        return translate(self.labels, self.label_set, label_set)

    def relabelled(self, label_set: str) -> Self:
        """Return the faces whose expression another label set has too, labelled by it."""
        labels = self.labels_in(label_set)
        kept = replace(self, labels=labels, label_set=label_set)
        return kept.select(labels >= 0)

    def counts(self) -> dict[str, int]:
        """Return how many faces there are of each label, in the order of the label set."""
        names = LABEL_SETS[self.label_set]
        numbers = np.bincount(self.labels, minlength=len(names))
        return dict(zip(names, (int(number) for number in numbers), strict=True))


@dataclass(frozen=True, slots=True)
class Cleaning:
    """Count what was dropped from the training part, each picture for its first reason.

    copies: equal to a picture of another split. near: the same photograph again, see
    `near_copies_of`. blank: without contrast.
    """

    copies: int
    near: int
    blank: int

    def __str__(self) -> str:
        return (
            f"{self.copies:,} copies of test pictures, {self.near:,} that are nearly one, "
            f"{self.blank:,} blank"
        )


def clean_training(faces: FaceSet) -> tuple[FaceSet, Cleaning]:
    """Return the training part without blank pictures and those that other splits have as well.

    Of a PublicTest or PrivateTest picture a copy has every pixel, and a near copy shows the same
    photograph, cut, scaled or marked otherwise (`models.data.copies`). A blank picture has no
    contrast (standard deviation below 1 of 255) and shows no face.
    """
    train = faces.split("Training")
    others = faces.pixels[faces.splits != "Training"]
    copies = copies_of(others, train.pixels)
    # One by one: of all at once, numpy makes a float64 copy.
    blank = np.array([face.std() < BLANK for face in train.pixels], dtype=bool) & ~copies
    near = near_copies_of(others, train.pixels) & ~copies & ~blank
    kept = train.select(~copies & ~blank & ~near)
    return kept, Cleaning(*(int(rows.sum()) for rows in (copies, near, blank)))
