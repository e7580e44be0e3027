"""The demo actor's head as a surface under soft light: what makes it look like a face."""

from __future__ import annotations

import cv2
import numpy as np

from app.sources.actor_canvas import Floats
from app.sources.actor_geometry import JAW_DROP, half_width
from app.sources.actor_poses import Pose

__all__ = ["head_height", "light"]

_LIGHT = np.array([-0.35, -0.22, 0.9], np.float32) / np.float32(np.sqrt(0.35**2 + 0.22**2 + 0.9**2))
_FILL = np.array([0.6, 0.1, 0.8], np.float32) / np.float32(np.sqrt(0.6**2 + 0.1**2 + 0.8**2))
_AMBIENT, _KEY, _FILLING, _SPECULAR = 0.48, 0.60, 0.14, 0.05
_DEPTH = 62.0


def head_height(x: Floats, y: Floats, pose: Pose) -> Floats:
    """Return the height of the head in mm over a grid: x (1, W), y (H, 1), towards the viewer."""
    width = np.maximum(half_width(y[:, 0], pose), 1e-3)[:, None]
    around = np.clip(1 - (np.abs(x) / width) ** 2.5, 0, 1) ** 0.5
    drop = JAW_DROP * pose.au26
    along = np.clip(1 - np.abs((y - 0.4 * drop) / (124 + 0.7 * drop)) ** 3.0, 0, 1) ** 0.5
    height = _DEPTH * around * along
    height += _nose(x, y, pose)
    for side in (-1, 1):
        height += _half(side * x, y, pose)
    smile, jaw = pose.au12, 0.72 * drop
    height += _bump(x, y, 0, 72 + 0.3 * jaw, 23 + 3 * smile, 15 + 0.3 * jaw, 6.0)
    height += _bump(x, y, 0, 90 + drop * 0.85 - 2 * pose.au17, 16, 5, -3.5 - pose.au17)
    height += _bump(x, y, 0, 104 + 0.9 * drop - 2.5 * pose.au17, 14, 10, 6.0 + 2.5 * pose.au17)
    height += _bump(x, y, 0, 60 - 2 * pose.au10, 2.4, 5, -1.3)
    return np.asarray(height, np.float32)


def _half(x: Floats, y: Floats, pose: Pose) -> Floats:
    """Return what lies on one side of the face, x running outwards."""
    cheek = max(pose.au12, 0.8 * pose.au6)
    brow = -20 - 7 * (pose.au2 + 0.5 * pose.au1) + 6 * pose.au4
    height = _bump(x, y, 13.2, 45 - 1.5 * pose.au9, 5.2, 5.6, 6.0)
    height += _bump(x, y, 29, -4, 15, 9.5, -6.0)
    height += _bump(x, y, 30.5, 0, 11, 7.5, 3.5)
    height += _bump(x, y, 29, brow, 20, 6.5, 4.0 + 1.2 * pose.au4)
    height += _bump(x, y, 41, 32 - 6 * cheek, 17, 14 - 2 * cheek, 4.2 + 2.6 * cheek)
    height += _bump(x, y, 31, 16, 13, 3.2, -0.9)
    height += _bump(x, y, 9 - 1.5 * pose.au4, -16 + 3 * pose.au4, 6, 6, 1.6 * pose.au4)
    height += _bump(x, y, 62, 45, 9, 20, -2.0)
    return height


def _nose(x: Floats, y: Floats, pose: Pose) -> Floats:
    tip = 42 - 0.8 * pose.au9
    places = [-16, -4, 10, 26, tip - 3, tip + 2, tip + 7, tip + 13]
    heights = [0.0, 2.5, 7.0, 12.0, 17.5, 18.0, 9.0, 0.0]
    profile = np.interp(y[:, 0], places, heights).astype(np.float32)[:, None]
    rise = np.asarray(cv2.GaussianBlur(profile, (1, 13), 2.0))
    spread = np.interp(y, [-10, 5, 30, tip], [7.5, 6.4, 7.4, 8.6])
    return np.asarray(rise.reshape(-1, 1) * np.exp(-0.5 * (x / spread) ** 2), np.float32)


def _bump(
    x: Floats, y: Floats, at_x: float, at_y: float, wide: float, high: float, height: float
) -> Floats:
    across = np.exp(-0.5 * ((x - at_x) / wide) ** 2)
    down = np.exp(-0.5 * ((y - at_y) / high) ** 2)
    return np.asarray(height * across * down, np.float32)


def light(height: Floats, step: float) -> tuple[Floats, Floats]:
    """Return how bright a surface is and its highlights, both (H, W), 1 for plain front light.

    Lambert's law with a key light from the upper left, a fill light from the right, and a cheap
    ambient occlusion: what lies below its surroundings gets less. step: millimetres a pixel.
    """
    soft = cv2.GaussianBlur(height, (0, 0), 1.1 / step)
    slope_x = cv2.Sobel(soft, cv2.CV_32F, 1, 0, scale=1 / (8 * step))
    slope_y = cv2.Sobel(soft, cv2.CV_32F, 0, 1, scale=1 / (8 * step))
    length = np.sqrt(1 + slope_x**2 + slope_y**2)

    def facing(direction: Floats) -> Floats:
        dot = (direction[2] - direction[0] * slope_x - direction[1] * slope_y) / length
        return np.asarray(np.maximum(dot, 0), np.float32)

    hollow = cv2.GaussianBlur(soft, (0, 0), 7 / step) - soft
    open_sky = 1 - 0.045 * np.clip(hollow, 0, 7) + 0.010 * np.clip(-hollow, 0, 6)
    bright = _AMBIENT * open_sky + _KEY * facing(_LIGHT) + _FILLING * facing(_FILL)
    halfway = _LIGHT + np.array([0, 0, 1], np.float32)
    shine = _SPECULAR * facing(halfway / np.linalg.norm(halfway).astype(np.float32)) ** 24
    return np.asarray(bright, np.float32), np.asarray(shine, np.float32)
