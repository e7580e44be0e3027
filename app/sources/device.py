"""What cameras of every kind share: a device that is read until it sends nothing more."""

from __future__ import annotations

import threading
import time
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from app.errors import CameraLost
from app.messages import Frame
from app.sources.base import FrameSource, as_bgr

_RETRY_PAUSE = 0.02


class Capture(Protocol):
    """Name what is used of `cv2.VideoCapture`."""

    def isOpened(self) -> bool: ...  # noqa: N802 - OpenCV's name
    def read(self) -> tuple[bool, Any]: ...
    def get(self, prop: int, /) -> float: ...
    def set(self, prop: int, value: float, /) -> bool: ...
    def release(self) -> None: ...


class DeviceSource(FrameSource):
    """Read a device that sends pictures of its own accord."""

    live = True

    def __init__(self, capture: Capture, *, patience: float) -> None:
        """Take what was opened. patience: seconds without a picture after which it is lost."""
        self._capture = capture
        self._patience = patience
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._index = 0
        self._first = self._grab()

    def read(self) -> Frame | None:
        """Return the next frame, None after `close`; raises `CameraLost` in bounded time."""
        with self._lock:
            if self._closed.is_set():
                return None
            image, self._first = self._first, None
            if image is None:
                image = self._grab()
            taken = time.monotonic()
        if image is None:
            if self._closed.is_set():
                return None
            raise CameraLost(self._lost())
        frame = Frame(image, self._index, taken, live=True)
        self._index += 1
        return frame

    def close(self) -> None:
        """Release the device; waits for a read that is going on."""
        self._closed.set()
        with self._lock:
            self._capture.release()

    def _lost(self) -> str:
        """Return the sentence for the user once it sends nothing more."""
        raise NotImplementedError

    def _gone(self) -> bool:
        """Say whether it is known to be away, so that there is nothing to wait for."""
        return False

    def _grab(self) -> NDArray[np.uint8] | None:
        deadline = time.monotonic() + self._patience
        while not self._closed.is_set():
            try:
                good, image = self._capture.read()
            except cv2.error:  # a picture that arrived damaged
                good, image = False, None
            if good and image is not None and image.size:
                return as_bgr(image)
            if time.monotonic() >= deadline or self._gone():
                return None
            self._closed.wait(_RETRY_PAUSE)
        return None
