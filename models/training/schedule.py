"""The learning rate over a run, as pure functions of the step."""

from __future__ import annotations

import math


def one_cycle(step: int, steps: int, warmup: float) -> float:
    """Return the part of the highest learning rate due at a step.

    Rises from 1/25 by a cosine over the first `warmup` part of all steps, then falls by a cosine
    to nothing (Smith and Topin, arXiv 1708.07120).
    """
    rising = max(1.0, warmup * steps)
    if step < rising:
        return 1 / 25 + (1 - 1 / 25) * _ease(step / rising)
    return 1 - _ease((step - rising) / max(1.0, steps - rising))


def _ease(part: float) -> float:
    return (1 - math.cos(math.pi * min(part, 1.0))) / 2
