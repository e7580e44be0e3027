"""Networks of the form of YuNet, run by ONNX Runtime or by OpenCV."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from models.runtime.card import ModelError
from models.runtime.classifier import open_session

__all__ = ["YUNET", "Detected", "FaceDetector", "OpenCvDetector"]

_STRIDES = (8, 16, 32)
_CELL = _STRIDES[-1]
_OUTPUTS = [f"{kind}_{stride}" for kind in ("cls", "obj", "bbox", "kps") for stride in _STRIDES]
_SMALLEST = (320, 240)
_BLANK = np.zeros((_SMALLEST[1], _SMALLEST[0], 3), np.uint8)

YUNET = {"score": 0.8, "overlap": 0.3, "side": 1.04, "right": 0.0, "down": 0.0}
"""How the live program runs YuNet, as a card's settings say it of another.

The side is that of FER2013's square over the geometric mean of the box's sides, on 473 video
frames: half of them lie within 4 %. The centres agree.
"""


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

    It runs in ONNX Runtime, on one thread, and finds what OpenCV's FaceDetectorYN finds with the
    same file. file: an ONNX file that takes pictures of any size. score: the lowest that counts.
    overlap: a find that overlaps a surer one by more is dropped. Not to be shared between threads.
    Raises `ModelError` for a file that cannot be used so.
    """

    def __init__(self, file: Path, *, score: float, overlap: float) -> None:
        self._score = score
        self._overlap = overlap
        self._make_room((0, 0))
        self._session = open_session(file, "CPU", 1)
        try:
            # Only running it shows that a network of another kind was given.
            self.find(_BLANK)
        except Exception as error:  # ONNX Runtime raises kinds of its own, one for each cause
            raise _refused(file, "ONNX Runtime") from error

    def find(self, image: NDArray[np.uint8]) -> Detected:
        """Return the faces of a (H, W, 3) uint8 BGR or (H, W) gray picture of any size."""
        values = self._session.run(_OUTPUTS, {"input": self._laid_out(image)})
        levels = len(_STRIDES)
        boxes, points, scores = (
            np.concatenate(parts)
            for parts in zip(
                *(self._read(stride, values[at::levels]) for at, stride in enumerate(_STRIDES)),
                strict=True,
            )
        )
        kept = self._suppress(boxes, scores)
        return Detected(boxes[kept], points[kept], scores[kept])

    def _laid_out(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return a picture as the network takes it: (1, 3, H, W), black up to whole cells."""
        height, width = image.shape[:2]
        if (height, width) != self._planes.shape[1:]:
            self._make_room((height, width))
        if image.ndim == 2:
            self._input[0, :, :height, :width] = image
        else:
            # By way of planes it takes a fourth of the time of one transposed copy.
            cv2.split(np.ascontiguousarray(image), list(self._planes))
            self._input[0, :, :height, :width] = self._planes
        return self._input

    def _make_room(self, shape: tuple[int, int]) -> None:
        """Make the arrays for pictures of a height and width, which most often stay the same."""
        rows, columns = (-(-length // _CELL) * _CELL for length in shape)
        self._input = np.zeros((1, 3, rows, columns), np.float32)
        self._planes = np.zeros((3, *shape), np.uint8)

    def _read(
        self, stride: int, values: Sequence[NDArray[np.float32]]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """Return boxes, points and scores of those cells of a level that hold a face.

        values: overlap, presence, box and points of all cells of the level, row by row.
        """
        overlap, presence, box, points = (value[0] for value in values)
        chances = overlap[:, 0] * presence[:, 0]
        at = np.flatnonzero(chances >= self._score**2)
        rows, columns = np.divmod(at, self._input.shape[3] // stride)
        cells = np.stack([columns, rows], 1).astype(np.float32)
        sizes = np.exp(box[at, 2:]) * stride
        corners = (box[at, :2] + cells) * stride - sizes / 2
        placed = (points[at].reshape(-1, 5, 2) + cells[:, None]) * stride
        return np.concatenate([corners, sizes], 1), placed, np.sqrt(chances[at])

    def _suppress(
        self, boxes: NDArray[np.float32], scores: NDArray[np.float32]
    ) -> NDArray[np.intp]:
        """Return which finds are kept, surest first."""
        # OpenCV compares boxes cut to whole pixels.
        whole = np.trunc(boxes).tolist()
        kept = cv2.dnn.NMSBoxes(whole, scores.tolist(), 0.0, self._overlap)
        return np.asarray(kept, np.intp)


class OpenCvDetector:
    """Find faces as `FaceDetector` does by a network that OpenCV runs.

    For files that only OpenCV takes at any size, as YuNet's, and to see that it reads ours.
    """

    def __init__(self, file: Path, *, score: float, overlap: float) -> None:
        self._size = _SMALLEST
        try:
            # From memory: OpenCV's own reading fails on some names on Windows.
            content = np.frombuffer(file.read_bytes(), np.uint8)
            self._detector = cv2.FaceDetectorYN.create(
                "onnx", content, np.zeros(0, np.uint8), _SMALLEST, score, overlap
            )
            self._detector.detect(_BLANK)
        except (OSError, cv2.error, SystemError) as error:
            raise _refused(file, "OpenCV") from error

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


def _refused(file: Path, reader: str) -> ModelError:
    return ModelError(
        f"{file}: expected a face finder of the form of YuNet, found a file that {reader} cannot "
        "use as one: give another file, or reinstall the program"
    )
