"""A video file, read through OpenCV's FFmpeg."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from app.errors import SourceError
from app.messages import Frame
from app.sources.base import FrameSource, Pacer, as_bgr, plausible_rate

# Of folders and in dialogs; a file that is named by itself may be called anything.
VIDEO_SUFFIXES = frozenset(
    {".3gp", ".avi", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".ogv"}
    | {".webm", ".wmv"}
)
# Used only where a file says nothing of its speed.
_DEFAULT_FPS = 25.0
_READS_PAST_DAMAGE = 300
# Headers round their lengths, so a little missing at the end is no damage.
_TOLERATED_SECONDS = 0.5
_TOLERATED_SHARE = 0.05


class VideoSource(FrameSource):
    """Play a video file once, upright as its rotation mark says."""

    live = False

    def __init__(self, path: Path, *, paced: bool = True) -> None:
        """Open the file and decode its first frame.

        paced: at the file's own speed, otherwise as fast as it is read. Raises `SourceError`
        when nothing in it can be played.
        """
        name = check_name(path)
        _check_readable(path)
        self.name = path.name
        self._pacer = Pacer(enabled=paced)
        self._lock = threading.Lock()
        self._index = 0
        self._media_time: float | None = None
        self._capture = cv2.VideoCapture(name, cv2.CAP_FFMPEG)
        self._capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)
        self._first = self._decode()
        if self._first is None:
            self._capture.release()
            raise SourceError(
                f'"{path}" cannot be played: it is damaged, cut off or not a video; convert it '
                f"to MP4 with H.264 and try again, or choose another file."
            )
        self.fps = plausible_rate(self._capture.get(cv2.CAP_PROP_FPS))
        count = self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        self._duration = count / self.fps if self.fps and count > 0 else 0.0

    @property
    def duration(self) -> float:
        """Return the seconds that the file says it lasts, 0 where it does not say."""
        return self._duration

    def read(self) -> Frame | None:
        """Return the next frame, None at the end.

        `media_time` is the file's own, so it holds for variable frame rates, and always grows.
        A file that ends before its header says ends as any other and sets `notice`.
        """
        with self._lock:
            if self._pacer.closed:
                return None
            image, self._first = self._first, None
            if image is None:
                image = self._decode()
            if image is None:
                self._note_missing_end()
                return None
            self._media_time = media_time = self._time_of_frame()
        if not self._pacer.wait(media_time):
            return None
        frame = Frame(image, self._index, time.monotonic(), media_time)
        self._index += 1
        return frame

    def delay(self, seconds: float) -> None:
        """Let the frames that follow be due so much later."""
        self._pacer.delay(seconds)

    def close(self) -> None:
        """Release the file."""
        self._pacer.close()
        with self._lock:
            self._capture.release()

    def _decode(self) -> NDArray[np.uint8] | None:
        # A failed read is the end, or a damaged stretch after which the film goes on.
        for failures in range(_READS_PAST_DAMAGE):
            try:
                good, image = self._capture.read()
            except cv2.error:  # what follows a damaged header
                return None
            if good and image is not None:
                if failures:
                    self.notice = f'Damaged frames of "{self.name}" were skipped.'
                return as_bgr(image)
        return None

    def _time_of_frame(self) -> float:
        stamp = max(0.0, self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000.0)
        # Damaged or missing stamps stand still or jump back; the frames still follow each other.
        if self._media_time is not None and stamp <= self._media_time:
            return self._media_time + self._frame_seconds
        return stamp

    @property
    def _frame_seconds(self) -> float:
        return 1.0 / (self.fps or _DEFAULT_FPS)

    def _note_missing_end(self) -> None:
        played = (self._media_time or 0.0) + self._frame_seconds
        tolerated = max(_TOLERATED_SECONDS, _TOLERATED_SHARE * self._duration)
        if self._duration - played > tolerated:
            self.notice = (
                f'"{self.name}" ended after {played:.1f} of {self._duration:.1f} seconds: '
                f"the rest was trimmed away, cut off or damaged; if you miss it, copy the file "
                f"again."
            )


def check_name(path: Path) -> str:
    """Return a path as OpenCV takes it, which ends the program at one that is not text.

    It is absolute: of "P01:take.mp4" FFmpeg takes what is before the colon for a protocol.
    Raises `SourceError`; on Linux a file's name can be any bytes.
    """
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        shown = str(path).encode(errors="replace").decode()
        raise SourceError(
            f'"{shown}" cannot be played: its name is not valid text; rename it and try again.'
        ) from error
    return str(path.absolute())


def _check_readable(path: Path) -> None:
    try:
        with path.open("rb") as file:
            empty = not file.read(1)
    except OSError as error:
        raise SourceError(
            f'"{path}" cannot be read ({error.strerror}); check the file and its permissions.'
        ) from error
    if empty:
        raise SourceError(f'"{path}" is empty; copy the file again, or choose another.')
