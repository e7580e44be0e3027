"""Which source plays: begins captures, changes from one to the next, falls back to the actor."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from app.live.capture import Capture, CaptureState
from app.sources import is_camera, is_network
from app.sources.base import FrameSource

ACTOR = "actor"


class Switch:
    """Keep one capture current, and open the next one beside it."""

    def __init__(
        self,
        open_source: Callable[[str, str], FrameSource],
        *,
        going: threading.Event,
        every_frame: bool,
        fallback_to_actor: bool,
        retry_seconds: float,
        changed: Callable[[], None],
        say: Callable[[str], None],
        dropped: Callable[[Capture, int | None, float, str], None],
    ) -> None:
        """Prepare; `use` begins.

        open_source, going: as `Capture` takes them. changed: called after another capture became
        current. say: takes every sentence for the user. Both are called on any thread, never with
        a lock held. dropped: as `Capture` takes it, with the capture; hears of the current one
        alone.
        """
        self._open_source = open_source
        self._going = going
        self._every_frame = every_frame
        self._last_resort = (ACTOR,) if fallback_to_actor else ()
        self._retry_seconds = retry_seconds
        self._changed = changed
        self._say = say
        self._dropped = dropped
        self._lock = threading.Lock()
        self._current: Capture | None = None
        self._pending: Capture | None = None
        self._captures: list[Capture] = []
        self._retreats: tuple[str, ...] = ()
        self._why_actor = ""
        self._why_pending = ""
        self._error = ""
        self._stopping = False

    @property
    def current(self) -> Capture | None:
        """Return the capture whose frames count; None before the first is open."""
        with self._lock:
            return self._current

    @property
    def opening(self) -> str:
        """Return what is being opened while nothing plays, empty otherwise."""
        with self._lock:
            if self._pending is None or (self._current and not self._current.stopping):
                return ""
            return self._pending.name

    @property
    def error(self) -> str:
        """Return why nothing plays at all, empty while something does or may yet."""
        with self._lock:
            return self._error

    @property
    def note(self) -> str:
        """Return why it is not the wanted source that plays, or how the current one was lost."""
        with self._lock:
            return self._why_actor or (self._current.note if self._current else "")

    def use(self, spec: str) -> None:
        """Open a source, and change to it when it is open; the camera that plays plays on.

        What a lost camera was opened by may mean another one now, so it is opened anew.
        """
        with self._lock:
            if self._stopping or self._is_served(spec):
                return
            self._retreats = self._retreats_from(spec)
            self._begin(spec)

    def retry(self) -> bool:
        """Try a lost camera at once; return False where none is."""
        current = self.current
        if current is None or current.state is not CaptureState.LOST:
            return False
        current.retry_now()
        return True

    def stop(self) -> None:
        """Ask all captures to end; returns at once."""
        with self._lock:
            self._stopping = True
            captures = list(self._captures)
        for capture in captures:
            capture.stop()

    def captures(self) -> Sequence[Capture]:
        """Return all captures whose thread may still run."""
        with self._lock:
            return tuple(self._captures)

    def opened(self, capture: Capture) -> None:
        """Hear that a capture has its source open."""
        with self._lock:
            if capture is not self._pending:
                return
            before, self._current, self._pending = self._current, capture, None
            self._why_actor, self._why_pending = self._why_pending, ""
            self._error = ""
        if before is not None:
            before.stop()
        self._changed()

    def refused(self, capture: Capture, sentence: str) -> None:
        """Hear that a source cannot be opened; go back to the one before or to the actor."""
        with self._lock:
            if capture is not self._pending or self._stopping:
                return
            self._pending = None
            playing = self._current is not None and not self._current.stopping
            told = True
            if self._retreats:
                spec, *rest = self._retreats
                self._retreats = tuple(rest)
                told = spec != ACTOR
                self._begin(spec, "" if told else sentence)
            elif not playing:
                self._error, told = sentence, False
            elif self._why_actor and _is_any_camera(capture.spec):
                self._why_actor = sentence
        if told:
            self._say(sentence)

    def noticed(self, sentence: str) -> None:
        """Hear of something that went amiss without stopping a source."""
        self._say(sentence)

    def _is_served(self, spec: str) -> bool:
        current = self._current
        if current is None or self._pending is not None or current.stopping:
            return False
        same = current.spec == spec and _is_any_camera(spec)
        return same and current.state is CaptureState.RUNNING

    def _retreats_from(self, spec: str) -> tuple[str, ...]:
        """Return what to open, one after the other, should `spec` be refused."""
        current = self._current
        if current is None:
            return self._last_resort
        if current.state is CaptureState.LOST and not current.stopping:
            return ()  # it holds nothing back and is waited for
        # Two cameras may not fit through one USB port, so the old one is given back first.
        if current.stopping or (is_camera(spec) and is_camera(current.spec)):
            return tuple(one for one in (current.spec, *self._last_resort) if one != spec)
        return ()

    def _begin(self, spec: str, why_actor: str = "") -> None:
        if self._pending is not None:
            self._pending.stop()
        self._captures = [capture for capture in self._captures if capture.alive]
        cameras = [
            capture
            for capture in self._captures
            if is_camera(capture.spec) and capture.state is not CaptureState.LOST
        ]
        self._why_pending = why_actor

        def dropped(index: int | None, time: float, reason: str) -> None:
            if capture is self._current:
                self._dropped(capture, index, time, reason)

        self._pending = capture = Capture(
            spec,
            self._open_source,
            self,
            going=self._going,
            every_frame=self._every_frame,
            predecessors=cameras if is_camera(spec) else (),
            retry_seconds=self._retry_seconds,
            dropped=dropped,
        )
        self._captures.append(self._pending)
        self._pending.start()


def _is_any_camera(spec: str) -> bool:
    """Say whether `spec` means a camera, of this computer or in the network."""
    return is_camera(spec) or is_network(spec)
