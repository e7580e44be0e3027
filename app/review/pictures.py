"""The picture that belongs to a frame of a session, from its video or from its source."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from app.errors import SourceError
from app.review.recording import Recording
from app.sessions.mkv import VideoReader
from app.sessions.video import VIDEOS
from app.sources.base import as_bgr
from app.sources.folder import read_image
from app.sources.video import check_name

__all__ = [
    "ImagePictures",
    "Pictures",
    "RecordedPictures",
    "VideoPictures",
    "field_size",
    "find_pictures",
    "is_clean",
    "no_clean_pictures",
]

# A picture this close to the frame's time is the frame's: few containers tell more than a
# millisecond, and few videos have more than 120 frames a second.
_SAME_SECONDS = 0.004
# Farther ahead than this a jump is quicker than reading on.
_JUMP_SECONDS = 1.5
_BACK_SECONDS = (0.0, 1.0, 5.0, 30.0)
_LEAST_SIDE = 240


class Pictures(Protocol):
    """Hand out pictures of a session's frames; not to be shared between threads."""

    annotated: bool
    """Whether findings are drawn on the pictures already."""

    def picture(self, frame: int) -> NDArray[np.uint8] | None:
        """Return (H, W, 3) uint8 BGR, None where there is none of that frame."""
        ...

    def close(self) -> None: ...


class RecordedPictures:
    """Take pictures from a session's own video, in which each bears the time of its frame."""

    def __init__(self, path: Path, times: NDArray[np.float64], *, annotated: bool = False) -> None:
        """Find where the pictures lie. times: (F,) s. Raises `OSError` for another kind of file."""
        self.annotated = annotated
        self._reader = VideoReader(path)
        self._times = times

    def picture(self, frame: int) -> NDArray[np.uint8] | None:
        place = self._reader.near(float(self._times[frame]))
        return None if place is None else self._reader.picture(place)

    def close(self) -> None:
        self._reader.close()


class VideoPictures:
    """Take pictures from a video file as `app.sources.video` tells their times."""

    annotated = False

    def __init__(self, path: Path, times: NDArray[np.float64]) -> None:
        """Open lazily. times: (F,) s in the video, NaN for frames that have no picture."""
        self._path = path
        self._times = times
        self._capture: cv2.VideoCapture | None = None
        self._at = float("-inf")
        self._image: NDArray[np.uint8] | None = None

    def picture(self, frame: int) -> NDArray[np.uint8] | None:
        target = float(self._times[frame])
        if not np.isfinite(target):
            return None
        if self._capture is None:
            self._capture = cv2.VideoCapture(str(self._path), cv2.CAP_FFMPEG)
            self._capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)
        if abs(self._at - target) <= _SAME_SECONDS:
            return self._image
        if target < self._at or target > self._at + _JUMP_SECONDS:
            self._jump(target)
        return self._read_until(target)

    def close(self) -> None:
        if self._capture is not None:
            self._capture.release()

    def _jump(self, target: float) -> None:
        """Stand shortly before a time; containers tell key frames only roughly."""
        for back in _BACK_SECONDS:
            self._seek(max(0.0, target - back))
            if self._at <= target + _SAME_SECONDS:
                return
        assert self._capture is not None
        self._capture.release()
        self._capture = cv2.VideoCapture(str(self._path), cv2.CAP_FFMPEG)
        self._capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)
        self._at, self._image = float("-inf"), None

    def _seek(self, time: float) -> None:
        assert self._capture is not None
        self._capture.set(cv2.CAP_PROP_POS_MSEC, 1000 * time)
        self._next()

    def _read_until(self, target: float) -> NDArray[np.uint8] | None:
        while self._at < target - _SAME_SECONDS:
            before = self._image
            if not self._next():
                return before
        return self._image

    def _next(self) -> bool:
        assert self._capture is not None
        try:
            good, image = self._capture.read()
        except cv2.error:
            good, image = False, None
        if not good or image is None:
            self._at = float("inf")  # so that the next wish jumps
            return False
        self._image = as_bgr(image)
        self._at = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
        return True


class ImagePictures:
    """Take pictures from image files."""

    annotated = False

    def __init__(self, paths: Sequence[Path | None]) -> None:
        """Take what is there. paths: one a frame, None where there is none."""
        self._paths = paths

    def picture(self, frame: int) -> NDArray[np.uint8] | None:
        path = self._paths[frame]
        return None if path is None else read_image(path)

    def close(self) -> None:
        """Nothing stays open."""


def find_pictures(recording: Recording) -> Pictures | None:
    """Return where the pictures of a session are, None where there are none any more.

    A video without findings drawn on it comes before one with them, the session's own before the
    file that was played or analysed.
    """
    own = sorted(recording.videos, key=_is_annotated)
    for video in own:
        if not _is_annotated(video) and (found := _of_video(video, recording)) is not None:
            return found
    from_source = _of_source(recording)
    if from_source is not None:
        return from_source
    return next(
        (found for video in own if (found := _of_video(video, recording)) is not None), None
    )


def is_clean(pictures: Pictures, recording: Recording) -> bool:
    """Say whether a model can read the pictures: nothing drawn on them, no face blurred."""
    video = recording.info.get("video")
    blurred = isinstance(video, dict) and bool(video.get("blur"))
    return not (pictures.annotated or blurred)


def no_clean_pictures(why: str) -> str:
    """Return the sentence for a session without clean pictures; why: what they are needed for."""
    return (
        f"There are no clean pictures of this session, and {why}: record with “The picture as it "
        "is” and faces not blurred, or put the analysed file back where it was."
    )


def field_size(recording: Recording) -> tuple[int, int]:
    """Return width and height in px of the pictures, or of a field on which all boxes lie."""
    source = recording.info.get("source")
    if isinstance(source, dict):
        width, height = source.get("frame_width"), source.get("frame_height")
        if isinstance(width, int) and isinstance(height, int) and min(width, height) > 0:
            return width, height
    boxes = recording.boxes
    if not len(boxes):
        return 640, 480
    right = float(np.nanpercentile(boxes[:, 0] + boxes[:, 2], 99.5))
    bottom = float(np.nanpercentile(boxes[:, 1] + boxes[:, 3], 99.5))
    # As cameras have it.
    across = max(_LEAST_SIDE, right * 1.1, bottom * 1.1 * 4 / 3)
    return round(across), round(max(bottom * 1.1, across * 9 / 16))


def _of_video(video: Path, recording: Recording) -> Pictures | None:
    try:
        return RecordedPictures(video, recording.frame_times, annotated=_is_annotated(video))
    except OSError:
        return None


def _is_annotated(video: Path) -> bool:
    return video.name == VIDEOS["annotated"]


def _of_source(recording: Recording) -> Pictures | None:
    source = recording.info.get("source")
    path = Path(str(source.get("spec", "")) if isinstance(source, dict) else "")
    if not path.is_absolute():  # a camera, the actor, or a place that depends on where one was
        return None
    try:
        if path.is_file() and np.isfinite(recording.media_times).any():
            check_name(path)
            return VideoPictures(path, recording.media_times)
        if path.is_dir():
            return _of_folder(recording, path)
    except (OSError, SourceError):
        return None
    return None


def _of_folder(recording: Recording, folder: Path) -> Pictures | None:
    paths = [folder / name if name else None for name in recording.files]
    if not any(path is not None and path.is_file() for path in paths[:5]):
        return None
    return ImagePictures(paths)
