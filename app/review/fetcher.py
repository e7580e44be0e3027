"""Fetch pictures and landmarks aside: a wish that was overtaken by a newer one is dropped."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from app.messages import FrameResult
from app.review.edited import Edited
from app.review.pictures import field_size, find_pictures
from app.review.recording import LandmarkReader, Recording
from app.review.results import as_result

__all__ = ["Fetcher", "wait_for_fetchers"]

log = logging.getLogger(__name__)

T = TypeVar("T")

_THREAD = "mien-window-fetch"
_NO_LANDMARKS = (
    "The landmarks of this session cannot be read ({error}), so faces are drawn without them; copy "
    "the folder again."
)
_NO_PICTURES = (
    "Pictures of this session cannot be read ({error}), so faces are drawn on an empty field; copy "
    "its video or its images again."
)


def wait_for_fetchers(seconds: float = 3.0) -> None:
    """Wait until all that were closed have ended, as at the end of the program; seconds at most."""
    deadline = time.monotonic() + seconds
    for thread in threading.enumerate():
        if thread.name == _THREAD:
            thread.join(max(0.0, deadline - time.monotonic()))


class Fetcher:
    """Make the results of single frames of a session on a thread of its own.

    has_pictures: None until the first frame was looked for.
    """

    def __init__(self, recording: Recording) -> None:
        self.has_pictures: bool | None = None
        self._recording = recording
        self._changed = threading.Condition()
        self._wish: tuple[Edited, int] | None = None
        self._made: tuple[int, FrameResult] | None = None
        self._said: set[str] = set()
        self._notices: list[str] = []
        self._closing = False
        self._thread = threading.Thread(target=self._work, name=_THREAD, daemon=True)
        self._thread.start()

    def ask(self, state: Edited, frame: int) -> None:
        """Wish for a frame; the wish before is dropped if nobody has begun with it."""
        with self._changed:
            self._wish = (state, frame)
            self._changed.notify_all()

    def take(self) -> tuple[int, FrameResult] | None:
        """Return the newest frame that is ready and was not taken yet, and its number."""
        with self._changed:
            made, self._made = self._made, None
            return made

    def take_notices(self) -> list[str]:
        """Return sentences for the user that were not taken yet; each comes once."""
        with self._changed:
            notices, self._notices = self._notices, []
            return notices

    def close(self) -> None:
        """Let the thread end after the picture that it is at, which may take seconds."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()

    def _work(self) -> None:
        recording = self._recording
        landmarks = self._tried(_NO_LANDMARKS, LandmarkReader, recording)
        pictures = self._tried(_NO_PICTURES, find_pictures, recording)
        width, height = field_size(recording)
        nothing = np.full((height, width, 3), 24, np.uint8)
        picture: Callable[[int], NDArray[np.uint8] | None] = (
            pictures.picture if pictures is not None else lambda _frame: None
        )
        try:
            while (wish := self._next_wish()) is not None:
                state, frame = wish
                image = self._tried(_NO_PICTURES, picture, frame)
                if self.has_pictures is None:
                    self.has_pictures = image is not None
                shown = (image if image is not None else nothing).copy()
                said = "" if image is not None else self._why_empty()
                result = self._tried(_NO_LANDMARKS, as_result, state, frame, shown, landmarks, said)
                if result is None:
                    result = as_result(state, frame, shown, None, said)
                with self._changed:
                    self._made = (frame, result)
        finally:
            if landmarks is not None:
                landmarks.close()
            if pictures is not None:
                pictures.close()

    def _why_empty(self) -> str:
        """Return why a frame is shown without its picture."""
        if self.has_pictures:
            return "no picture of this frame"
        source = self._recording.info.get("source")
        if isinstance(source, dict) and source.get("live") is False:
            return "the file it was made from is no longer where it was"
        if self._recording.info.get("video"):
            return "its video is no longer in its folder"
        return "recorded without video"

    def _next_wish(self) -> tuple[Edited, int] | None:
        with self._changed:
            self._changed.wait_for(lambda: self._closing or self._wish is not None)
            wish, self._wish = self._wish, None
            return None if self._closing else wish

    def _tried(self, sentence: str, work: Callable[..., T], *given: object) -> T | None:
        """Return what comes of some work; None where it fails, which the sentence says once."""
        try:
            return work(*given)
        except Exception as error:  # a damaged file must not end the review
            if sentence not in self._said:
                self._said.add(sentence)
                log.warning("a session is reviewed without a part of it", exc_info=error)
                with self._changed:
                    self._notices.append(sentence.format(error=error))
            return None
