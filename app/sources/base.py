"""The seam every frame source keeps, and what several of them share."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType, TracebackType
from typing import Any, Protocol, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from app.messages import Frame

# Later than this, the clock starts anew instead of rushing to catch up.
_MAX_LATENESS = 1.0


@dataclass(frozen=True, slots=True)
class CameraInfo:
    """Name a camera of this computer; `index` is the N of `camera:N`."""

    index: int
    name: str


class FrameSource(Protocol):
    """Hand out frames one by one.

    name: for the screen. live: True where only the newest frame matters (camera, actor), False
    where each one does (video, folder) unless the source is paced. fps: frames per second, None
    when unknown or irregular. notice: one sentence on what went amiss without stopping the
    source, such as images that were skipped; empty while all is well, may change with any read.
    properties: what else is known of a device, such as its exposure, by name.
    """

    name: str
    live: bool
    fps: float | None
    notice: str = ""
    properties: Mapping[str, float | str] = MappingProxyType({})

    def read(self) -> Frame | None:
        """Return the next frame, waiting for it when the source keeps time.

        None says that the source has ended or was closed. Raises `CameraLost` when a camera
        stopped delivering, `SourceError` for all else that cannot be read.
        """
        ...

    def delay(self, seconds: float) -> None:  # noqa: ARG002 - of those that keep no time
        """Hear that the last frame was held back for so long: one that keeps time is so much later.

        Called on the thread that reads, of sources that are not live.
        """
        return

    def close(self) -> None:
        """Release the device or file; may be called again and from another thread."""
        ...

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class Pacer:
    """Hold frames back until their time has come; does nothing when not `enabled`."""

    def __init__(self, *, enabled: bool) -> None:
        self._enabled = enabled
        self._origin: float | None = None
        self._closed = threading.Event()

    @property
    def closed(self) -> bool:
        return self._closed.is_set()

    def wait(self, media_time: float) -> bool:
        """Wait until `media_time` (s) is due; return False when closed instead."""
        if self._enabled and not self.closed:
            now = time.monotonic()
            if self._origin is None or now - self._origin - media_time > _MAX_LATENESS:
                self._origin = now - media_time
            self._closed.wait(max(0.0, self._origin + media_time - now))
        return not self.closed

    def delay(self, seconds: float) -> None:
        """Let all that follows be due so much later."""
        if self._origin is not None:
            self._origin += seconds

    def close(self) -> None:
        """End the wait that is going on and all later ones."""
        self._closed.set()


def as_bgr(image: NDArray[Any]) -> NDArray[np.uint8]:
    """Return any gray, BGR or BGRA picture of 8 or 16 bits as (H, W, 3) uint8 BGR."""
    if image.dtype == np.uint16:
        image = image >> 8
    picture: NDArray[np.uint8] = np.ascontiguousarray(image, dtype=np.uint8)
    if picture.ndim == 2:
        picture = picture[:, :, None]
    if picture.shape[2] == 1:
        return np.repeat(picture, 3, axis=2)
    return np.ascontiguousarray(picture[:, :, :3])


def plausible_rate(fps: float) -> float | None:
    """Return frames per second as a driver or file reports them, None for its "unknown"."""
    return float(fps) if 0.0 < fps <= 1000.0 else None


def quieten_opencv() -> None:
    """Keep OpenCV and FFmpeg from writing to the terminal: Mien says it in its own sentence.

    Does nothing of the kind when OPENCV_LOG_LEVEL is set. Also bounds how long a read of an
    unplugged V4L2 camera hangs, and leaves the question for permission on macOS to the system,
    since OpenCV can ask it on the main thread only.
    """
    if sys.platform == "darwin":
        os.environ.setdefault("OPENCV_AVFOUNDATION_SKIP_AUTH", "1")
    # Seconds; OpenCV's own limit is 10.
    os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "2")
    if "OPENCV_LOG_LEVEL" not in os.environ:
        os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
