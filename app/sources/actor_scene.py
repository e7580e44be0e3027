"""Put the demo actor into a picture, and say where the points of the face end up in it."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from app.sources.actor_canvas import Canvas, Floats
from app.sources.actor_face import HEAD_AREA, paint_head
from app.sources.actor_geometry import landmarks
from app.sources.actor_poses import Pose
from app.sources.actor_shading import head_height
from app.sources.actor_stage import BODY_CORNER, background, body, hair
from app.sources.actor_timeline import Moment, moment

__all__ = ["SIZE", "paint_actor", "place_landmarks", "render_frame"]

SIZE = (640, 480)
_CENTRE = (320.0, 238.0)
_PIXELS_PER_MM = 1.36
_DETAIL = 2.0  # pixels a millimetre of what is drawn
_COARSE = 1.0  # and of the height field, which is smooth
_PIVOT = np.array([0.0, 120.0])  # the head rolls about the neck


def render_frame(index: int) -> NDArray[np.uint8]:
    """Return frame `index` of the loop drawn afresh, (480, 640, 3) uint8, BGR.

    Takes about 50 ms; `ActorSource` plays the same loop from a clip.
    """
    picture = background(*SIZE).copy()
    paint_actor(picture, index)
    return picture


def paint_actor(
    picture: NDArray[np.uint8],
    index: int,
    centre: tuple[float, float] = _CENTRE,
    size: float = 1.0,
) -> None:
    """Draw the actor as on frame `index` into a picture (H, W, 3) uint8, BGR, in place.

    centre: pixels of the point between the eyes with the head at rest. size: 1 makes a face 195
    pixels wide and 315 high.
    """
    now = moment(index)
    scale = size * _PIXELS_PER_MM
    shape = (picture.shape[1], picture.shape[0])
    sway = np.array(now.shift) * (0.35, 0.25)  # the body moves less than the head
    corner = np.array(centre) + scale * (sway + BODY_CORNER)
    step = scale / _DETAIL
    place = np.array([[step, 0, corner[0]], [0, step, corner[1]]])
    _lay_over(picture, _bytes(cv2.warpAffine(body(_DETAIL), place, shape, flags=cv2.INTER_LINEAR)))
    relief = _relief(now.pose)
    map_x, map_y = _way_back(now, relief, centre, scale, shape)
    _lay_over(picture, _bytes(cv2.remap(_head(now.pose), map_x, map_y, cv2.INTER_LINEAR)))


def place_landmarks(
    index: int, centre: tuple[float, float] = _CENTRE, size: float = 1.0
) -> NDArray[np.float32]:
    """Return the 68 points (68, 2) in pixels through which `paint_actor` draws frame `index`."""
    now = moment(index)
    points = landmarks(now.pose)
    lift = _sample(_relief(now.pose), points[:, :1], points[:, 1:])
    turned = points + lift * np.tan(np.radians([now.yaw, now.pitch]))
    rotation, shift = _roll_and_shift(now)
    placed = np.array(centre) + size * _PIXELS_PER_MM * (turned @ rotation.T + shift)
    return placed.astype(np.float32)


def _roll_and_shift(now: Moment) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the rotation (2, 2) and the shift (2,) in mm that follows it."""
    cosine, sine = np.cos(np.radians(now.roll)), np.sin(np.radians(now.roll))
    rotation = np.array([[cosine, -sine], [sine, cosine]])
    return rotation, np.array(now.shift) + _PIVOT - rotation @ _PIVOT


def _way_back(
    now: Moment,
    relief: Canvas,
    centre: tuple[float, float],
    scale: float,
    shape: tuple[int, int],
) -> tuple[Floats, Floats]:
    """Return for every pixel of the picture its place on the head's layer.

    A turn of the head moves each point by its height times the tangent of the angle. What lies
    under a pixel is found by going back along the height there, twice.
    """
    rotation, shift = _roll_and_shift(now)
    column = (np.arange(shape[0])[None, :] - centre[0]) / scale - shift[0]
    row = (np.arange(shape[1])[:, None] - centre[1]) / scale - shift[1]
    x = rotation[0, 0] * column + rotation[1, 0] * row
    y = rotation[0, 1] * column + rotation[1, 1] * row
    yaw, pitch = np.tan(np.radians([now.yaw, now.pitch]))
    found_x, found_y = x, y
    for _ in range(2):
        lift = _sample(relief, found_x, found_y)
        found_x, found_y = x - lift * yaw, y - lift * pitch
    left, top = HEAD_AREA[:2]
    return (
        ((found_x - left) * _DETAIL - 0.5).astype(np.float32),
        ((found_y - top) * _DETAIL - 0.5).astype(np.float32),
    )


def _sample(relief: Canvas, x: NDArray[np.float64], y: NDArray[np.float64]) -> Floats:
    """Return the heights in mm at places in mm, all of one shape."""
    map_x = ((x - relief.left) * relief.scale - 0.5).astype(np.float32)
    map_y = ((y - relief.top) * relief.scale - 0.5).astype(np.float32)
    return np.asarray(cv2.remap(relief.alpha, map_x, map_y, cv2.INTER_LINEAR), np.float32)


def _lay_over(picture: NDArray[np.uint8], layer: NDArray[np.uint8]) -> None:
    """Lay BGRA with premultiplied colour over a picture of the same size, in place."""
    left, top, width, height = cv2.boundingRect(layer[..., 3])
    part = layer[top : top + height, left : left + width].astype(np.uint16)
    below = picture[top : top + height, left : left + width]
    below[:] = part[..., :3] + (below * (255 - part[..., 3:]) + 127) // 255


def _bytes(layer: object) -> NDArray[np.uint8]:
    return np.asarray(layer, np.uint8)


@lru_cache(maxsize=2)
def _relief(pose: Pose) -> Canvas:
    """Return the height of the head in mm as the `alpha` of a canvas."""
    canvas = Canvas(*HEAD_AREA, _COARSE)
    canvas.alpha[:] = cv2.GaussianBlur(head_height(*canvas.grid(), pose), (0, 0), 1.2)
    return canvas


@lru_cache(maxsize=2)
def _head(pose: Pose) -> NDArray[np.uint8]:
    """Return the head with its hair, BGRA with premultiplied colour."""
    canvas = Canvas(*HEAD_AREA, _DETAIL)
    paint_head(canvas, pose, _relief(pose))
    above = hair(_DETAIL)
    # The fringe throws a soft shadow on the forehead.
    blurred = cv2.GaussianBlur(above.alpha, (0, 0), 3 * _DETAIL)
    shadow = np.roll(np.asarray(blurred, np.float32), round(3.5 * _DETAIL), 0)[..., None]
    canvas.colour *= 1 - 0.75 * shadow * (1 - np.array([0.58, 0.62, 0.74], np.float32))
    canvas.colour += (above.colour - canvas.colour) * above.alpha[..., None]
    canvas.alpha += (1 - canvas.alpha) * above.alpha
    return canvas.bgra()
