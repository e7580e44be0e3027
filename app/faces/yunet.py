"""YuNet through OpenCV, for users who bring its model file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from app.errors import FinderError
from app.faces.base import shrink, square
from app.messages import Face
from models.runtime.files import is_file

__all__ = ["YunetFinder"]

_LONGEST = 480
_SCORE = 0.8
_OVERLAP = 0.3
# Side of FER2013's square over the geometric mean of the box's sides, on 473 video frames:
# half of them lie within 4 %. The centres agree.
_SIDE = 1.04


class _Detector(Protocol):
    def setInputSize(self, size: tuple[int, int]) -> None: ...  # noqa: N802

    def detect(self, image: NDArray[np.uint8]) -> tuple[int, NDArray[np.float32] | None]: ...


class YunetFinder:
    """Find faces of any pose by YuNet (Wu et al. 2023, Machine Intelligence Research 20).

    Each face brings its own five landmarks. The score is a probability, 0.8 and up.
    """

    name = "yunet"

    def __init__(
        self, file: Path | None, *, create: Callable[[Path], _Detector] | None = None
    ) -> None:
        """Load the network.

        file: `face_detection_yunet_2023mar.onnx` or a later one of OpenCV's model zoo. create:
        makes the detector in place of OpenCV. Raises `FinderError` when the file is not given,
        not there or no YuNet.
        """
        if file is None:
            raise FinderError(
                "The yunet finder needs its model file and none was given; download "
                "face_detection_yunet_2023mar.onnx of OpenCV's model zoo and name it in the "
                "settings or by --yunet FILE."
            )
        if not is_file(file):
            raise FinderError(
                f'The YuNet model was expected at "{file}" and is not there; name the file in the '
                f"settings or by --yunet FILE."
            )
        self._size: tuple[int, int] | None = None
        self._detector = create(file) if create is not None else _load(file)

    def find(self, image: NDArray[np.uint8]) -> list[Face]:
        """Return faces of any pose with five landmarks, surest first."""
        if image.ndim == 2:
            image = np.repeat(image[:, :, None], 3, axis=2)
        small, scale = shrink(image, _LONGEST)
        size = (small.shape[1], small.shape[0])
        if size != self._size:
            self._detector.setInputSize(size)
            self._size = size
        _, rows = self._detector.detect(np.ascontiguousarray(small))
        if rows is None:
            return []
        return sorted((_face(row, scale) for row in rows), key=lambda face: -face.score)


def _face(row: NDArray[np.float32], scale: float) -> Face:
    """Return a face of YuNet's x, y, width, height, five points, score."""
    x, y, width, height = (float(value) / scale for value in row[:4])
    side = _SIDE * float(np.sqrt(max(0.0, width * height)))
    points = (row[4:14].reshape(5, 2) / scale).astype(np.float32)
    return Face(square(x + width / 2, y + height / 2, side), float(row[14]), points)


def _load(file: Path) -> _Detector:
    try:
        detector: Any = cv2.FaceDetectorYN.create(str(file), "", (320, 240), _SCORE, _OVERLAP)
        # Only running it shows that a network of another kind was given.
        detector.detect(np.zeros((240, 320, 3), np.uint8))
    except (cv2.error, SystemError) as error:
        raise FinderError(
            f'"{file}" was expected to be the YuNet model and OpenCV cannot use it as one; '
            f"download face_detection_yunet_2023mar.onnx of OpenCV's model zoo again."
        ) from error
    loaded: _Detector = detector
    return loaded
