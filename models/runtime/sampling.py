"""Draw a part of a picture at another size, turned or upright."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["sample"]


def sample(
    gray: NDArray[np.uint8], to_frame: NDArray[np.float64], size: int, finest: int
) -> NDArray[np.uint8]:
    """Sample every picture pixel under a crop, then average them as INTER_AREA does.

    gray: (H, W) uint8. to_frame: (2, 3), from crop pixels to picture pixels. finest: the most
    samples along a side of a crop pixel. Returns (size, size); what lies outside the picture
    repeats its edge.
    """
    finer = max(1, math.ceil(math.hypot(to_frame[0, 0], to_frame[1, 0])))
    finer = min(finer, finest)
    fine_to_frame = to_frame.copy()
    fine_to_frame[:, :2] /= finer
    fine_to_frame[:, 2] += fine_to_frame[:, :2] @ np.full(2, (1 - finer) / 2)
    crop = cv2.warpAffine(
        gray,
        fine_to_frame,
        (size * finer, size * finer),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    if finer > 1:
        crop = cv2.resize(crop, (size, size), interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(crop, dtype=np.uint8)
