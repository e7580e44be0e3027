"""Face finders of one form: the one that comes with the program, and what others share."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from app.errors import FinderError
from app.faces.base import shrink, square
from app.messages import Box, Face
from app.settings import OWN_FINDER
from models.runtime.card import ModelError
from models.runtime.face_detector import Detected, FaceDetector
from models.runtime.part_card import read_part_card

__all__ = ["Detector", "MienFinder", "NetFinder"]

# The longer side of the picture as it is searched. Faces from about 20 to 40 pixels of it are
# found, the larger the surer: at arm's length before a 640x480 camera one has 150.
_LONGEST = 640
_LONGEST_QUICK = 320


class Detector(Protocol):
    """Find boxes, five points and scores, as `models.runtime.face_detector` has them."""

    def find(self, image: NDArray[np.uint8]) -> Detected: ...


class NetFinder:
    """Find faces of any pose by a network of the form of YuNet; each brings five landmarks."""

    def __init__(
        self, name: str, detector: Detector, place: Mapping[str, float], longest: int
    ) -> None:
        """Take the parts.

        place: how FER2013's square lies about the network's box: its side over the geometric mean
        of the box's sides, and how far right and down, in sides. longest: pixels of the longer
        side of the picture as it is searched.
        """
        self.name = name
        self._detector = detector
        self._place = place
        self._longest = longest

    def find(self, image: NDArray[np.uint8]) -> list[Face]:
        """Return faces of any pose with five landmarks, surest first."""
        small, scale = shrink(image, self._longest)
        found = self._detector.find(small)
        return [
            Face(self._square(box), score, points.copy())
            for box, score, points in zip(
                (found.boxes / scale).tolist(),
                found.scores.tolist(),
                (found.points / scale).astype(np.float32),
                strict=True,
            )
        ]

    def _square(self, box: list[float]) -> Box:
        """Return FER2013's square about the network's own box."""
        left, top, width, height = box
        side = self._place["side"] * float(np.sqrt(max(0.0, width * height)))
        x = left + width / 2 + self._place["right"] * side
        y = top + height / 2 + self._place["down"] * side
        return square(x, y, side)


class MienFinder(NetFinder):
    """Find faces from about 1/32 to 1/16 of the picture's longer side, by a network of our own.

    The score is a probability, from the lowest that the network's card allows. quick: faces from
    twice that, in a third of the time.
    """

    def __init__(self, *, quick: bool = False, file: Path | None = None) -> None:
        """Load the network.

        file: another one than the bundled, with its card beside it. Raises `FinderError` when it
        cannot be used.
        """
        file = file or OWN_FINDER
        try:
            place = read_part_card(file.with_suffix(".json"), "finder").settings
            detector = FaceDetector(file, score=place["score"], overlap=place["overlap"])
        except (ModelError, KeyError) as error:
            raise FinderError(
                f'The face finder of the program was expected at "{file}" with its card and cannot '
                f"be used ({error}); reinstall the program, or choose another finder."
            ) from error
        name, longest = ("mien-quick", _LONGEST_QUICK) if quick else ("mien", _LONGEST)
        super().__init__(name, detector, place, longest)
