"""A camera of this computer, read through OpenCV."""

from __future__ import annotations

import math
import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2

from app.errors import SourceError
from app.sources.base import CameraInfo, plausible_rate
from app.sources.camera_list import BACKEND, system_cameras
from app.sources.device import Capture, DeviceSource

_INSTEAD = "or choose another source"
# Above this, uncompressed pictures no longer fit through USB 2 at 30 frames per second.
_MAX_RAW_PIXELS = 640 * 480
_MAX_RAW_FPS = 30.0
_NUMBERED = re.compile(r"(.+) \((\d+)\)")
_PROPERTIES = {
    "width": cv2.CAP_PROP_FRAME_WIDTH,
    "height": cv2.CAP_PROP_FRAME_HEIGHT,
    "fourcc": cv2.CAP_PROP_FOURCC,
    "exposure": cv2.CAP_PROP_EXPOSURE,
    "auto_exposure": cv2.CAP_PROP_AUTO_EXPOSURE,
    "gain": cv2.CAP_PROP_GAIN,
    "brightness": cv2.CAP_PROP_BRIGHTNESS,
    "white_balance": cv2.CAP_PROP_WB_TEMPERATURE,
    "focus": cv2.CAP_PROP_FOCUS,
}


def open_device(index: int) -> Capture:
    """Open a camera through the one backend whose indices the camera list has."""
    return cv2.VideoCapture(index, BACKEND)


class CameraSource(DeviceSource):
    """Read a camera; its driver is asked to keep one frame only, so that none is old."""

    def __init__(
        self,
        index: int | None = None,
        *,
        name: str = "",
        size: tuple[int, int] | None = None,
        fps: float | None = None,
        patience: float = 2.0,
        device: Callable[[int], Capture] = open_device,
    ) -> None:
        """Open the camera and take a first frame.

        index: None means the first camera listed. name: of the one camera that will do,
        whatever its index has become; empty for any. size: (width, height) px wished for; the
        camera may give another. patience: seconds without a frame after which it counts as
        lost; a read that hangs adds the driver's own limit, 1 or 2 s. Raises `SourceError` when
        there is no such camera, or it is taken or forbidden.
        """
        self._info = _choose(index, name)
        self.name = self._info.name
        capture = device(self._info.index)
        if not capture.isOpened():
            capture.release()
            raise SourceError(_why_closed(self._info))
        _configure(capture, size, fps)
        super().__init__(capture, patience=patience)
        if self._first is None:
            capture.release()
            raise SourceError(
                f"{_label(self._info)} was opened but sends no picture, most likely because "
                f"another program is using it; close that program and try again, {_INSTEAD}."
            )
        self.fps = plausible_rate(capture.get(cv2.CAP_PROP_FPS))
        self.properties = _properties(capture)
        height, width = self._first.shape[:2]
        if size is not None and size != (width, height):
            self.notice = (
                f"{_label(self._info)} has no picture of {size[0]} x {size[1]} pixels, so it "
                f"gives {width} x {height}."
            )

    def _lost(self) -> str:
        return (
            f"{_label(self._info)} no longer sends pictures; check its cable and that no other "
            f"program has taken it, or choose another source."
        )

    def _gone(self) -> bool:
        cameras = system_cameras()
        return cameras is not None and all(c.index != self._info.index for c in cameras)


def _choose(index: int | None, name: str) -> CameraInfo:
    cameras = system_cameras()
    if cameras is None:
        cameras = [CameraInfo(index or 0, f"Camera {index or 0}")]
    if not cameras:
        asked = f'The camera "{name}"' if name else "" if index is None else f"camera:{index}"
        what = f"{asked} is not there, nor any other camera" if asked else "No camera was found"
        raise SourceError(f"{what}; plug one in and try again, {_INSTEAD}.")
    if name:
        if (found := _named(cameras, name, index)) is not None:
            return found
        raise SourceError(f'The camera "{name}" is not there; plug it in again, {_INSTEAD}.')
    if index is None:
        return cameras[0]
    for info in cameras:
        if info.index == index:
            return info
    there = ", ".join(f"camera:{info.index} ({info.name})" for info in cameras)
    raise SourceError(f"There is no camera:{index}; this computer has {there}.")


def _named(cameras: Sequence[CameraInfo], name: str, index: int | None) -> CameraInfo | None:
    """Return the camera of a name, None where it is not there.

    Another of its kind, plugged in or out, changes its name by its number: then the one whose
    number is in the name or asked for is meant, else the first of them.
    """
    for info in cameras:
        if info.name == name:
            return info
    twins = [info for info in cameras if _without_number(info) == name]
    number = _NUMBERED.fullmatch(name)
    if number is not None:
        twins, index = [info for info in cameras if info.name == number[1]], int(number[2])
    same = [info for info in twins if info.index == index]
    return next(iter([*same, *twins]), None)


def _without_number(info: CameraInfo) -> str:
    """Return what a camera is called without the number that tells it from others of its kind."""
    return info.name.removesuffix(f" ({info.index})")


def _configure(capture: Capture, size: tuple[int, int] | None, fps: float | None) -> None:
    width, height = size or (0, 0)
    raw_is_slow = width * height > _MAX_RAW_PIXELS or (fps or 0.0) > _MAX_RAW_FPS
    # A camera that lacks a wish keeps its own value, so no answer is checked.
    if sys.platform == "linux" and raw_is_slow:
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
    if size is not None:
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, width)
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, height)
    if fps is not None:
        capture.set(cv2.CAP_PROP_FPS, fps)
    # Last: a change of size may allocate the buffers anew.
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)


def _properties(capture: Capture) -> dict[str, float | str]:
    """Return what the driver tells of the camera; what it does not know is left out."""
    found: dict[str, float | str] = {}
    for name, prop in _PROPERTIES.items():
        value = float(capture.get(prop))
        if math.isfinite(value) and value not in (0.0, -1.0):
            found[name] = value
    code = int(found.pop("fourcc", 0))
    letters = "".join(chr(code >> shift & 0xFF) for shift in (0, 8, 16, 24))
    if letters.isprintable() and code > 0:
        found["fourcc"] = letters
    return found


def _why_closed(info: CameraInfo) -> str:
    node = Path(f"/dev/video{info.index}")
    if sys.platform == "linux" and node.exists() and not os.access(node, os.R_OK | os.W_OK):
        return (
            f"{_label(info)} may not be used by this account; add it to the group that owns "
            f'{node}, usually "video", and log in again.'
        )
    allowed = ""
    if sys.platform != "linux":
        allowed = "allow Mien to use the camera in the system's privacy settings, or "
    return (
        f"{_label(info)} could not be opened, most likely because another program is using it; "
        f"{allowed}close that program and try again, {_INSTEAD}."
    )


def _label(info: CameraInfo) -> str:
    return f'The camera "{info.name}" (camera:{info.index})'
