"""A film played by the clock: decoded ahead on a thread, so that no frame waits for its decoder."""

from __future__ import annotations

import threading
from collections import deque
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.sources.video import VideoSource
from app.study.soundtrack import Onset, SoundTrack

__all__ = ["Film"]

_AHEAD = 8
_USUAL_FPS = 25.0
_CLOSE_SECONDS = 2.0


class Film:
    """Play a film; frames that are overtaken by the clock are passed over.

    The first frame is there at once, for the moment in which the film is to be seen. sound: what is
    heard meanwhile and ends with the film, None for a silent one. onset: when the first frame is
    seen. first_at: that frame's time in the file, s. Raises `SourceError` where the file cannot be
    played.
    """

    def __init__(self, path: Path) -> None:
        self.sound: SoundTrack | None = None
        self.onset = Onset()
        self._source = VideoSource(path, paced=False)
        self._seconds_each = 1.0 / (self._source.fps or _USUAL_FPS)
        self._ahead: deque[tuple[float, NDArray[np.uint8]]] = deque()
        self._changed = threading.Condition()
        self._last_at = self.first_at = 0.0
        self._all_read = self._closed = False
        if (first := self._source.read()) is not None:
            self.first_at = first.media_time or 0.0
            self._ahead.append((0.0, first.image))
        self._thread = threading.Thread(target=self._read, name="mien-film", daemon=True)
        self._thread.start()

    def frame(self, elapsed: float) -> NDArray[np.uint8] | None:
        """Return the frame due after so many seconds, (H, W, 3) BGR; None where none is new."""
        due: NDArray[np.uint8] | None = None
        with self._changed:
            while self._ahead and self._ahead[0][0] <= elapsed:
                due = self._ahead.popleft()[1]
            self._changed.notify()
            if self.sound is not None and self._all_read:
                self.sound.until = min(self.sound.until, self._last_at + self._seconds_each)
        return due

    def take_sound(self, sound: SoundTrack | None) -> None:
        """Let a sound be heard with the film in place of the one before, which is closed.

        It is closed itself where the film is closed already.
        """
        with self._changed:
            over = sound
            if not self._closed:
                over, self.sound = self.sound, sound
        if over is not None:
            over.close()

    def ended(self, elapsed: float) -> bool:
        """Say whether the last frame has been shown for as long as the others."""
        with self._changed:
            through = self._all_read and not self._ahead
            return through and elapsed >= self._last_at + self._seconds_each

    def close(self) -> None:
        """Release the file, and let nothing be heard any more."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join(_CLOSE_SECONDS)  # it waits for one frame to be decoded
        self._source.close()
        if self.sound is not None:
            self.sound.close()

    def _read(self) -> None:
        try:
            self._decode()
        finally:  # what fails is over
            with self._changed:
                self._all_read = True

    def _decode(self) -> None:
        while (frame := self._source.read()) is not None:
            at = (frame.media_time or 0.0) - self.first_at
            with self._changed:
                while len(self._ahead) >= _AHEAD and not self._closed:
                    self._changed.wait()
                if self._closed:
                    return
                self._ahead.append((at, frame.image))
                self._last_at = at
