"""Occlusion sensitivity: cover a part of the crop and see what it costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from models.explain.attention import Map
from models.explain.base import Crop, Runner, scaled
from models.runtime.card import ModelError


@dataclass(frozen=True, slots=True)
class Occlusion:
    """Slide a square over the crop; a place matters where covering it lowers the probability.

    Minaee et al., arXiv 1902.01019, section 4 (figure of the important regions); Zeiler and
    Fergus, arXiv 1311.2901, section 4.2. The squares may stand out over the edges, so that every
    pixel is covered equally often: else one square at an edge would decide alone what it covers.
    square, stride: pixels of the crop, by default a quarter and an eighth of its side, rounded up.
    fill: what covers, a gray of 0 to 255 or the "mean" of the data the model was trained on, which
    for the network is 0 and, unlike black, looks like no feature.
    """

    labels_at_once: ClassVar[bool] = True
    """Several labels of a crop cost as much as one."""

    runner: Runner
    square: int | None = None
    stride: int | None = None
    fill: int | Literal["mean"] = "mean"
    name: str = "occlusion"
    title: str = "occlusion sensitivity"

    def __post_init__(self) -> None:
        side = self.runner.size
        square, stride = self._square, self._stride
        if not (1 <= square < side and 1 <= stride <= square and square % stride == 0):
            raise ModelError(
                f"expected a square of 1 to {side - 1} pixels and a stride that divides it, found "
                f"{square} and {stride}"
            )
        if not 0 <= self._gray <= 255:
            raise ModelError(f"expected a gray of 0 to 255 to cover with, found {self.fill}")

    @property
    def _square(self) -> int:
        return 2 * _eighth(self.runner.size) if self.square is None else self.square

    @property
    def _stride(self) -> int:
        return _eighth(self.runner.size) if self.stride is None else self.stride

    @property
    def _gray(self) -> int:
        return round(255 * self.runner.card.input.mean) if self.fill == "mean" else self.fill

    def explain(self, crop: Crop, label_index: int) -> Map:
        """Return the map (S, S) float32, 0 to 1, of a crop (S, S) uint8 gray.

        The edges of the squares are smoothed away by half a stride.
        """
        return scaled(self.explain_labels(crop, [label_index])[0], self.runner.size)

    def explain_labels(self, crop: Crop, label_indices: Sequence[int]) -> list[Map]:
        """Return for each label the `drops`, smoothed: on one scale, so that labels compare."""
        found = self._covered(crop)
        return [self._smooth(self._drops(found[:, label])) for label in label_indices]

    def drops(self, crop: Crop, label_index: int) -> Map:
        """Return how much of the label's probability each pixel costs, (S, S), -1 to 1.

        The mean over the squares that cover the pixel; below 0 where covering it helps the label.
        """
        return self._drops(self._covered(crop)[:, label_index])

    def _covered(self, crop: Crop) -> Map:
        """Return the probabilities (1 + places, C) of a crop, as it is and covered."""
        places = self._places()
        covered = np.repeat(crop[None], len(places) + 1, axis=0)
        for picture, (rows, columns) in zip(covered[1:], places, strict=True):
            picture[rows, columns] = self._gray
        return self.runner.probabilities(list(covered))

    def _drops(self, probabilities: Map) -> Map:
        """Return what each pixel costs (S, S), of one label's probabilities (1 + places,)."""
        side = self.runner.size
        total = np.zeros((side, side), np.float64)
        for (rows, columns), left in zip(self._places(), probabilities[1:], strict=True):
            total[rows, columns] += probabilities[0] - left
        return np.asarray(total / (self._square // self._stride) ** 2, np.float32)

    def _smooth(self, drops: Map) -> Map:
        smooth = cv2.GaussianBlur(drops, (0, 0), self._stride / 2, borderType=cv2.BORDER_REPLICATE)
        return np.asarray(smooth, np.float32)

    def _places(self) -> list[tuple[slice, slice]]:
        starts = positions(self.runner.size, self._square, self._stride).tolist()
        spans = [slice(max(0, start), start + self._square) for start in starts]
        return [(rows, columns) for rows in spans for columns in spans]


def positions(side: int, square: int, stride: int) -> NDArray[np.int64]:
    """Return where squares begin, `stride` apart, that cover all places of a side equally often.

    stride: divides square. The outermost stand out over both ends alike, by what is left over.
    """
    count = -(-(side + square) // stride) - 1
    first = (side - square - (count - 1) * stride) // 2
    return first + stride * np.arange(count, dtype=np.int64)


def _eighth(side: int) -> int:
    return -(-side // 8)
