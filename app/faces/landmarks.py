"""The seam of what finds 68 landmarks, and the choice between those that do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from app.errors import FinderError
from app.messages import Box
from app.settings import LANDMARKERS

__all__ = ["LANDMARKERS", "Fit", "Landmarker", "Limits", "make_landmarker"]


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """Hold landmarks and how much they can be relied on.

    points: (68, 2) float32 pixels in the iBUG order. confidence: 0 to 1, low where there is no
    face under the points; its scale is the landmarker's own.
    """

    points: NDArray[np.float32]
    confidence: float


@dataclass(frozen=True, slots=True)
class Limits:
    """Say from which confidence a landmarker's fit counts as a face.

    new: of a finder's face. followed: of a face followed from frame to frame, which may be
    turning. doubtful: of one that the finder no longer sees.
    """

    new: float
    followed: float
    doubtful: float


class Landmarker(Protocol):
    """Fit landmarks to faces.

    name: the word by which the user chooses it.
    """

    @property
    def name(self) -> str: ...

    @property
    def limits(self) -> Limits: ...

    def fit_all(
        self, image: NDArray[np.uint8], boxes: Sequence[Box], *, sure: Sequence[bool] = ()
    ) -> list[Fit]:
        """Return a fit for each box.

        image: (H, W, 3) BGR or (H, W) gray, uint8. boxes: squares as a `FaceFinder` gives them;
        they and the points may leave the picture. sure: for which boxes of faces that are followed
        the caller needs no confidence, if that spares work; left out where nothing is known of
        the faces yet, so that a closer look pays.
        """
        ...


def make_landmarker(name: str = LANDMARKERS[0]) -> Landmarker:
    """Return the landmarker of that name, one of `LANDMARKERS`, whose first is the usual one.

    Raises `UserError` for another name and for one whose file is missing or damaged.
    """
    # Imported here so that launching loads only the one that is used.
    if name == "landmarks68":
        from app.faces.landmarks68 import NetLandmarker

        return NetLandmarker()
    if name == "dlib":
        from app.faces.landmarks_dlib import DlibLandmarker

        return DlibLandmarker()
    raise FinderError(
        f'The landmarks were expected to be of {" or ".join(LANDMARKERS)}, not "{name}"; choose '
        f"one of them."
    )
