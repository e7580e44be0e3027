"""The demo actor: a face drawn by code that plays seven expressions when there is no camera."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from app.errors import SourceError
from app.messages import Frame
from app.sources.actor_scene import SIZE, paint_actor, place_landmarks, render_frame
from app.sources.actor_timeline import FPS, FRAME_COUNT, moment
from app.sources.base import FrameSource

__all__ = [
    "CLIP",
    "FPS",
    "FRAME_COUNT",
    "SIZE",
    "ActorSource",
    "ActorTruth",
    "actor_truth",
    "next_due",
    "paint_actor",
    "render_frame",
]

CLIP = Path(__file__).with_name("actor.mp4")


@dataclass(frozen=True, slots=True, eq=False)
class ActorTruth:
    """Hold what is drawn on a frame of the actor.

    label: the expression; on a ramp between two, the nearer one. hold: the expression is whole
    and the eyes are open. landmarks: (68, 2) float32 pixels, iBUG order.
    """

    label: str
    hold: bool
    landmarks: NDArray[np.float32]


def actor_truth(index: int) -> ActorTruth:
    """Return what frame `index` of an `ActorSource` shows; any index >= 0, the loop repeats."""
    now = moment(index)
    return ActorTruth(now.label, now.hold, place_landmarks(index))


class ActorSource(FrameSource):
    """Play the demo actor, 640 x 480 at 30 frames per second, over and over.

    The frames come from a clip drawn beforehand: drawing one takes 50 ms, decoding it under 1.
    """

    name = "demo actor"
    live = True
    fps: float | None = float(FPS)

    def __init__(self, *, paced: bool = True) -> None:
        """Open the clip.

        paced: return each frame when it is due, otherwise at once. Raises `SourceError` when
        the clip is missing or this OpenCV cannot play it.
        """
        self._paced = paced
        self._due = 0.0
        self._index = 0
        self._closed = threading.Event()
        self._lock = threading.Lock()
        # One thread: it is fast enough, and the cores belong to the finder.
        options = [cv2.CAP_PROP_N_THREADS, 1]
        self._clip = cv2.VideoCapture(str(CLIP), cv2.CAP_FFMPEG, options)
        if not self._clip.isOpened():
            raise _unplayable()

    def read(self) -> Frame | None:
        """Return the next frame, None once closed; a late one comes at once, none is skipped."""
        with self._lock:
            if self._closed.is_set():
                return None
            image = self._decode()
        if self._paced:
            now = time.monotonic()
            self._closed.wait(max(0.0, self._due - now))
            self._due = next_due(self._due, now, 1 / FPS)
        if self._closed.is_set():
            return None
        index, self._index = self._index, self._index + 1
        caption = f"demo actor: {moment(index).label}"
        return Frame(image, index, time.monotonic(), index / FPS, caption, live=True)

    def close(self) -> None:
        """End the play and release the clip."""
        self._closed.set()
        with self._lock:
            self._clip.release()

    def _decode(self) -> NDArray[np.uint8]:
        if self._index and self._index % FRAME_COUNT == 0:
            self._clip.set(cv2.CAP_PROP_POS_FRAMES, 0)
        good, image = self._clip.read()
        if not good or image is None:
            raise _unplayable()
        return np.asarray(image, np.uint8)


def next_due(due: float, now: float, period: float) -> float:
    """Return when the frame after the one that was `due` and went out at `now` or later is due.

    Lateness under a period is made up, so the rate holds; after more the clock starts anew, so
    that a stall is followed by no burst. All in seconds.
    """
    return due + period if now - due < period else now + period


def _unplayable() -> SourceError:
    return SourceError(
        f'The demo actor\'s clip "{CLIP}" is missing, damaged or not playable by this OpenCV; '
        f"install Mien again, or choose a camera or a file."
    )
