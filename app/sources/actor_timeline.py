"""When the demo actor does what: a loop of seven expressions that ends where it began."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from app.sources.actor_poses import POSES, Pose, blend

__all__ = ["FPS", "FRAME_COUNT", "LABELS", "Moment", "moment"]

FPS = 30
LABELS = tuple(POSES)
_HOLD = 60
_RAMP = 15
_SLOT = _HOLD + _RAMP
FRAME_COUNT = _SLOT * len(LABELS)

# Frames of the ramp and how far the eyes are shut: fast down, slower up, never on a hold.
_BLINK = {3: 0.35, 4: 0.85, 5: 1.0, 6: 1.0, 7: 0.75, 8: 0.45, 9: 0.2, 10: 0.06}


@dataclass(frozen=True, slots=True)
class Moment:
    """Hold what the actor does on one frame.

    label: the expression it plays, on a ramp the nearer one. hold: the expression is whole.
    roll, yaw, pitch: degrees; positive turns the head clockwise, to the right of the picture
    and down. shift: millimetres of the head, right and down.
    """

    label: str
    hold: bool
    pose: Pose
    roll: float
    yaw: float
    pitch: float
    shift: tuple[float, float]


def moment(index: int) -> Moment:
    """Return what the actor does on frame `index`; the loop repeats every FRAME_COUNT frames."""
    index %= FRAME_COUNT
    slot, step = divmod(index, _SLOT)
    start, end = LABELS[slot], LABELS[(slot + 1) % len(LABELS)]
    into_ramp = step - _HOLD + 1
    if into_ramp <= 0:
        label, pose = start, POSES[start]
    else:
        amount = _eased(into_ramp / (_RAMP + 1))
        label = end if amount > 0.5 else start
        pose = replace(
            blend(POSES[start], POSES[end], amount), blink=_BLINK.get(into_ramp - 1, 0.0)
        )
    return Moment(
        label=label,
        hold=into_ramp <= 0,
        pose=pose,
        roll=2.0 * _wave(index, 3, 0.0) + 1.0 * _wave(index, 7, 0.3),
        yaw=4.0 * _wave(index, 2, 0.15) + 1.5 * _wave(index, 5, 0.6),
        pitch=1.2 * _wave(index, 4, 0.4) + 9.0 * pose.head_down,
        shift=(
            4.0 * _wave(index, 2, 0.1) + 1.5 * _wave(index, 5, 0.5),
            1.6 * _wave(index, 4, 0.0) + 0.8 * _wave(index, 9, 0.7) + 3.0 * pose.head_down,
        ),
    )


def _eased(amount: float) -> float:
    """Return the smootherstep of an amount: no jerk where a ramp meets a hold."""
    return amount**3 * (amount * (6 * amount - 15) + 10)


def _wave(index: int, turns: int, phase: float) -> float:
    """Return a sine that makes whole turns a loop, so that the loop closes."""
    return math.sin(2 * math.pi * (turns * index / FRAME_COUNT + phase))
