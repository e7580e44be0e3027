"""Keep the picture beside the numbers, on a thread of its own."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from app.messages import FrameResult
from app.overlays import OVERLAYS, Overlay, Shown, make_overlay, render
from app.sessions.blur import Blur
from app.sessions.mkv import VideoFile

__all__ = ["VIDEOS", "VideoOptions", "VideoThread"]

log = logging.getLogger(__name__)

VIDEOS = {"raw": "video.mkv", "annotated": "video_annotated.mkv"}
"""The files by what they show."""

QUALITY = 85
# Of pictures that wait; at least a few, however large.
_MOST_WAITING = 64 * 1024 * 1024
_LEAST_WAITING = 4

Picture = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class VideoOptions:
    """Say what is kept of the picture.

    kinds: names of `VIDEOS`. blur: make faces unknowable. overlays, shown: what the annotated
    video has drawn on it, as `app.overlays` names it. fps: a hint for players; each picture has
    its own time.
    """

    kinds: tuple[str, ...]
    blur: bool = False
    overlays: tuple[str, ...] = ("boxes", "bars")
    shown: Shown | None = None
    fps: float = 30.0


class VideoThread:
    """Encode and write pictures; those for which there is no room are dropped and counted."""

    def __init__(
        self,
        options: VideoOptions,
        *,
        start: float,
        wait: bool,
        dropped: Callable[[int, float, str], None],
        failed: Callable[[OSError], None],
    ) -> None:
        """Take pictures in from now on, for `begin` to write.

        start: monotonic seconds at which the session starts. wait: `add` waits for room.
        dropped: called with number, time and reason of a picture that is missing. failed: called
        when the disk takes no more; nothing is written from then on.
        """
        self._folder = Path()
        self._options = options
        self._start = start
        self._wait = wait
        self._dropped = dropped
        self._failed = failed
        self._waiting: deque[FrameResult] = deque()
        self._bytes_waiting = 0
        self._changed = threading.Condition()
        self._closing = self._broken = False
        self._files: dict[str, VideoFile] = {}
        self._blur = Blur() if options.blur else None
        self._overlays: list[Overlay] = [
            make_overlay(name, options.shown) for name in OVERLAYS if name in options.overlays
        ]
        self._thread = threading.Thread(target=self._work, name="mien-video", daemon=True)

    def begin(self, folder: Path) -> None:
        """Write into a folder; to be called once."""
        self._folder = folder
        self._thread.start()

    @property
    def size(self) -> int:
        """Return the bytes on the disk."""
        return sum(file.size for file in tuple(self._files.values()))  # the thread adds some

    def add(self, result: FrameResult) -> None:
        """Take a picture in at once, or drop it."""
        with self._changed:
            if self._wait:
                self._changed.wait_for(lambda: self._has_room() or self._closing or self._broken)
            if self._closing or self._broken:
                return
            full = not self._has_room()
            if not full:
                self._waiting.append(result)
                self._bytes_waiting += result.frame.image.nbytes
                self._changed.notify_all()
        if full:
            frame = result.frame
            self._dropped(frame.index, frame.captured_at, "video queue full")

    def close(self) -> None:
        """Write what waits and finish the files."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join()

    def _has_room(self) -> bool:
        few = len(self._waiting) < _LEAST_WAITING
        return few or self._bytes_waiting < _MOST_WAITING

    def _work(self) -> None:
        try:
            while (result := self._next()) is not None:
                for ready in [result] if self._blur is None else self._blur.add(result):
                    self._write(ready)
            for left in [] if self._blur is None or self._broken else self._blur.rest():
                self._write(left)
        except OSError as error:
            self._give_up(error)
        except Exception as error:
            log.exception("the video failed")
            self._give_up(OSError(f"the video cannot be written: {error}"))
        for file in self._files.values():
            try:
                file.close()
            except OSError as error:
                self._give_up(error)
            except Exception as error:
                log.exception("a video could not be finished")
                self._give_up(OSError(f"the video cannot be finished: {error}"))

    def _next(self) -> FrameResult | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing)
            if not self._waiting:
                return None
            result = self._waiting.popleft()
            self._bytes_waiting -= result.frame.image.nbytes
            self._changed.notify_all()
            return result

    def _give_up(self, error: OSError) -> None:
        with self._changed:
            if self._broken:
                return
            self._broken = True
            self._waiting.clear()
            self._changed.notify_all()
        self._failed(error)

    def _write(self, result: FrameResult) -> None:
        time = max(0.0, result.frame.captured_at - self._start)
        for kind in self._options.kinds:
            picture = result.frame.image if kind == "raw" else self._annotated(result)
            self._file(kind, picture).add(_encoded(picture), time)

    def _annotated(self, result: FrameResult) -> Picture:
        height, width = result.frame.image.shape[:2]
        return render(result, size=(width, height), overlays=self._overlays)

    def _file(self, kind: str, picture: Picture) -> VideoFile:
        if kind not in self._files:
            height, width = picture.shape[:2]
            path = self._folder / VIDEOS[kind]
            self._files[kind] = VideoFile(path, width, height, fps=self._options.fps)
        return self._files[kind]


def _encoded(picture: Picture) -> bytes:
    """Return a JPEG in the picture's own size: boxes and landmarks count its pixels."""
    good, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    if not good:
        raise OSError("a picture cannot be encoded")
    return bytes(data.tobytes())
