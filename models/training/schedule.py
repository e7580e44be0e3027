"""The learning rate over a run, as pure functions of what is past."""

from __future__ import annotations

import math

SCHEDULES = ("one_cycle", "cosine", "hold", "plateau")


def one_cycle(step: int, steps: int, warmup: float) -> float:
    """Return the part of the highest learning rate due at a step.

    Rises from 1/25 by a cosine over the first `warmup` part of all steps, then falls by a cosine
    to nothing (Smith and Topin, arXiv 1708.07120).
    """
    rising = max(1.0, warmup * steps)
    if step < rising:
        return 1 / 25 + (1 - 1 / 25) * _ease(step / rising)
    return 1 - _ease((step - rising) / max(1.0, steps - rising))


def warmup_cosine(step: int, steps: int, warmup: float) -> float:
    """Return the part due when it rises in a straight line and then falls by a cosine.

    Loshchilov and Hutter, "SGDR", arXiv 1608.03983, equation 5, one period, after the warm-up of
    Goyal et al., arXiv 1706.02677, section 2.2.
    """
    rising = warmup * steps
    if step < rising:
        return min(1.0, (step + 1) / rising)  # a warm-up may end between two steps
    return 1 - _ease((step - rising) / max(1.0, steps - rising))


def hold(step: int, steps: int, warmup: float, fall: float) -> float:
    """Return the part due when it rises in a straight line, stays, and falls in one to nothing.

    fall: part of all steps in which it falls. While it stays it does not depend on how many steps
    there will be, so that a run can be made longer. Hägele et al., arXiv 2405.18392, section 3,
    after Hu et al., arXiv 2404.06395, section 4.
    """
    rising, falling = warmup * steps, fall * steps
    up = (step + 1) / rising if step < rising else 1.0
    down = (steps - step) / falling if step > steps - falling else 1.0
    return min(1.0, up, down)


def plateau(losses: list[float], patience: int) -> float:
    """Return the part due after these validation losses, one an epoch.

    A tenth of it whenever the lowest loss has not come for `patience` epochs.
    """
    part, lowest, waited = 1.0, math.inf, 0
    for loss in losses:
        waited += 1
        if loss < lowest:
            lowest, waited = loss, 0
        elif waited >= patience:
            part, waited = part * 0.1, 0
    return part


def _ease(part: float) -> float:
    return (1 - math.cos(math.pi * min(part, 1.0))) / 2
