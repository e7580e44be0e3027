"""The face finder that comes with the program."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.errors import FinderError
from app.faces.base import shrink, square
from app.messages import Box, Face
from app.settings import OWN_FINDER
from models.runtime.card import ModelError
from models.runtime.face_detector import FaceDetector
from models.runtime.part_card import read_part_card

__all__ = ["MienFinder"]

# The longer side of the picture as it is searched. Faces from about 10 pixels of it are found: at
# arm's length before a 640x480 camera one has 150.
_LONGEST = 640
_LONGEST_QUICK = 320


class MienFinder:
    """Find faces of any pose from 1/60 of the picture's longer side, by a network of our own.

    Each face brings its own five landmarks. The score is a probability, from the lowest that the
    network's card allows. quick: faces from 1/30 of the longer side, in a third of the time.
    """

    def __init__(self, *, quick: bool = False, file: Path | None = None) -> None:
        """Load the network.

        file: another one than the bundled, with its card beside it. Raises `FinderError` when it
        cannot be used.
        """
        self.name = "mien-quick" if quick else "mien"
        self._longest = _LONGEST_QUICK if quick else _LONGEST
        file = file or OWN_FINDER
        try:
            self._place = read_part_card(file.with_suffix(".json"), "finder").settings
            self._detector = FaceDetector(
                file, score=self._place["score"], overlap=self._place["overlap"]
            )
        except (ModelError, KeyError) as error:
            raise FinderError(
                f'The face finder of the program was expected at "{file}" with its card and cannot '
                f"be used ({error}); reinstall the program, or choose another finder."
            ) from error

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
        """Return FER2013's square about the network's own box, as its card places it."""
        left, top, width, height = box
        side = self._place["side"] * float(np.sqrt(max(0.0, width * height)))
        x = left + width / 2 + self._place["right"] * side
        y = top + height / 2 + self._place["down"] * side
        return square(x, y, side)
