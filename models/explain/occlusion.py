"""Occlusion sensitivity: cover a part of the crop and see what it costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

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
    Fergus, arXiv 1311.2901, section 4.2. square, stride: pixels of the crop, by default a quarter
    and a twelfth of its side. fill: what covers, a gray of 0 to 255 or the "mean" of the data the
    model was trained on, which for the network is 0 and, unlike black, looks like no feature.
    """

    runner: Runner
    square: int | None = None
    stride: int | None = None
    fill: int | Literal["mean"] = "mean"
    name: str = "occlusion"
    title: str = "occlusion sensitivity"

    def __post_init__(self) -> None:
        side = self.runner.size
        if not (1 <= self._square < side and 1 <= self._stride <= self._square):
            raise ModelError(
                f"expected a square of 1 to {side - 1} pixels and a stride of 1 to that square, "
                f"found {self._square} and {self._stride}"
            )
        if not 0 <= self._gray <= 255:
            raise ModelError(f"expected a gray of 0 to 255 to cover with, found {self.fill}")

    @property
    def _square(self) -> int:
        return self.runner.size // 4 if self.square is None else self.square

    @property
    def _stride(self) -> int:
        return max(1, self.runner.size // 12) if self.stride is None else self.stride

    @property
    def _gray(self) -> int:
        return round(255 * self.runner.card.input.mean) if self.fill == "mean" else self.fill

    def explain(self, crop: Crop, label_index: int) -> Map:
        """Return the map (S, S) float32, 0 to 1, of a crop (S, S) uint8 gray.

        The edges of the squares are smoothed away by half a stride.
        """
        return self.explain_labels(crop, [label_index])[0]

    def explain_labels(self, crop: Crop, label_indices: Sequence[int]) -> list[Map]:
        """Return the map of each label as `explain` does, at the cost of one."""
        found = self._covered(crop)
        maps = []
        for label in label_indices:
            drops = self._drops(found[:, label])
            smooth = cv2.GaussianBlur(
                drops, (0, 0), self._stride / 2, borderType=cv2.BORDER_REPLICATE
            )
            maps.append(scaled(np.asarray(smooth, np.float32), self.runner.size))
        return maps

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
        count = np.zeros((side, side), np.float64)
        for (rows, columns), left in zip(self._places(), probabilities[1:], strict=True):
            total[rows, columns] += probabilities[0] - left
            count[rows, columns] += 1
        return np.asarray(total / count, np.float32)

    def _places(self) -> list[tuple[slice, slice]]:
        starts = positions(self.runner.size, self._square, self._stride)
        return [
            (slice(top, top + self._square), slice(left, left + self._square))
            for top in starts
            for left in starts
        ]


def positions(side: int, square: int, stride: int) -> NDArray[np.int64]:
    """Return where squares begin so that they reach both ends and lie at most `stride` apart."""
    count = int(np.ceil((side - square) / stride)) + 1
    return np.round(np.linspace(0, side - square, count)).astype(np.int64)
