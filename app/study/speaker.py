"""The device that films are heard from: open through a study, silent where there is no sound."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.errors import SourceError
from app.study.soundtrack import SoundTrack

__all__ = ["DeviceClock", "Speaker", "why_no_speaker"]

log = logging.getLogger(__name__)

_LATENCY = 0.1
_GONE_SECONDS = 3.0
"""A device that was asleep may take two to begin."""
_CLOSE_SECONDS = 1.0
_LONGEST_AHEAD = 2.0
_STARTS = 15

_library = threading.Lock()
"""PortAudio opens, closes and lists devices for one thread at a time."""
_open_count = 0


class DeviceClock:
    """Tell when the samples that a device asks for will be heard, in monotonic seconds.

    What a device says of a single block is off by some milliseconds; the middle one of several
    is believed. Blocks that it left out shift that within half as many blocks.
    """

    def __init__(self, rate: int, latency: float) -> None:
        """Begin to count. rate: samples a second. latency: s, for a device that says nothing."""
        self._rate = rate
        self._latency = latency
        self._given = 0
        self._starts: deque[float] = deque(maxlen=_STARTS)

    def heard_at(self, now: float, current: float, due: float, frames: int) -> float:
        """Return when the first of so many frames is heard.

        now: monotonic s. current, due: the device's own now and the moment of that frame, s.
        """
        # Some systems say nothing of the first blocks, and some never do.
        ahead = due - current if 0 < due - current < _LONGEST_AHEAD else self._latency
        self._starts.append(now + ahead - self._given / self._rate)
        start = sorted(self._starts)[len(self._starts) // 2]
        heard_at = start + self._given / self._rate
        self._given += frames
        return heard_at


class Speaker:
    """Hold the system's device for sound open and play the tracks of films on it.

    Times are monotonic seconds.
    """

    def __init__(self) -> None:
        """Open the device. Raises `SourceError` where there is none, or it does not open."""
        global _open_count
        self._tracks: tuple[SoundTrack, ...] = ()
        self._changing = threading.Lock()
        with _portaudio() as sounddevice:
            self.rate, self.channels = _form_of(sounddevice)
            try:
                self._stream: Any = sounddevice.OutputStream(
                    self.rate, channels=self.channels, dtype="float32", latency=_LATENCY,
                    callback=self._fill,
                )  # fmt: skip
                self._clock = DeviceClock(self.rate, float(self._stream.latency))
                self._asked_at = time.monotonic()
                self._stream.start()
            except sounddevice.PortAudioError as error:
                raise SourceError(_NO_DEVICE.format(why=error)) from error
            _open_count += 1

    def add(self, track: SoundTrack) -> None:
        """Let a track be heard as it says itself."""
        with self._changing:
            self._tracks = (*self._tracks, track)

    def remove(self, track: SoundTrack) -> None:
        """Let a track be heard no more."""
        with self._changing:
            self._tracks = tuple(one for one in self._tracks if one is not track)

    def gone(self, now: float) -> bool:
        """Say whether the device takes no samples any more: it was taken away."""
        return not self._stream.active or now - self._asked_at > _GONE_SECONDS

    def close(self) -> None:
        """Let the device go. A device that is gone may not answer; nobody waits for it long."""
        self._tracks = ()
        thread = threading.Thread(target=self._close, name="mien-speaker", daemon=True)
        thread.start()
        thread.join(_CLOSE_SECONDS)

    def _close(self) -> None:
        global _open_count
        try:
            with _portaudio() as sounddevice:
                try:
                    self._stream.abort()
                    self._stream.close()
                except sounddevice.PortAudioError as error:
                    log.info("the device for sound did not close", exc_info=error)
                _open_count -= 1
        except SourceError as error:
            log.info("the device for sound is busy", exc_info=error)

    def _fill(self, out: NDArray[np.float32], frames: int, times: Any, _status: object) -> None:
        """Fill (frames, channels) samples; called on PortAudio's thread, which must not wait."""
        self._asked_at = now = time.monotonic()
        heard_at = self._clock.heard_at(now, times.currentTime, times.outputBufferDacTime, frames)
        out.fill(0.0)
        for track in self._tracks:
            track.add_to(out, heard_at, now)
        np.clip(out, -1.0, 1.0, out=out)


_NO_DEVICE = "no device for sound can be used ({why}); connect one, or switch it on"


def why_no_speaker() -> str:
    """Say why no film could be heard now, empty where one can."""
    try:
        with _portaudio() as sounddevice:
            _form_of(sounddevice)
    except SourceError as error:
        return str(error)
    return ""


@contextmanager
def _portaudio() -> Iterator[Any]:
    """Yield sounddevice, for one thread at a time.

    Raises `SourceError` where it does not load or is stuck.
    """
    if not _library.acquire(timeout=_CLOSE_SECONDS):
        raise SourceError(_NO_DEVICE.format(why="the one before does not answer"))
    try:
        yield _loaded()
    finally:
        _library.release()


def _loaded() -> Any:
    try:
        import sounddevice
    except ImportError as error:
        raise SourceError("the package sounddevice is not installed") from error
    except OSError as error:  # on Linux it comes without PortAudio
        raise SourceError(
            "the system has no PortAudio; install it (on Debian and Ubuntu: sudo apt install "
            "libportaudio2) and start Mien again"
        ) from error
    if not _open_count:
        # It lists the devices as it is loaded, and only then.
        sounddevice._terminate()
        sounddevice._initialize()
    return sounddevice


def _form_of(sounddevice: Any) -> tuple[int, int]:
    """Return the rate and the channels that the system's device takes. Raises `SourceError`."""
    try:
        device = sounddevice.query_devices(kind="output")
        rate, channels = int(device["default_samplerate"]), min(2, device["max_output_channels"])
        sounddevice.check_output_settings(channels=channels, dtype="float32", samplerate=rate)
    except (sounddevice.PortAudioError, ValueError) as error:
        raise SourceError(_NO_DEVICE.format(why=error)) from error
    return rate, channels
