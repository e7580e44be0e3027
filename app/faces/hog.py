"""dlib's frontal face detector."""

from __future__ import annotations

import dlib
import numpy as np
from numpy.typing import NDArray

from app.faces.base import gray_of, shrink, square
from app.messages import Face

__all__ = ["HogFinder"]

# The detector's window is 80 pixels, so faces from 1/6 of the picture's width are found.
_LONGEST = 480
# FER2013's square measured against the detector's box: 1.20 on FER2013 itself, 1.09 on
# 461 video frames; the centre lies 7 and 6 % of the box's width higher.
_SIDE = 1.15
_LIFT = 0.07


class HogFinder:
    """Find frontal faces by histograms of oriented gradients (Dalal and Triggs 2005).

    dlib's five detectors, for heads turned and tilted a little. The score is dlib's, 0 and up.
    """

    name = "hog"

    def __init__(self) -> None:
        self._detector = dlib.get_frontal_face_detector()

    def find(self, image: NDArray[np.uint8]) -> list[Face]:
        """Return faces from about 1/6 of the picture's longer side upward, surest first."""
        small, scale = shrink(gray_of(image), _LONGEST)
        found, scores, _ = self._detector.run(small, 0, 0.0)
        faces = []
        for box, score in zip(found, scores):
            width = box.width() / scale
            x = (box.left() + box.right() + 1) / 2 / scale
            y = (box.top() + box.bottom() + 1) / 2 / scale
            faces.append(Face(square(x, y - _LIFT * width, _SIDE * width), float(score)))
        return sorted(faces, key=lambda face: -face.score)
