"""What cameras, light and hands do to a face: all that a finder must see through."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["SKINS", "cover_face", "spoil_all", "spoil_part"]

SKINS = ((180, 200, 235), (140, 170, 220), (110, 140, 195), (80, 105, 160), (50, 70, 115))
"""Blue, green, red of skins from light to dark, to draw hands with."""
_NOISE_SIDE = 512


def spoil_part(patch: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Change light, colour and sharpness of one pasted part, (H, W, 3) uint8 BGR."""
    if rng.random() < 0.6:
        patch = _relight(patch, rng, 0.3)
    drawn = rng.random()
    if drawn < 0.08:
        patch = _gray(patch)
    elif drawn < 0.25:
        reach = float(rng.uniform(0.4, 1.6))
        patch = cv2.GaussianBlur(patch, (0, 0), reach).astype(np.uint8, copy=False)
    return patch


def spoil_all(
    canvas: NDArray[np.uint8], boxes: NDArray[np.float32], rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Change the whole picture as a camera would; boxes: (n, 4), whose faces backlight darkens."""
    canvas = _change_light(canvas, boxes, rng)
    if rng.random() < 0.12:
        canvas = _gray(canvas)
    drawn = rng.random()
    if drawn < 0.06:
        canvas = _smear(canvas, rng)
    elif drawn < 0.14:
        reach = float(rng.uniform(0.5, 1.5))
        canvas = cv2.GaussianBlur(canvas, (0, 0), reach).astype(np.uint8, copy=False)
    if rng.random() < 0.25:
        canvas = _add_noise(canvas, rng, 2, 14)
    if rng.random() < 0.25:
        canvas = _compress(canvas, int(rng.integers(20, 80)))
    return canvas


def _change_light(
    canvas: NDArray[np.uint8], boxes: NDArray[np.float32], rng: np.random.Generator
) -> NDArray[np.uint8]:
    if rng.random() < 0.4:
        canvas = _relight(canvas, rng, 0.35)
    drawn = rng.random()
    if drawn < 0.1:
        return _darken(canvas, rng)
    if drawn < 0.18 and len(boxes):
        return _light_from_behind(canvas, boxes, rng)
    if drawn < 0.26:
        return _light_from_aside(canvas, rng)
    return canvas


def cover_face(
    canvas: NDArray[np.uint8],
    box: NDArray[np.float32],
    points: NDArray[np.float32],
    rng: np.random.Generator,
) -> None:
    """Draw something over a part of a face: a mask, glasses, a hand, or a bar.

    points: (5, 2) right eye, left eye, nose tip, right and left corner of the mouth, in pixels.
    """
    drawn = rng.random()
    if drawn < 0.3:
        _draw_mask(canvas, points, rng)
    elif drawn < 0.5:
        _draw_glasses(canvas, points, rng)
    elif drawn < 0.8:
        _draw_hand(canvas, box, rng)
    else:
        _draw_bar(canvas, box, rng)


def _relight(
    picture: NDArray[np.uint8], rng: np.random.Generator, most: float
) -> NDArray[np.uint8]:
    """Draw another exponent, contrast, brightness and tint."""
    levels = np.arange(256, dtype=np.float32)[:, None] / 255
    exponent = float(np.exp(rng.uniform(-1.4 * most, 1.4 * most)))
    contrast = 1 + float(rng.uniform(-most, most))
    tint = 1 + rng.uniform(-0.12, 0.12, 3)
    lifted = float(rng.uniform(-0.5 * most, 0.5 * most))
    curve = ((levels**exponent - 0.5) * contrast + 0.5 + lifted) * tint
    table = np.clip(curve * 255, 0, 255).astype(np.uint8)[None]
    return cv2.LUT(picture, table).astype(np.uint8, copy=False)


def _gray(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR).astype(
        np.uint8, copy=False
    )


def _darken(picture: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    part = float(np.exp(rng.uniform(np.log(0.1), np.log(0.5))))
    dark = cv2.convertScaleAbs(picture, alpha=part).astype(np.uint8, copy=False)
    return _add_noise(dark, rng, 1, 6)


def _light_from_behind(
    picture: NDArray[np.uint8], boxes: NDArray[np.float32], rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Make the faces dark and what is around them bright, by a coarse map of gains."""
    height, width = picture.shape[:2]
    gain = np.full((height // 8 + 1, width // 8 + 1), float(rng.uniform(1.2, 2.2)), np.float32)
    dark = float(rng.uniform(0.25, 0.6))
    for left, top, right, bottom in boxes / 8:
        middle = (int((left + right) / 2), int((top + bottom) / 2))
        axes = (max(1, int(right - left)), max(1, int(bottom - top)))
        cv2.ellipse(gain, middle, axes, 0, 0, 360, dark, -1)
    return _times(picture, cv2.blur(gain, (5, 5)).astype(np.float32, copy=False))


def _light_from_aside(picture: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    corners = rng.uniform(0.3, 1.5, (2, 2)).astype(np.float32)
    return _times(picture, corners)


def _times(picture: NDArray[np.uint8], gain: NDArray[np.float32]) -> NDArray[np.uint8]:
    size = (picture.shape[1], picture.shape[0])
    smooth = cv2.resize(gain, size, interpolation=cv2.INTER_LINEAR)
    scaled = np.clip(smooth * 128, 0, 255 * 8).astype(np.uint16)[:, :, None]
    brighter: NDArray[np.uint8] = np.minimum((picture * scaled) >> 7, 255).astype(np.uint8)
    return brighter


def _smear(picture: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Blur along a line, as a moving camera does."""
    length = int(rng.integers(3, 10))
    kernel = np.zeros((length, length), np.float32)
    angle = float(rng.uniform(0, np.pi))
    middle = (length - 1) / 2
    along = np.array([np.cos(angle), np.sin(angle)]) * middle
    ends = [tuple(round(float(middle + sign * part)) for part in along) for sign in (-1, 1)]
    cv2.line(kernel, ends[0], ends[1], 1.0)
    return cv2.filter2D(picture, -1, kernel / kernel.sum()).astype(np.uint8, copy=False)


@cache
def _noise(deviation: int, *, gray: bool) -> NDArray[np.int16]:
    """Return a sheet of normal noise to take pieces of, since drawing it anew takes long."""
    rng = np.random.default_rng(deviation)
    channels = 1 if gray else 3
    drawn = rng.normal(0, deviation, (_NOISE_SIDE, _NOISE_SIDE, channels))
    return np.repeat(drawn, 3 // channels, axis=2).round().astype(np.int16)


def _add_noise(
    picture: NDArray[np.uint8], rng: np.random.Generator, least: int, most: int
) -> NDArray[np.uint8]:
    noise = _noise(int(rng.integers(least, most + 1)), gray=bool(rng.random() < 0.5))
    height, width = picture.shape[:2]
    top, left = (int(rng.integers(0, max(1, _NOISE_SIDE - side))) for side in (height, width))
    piece = noise[top : top + height, left : left + width]
    if piece.shape != picture.shape:  # a picture larger than the sheet
        piece = np.resize(noise, picture.shape)
    return cv2.add(picture, piece, dtype=cv2.CV_8U).astype(np.uint8, copy=False)


def _compress(picture: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert decoded is not None
    return decoded.astype(np.uint8, copy=False)


def _colour(rng: np.random.Generator) -> tuple[int, int, int]:
    blue, green, red = (int(value) for value in rng.integers(0, 256, 3))
    return blue, green, red


def _fill(
    canvas: NDArray[np.uint8], outline: NDArray[np.float32], colour: tuple[int, int, int]
) -> None:
    cv2.fillPoly(canvas, [np.round(outline * 8).astype(np.int32)], colour, cv2.LINE_AA, 3)


def _draw_mask(
    canvas: NDArray[np.uint8], points: NDArray[np.float32], rng: np.random.Generator
) -> None:
    """Cover nose and mouth down to the chin."""
    right_eye, left_eye, nose, right_mouth, left_mouth = points
    mouth = (right_mouth + left_mouth) / 2
    down = mouth - nose
    across = np.maximum(0.9, float(rng.uniform(0.9, 1.3))) * (left_eye - right_eye)
    bridge = nose - float(rng.uniform(0.0, 0.7)) * down
    outline = [
        bridge,
        nose + 0.75 * across - 0.1 * down,
        mouth + 0.6 * across + 0.3 * down,
        mouth + 0.2 * across + 1.25 * down,
        mouth - 0.2 * across + 1.25 * down,
        mouth - 0.6 * across + 0.3 * down,
        nose - 0.75 * across - 0.1 * down,
    ]
    bright = rng.random() < 0.6
    colour = (235, 225, 215) if bright and rng.random() < 0.5 else _colour(rng)
    _fill(canvas, np.array(outline, np.float32), colour)


def _draw_glasses(
    canvas: NDArray[np.uint8], points: NDArray[np.float32], rng: np.random.Generator
) -> None:
    """Cover both eyes with dark lenses, or frame them."""
    right_eye, left_eye = points[0], points[1]
    between = float(np.hypot(*(left_eye - right_eye)))
    if between < 4:
        return
    angle = float(np.degrees(np.arctan2(*(left_eye - right_eye)[::-1])))
    axes = (int(between * rng.uniform(0.28, 0.42)), int(between * rng.uniform(0.18, 0.34)))
    dark = int(rng.integers(0, 70))
    thick = -1 if rng.random() < 0.6 else max(1, int(between * 0.06))
    for eye in (right_eye, left_eye):
        middle = (int(eye[0]), int(eye[1]))
        cv2.ellipse(canvas, middle, axes, angle, 0, 360, (dark, dark, dark), thick, cv2.LINE_AA)
    start, end = (right_eye * 0.65 + left_eye * 0.35), (right_eye * 0.35 + left_eye * 0.65)
    cv2.line(
        canvas,
        (int(start[0]), int(start[1])),
        (int(end[0]), int(end[1])),
        (dark, dark, dark),
        max(1, int(between * 0.06)),
        cv2.LINE_AA,
    )


def _draw_hand(
    canvas: NDArray[np.uint8], box: NDArray[np.float32], rng: np.random.Generator
) -> None:
    """Lay a palm and fingers of some skin over a lower or outer part of a face."""
    left, top, right, bottom = (float(value) for value in box)
    width, height = right - left, bottom - top
    x = left + width * float(rng.choice([0.05, 0.3, 0.7, 0.95]))
    y = top + height * float(rng.uniform(0.75, 1.05))
    base = np.array(SKINS[int(rng.integers(len(SKINS)))]) * float(rng.uniform(0.7, 1.1))
    skin = (float(base[0]), float(base[1]), float(base[2]))
    shade = tuple(0.8 * value for value in skin)
    lean = float(rng.uniform(-50, 50))
    palm = (max(1, int(0.22 * width)), max(1, int(0.26 * height)))
    cv2.ellipse(canvas, (int(x), int(y)), palm, lean, 0, 360, skin, -1, cv2.LINE_AA)
    finger = (max(1, int(0.055 * width)), max(1, int(0.2 * height)))
    turn = np.radians(lean)
    for number in range(4):
        aside = (number - 1.5) * 0.12 * width
        up = -0.28 * height
        fx = x + aside * np.cos(turn) - up * np.sin(turn)
        fy = y + aside * np.sin(turn) + up * np.cos(turn)
        middle = (int(fx), int(fy))
        cv2.ellipse(canvas, middle, finger, lean, 0, 360, skin, -1, cv2.LINE_AA)
        cv2.ellipse(canvas, middle, finger, lean, 0, 360, shade, 1, cv2.LINE_AA)


def _draw_bar(
    canvas: NDArray[np.uint8], box: NDArray[np.float32], rng: np.random.Generator
) -> None:
    """Draw a strip across, as a window frame, a microphone or a strand of hair."""
    left, top, right, bottom = (float(value) for value in box)
    width, height = right - left, bottom - top
    thick = max(1, int(float(rng.uniform(0.06, 0.2)) * width))
    start = (int(left + width * rng.uniform(-0.3, 1.3)), int(top - 0.3 * height))
    end = (int(left + width * rng.uniform(-0.3, 1.3)), int(bottom + 0.3 * height))
    if rng.random() < 0.5:
        start = (int(left - 0.3 * width), int(top + height * rng.uniform(0, 1)))
        end = (int(right + 0.3 * width), int(top + height * rng.uniform(0, 1)))
    cv2.line(canvas, start, end, _colour(rng), thick, cv2.LINE_AA)
