"""What all overlays share: where frame pixels lie on the canvas, how large things are, fading."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from app.messages import Box, FaceResult, Frame, FrameResult

Canvas = NDArray[np.uint8]
Colour = tuple[int, int, int]

FADE_SECONDS = 0.12


@dataclass(frozen=True, slots=True)
class Viewport:
    """Map a frame onto a canvas.

    scale: canvas pixels a frame pixel. mirrored: left and right are swapped, as in a mirror.
    width: of the canvas, pixels. pixel_ratio: canvas pixels a pixel of the desktop, 1 unless the
    desktop is scaled; text and lines keep their least size in desktop pixels.
    """

    scale: float
    mirrored: bool
    width: int
    pixel_ratio: float = 1.0

    @property
    def matrix(self) -> NDArray[np.float64]:
        """Return the (2, 3) matrix from frame to canvas; (0, 0) is the centre of a corner pixel."""
        shift = (self.scale - 1) / 2
        if self.mirrored:
            return np.array([[-self.scale, 0, self.width - 1 - shift], [0, self.scale, shift]])
        return np.array([[self.scale, 0, shift], [0, self.scale, shift]])

    def to_canvas(self, points: ArrayLike) -> NDArray[np.float64]:
        """Return points (..., 2) in frame pixels as canvas pixels."""
        matrix = self.matrix
        return np.asarray(points, dtype=np.float64) @ matrix[:, :2].T + matrix[:, 2]

    def box_to_canvas(self, box: Box) -> Box:
        """Return a half-open box of the frame as one of the canvas."""
        left, right = box.x1 * self.scale, box.x2 * self.scale
        if self.mirrored:
            left, right = self.width - right, self.width - left
        return Box(left, box.y1 * self.scale, right, box.y2 * self.scale)


class Overlay(Protocol):
    """Draw one kind of finding onto a picture."""

    def draw(self, canvas: Canvas, result: FrameResult, view: Viewport) -> None:
        """Draw in place on a (H, W, 3) uint8 BGR canvas; nothing to draw is a normal state."""
        ...


def line_width(canvas: Canvas, view: Viewport) -> float:
    """Return the width of the main lines in canvas pixels."""
    height = int(canvas.shape[0])
    return max(2.0 * view.pixel_ratio, height / 360)


def text_size(canvas: Canvas, view: Viewport, share: float = 1 / 45) -> int:
    """Return the text size in canvas pixels: a share of the height, at least 14 on screen."""
    height = int(canvas.shape[0])
    return round(max(14.0 * view.pixel_ratio, height * share))


def visible(box: Box, canvas: Canvas) -> bool:
    """Say whether any of the box lies on the canvas."""
    height, width = canvas.shape[:2]
    return box.x1 < width and box.y1 < height and box.x2 > 0 and box.y2 > 0 and box.area > 0


class Fader:
    """Let faces come and go softly: remember how far each track has come.

    It moves with the times of the frames alone, so that the same
    frames always give the same pictures, and drawing one frame twice changes nothing.
    """

    def __init__(self, seconds: float = FADE_SECONDS) -> None:
        """Fade in and out for so many seconds; 0 for unrelated still pictures."""
        self._seconds = seconds
        self.anew = True
        """Whether the last frame was the first, or one before those that were drawn."""
        self._time: float | None = None
        self._levels: dict[int, tuple[float, FaceResult]] = {}

    def faces(self, result: FrameResult) -> list[tuple[FaceResult, float]]:
        """Return the faces to draw with their opacity above 0 to 1, those going away first.

        Faces of the first frame, after a jump back in time, and without a track are fully there.
        """
        now = _time(result.frame)
        step = 1.0
        self.anew = self._time is None or now < self._time
        if self._time is None or self.anew:
            self._levels = {}
        elif self._seconds > 0:
            step = (now - self._time) / self._seconds
        self._time = now
        there = [(face, self._rise(face, step)) for face in result.faces]
        tracks = {face.face.track_id for face in result.faces}
        going = {
            track: (level - step, face)
            for track, (level, face) in self._levels.items()
            if track not in tracks and level > step
        }
        self._levels = going | {
            face.face.track_id: (level, face)
            for face, level in there
            if face.face.track_id is not None
        }
        leaving = [(face, level) for level, face in going.values()]
        return leaving + [(face, level) for face, level in there if level > 0]

    def _rise(self, face: FaceResult, step: float) -> float:
        track = face.face.track_id
        if track is None:
            return 1.0
        level = self._levels[track][0] if track in self._levels else 0.0
        return min(1.0, level + step)


def _time(frame: Frame) -> float:
    """Return seconds: a file's own time, so that fading is the same however fast it is read."""
    return frame.captured_at if frame.media_time is None else frame.media_time
