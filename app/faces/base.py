"""The seam every face finder keeps, and what they share."""

from __future__ import annotations

from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from app.messages import Box, Face

__all__ = ["FaceFinder", "gray_of", "shrink", "square"]


class FaceFinder(Protocol):
    """Find the faces of a picture.

    name: the word by which the user chooses it.
    """

    @property
    def name(self) -> str: ...

    def find(self, image: NDArray[np.uint8]) -> list[Face]:
        """Return the faces of a (H, W, 3) uint8 BGR or (H, W) gray picture, surest first.

        Whatever the finder's own box is, `Face.box` is the upright square that FER2013 would
        have cut around the face: with it the landmarks are fitted and, where there are none,
        the crop is made. It may leave the picture. Keeps no memory of earlier pictures.
        """
        ...


def gray_of(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return (H, W) uint8 luma of a BGR picture, a gray picture as it is."""
    if image.ndim == 2:
        return image
    gray: NDArray[Any] = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    return gray


def shrink(image: NDArray[np.uint8], longest: int) -> tuple[NDArray[np.uint8], float]:
    """Return the picture with its longer side at most `longest` pixels, and the scale used."""
    scale = longest / max(image.shape[:2])
    if scale >= 1.0:
        return image, 1.0
    height, width = (max(1, round(side * scale)) for side in image.shape[:2])  # it may be a line
    small: NDArray[Any] = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    return small, scale


def square(x: float, y: float, side: float) -> Box:
    """Return the square box around a centre, in pixels."""
    return Box(x - side / 2, y - side / 2, x + side / 2, y + side / 2)
