"""Notice on a small copy of each frame whether anything happened."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Watch"]

_SIZE = (32, 24)
# Frames of one shot are alike: their small copies correlate above 0.9 even while the camera
# turns; two shots hardly at all, and most of the picture is another.
_CUT = 0.5
_CUT_PART = 0.3
# Grey levels by which a 32nd of the picture must change: above the noise of a camera, which the
# small copy averages away, below a head that moves by a tenth of its size.
_CHANGE = 6.0


class Watch:
    """Compare each frame with the one before, and with that of the last search."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget all frames."""
        self._now: NDArray[np.float32] | None = None
        self._searched: NDArray[np.float32] | None = None
        self._cut = False

    def look(self, gray: NDArray[np.uint8]) -> None:
        """Take in the next frame, (H, W) uint8."""
        small = _shrunk(gray)
        # Light that changes everywhere is no event.
        small -= small.mean()
        self._cut = False
        if self._now is not None and _correlation(self._now, small) < _CUT:
            self._cut = bool((np.abs(small - self._now) > _CHANGE).mean() > _CUT_PART)
        self._now = small

    @property
    def cut(self) -> bool:
        """Return whether this frame begins another shot than that of the one before."""
        return self._cut

    @property
    def changed(self) -> bool:
        """Return whether anything has moved since the last search, or none was made."""
        if self._now is None or self._searched is None:
            return True
        return bool(np.abs(self._now - self._searched).max() > _CHANGE)

    def searched(self) -> None:
        """Note that faces were searched for on this frame."""
        self._searched = self._now


def _shrunk(gray: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the small copy of a picture, each pixel the mean of those it stands for."""
    height, width = gray.shape
    # Halving is what OpenCV does quickest: first, it leaves a quarter to the slower way.
    if width >= 4 * _SIZE[0] and height >= 4 * _SIZE[1]:
        half = (width // 2, height // 2)
        gray = np.asarray(cv2.resize(gray, half, interpolation=cv2.INTER_AREA), np.uint8)
    return cv2.resize(gray, _SIZE, interpolation=cv2.INTER_AREA).astype(np.float32)


def _correlation(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Return the correlation of two pictures without their means; 1 where both are blank."""
    lengths = math.sqrt(float(np.vdot(one, one)) * float(np.vdot(other, other)))
    # A nearly blank picture has only noise to compare: a dark room, a lens cap.
    if lengths < _SIZE[0] * _SIZE[1]:
        return 1.0
    return float(np.vdot(one, other)) / lengths
