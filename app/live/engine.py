"""The live engine: capture → latest frame → inference → latest result, in plain threads."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.live.capture import Capture, CaptureState, Dropped
from app.live.explaining import Explaining
from app.live.inference import Inference
from app.live.listeners import Listeners
from app.live.makers import real_makers
from app.live.offers import Offers, offers_of
from app.live.options import EngineOptions
from app.live.parts import SAFE_LANDMARKS, Makers, Parts
from app.live.status import EngineState, EngineStatus, Notices
from app.live.switch import Switch
from app.messages import FrameResult
from app.sources import shown_spec
from models.runtime.base_rates import BaseRates
from models.runtime.card import Card

__all__ = ["Engine", "EngineOptions", "EngineState", "EngineStatus"]

log = logging.getLogger(__name__)

STOP_SECONDS = 3.0


class Engine:
    """Run a source through the pipeline in the background.

    Every method returns at once, `stop` and `take` apart, and may be called from any thread.
    What goes wrong on the way is said in `status` and in notices; nothing is raised.
    """

    def __init__(self, options: EngineOptions, makers: Makers | None = None) -> None:
        """Prepare; `start` begins. makers: other parts than the real ones, for tests."""
        makers = makers or real_makers(options)
        self._options = options
        self._notices = Notices()
        self._offers: tuple[Any, dict[str, str], Offers] = (None, {}, Offers())
        self._listeners = Listeners(self._notices.add)
        self._stopping = threading.Event()
        every_frame = not options.paced
        self._explaining = Explaining(
            lambda: self._parts.classifier, makers.explainers, self._notices.add
        )
        self._inference = Inference(
            lambda: self._switch.current,
            self._explaining,
            self._listeners,
            self._notices,
            every_frame=every_frame,
        )
        self._switch = Switch(
            makers.source,
            going=self._inference.going,
            every_frame=every_frame,
            fallback_to_actor=options.fallback_to_actor,
            retry_seconds=options.retry_seconds,
            changed=self._inference.wake,
            say=self._notices.add,
            dropped=self._listeners.drop_of,
        )
        self._parts = Parts(
            makers,
            model=options.model,
            second=options.second,
            finder=options.finder,
            yunet_file=options.yunet_file,
            landmarks=options.landmarks or SAFE_LANDMARKS,
            base_rates=options.base_rates,
            use_safe_ones=options.fallback_to_actor,
            ready=self._inference.use,
            change=self._inference.change,
            change_aside=self._inference.change_aside,
            say=self._notices.add,
        )

    @property
    def labels(self) -> tuple[str, ...]:
        """Return the labels of the model in use, empty until it is loaded."""
        return self._parts.labels

    @property
    def card(self) -> Card | None:
        """Return the card of the model in use, None until it is loaded."""
        return self._parts.card

    @property
    def generation(self) -> int:
        """Return a number that grows with every change of source, model or finder.

        A listener that reads it learns which of them made its result.
        """
        return self._listeners.generation

    def start(self) -> None:
        """Begin to load the parts and to open the source, both at the same time."""
        self._switch.use(self._options.source)
        self._parts.start()
        self._inference.start()

    def stop(self) -> None:
        """End all threads; may be called again.

        Waits for at most 3 s, once: a thread that hangs in a camera's driver is left behind, and
        dies with the program.
        """
        if self._stopping.is_set():
            return
        self._stopping.set()
        self._inference.stop()
        self._switch.stop()
        self._parts.stop()
        self._explaining.stop()
        deadline = time.monotonic() + STOP_SECONDS
        joins = [self._inference.join, self._parts.join, self._explaining.join]
        joins += [capture.join for capture in self._switch.captures()]
        for join in joins:
            join(max(0.0, deadline - time.monotonic()))
        if time.monotonic() > deadline:
            log.warning("a thread did not end in %.0f s and is left behind", STOP_SECONDS)

    def latest(self) -> FrameResult | None:
        """Return the newest result, None before the first."""
        return self._inference.results.get()

    def take(self, timeout: float) -> FrameResult | None:
        """Return the newest result that was not taken yet, waiting up to `timeout` seconds."""
        return self._inference.results.take(timeout)

    def add_listener(self, listener: Callable[[FrameResult], None]) -> None:
        """Call `listener` with every result from now on, such as to record or to stream it.

        A frame that could not be processed has none: it counts as dropped. The listener is called
        on the inference thread and must return at once. What it raises is logged and said in a
        notice, and the loop goes on.
        """
        self._listeners.add(listener)

    def remove_listener(self, listener: Callable[[FrameResult], None]) -> None:
        """Call `listener` no more; one that was never added is no fault."""
        self._listeners.remove(listener)

    def add_drop_listener(self, listener: Dropped) -> None:
        """Call `listener` with every frame that is passed over from now on; see `Dropped`.

        It is called on the capture's or the inference thread and must return at once.
        """
        self._listeners.add_for_drops(listener)

    def remove_drop_listener(self, listener: Dropped) -> None:
        """Call `listener` no more; one that was never added is no fault."""
        self._listeners.remove_for_drops(listener)

    def source_facts(self) -> dict[str, Any]:
        """Return what is known of the source that plays, in plain values; empty without one."""
        capture = self._switch.current
        return capture.facts() if capture is not None else {}

    def take_notices(self) -> list[str]:
        """Return the sentences for the user that nobody has taken yet."""
        return self._notices.take()

    def use_source(self, spec: str) -> None:
        """Change the source; the old one plays on until the new one is open, or if it is refused.

        A lost camera goes on being waited for until then.
        """
        self._switch.use(spec)

    def try_again(self, spec: str) -> None:
        """Load what was refused at the start, and try a lost camera at once, else open `spec`."""
        self._parts.try_again()
        if not self._switch.retry():
            self._switch.use(spec)

    def use_model(self, name_or_path: str) -> None:
        """Change the model; the old one goes on until the new is loaded, or if it is refused."""
        self._parts.use_model(name_or_path)

    def use_second(self, name_or_path: str) -> None:
        """Ask a second model as well, "" for none; its word is shown, and never recorded."""
        self._parts.use_second(name_or_path)

    def use_base_rates(self, rates: BaseRates) -> None:
        """Change how common expressions are taken to be, in both models."""
        self._parts.use_base_rates(rates)

    def use_finder(self, name: str, yunet_file: Path | None = None) -> None:
        """Change the face finder; yunet_file: None for the one given before."""
        self._parts.use_finder(name, yunet_file)

    def use_landmarks(self, name: str) -> None:
        """Change what fits the landmarks, one of `LANDMARKERS`."""
        self._parts.use_landmarks(name)

    def use_view(self, name: str) -> None:
        """Say which view of the reasons is shown: the slow ones are made only when wanted.

        name: of `app.views.VIEWS`, or "" for none.
        """
        self._explaining.choose(name)

    def offers(self) -> Offers:
        """Return which views the model in use offers; cheap, but the first time for a model."""
        classifier, given_up = self._parts.classifier, self._explaining.given_up
        known, tried, found = self._offers
        if known is not classifier or tried != given_up:
            found = offers_of(classifier, given_up)
            self._offers = classifier, given_up, found
        return found

    def calibrate(self, track_id: int) -> None:
        """Measure a track's neutral face over its next five quiet seconds.

        How it stands is in each result of the face; does nothing where the model's card has no
        neutral faces to compare with.
        """
        self._inference.change_aside(lambda pipeline: pipeline.calibrate(track_id))

    def forget_baseline(self, track_id: int) -> None:
        """Forget a track's neutral face, or stop measuring it."""
        self._inference.change_aside(lambda pipeline: pipeline.forget_baseline(track_id))

    def set_paused(self, paused: bool) -> None:
        """Freeze the last result, or go on; a file stands still meanwhile, a camera does not."""
        self._inference.set_paused(paused)

    def status(self) -> EngineStatus:
        """Return how things stand now; cheap enough to ask with every picture drawn."""
        capture = self._switch.current
        broken = capture.note if capture and capture.state is CaptureState.FAILED else ""
        error = self._parts.error or self._switch.error or broken
        opening = self._switch.opening
        step = self._parts.step
        if opening or capture is None:
            step = step or f"Opening {opening or shown_spec(self._options.source)}"
        fps, latency_ms = self._inference.meter.read()
        return EngineStatus(
            state=self._state(capture, error),
            step=step,
            source=capture.name if capture else "",
            spec=capture.spec if capture else "",
            source_note=self._switch.note,
            error=error,
            retry_in=capture.retry_in if capture else None,
            fps=fps,
            latency_ms=latency_ms,
            dropped=capture.frames.dropped if capture else 0,
            failed=self._inference.faults.count,
            provider=self._parts.provider,
            model=self._parts.model,
            second=self._parts.second,
            finder=self._parts.finder,
            landmarks=self._parts.landmarks,
            base_rates=self._parts.base_rates,
            notices=self._notices.waiting(),
        )

    def _state(self, capture: Capture | None, error: str) -> EngineState:
        if error:
            return EngineState.FAILED
        if capture is None or capture.stopping or not self._inference.ready:
            return EngineState.STARTING
        if capture.state is CaptureState.LOST:
            return EngineState.LOST
        if self._inference.finished is capture:
            return EngineState.ENDED
        return EngineState.PAUSED if self._inference.paused else EngineState.RUNNING
