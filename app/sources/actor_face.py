"""Paint the demo actor's head: skin, creases, nose, mouth, eyes, brows."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from app.sources.actor_canvas import Canvas, Colour, Patch, ellipse, ribbon, smooth
from app.sources.actor_geometry import CHIN, JAW_DROP, half_width, landmarks
from app.sources.actor_poses import Pose
from app.sources.actor_shading import light

__all__ = ["HEAD_AREA", "SKIN", "paint_head"]

Points = NDArray[np.float64]

HEAD_AREA = (-96.0, -146.0, 96.0, 150.0)  # left, top, right, bottom in mm
SKIN: Colour = (0.56, 0.69, 0.89)
_LIP: Colour = (0.39, 0.40, 0.70)
_SHADE: Colour = (0.50, 0.55, 0.70)  # what shade multiplies skin by: warm, not gray
_INK: Colour = (0.10, 0.13, 0.18)
_BROW: Colour = (0.13, 0.17, 0.25)
_IRIS: Colour = (0.42, 0.46, 0.30)
_SIDES = (-1, 1)


def paint_head(canvas: Canvas, pose: Pose, relief: Canvas) -> None:
    """Paint the head without hair on a canvas of HEAD_AREA; relief: its height as `alpha`."""
    points = landmarks(pose)
    _skin(canvas, pose, relief)
    _creases(canvas, pose, points[54])
    _nose(canvas, pose, points[27:36])
    _mouth(canvas, pose, points[48:68])
    _eye(canvas, pose, points[36:42], -1)
    _eye(canvas, pose, points[[45, 44, 43, 42, 47, 46]], 1)
    for brow in (points[17:22], points[26:21:-1]):
        shape = ribbon(smooth(brow), (1.2, 3.8, 5.6, 6.4, 6.0, 3.0))
        canvas.paint(canvas.mask(shape, 1.0), _BROW, 0.86)


def _skin(canvas: Canvas, pose: Pose, relief: Canvas) -> None:
    y = np.linspace(-CHIN, CHIN + JAW_DROP * pose.au26, 160)
    right = np.stack([half_width(y, pose), y], 1)
    canvas.cover(canvas.mask(np.vstack([right, (right * (-1, 1))[::-1]]), 0.35))
    ear = smooth(
        [(66, -14), (74, -17), (80, -10), (80, 6), (76, 20), (70, 29), (64, 26)], closed=True
    )
    inside = ribbon(smooth([(70, -8), (75, -9), (76.5, 0), (73, 12), (69, 19)]), (1, 4, 1))
    canvas.colour[:] = SKIN
    for side in _SIDES:
        canvas.cover(canvas.mask(ear * (side, 1), 0.35))
        cheek = canvas.mask(ellipse(side * 42, 30 - 5 * pose.au12, 15, 11), 7)
        canvas.tint(cheek, (0.86, 0.86, 1.0), 0.55 + 0.25 * pose.au12)
    canvas.tint(canvas.mask(ellipse(0, 42, 9, 8), 5), (0.90, 0.90, 1.0), 0.6)
    height, width = canvas.alpha.shape
    bright, shine = (
        np.asarray(cv2.resize(map_, (width, height), interpolation=cv2.INTER_CUBIC))[..., None]
        for map_ in light(relief.alpha, 1 / relief.scale)
    )
    # Shade falls on blue and green first: light that has been through skin is red.
    canvas.colour *= np.maximum(bright, 0.05) ** np.array([1.18, 1.08, 0.86], np.float32)
    canvas.colour += shine
    for side in _SIDES:
        canvas.tint(canvas.mask(inside * (side, 1), 1.2), _SHADE, 0.7)


def _fold(canvas: Canvas, line: Sequence[tuple[float, float]], width: float, depth: float) -> None:
    """Crease the skin on both sides along a line given for the right of the picture."""
    shape = ribbon(smooth(line), (0.2, width, width, 0.2))
    for side in _SIDES:
        canvas.tint(canvas.mask(shape * (side, 1), 1.25), _SHADE, 0.85 * depth)


def _creases(canvas: Canvas, pose: Pose, corner: Points) -> None:
    x, y = corner
    raised = max(pose.au12, pose.au10, 0.8 * pose.au9, 0.5 * pose.au20, 0.35 * pose.au15)
    beside_mouth = [(17, 44), (0.4 * x + 13, 50), (0.7 * x + 13, 57), (x + 7.5, y + 1)]
    _fold(canvas, beside_mouth, 2.6, 0.14 + 0.86 * raised)
    _fold(canvas, [(6.5, -24), (5.4, -17), (6.6, -10)], 2.6, pose.au4)
    wrinkled = max(pose.au9, 0.5 * pose.au10 * pose.au7)
    for top in (0, 5):
        _fold(canvas, [(2, top), (7, top + 3), (11, top + 7)], 1.8, 0.8 * wrinkled)
    bow = 3.0 * pose.au1 * (1 - pose.au2)
    for top in (-40, -51):
        forehead = [(0, top - bow), (16, top - bow), (34, top + 2.0)]
        _fold(canvas, forehead, 1.8, 0.6 * max(0.8 * pose.au1, 0.7 * pose.au2))
    lid = max(0.85 * pose.au6, 0.45 * pose.au12, 0.45 * pose.au7)
    _fold(canvas, [(18, 8), (29, 11 - 1.5 * lid), (41, 8)], 2.0, 0.25 + 0.75 * lid)
    _fold(canvas, [(46, 2), (52, 4), (57, 7)], 1.4, 0.6 * max(pose.au12, pose.au6))
    _fold(canvas, [(x - 1, y), (x + 3, y + 5), (x + 4, y + 12)], 2.4, pose.au15)
    dimple = [(x + 1, y - 2), (x + 3.4, y + 1), (x + 2.5, y + 5)]
    _fold(canvas, dimple, 2.0, 0.75 * pose.au12 + 0.25 * pose.au20)


def _nose(canvas: Canvas, pose: Pose, points: Points) -> None:
    flare = 1 + 0.06 * (pose.au9 + pose.au10 + pose.au12)
    lift = 2.2 * pose.au9 + 0.8 * pose.au10
    wing = smooth([(14, 41), (17.6, 45), (16.2, 50.5), (12.5, 51.2)]) * (flare, 1) - (0, lift)
    hole = points[7:9].mean(0) * (0.82, 1) - (0, 0.8)
    for side in _SIDES:
        nostril = ellipse(side * hole[0], hole[1], 3.6, 1.7)
        canvas.tint(canvas.mask(nostril, 0.7), (0.30, 0.32, 0.42), 0.85)
        edge = ribbon(wing * (side, 1), (0.2, 1.8, 1.6, 0.4))
        canvas.tint(canvas.mask(edge, 0.8), _SHADE, 0.7)
    canvas.tint(canvas.mask(ellipse(0, points[6, 1] + 1.5, 9, 2.0), 1.6), _SHADE, 0.55)


def _mouth(canvas: Canvas, pose: Pose, points: Points) -> None:
    """Paint the lips and what is between them; points: the 20 of the mouth."""
    upper_out, lower_out = smooth(points[:7]), smooth(points[[6, 7, 8, 9, 10, 11, 0]])
    upper_in = smooth(points[[0, 12, 13, 14, 15, 16, 6]])
    lower_in = smooth(points[[6, 17, 18, 19, 0]])
    canvas.tint(canvas.mask(lower_out + np.array([0, 3.0]), 2.2), _SHADE, 0.30)
    lips = canvas.mask(np.vstack([upper_out, lower_out]), 0.7)
    canvas.paint(lips, _LIP, 0.80 - 0.25 * pose.au23)
    upper = canvas.mask(np.vstack([upper_out, upper_in[::-1]]), 1.0, lips)
    canvas.tint(upper, (0.80, 0.80, 0.86), 0.8)  # it faces down, away from the light
    middle = 0.55 * points[18] + 0.45 * points[9]
    swell = 0.20 * (points[9, 1] - points[18, 1])
    gloss = canvas.mask(ellipse(middle[0] - 1.5, middle[1], 9, swell), 1.3, lips)
    canvas.paint(gloss, (0.72, 0.74, 0.95), 0.38)
    gap = points[18, 1] - points[14, 1]
    if gap > 0.8:
        hole = canvas.mask(np.vstack([upper_in, lower_in]), 0.5)
        canvas.paint(hole, (0.13, 0.11, 0.27))
        tongue = ellipse(0, points[18, 1] + 1, 13, min(0.42 * gap, 7.5))
        canvas.paint(canvas.mask(tongue, 1.5, hole), (0.33, 0.33, 0.66), 0.85)
        shown = 2.5 + 5.0 * max(pose.au12, pose.au10, pose.au20)
        _teeth(canvas, hole, upper_in, min(0.62 * gap, shown))
    seam = ribbon(upper_in, (1.0, 1.5, 1.3, 1.5, 1.0))
    canvas.paint(canvas.mask(seam, 0.5), (0.14, 0.13, 0.30), 0.78)
    for corner in points[[0, 6]]:
        canvas.tint(canvas.mask(ellipse(corner[0], corner[1], 2.2, 1.6), 1.0), _SHADE, 0.7)


def _teeth(canvas: Canvas, hole: Patch, lip: Points, length: float) -> None:
    """Paint the upper teeth, `length` mm below the edge of the lip, and the lip's shadow."""
    reach = np.abs(lip[:, 0]) / (0.9 * np.abs(lip[0, 0]))
    bottom = lip.copy()
    bottom[:, 1] += length * np.sqrt(np.clip(1 - reach**4, 0, 1))
    teeth = canvas.mask(np.vstack([lip - (0, 1), bottom[::-1]]), 0.5, hole)
    canvas.paint(teeth, (0.86, 0.91, 0.94), 0.95)
    for x in (-15.5, -8.5, 0.0, 8.5, 15.5):
        top = float(np.interp(x, lip[:, 0], lip[:, 1]))
        slit = ribbon([(x, top), (x, top + length + 1)], (0.5, 0.5))
        canvas.tint(canvas.mask(slit, 0.3, teeth), (0.80, 0.80, 0.84), 0.6)
    shadow = canvas.mask(ribbon(lip, (1.5, 3.5, 3.5, 3.5, 1.5)), 0.9, hole)
    canvas.tint(shadow, (0.45, 0.45, 0.52), 0.65)


def _eye(canvas: Canvas, pose: Pose, points: Points, side: int) -> None:
    """Paint an eye; points: outer corner, two upper, inner corner, two lower from inside out."""
    upper, lower = smooth(points[:4]), smooth(points[[3, 4, 5, 0]])
    opening = canvas.mask(np.vstack([upper, lower]), 0.35)
    canvas.paint(opening, (0.88, 0.91, 0.93))
    tear = ellipse(points[3, 0] + side * 1.6, points[3, 1] - 0.3, 2.0, 1.5)
    canvas.paint(canvas.mask(tear, 0.7, opening), (0.55, 0.57, 0.83), 0.8)
    _iris(canvas, opening, side * 31.0, -0.6 + 3.4 * pose.gaze_down)
    shadow = canvas.mask(ribbon(upper, (3, 6, 6, 3)), 1.2, opening)
    canvas.tint(shadow, (0.55, 0.55, 0.60), 0.75)
    lashes = np.vstack([points[0] + (side * 2.6, -1.0), upper]) - (0, 0.5)
    canvas.paint(canvas.mask(ribbon(lashes, (0.5, 2.3, 2.2, 1.7, 0.9)), 0.4), _INK, 0.92)
    rim = canvas.mask(ribbon(lower, (0.3, 0.7, 0.9, 0.5)), 0.5)
    canvas.paint(rim, (0.22, 0.27, 0.40), 0.55)
    above = 3.8 - 1.2 * pose.au5 + 1.5 * pose.blink
    rise = [(side * 1.5, -3.4), (0, -above), (0, -above), (side * 1.5, -3.2)]
    fold = ribbon(smooth(points[:4] + rise), (0.3, 1.5, 1.4, 0.3))
    canvas.tint(canvas.mask(fold, 0.8), _SHADE, 0.75)


def _iris(canvas: Canvas, opening: Patch, x: float, y: float) -> None:
    canvas.paint(canvas.mask(ellipse(x, y, 6.4, 6.4), 0.3, opening), (0.16, 0.18, 0.13))
    canvas.paint(canvas.mask(ellipse(x, y, 5.7, 5.7), 0.6, opening), _IRIS)
    glow = canvas.mask(ellipse(x, y + 2.6, 3.6, 2.4), 1.0, opening)
    canvas.tint(glow, (1.55, 1.5, 1.5), 0.8)
    canvas.paint(canvas.mask(ellipse(x, y, 2.6, 2.6), 0.35, opening), (0.05, 0.05, 0.06))
    for shift, radius, strength in ((-2.1, 1.35, 0.95), (2.1, 0.7, 0.4)):
        glint = canvas.mask(ellipse(x + shift, y + shift, radius, radius), 0.3, opening)
        canvas.paint(glint, (1, 1, 1), strength)
