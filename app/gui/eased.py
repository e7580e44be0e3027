"""Numbers that glide to where they should be, however often they are told."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

# Bars come within 8 % of a new value in this time.
_EASE_SECONDS = 0.1
# Shorter ways than this share of a bar cannot be seen.
_LEAST_STEP = 0.002


class Eased:
    """Move shown values (N,), 0 to 1, towards their targets; NaN is a value that is not there."""

    def __init__(self) -> None:
        self.shown: NDArray[np.float64] = np.zeros(0)
        self.target: NDArray[np.float64] = np.zeros(0)

    def aim(self, target: NDArray[np.float64], *, at_once: bool = False) -> None:
        """Take new targets. at_once: be there now, as are values that come or go."""
        if at_once or len(target) != len(self.shown):
            self.shown = target.copy()
        comes_or_goes = np.isnan(self.shown) | np.isnan(target)
        self.shown = np.where(comes_or_goes, target, self.shown)
        self.target = target

    def advance(self, seconds: float) -> NDArray[np.bool_]:
        """Let so much time pass; return (N,) which values have visibly moved."""
        way = self.target - self.shown
        far = np.abs(way) >= _LEAST_STEP
        step = 1 - math.exp(-2.5 * seconds / _EASE_SECONDS)
        self.shown = self.shown + np.where(far, way * step, way)
        return far
