"""The thread that makes a result of each frame of what plays."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import replace

from app.live.capture import Capture, Captured
from app.live.explaining import Explaining
from app.live.listeners import Listeners
from app.live.parts import Change, FramePipeline
from app.live.slot import Slot
from app.live.status import Faults, Meter, Notices
from app.messages import FrameResult

log = logging.getLogger(__name__)

_Playing = tuple[Capture, int]
"""A source, and how often its camera came back."""
_IDLE_CHECK = 0.2


class Inference:
    """Own the thread that takes frames, puts them through the pipeline and hands results over.

    A frame that cannot be processed is counted and left out, and the next goes on. Every method
    returns at once, `join` apart, and may be called from any thread.
    """

    def __init__(
        self,
        current: Callable[[], Capture | None],
        explaining: Explaining,
        listeners: Listeners,
        notices: Notices,
        *,
        every_frame: bool,
    ) -> None:
        """Prepare; `start` begins, and results come once `use` gave a pipeline.

        current: returns the capture whose frames count. every_frame: each result waits until the
        one before was taken, and a frame that failed has none.
        """
        self.going = threading.Event()
        """Set while results are made: not before all is loaded, so that no film runs ahead."""
        self.results: Slot[FrameResult] = Slot()
        self.meter = Meter()
        self.faults = Faults(notices)
        self._current = current
        self._explaining = explaining
        self._listeners = listeners
        self._every_frame = every_frame
        self._stopping = threading.Event()
        # Guards the two below and wakes the thread.
        self._changed = threading.Condition()
        self._pipeline: FramePipeline | None = None
        self._paused = False
        self._finished: Capture | None = None
        self._changes: queue.SimpleQueue[Change] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="mien-inference", daemon=True)

    @property
    def ready(self) -> bool:
        """Say whether there is a pipeline."""
        return self._pipeline is not None

    @property
    def paused(self) -> bool:
        return self._paused

    @property
    def finished(self) -> Capture | None:
        """Return the capture whose last frame was taken, None where more may come."""
        return self._finished

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end; returns at once."""
        self._stopping.set()
        self.results.close()
        self.wake()

    def join(self, timeout: float) -> bool:
        """Wait for the thread, seconds; return whether it has ended."""
        if self._thread.is_alive():
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def wake(self) -> None:
        """See what plays now."""
        with self._changed:
            self._changed.notify_all()

    def use(self, pipeline: FramePipeline) -> None:
        """Begin to make results."""
        log.info("all is loaded")
        with self._changed:
            self._pipeline = pipeline
            self._go_or_hold()

    def set_paused(self, paused: bool) -> None:
        """Freeze the last result, or go on."""
        with self._changed:
            self._paused = paused
            self._go_or_hold()
        self.meter.clear()

    def change(self, change: Change) -> None:
        """Change the pipeline before the next frame, and number what comes then anew."""

        def apply(pipeline: FramePipeline) -> None:
            change(pipeline)
            self._listeners.note_change()

        self._changes.put(apply)

    def change_aside(self, change: Change) -> None:
        """Change the pipeline before the next frame in what no recording needs to know."""
        self._changes.put(change)

    def _go_or_hold(self) -> None:
        if self._pipeline is None or self._paused:
            self.going.clear()
        else:
            self.going.set()
        self._changed.notify_all()

    def _work(self) -> None:
        playing: _Playing | None = None
        while not self._stopping.is_set():
            try:
                playing = self._infer_next(playing)
            except Exception as error:  # a fault of ours: the picture must not stand still for it
                self.faults.add(error)
                self._stopping.wait(_IDLE_CHECK)

    def _infer_next(self, playing: _Playing | None) -> _Playing | None:
        """Take one frame, or wait a moment for one; return what plays then."""
        work = self._wait_for_work()
        if work is None:
            self._hand_over_again(playing)
            return playing
        pipeline, capture = work
        over = capture.over  # asked first: what came before its end can still be taken
        item = capture.frames.take(_IDLE_CHECK)
        if item is None:
            self._finished = capture if over else None
            self._hand_over_again(playing)
            return playing
        self._apply_changes(pipeline)
        if playing is None or playing[0] is not capture:
            self._listeners.begin(capture)
        if playing != (capture, item.run):
            # Another source, or the camera is back: nobody can say who is who.
            self._reset(pipeline)
            self.meter.clear()
            playing = (capture, item.run)
        result = self._process(pipeline, item)
        seen = self._explaining.see(result or FrameResult(item.frame))
        if result is not None:
            self._listeners.tell(seen)
        else:
            self._listeners.tell_dropped(item.frame.index, item.frame.captured_at, "failed")
            if self._every_frame:  # a picture to look at, but no result: it says "no face"
                return playing
        self._hand_over(seen)
        return playing

    def _wait_for_work(self) -> tuple[FramePipeline, Capture] | None:
        """Return what to work with; None after a while without, so that a stop is seen."""
        with self._changed:
            capture = self._current()
            if (
                self._pipeline is not None
                and capture is not None
                and capture is not self._finished
                and not self._paused
            ):
                return self._pipeline, capture
            self._changed.wait(_IDLE_CHECK)
            return None

    def _apply_changes(self, pipeline: FramePipeline) -> None:
        while not self._changes.empty():
            self._changes.get()(pipeline)

    def _process(self, pipeline: FramePipeline, item: Captured) -> FrameResult | None:
        """Return the result of a frame, None where it could not be processed."""
        try:
            result = pipeline.process(item.frame)
        except Exception as error:
            self.faults.add(error)
            if self.faults.streak > 1:  # what the pipeline remembers may itself be at fault
                self._reset(pipeline)
            return None
        self.faults.clear()
        return with_capture(result, item.read_ms) if item.read_ms else result

    def _reset(self, pipeline: FramePipeline) -> None:
        try:
            pipeline.reset()
        except Exception as error:
            self.faults.add(error)

    def _hand_over(self, result: FrameResult) -> None:
        if self._every_frame:
            self.results.put_when_taken(result)
        else:
            self.results.put(result)
        self.meter.add(result.frame.captured_at)

    def _hand_over_again(self, playing: _Playing | None) -> None:
        """Hand the last result over with maps made since: to who looks at it, not to listeners."""
        if playing is not None and playing[0] is self._current():
            result = self._explaining.see_again()
            if result is not None:
                self.results.put(result)


def with_capture(result: FrameResult, read_ms: float) -> FrameResult:
    """Return the result with the milliseconds that reading took, also in its total."""
    timings = result.timings
    timings = replace(timings, capture=read_ms, total=timings.total + read_ms)
    return replace(result, timings=timings)
