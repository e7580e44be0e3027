"""A folder of images, or one image."""

from __future__ import annotations

import re
import threading
import time
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from app.errors import SourceError
from app.messages import Frame
from app.sources.base import FrameSource, Pacer, as_bgr

IMAGE_SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
SECONDS_PER_IMAGE = 1.0


class FolderSource(FrameSource):
    """Show the images of a folder one by one, in the order a person would count them."""

    live = False

    def __init__(self, path: Path, *, paced: bool = True) -> None:
        """List the images (those of subfolders stay out) and decode the first.

        path: a folder or one image. paced: each stays for one second, otherwise as fast as
        they are read. Raises `SourceError` when there is none that can be read.
        """
        self.name = path.name or str(path)
        self.fps = 1.0 / SECONDS_PER_IMAGE
        self.skipped = 0
        self._pacer = Pacer(enabled=paced)
        self._lock = threading.Lock()
        self._paths = _images_in(path)
        self._next = 0
        self._index = 0
        self._first = self._decode()
        if self._first is None:
            raise SourceError(_nothing_readable(path, len(self._paths)))

    def read(self) -> Frame | None:
        """Return the next image, None after the last; `caption` is the file's name.

        An image that cannot be read is left out, counted in `skipped` and told in `notice`.
        `media_time` counts one second an image, whether paced or not.
        """
        with self._lock:
            if self._pacer.closed:
                return None
            found, self._first = self._first, None
            if found is None:
                found = self._decode()
        media_time = self._index * SECONDS_PER_IMAGE
        # At the end this gives the last image its second too.
        if not self._pacer.wait(media_time) or found is None:
            return None
        image, caption = found
        frame = Frame(image, self._index, time.monotonic(), media_time, caption)
        self._index += 1
        return frame

    def delay(self, seconds: float) -> None:
        """Let the images that follow be due so much later."""
        self._pacer.delay(seconds)

    def close(self) -> None:
        """End the source."""
        self._pacer.close()

    def _decode(self) -> tuple[NDArray[np.uint8], str] | None:
        while self._next < len(self._paths):
            path = self._paths[self._next]
            self._next += 1
            image = read_image(path)
            if image is not None:
                return image, path.name
            self.skipped += 1
            self.notice = _skipped_sentence(self.skipped, len(self._paths), path.name)
        return None


def read_image(path: Path) -> NDArray[np.uint8] | None:
    """Return an image as (H, W, 3) uint8 BGR, turned as its EXIF mark says; None if unreadable.

    16 bits become 8, gray becomes BGR and transparency is dropped.
    """
    try:
        # OpenCV's own reader fails on names outside the system's code page on Windows.
        data = np.fromfile(path, dtype=np.uint8)
        image = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    except (OSError, cv2.error):
        return None
    return None if image is None else as_bgr(image)


def natural_key(name: str) -> list[str | int]:
    """Return a sort key that puts `face 2` before `face 10`."""
    pieces = re.split(r"(\d+)", name.casefold())
    # Every second piece is a number, so only pieces of one kind are compared.
    return [int(piece) if place % 2 else piece for place, piece in enumerate(pieces)]


def _images_in(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    try:
        entries = list(path.iterdir())
    except OSError as error:
        raise SourceError(
            f'The folder "{path}" cannot be read ({error.strerror}); allow this account to read '
            f"it or choose another."
        ) from error
    # Names with a leading dot are hidden, and on disks from a Mac no pictures at all.
    images = [
        entry
        for entry in entries
        if entry.suffix.lower() in IMAGE_SUFFIXES
        and not entry.name.startswith(".")
        and entry.is_file()
    ]
    if not images:
        raise SourceError(
            f'The folder "{path}" has no images; put {_kinds()} files in it or choose another '
            f"(subfolders are not searched)."
        )
    return sorted(images, key=lambda image: (natural_key(image.name), image.name))


def _kinds() -> str:
    *most, last = sorted(suffix.lstrip(".") for suffix in IMAGE_SUFFIXES)
    return f"{', '.join(most)} or {last}"


def _nothing_readable(path: Path, count: int) -> str:
    if path.is_file():
        what = f'The image "{path}" cannot be read'
    elif count == 1:
        what = f'The only image in "{path}" cannot be read'
    else:
        what = f'None of the {count} images in "{path}" can be read'
    return f"{what}: damaged or of another kind than the name says; choose another."


def _skipped_sentence(skipped: int, count: int, latest: str) -> str:
    if skipped == 1:
        return f'"{latest}" cannot be read and was skipped.'
    return f'{skipped} of {count} images cannot be read and were skipped, the latest "{latest}".'
