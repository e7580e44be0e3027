"""Lab Streaming Layer: an outlet for faces, one for markers, and an inlet for others' markers."""

from __future__ import annotations

import math
import platform
import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from app.messages import FaceResult
from app.stimuli import STIMULUS_KEYS
from app.streams.base import Marker, Sample, StreamError, log

NAME, MARKER_NAME = "Mien", "Mien markers"
KIND, MARKER_KIND = "Expression", "Markers"

_FIRST = (
    ("frame", ""),
    ("face_id", ""),
    ("label", ""),
    ("confidence", "0-1"),
    ("unsure", ""),
    ("box_x", "px"),
    ("box_y", "px"),
    ("box_width", "px"),
    ("box_height", "px"),
    ("finder_score", ""),
    ("quality", "0-1"),
)
_KINDS = ("raw", "smooth", "corrected")
_CLOCK_SECONDS = 5.0
_LOOK_SECONDS = 1.0
_PULL_SECONDS = 0.02
_OPEN_SECONDS = 2.0
# A stream that does not open, as behind a firewall, is left alone for so long.
_REST_SECONDS = 30.0
_FARTHEST_SECONDS = 3600.0


def channels(labels: Sequence[str]) -> list[tuple[str, str]]:
    """Return name and unit of each channel of the outlet, for a model with these labels."""
    return [*_FIRST, *((f"{kind}_{label}", "0-1") for kind in _KINDS for label in labels)]


class LslClock:
    """Tell moments of `time.monotonic` on LSL's clock and back.

    Both count seconds since some start and run at the same pace, on Linux they are even the same
    clock. The distance is measured: LSL's clock read between two readings of the other, the
    closest of several, and again every five seconds.
    """

    def __init__(self, local_clock: Callable[[], float]) -> None:
        self._local_clock = local_clock
        self._measured_at = float("-inf")
        self._ahead = 0.0

    def to_lsl(self, moment: float) -> float:
        return moment + self._offset()

    def from_lsl(self, moment: float) -> float:
        return moment - self._offset()

    def _offset(self) -> float:
        now = time.monotonic()
        if now - self._measured_at > _CLOCK_SECONDS:
            self._measured_at = now
            self._ahead = min(self._reading() for _ in range(9))[1]
        return self._ahead

    def _reading(self) -> tuple[float, float]:
        """Return how long a comparison took, and how far LSL's clock is ahead."""
        before = time.monotonic()
        local = self._local_clock()
        after = time.monotonic()
        return after - before, local - (before + after) / 2


class LslSender:
    """Be two outlets: a sample for each face of each frame, and markers.

    The outlet for faces is made with the first face, whose labels decide its channels, and made
    anew when the model's labels change.
    """

    def __init__(self, heard: Callable[[Marker], object] | None = None) -> None:
        """Make the outlet for markers, and listen for those of others if `heard` takes them.

        Raises `StreamError` without pylsl.
        """
        self._lsl = _pylsl()
        self._clock = LslClock(self._lsl.local_clock)
        self._labels: tuple[str, ...] = ()
        self._faces: Any = None
        info = self._lsl.StreamInfo(
            MARKER_NAME, MARKER_KIND, 1, self._lsl.IRREGULAR_RATE, "string", source_id("markers")
        )
        self._markers = self._lsl.StreamOutlet(info)
        self._inlets = LslMarkers(heard) if heard is not None else None

    @property
    def listeners(self) -> int | None:
        """Return None: LSL says only whether somebody listens, not how many."""
        return None

    @property
    def lost(self) -> int:
        """Return 0: LSL keeps six minutes for each who listens."""
        return 0

    def send(self, sample: Sample) -> None:
        """Push one sample a face; one with face_id 0 when there is none."""
        labels = sample.faces[0].prediction.labels if sample.faces else self._labels
        if labels != self._labels:
            self._faces = None  # its consumers are told before the next appears
            self._faces, self._labels = self._outlet(labels), labels
        if self._faces is None:
            return
        when = self._clock.to_lsl(sample.captured_at)
        for face in sample.faces or (None,):
            self._faces.push_sample(values(sample, face, len(labels)), when)

    def mark(self, marker: Marker) -> None:
        """Push the key, or the text where there is one; of a study both."""
        said = marker.text or marker.key
        if marker.key in STIMULUS_KEYS:  # its beginning and its end have the same text
            said = f"{marker.key} {marker.text}"
        self._markers.push_sample([said], self._clock.to_lsl(marker.time))

    def close(self) -> None:
        """Take the outlets down and listen no more."""
        self._faces = self._markers = None
        if self._inlets is not None:
            self._inlets.close()

    def _outlet(self, labels: tuple[str, ...]) -> Any:
        described = channels(labels)
        info = self._lsl.StreamInfo(
            NAME, KIND, len(described), self._lsl.IRREGULAR_RATE, "double64",
            source_id("faces", *labels),
        )  # fmt: skip
        desc = info.desc()
        desc.append_child_value("manufacturer", "Mien")
        desc.append_child_value("labels", " ".join(labels))
        listed = desc.append_child("channels")
        for name, unit in described:
            channel = listed.append_child("channel")
            channel.append_child_value("label", name)
            channel.append_child_value("unit", unit)
            channel.append_child_value("type", KIND)
        return self._lsl.StreamOutlet(info)


def values(sample: Sample, face: FaceResult | None, labels: int) -> list[float]:
    """Return one value a channel; NaN where there is none. labels: how many the model has."""
    if face is None:
        rest = len(_FIRST) - 2 + len(_KINDS) * labels
        return [float(sample.index), 0.0, *([math.nan] * rest)]
    box = face.face.box
    quality = math.nan if face.quality is None else face.quality.overall
    corrected = np.full(labels, math.nan) if face.corrected is None else face.corrected
    return [
        float(sample.index), float(face.face.track_id or 0),
        float(face.prediction.labels.index(face.label)), face.confidence, float(face.unsure),
        box.x1, box.y1, box.width, box.height, face.face.score, quality,
        *face.prediction.probabilities.tolist(), *face.probabilities.tolist(),
        *corrected.tolist(),
    ]  # fmt: skip


def source_id(*parts: str) -> str:
    """Return the name by which inlets find an outlet again after a restart."""
    return ":".join(("mien", platform.node(), *parts))


class LslMarkers:
    """Listen for markers of every other program on the Lab Streaming Layer.

    Streams of the type Markers are looked for all the time, so one that ends and comes back is
    heard again.
    """

    def __init__(self, hear: Callable[[Marker], object]) -> None:
        """Begin to listen. hear: called on another thread. Raises `StreamError`."""
        self._lsl = _pylsl()
        self._clock = LslClock(self._lsl.local_clock)
        self._hear = hear
        self._closing = threading.Event()
        self._inlets: dict[str, Any] = {}
        self._try_at: dict[str, float] = {}
        """When a stream is opened next that was tried before, by its uid."""
        self._tried: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="mien-lsl-markers", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End; may be called again."""
        self._closing.set()
        self._thread.join(2 * _OPEN_SECONDS)

    def _work(self) -> None:
        resolver = self._lsl.ContinuousResolver(prop="type", value=MARKER_KIND)
        looked_at = float("-inf")
        while not self._closing.wait(_PULL_SECONDS):
            if time.monotonic() - looked_at >= _LOOK_SECONDS:
                looked_at = time.monotonic()
                self._open_new(resolver)
            self._take_opened()
            for uid, inlet in list(self._inlets.items()):
                try:
                    self._pull(inlet)
                except Exception as error:  # lost for good: found anew once it is back
                    log.debug("a marker stream ended", exc_info=error)
                    del self._inlets[uid]
        self._inlets.clear()

    def _open_new(self, resolver: Any) -> None:
        """Open the streams that are new, each aside: one may answer late or never."""
        now = time.monotonic()
        for info in resolver.results():
            uid = info.uid()
            known = uid in self._inlets or self._try_at.get(uid, now) > now
            if known or info.source_id() == source_id("markers"):
                continue
            self._try_at[uid] = math.inf  # until it has answered
            threading.Thread(
                target=self._open, args=(uid, info), name="mien-lsl-open", daemon=True
            ).start()

    def _open(self, uid: str, info: Any) -> None:
        inlet = None
        try:
            inlet = self._lsl.StreamInlet(info, recover=False)
            inlet.open_stream(timeout=_OPEN_SECONDS)
            inlet.time_correction(timeout=_OPEN_SECONDS)
        except Exception as error:
            log.debug("a marker stream cannot be opened", exc_info=error)
            inlet = None
        self._tried.put((uid, inlet))

    def _take_opened(self) -> None:
        while not self._tried.empty():
            uid, inlet = self._tried.get()
            self._try_at[uid] = time.monotonic() + _REST_SECONDS if inlet is None else 0.0
            if inlet is not None:
                self._inlets[uid] = inlet

    def _pull(self, inlet: Any) -> None:
        found, stamps = inlet.pull_chunk(timeout=0.0)
        for sample, stamp in zip(found, stamps, strict=True):
            moment = self._clock.from_lsl(stamp + inlet.time_correction(timeout=_OPEN_SECONDS))
            self._hear(Marker(_believable(moment), "lsl", str(sample[0])))


def _believable(moment: float) -> float:
    """Return a moment of `time.monotonic`, or now in place of one that no marker can have.

    Programs stamp in milliseconds, by the wall clock or not at all; the marker still counts.
    """
    now = time.monotonic()
    return moment if abs(moment - now) <= _FARTHEST_SECONDS else now  # nan is not, either


def _pylsl() -> Any:
    try:
        import pylsl
    except ModuleNotFoundError as error:
        raise StreamError(
            "The Lab Streaming Layer needs the package pylsl, which is not installed: run pip "
            "install pylsl."
        ) from error
    except RuntimeError as error:  # the package is there, the library it wraps is not
        raise StreamError(
            "The Lab Streaming Layer needs the library liblsl, which pylsl does not find: run pip "
            "install --force-reinstall pylsl."
        ) from error
    return pylsl
