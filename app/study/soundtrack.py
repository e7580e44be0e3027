"""A film's sound: decoded ahead on a thread, and placed in time when a device asks for it."""

from __future__ import annotations

import importlib.util
import logging
import math
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from app.errors import SourceError
from app.sources.video import check_name

if TYPE_CHECKING:
    from av import AudioFrame, AudioResampler, AudioStream
    from av.container import InputContainer

__all__ = [
    "MUTED",
    "NOT_INSTALLED",
    "NO_TRACK",
    "PLAYED",
    "UNREADABLE",
    "Onset",
    "SoundTrack",
    "sound_of",
]

log = logging.getLogger(__name__)

PLAYED, MUTED, NO_TRACK = "played", "muted", "none"
UNREADABLE, NOT_INSTALLED = "unreadable", "not installed"

_AHEAD_SECONDS = 1.0
_KEPT_SECONDS = 0.5
"""How much stays after it was heard: a film's onset may come later than it was expected."""
_WAIT_SECONDS = 0.05
_CLOSE_SECONDS = 2.0
_GAP_SECONDS = 0.02
_JUMP_SECONDS = 0.02
_STILL_SECONDS = 0.001
_MOST_BENT = 200
"""Of so many samples one is left out or put in, which nobody hears."""
_LONGEST_EARLY = 0.05


def sound_of(path: Path) -> str:
    """Say what becomes of a film's sound: played, none, unreadable or not installed."""
    try:
        import av
    except ImportError:
        return NOT_INSTALLED
    if importlib.util.find_spec("sounddevice") is None:
        return NOT_INSTALLED
    try:
        with _open(path) as container:
            stream = _sound_in(container)
            if stream is None:
                return NO_TRACK
            next(_frames(container, stream))
    except (av.error.FFmpegError, SourceError, StopIteration) as error:
        log.info("the sound of %s cannot be read", path, exc_info=error)
        return UNREADABLE
    return PLAYED


@dataclass(slots=True)
class Onset:
    """Hold when a film's first frame is painted, monotonic s.

    expected_at: as far as that is known before; a device takes its samples before they are heard,
    so that it needs the first of them before that. began_at: None until it was painted.
    """

    expected_at: float | None = None
    began_at: float | None = None


class SoundTrack:
    """Play a film's sound by the clock; what comes late is passed over, as frames are.

    problem: a sentence once the sound has failed in the middle, else empty. until: seconds of the
    film after which nothing is heard any more.
    """

    def __init__(
        self, path: Path, rate: int, channels: int, onset: Onset, first_frame: float = 0.0
    ) -> None:
        """Open a film and begin to decode. Raises `SourceError`.

        rate: samples a second that the device takes. channels: 1 or 2. first_frame: seconds from
        the beginning of the film's pictures to the first that is shown.
        """
        import av

        self.until = math.inf
        self.problem = ""
        self._path, self._rate, self._channels = path, rate, channels
        self._ready: deque[tuple[int, NDArray[np.float32]]] = deque()
        self._decoded_to = self._heard_to = 0
        self._next: int | None = None
        self._onset = onset
        self._closed = threading.Event()
        try:
            self._container = _open(path)
        except av.error.FFmpegError as error:
            raise SourceError(f'the sound of "{path}" cannot be read ({error})') from error
        stream = _sound_in(self._container)
        if stream is None:
            self._container.close()
            raise SourceError(f'there is no sound in "{path}" any more')
        self._stream = stream
        self._zero = _start_of_pictures(self._container) + first_frame
        self._thread = threading.Thread(target=self._read, name="mien-soundtrack", daemon=True)
        self._thread.start()

    def add_to(self, out: NDArray[np.float32], heard_at: float, now: float) -> None:
        """Add what is to be heard to `out`, (samples, channels), the first of them at `heard_at`.

        Both moments are monotonic seconds. A small difference between the device's clock and this
        one is made up for bit by bit, a larger one at once.
        """
        began_at = self._origin(now)
        if began_at is None:
            return
        wanted = round((heard_at - began_at) * self._rate)
        first, span = wanted, len(out)
        if self._next is not None and abs(wanted - self._next) <= _JUMP_SECONDS * self._rate:
            first = self._next
            if abs(wanted - first) > _STILL_SECONDS * self._rate:
                most = len(out) // _MOST_BENT
                span += min(max(wanted - first, -most), most)
        self._next = self._heard_to = first + span
        block = self._samples(first, span)
        if block is not None:
            out += block if span == len(out) else _bent(block, len(out))

    def close(self) -> None:
        """Stop decoding and release the file."""
        self._closed.set()
        self._thread.join(_CLOSE_SECONDS)

    def _origin(self, now: float) -> float | None:
        """Return when the film began or will; None while it is late, or nobody knows."""
        began_at, expected_at = self._onset.began_at, self._onset.expected_at
        if began_at is not None or expected_at is None:
            return began_at
        return expected_at if now < expected_at + _LONGEST_EARLY else None

    def _samples(self, first: int, count: int) -> NDArray[np.float32] | None:
        """Return so many samples from one on, silence where there are none; None for only that."""
        end = first + count
        if not math.isinf(self.until):
            end = min(end, round(self.until * self._rate))
        kept_from = first - int(_KEPT_SECONDS * self._rate)
        while self._ready and self._ready[0][0] + len(self._ready[0][1]) <= kept_from:
            self._ready.popleft()
        block: NDArray[np.float32] | None = None
        # By their places: the other thread appends meanwhile.
        for place in range(len(self._ready)):
            start, samples = self._ready[place]
            low, high = max(first, start, 0), min(end, start + len(samples))
            if start >= end:
                break
            if low < high:
                if block is None:
                    block = np.zeros((count, self._channels), np.float32)
                block[low - first : high - first] = samples[low - start : high - start]
        return block

    def _read(self) -> None:
        import av

        try:
            self._decode(av.AudioResampler("flt", _layout(self._channels), self._rate))
        except (av.error.FFmpegError, ValueError) as error:  # the latter where its form changes
            seconds = max(0.0, self._decoded_to / self._rate)
            log.info("the sound of %s failed", self._path, exc_info=error)
            self.problem = f"its sound cannot be read after {seconds:.1f} s ({error})"
        finally:
            self._container.close()

    def _decode(self, resampler: AudioResampler) -> None:
        at: int | None = None
        for frame in _frames(self._container, self._stream):
            if frame.time is not None:
                stamp = round((frame.time - self._zero) * self._rate)
                if at is None or abs(stamp - at) > _GAP_SECONDS * self._rate:
                    at = stamp
            for piece in resampler.resample(frame):
                samples = np.asarray(piece.to_ndarray(), np.float32)
                at = self._keep(at or 0, samples.reshape(-1, self._channels))
                if self._closed.is_set():
                    return

    def _keep(self, at: int, samples: NDArray[np.float32]) -> int:
        """Keep samples once there is room for them; return the place after them."""
        most = int(_AHEAD_SECONDS * self._rate)
        while at - self._heard_to > most and not self._closed.wait(_WAIT_SECONDS):
            pass
        self._ready.append((at, samples))
        self._decoded_to = at + len(samples)
        return self._decoded_to


def _open(path: Path) -> InputContainer:
    import av

    return av.open(check_name(path), metadata_errors="ignore")


def _sound_in(container: InputContainer) -> AudioStream | None:
    """Return the track that a player would choose, None where there is none."""
    import av

    stream = container.streams.best("audio")
    return stream if isinstance(stream, av.AudioStream) else None


def _frames(container: InputContainer, stream: AudioStream) -> Iterator[AudioFrame]:
    """Decode a track; packets that are damaged are passed over."""
    import av

    for packet in container.demux(stream):
        try:
            yield from packet.decode()
        except av.error.InvalidDataError as error:
            log.debug("a packet of sound is damaged", exc_info=error)


def _start_of_pictures(container: InputContainer) -> float:
    """Return the time in a film's file at which its pictures begin, s."""
    pictures = container.streams.best("video")
    if pictures is None or pictures.start_time is None or pictures.time_base is None:
        return 0.0
    return float(pictures.start_time * pictures.time_base)


def _layout(channels: int) -> str:
    return "mono" if channels == 1 else "stereo"


def _bent(block: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """Return (n, channels) samples spread over another number of them."""
    places = np.linspace(0, len(block) - 1, count)
    own = np.arange(len(block))
    return np.stack([np.interp(places, own, one) for one in block.T], axis=1).astype(np.float32)
