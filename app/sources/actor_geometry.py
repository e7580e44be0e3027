"""Where the features of the demo actor lie, in millimetres of a frontal head.

The eye line is y = 0, the middle of the face x = 0, y runs down. The 68 points are those of the
iBUG order and are the very points the face is drawn through.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.sources.actor_poses import Pose

__all__ = ["CHIN", "JAW_DROP", "half_width", "landmarks"]

Points = NDArray[np.float64]

CHIN = 116.0
JAW_DROP = 22.0
_JAW_HINGE = 42.0

_PROFILE = np.array(
    [
        (-116, 0), (-111, 27), (-100, 46), (-82, 60), (-55, 69), (-25, 71.5), (0, 71.5),
        (20, 70), (40, 67), (60, 61), (78, 53), (92, 44.5), (104, 33), (112, 19), (116, 0),
    ],
    dtype=np.float64,
)  # fmt: skip


def _width_table() -> tuple[Points, Points]:
    """Return heights and half widths, smoothed.

    Squared widths are smoothed: unlike widths, they have a finite slope at top and chin.
    """
    y = np.linspace(-CHIN, CHIN, 465)
    square = np.interp(y, _PROFILE[:, 0], _PROFILE[:, 1] ** 2)
    kernel = np.hanning(27)
    odd = np.concatenate([-square[13:0:-1], square, -square[-2:-15:-1]])  # keeps the ends at 0
    square = np.convolve(odd, kernel / kernel.sum(), mode="valid")
    return y, np.sqrt(np.maximum(square, 0))


_TABLE_Y, _TABLE_WIDTH = _width_table()


def half_width(y: NDArray[np.floating], pose: Pose) -> NDArray[np.float64]:
    """Return half the width of the head in mm at heights y; 0 above the head and below the chin."""
    places = _TABLE_Y + _jaw(_TABLE_Y, pose)
    return np.asarray(np.interp(y, places, _TABLE_WIDTH, left=0.0, right=0.0), np.float64)


def landmarks(pose: Pose) -> Points:
    """Return the 68 points (68, 2) of a pose, in mm."""
    left_brow, left_eye = _brow(pose), _eye(pose)
    return np.vstack(
        [
            _jawline(pose),
            left_brow,
            _mirrored(left_brow)[::-1],
            _nose(pose),
            left_eye,
            _mirrored(left_eye)[[3, 2, 1, 0, 5, 4]],
            _mouth(pose),
        ]
    )


def _mirrored(points: Points) -> Points:
    return points * (-1.0, 1.0)


def _jaw(y: Points, pose: Pose) -> Points:
    """Return how far the skin at height y goes down with the jaw."""
    amount = np.clip((y - _JAW_HINGE) / (CHIN - _JAW_HINGE), 0, 1)
    return JAW_DROP * pose.au26 * amount * amount * (3 - 2 * amount)


def _jawline(pose: Pose) -> Points:
    bottom = CHIN + JAW_DROP * pose.au26
    y = np.linspace(2, bottom, 400)
    x = half_width(y, pose)
    length = np.concatenate([[0], np.cumsum(np.hypot(np.diff(x), np.diff(y)))])
    places = np.linspace(0, length[-1], 9)
    side = np.stack([-np.interp(places, length, x), np.interp(places, length, y)], 1)
    return np.vstack([side, _mirrored(side[:-1])[::-1]])


def _brow(pose: Pose) -> Points:
    """Return the brow on the left of the picture, outer end first."""
    rest = np.array([(-55, -16.5), (-46, -22), (-34, -23), (-23, -20.5), (-13, -17)], np.float64)
    inner_up = np.array([2.6, 0.5, -3.5, -7, -9.0])
    outer_up = np.array([-8.5, -10, -9.5, -8, -6.5])
    down = np.array([1.5, 4.0, 6.0, 7.5, 8.5])
    rest[:, 1] += inner_up * pose.au1 + outer_up * pose.au2 + down * pose.au4 + 2.5 * pose.au9
    rest[:, 0] += np.array([0, 0.5, 1.5, 2.8, 3.6]) * pose.au4
    return rest


def _eye(pose: Pose) -> Points:
    """Return the eye on the left of the picture: outer corner, upper lid, inner corner, lower."""
    up = 6.0 + 3.2 * pose.au5 - 0.8 * pose.au7 * (1 - pose.au5) - 0.4 * pose.au4
    up -= 4.0 * pose.droop
    down = 4.2 + 0.6 * pose.au5 - 1.5 * pose.au7 - 1.2 * pose.au6 - 0.6 * pose.au12
    # Shut lids meet low: the upper one makes most of the way.
    high = up * (1 - pose.blink) - 0.7 * down * pose.blink
    low = down * (1 - pose.blink) + (0.7 * down + 0.4) * pose.blink
    return np.array(
        [
            (-44, -0.8),
            (-35.8, -high),
            (-25.0, -high * 0.97),
            (-16.5, 1.2),
            (-25.2, low * 0.94),
            (-35.4, low),
        ],
        np.float64,
    )


def _nose(pose: Pose) -> Points:
    lift = 2.2 * pose.au9 + 1.2 * pose.au10
    flare = 1.2 * pose.au9 + 0.8 * pose.au10 + 1.3 * pose.au12
    ridge = np.array([(0, -1), (0, 13.5), (0, 28), (0, 42 - 0.4 * lift)], np.float64)
    base = np.array([(-13, 50), (-6.8, 52), (0, 53.2), (6.8, 52), (13, 50)], np.float64)
    base[:, 0] += np.array([-1, -0.4, 0, 0.4, 1]) * flare
    base[:, 1] -= np.array([1.0, 0.8, 0.4, 0.8, 1.0]) * lift
    return np.vstack([ridge, base])


def _mouth(pose: Pose) -> Points:
    """Return the 12 outer and 8 inner points of the lips."""
    spread = 8.0 * pose.au12 + 5.5 * pose.au20 - 2.5 * pose.au23 - 0.5 * pose.au15
    half = 24.5 + spread - 5.0 * pose.au26 * (1 - 0.7 * pose.au20)
    jaw = 0.72 * JAW_DROP * pose.au26
    corner = 70.5 - 8.0 * pose.au12 + 6.5 * pose.au15 + 3.0 * pose.au20 + 0.42 * jaw
    lift = 4.5 * pose.au10 + 1.5 * pose.au12 + 0.6 * pose.au25
    tight = 1 - 0.55 * pose.au23 - 0.25 * pose.au12 - 0.2 * pose.au20
    push = 3.2 * pose.au17
    seam = 70.0 - lift - 0.6 * push + 0.06 * jaw  # lower edge of the upper lip
    floor = 70.0 - 0.5 * lift - push + jaw + 6.0 * pose.au25 + 1.5 * pose.au10 * (1 - pose.au23)
    floor = max(floor, seam + 0.25)
    upper, lower = 6.2 * tight, 8.2 * tight

    def row(places: list[float], depth: list[float], middle: float) -> Points:
        """Return points `places` half-widths out; depth 1 lies at the middle, 0 at the corner."""
        return np.array(
            [(p * half, corner + (middle - corner) * d) for p, d in zip(places, depth, strict=True)]
        )

    # An open mouth is rounder: its contours leave the corners more steeply.
    gape = min((floor - seam) / 16, 1.0)
    high, low = 0.62 + 0.14 * gape, 0.72 + 0.16 * gape
    outer_up = row([-1, -0.62, -0.2, 0, 0.2, 0.62, 1], [0, high, 1, 1, 1, high, 0], seam - upper)
    outer_up[3, 1] += 1.1 * tight
    outer_low = row([0.6, 0.27, 0, -0.27, -0.6], [low, 0.97, 1, 0.97, low], floor + lower)
    inner_up = row([-0.9, -0.4, 0, 0.4, 0.9], [0.12, 0.86, 1, 0.86, 0.12], seam)
    inner_low = row([0.4, 0, -0.4], [0.9, 1, 0.9], floor)
    return np.vstack([outer_up, outer_low, inner_up, inner_low])
