"""Networks of the form of YuNet, run through OpenCV."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.runtime.card import ModelError

__all__ = ["Detected", "FaceDetector"]

_SMALLEST = (320, 240)


@dataclass(frozen=True, slots=True, eq=False)
class Detected:
    """Hold what was found on one picture, surest first, in its pixels.

    boxes: (n, 4) float32 left, top, width, height. points: (n, 5, 2) float32 right eye, left eye,
    nose tip, right and left corner of the mouth. scores: (n,) float32, 0 to 1.
    """

    boxes: NDArray[np.float32]
    points: NDArray[np.float32]
    scores: NDArray[np.float32]


class FaceDetector:
    """Find faces by a network with outputs cls, obj, bbox and kps at strides 8, 16 and 32.

    file: an ONNX file. score: the lowest that counts. overlap: a find that overlaps a surer one by
    more is dropped. Raises `ModelError` for a file that OpenCV cannot use so.
    """

    def __init__(self, file: Path, *, score: float, overlap: float) -> None:
        self._size = _SMALLEST
        try:
            self._detector = cv2.FaceDetectorYN.create(str(file), "", _SMALLEST, score, overlap)
            # Only running it shows that a network of another kind was given.
            self._detector.detect(np.zeros((_SMALLEST[1], _SMALLEST[0], 3), np.uint8))
        except (cv2.error, SystemError) as error:
            raise ModelError(
                f"{file}: expected a face finder of the form of YuNet, found a file that OpenCV "
                "cannot use as one: give another file, or reinstall the program"
            ) from error

    def find(self, image: NDArray[np.uint8]) -> Detected:
        """Return the faces of a (H, W, 3) uint8 BGR or (H, W) gray picture of any size."""
        if image.ndim == 2:
            image = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR).astype(np.uint8, copy=False)
        size = (image.shape[1], image.shape[0])
        if size != self._size:
            self._detector.setInputSize(size)
            self._size = size
        _, rows = self._detector.detect(np.ascontiguousarray(image))
        found = np.zeros((0, 15), np.float32) if rows is None else rows.astype(np.float32)
        found = found[np.argsort(-found[:, 14], kind="stable")]
        return Detected(found[:, :4], found[:, 4:14].reshape(-1, 5, 2), found[:, 14])
