"""Films with a sound of which every moment is known, and a device that exists on paper only."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

RATE, FPS, SIZE = 48000, 25, (64, 48)
CLICK_SECONDS = 0.02


def write_film(
    path: Path, seconds: int = 2, *, sound_at: float | None = 0.0, pictures_at: float = 0.0
) -> Path:
    """Write a film that clicks at the beginning of each second of its sound.

    sound_at, pictures_at: the times in the file at which they begin, s; no sound where None.
    """
    import av

    with av.open(path, "w") as file:
        pictures = file.add_stream("mpeg4", rate=FPS)
        pictures.width, pictures.height, pictures.pix_fmt = *SIZE, "yuv420p"
        sound = None
        if sound_at is not None:
            sound = file.add_stream("pcm_s16le", rate=RATE, layout="stereo")
        for index in range(seconds * FPS):
            grey = np.full((SIZE[1], SIZE[0], 3), 40 + index % 200, np.uint8)
            frame = av.VideoFrame.from_ndarray(grey, "bgr24")
            frame.pts = index + round(pictures_at * FPS)
            file.mux(pictures.encode(frame))
        file.mux(pictures.encode(None))
        if sound is None or sound_at is None:
            return path
        for second in range(seconds):
            heard = av.AudioFrame.from_ndarray(_second(), "s16", "stereo")
            heard.rate, heard.pts = RATE, second * RATE + round(sound_at * RATE)
            file.mux(sound.encode(heard))
        file.mux(sound.encode(None))
    return path


def clicks(samples: NDArray[np.float32], rate: int = RATE) -> list[float]:
    """Return when clicks begin in (n, channels) samples, s."""
    loud = np.flatnonzero(np.abs(samples[:, 0]) > 0.2)
    first = loud[np.diff(loud, prepend=-rate) > rate / 4]
    return [float(place) / rate for place in first]


class PaperDevice:
    """Stand in for the module sounddevice, and for a device that its test asks for samples."""

    class PortAudioError(Exception):
        """What sounddevice raises."""

    __spec__ = object()  # it is looked for before it is imported

    def __init__(self, rate: int = RATE, channels: int = 2, latency: float = 0.1) -> None:
        self.form = {"default_samplerate": float(rate), "max_output_channels": channels}
        self.latency = latency
        self.fails = ""
        self.streams: list[Any] = []
        self.looked_anew = 0

    def query_devices(self, kind: str) -> dict[str, float]:
        assert kind == "output"
        if self.fails:
            raise self.PortAudioError(self.fails)
        return self.form

    def check_output_settings(self, **_: object) -> None: ...

    def OutputStream(self, rate: int, *, callback: Callable[..., None], **options: Any) -> Any:
        stream = SimpleNamespace(active=False, closed=False, latency=self.latency)
        stream.start = lambda: setattr(stream, "active", True)
        stream.abort = lambda: setattr(stream, "active", False)
        stream.close = lambda: setattr(stream, "closed", True)
        stream.callback, stream.rate, stream.channels = callback, rate, options["channels"]
        self.streams.append(stream)
        return stream

    def _terminate(self) -> None:
        self.looked_anew += 1

    def _initialize(self) -> None: ...


def _second() -> NDArray[np.int16]:
    """Return a second that begins with a click, (1, 2 x samples)."""
    one = np.zeros((RATE, 2), np.int16)
    times = np.arange(round(CLICK_SECONDS * RATE)) / RATE
    one[: len(times)] = (20_000 * np.cos(2 * np.pi * 500 * times))[:, None]
    return one.reshape(1, -1)
