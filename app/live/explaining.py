"""Explanations too slow for every frame, made beside the picture at their own rate."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from app.live.slot import Slot
from app.messages import FaceResult, FrameResult
from app.views import VIEWS, runner_up, shown_label
from models.runtime.errors import UserError

log = logging.getLogger(__name__)

Map = NDArray[np.float32]

# Seconds from map to map at least, and how much longer the thread rests than it works; the second
# while a label that is shown has no map yet.
_LEAST_WAIT = 0.125
_RESTS = 5.0
_SHORT_RESTS = 1.0
# The age from which a map is no longer drawn: some rounds, so that slow methods do not flicker,
# but within these seconds, no longer than somebody would hold a look.
_ROUNDS = 2.5
_AGES = (0.7, 3.0)
# A map that takes longer would always be too old; one that takes less has time for a second label.
_TOO_SLOW = 0.8
_TIME_FOR_TWO = 0.3
# Failures one after the other until a view is given up.
_PATIENCE = 3


@runtime_checkable
class Explainer(Protocol):
    """Name what is used of slow explanations, all of it on one thread.

    labels_at_once: whether several labels of a crop cost about as much as one. explain_labels:
    returns a map (S, S) for each label, on one scale, so that labels of a crop compare.
    """

    @property
    def name(self) -> str: ...

    @property
    def labels_at_once(self) -> bool: ...

    def explain_labels(
        self, crop: NDArray[np.uint8], label_indices: Sequence[int], /
    ) -> list[Map]: ...


MakeExplainers = Callable[[Any, Callable[[str], None]], Sequence[Explainer]]
"""From a classifier, and what takes a sentence for the user, to its explanations."""


@dataclass(frozen=True, slots=True, eq=False)
class _Made:
    """Hold what was found for a face: maps (C, S, S), NaN for labels that were not explained.

    classifier, crop: what was explained. captured_at: of the crop's frame.
    """

    view: str
    classifier: Any
    crop: NDArray[np.uint8]
    labels: tuple[str, ...]
    maps: Map
    captured_at: float


class Explaining:
    """Own the thread that makes the maps of the slow views.

    The newest crop wins, the face that has waited longest comes first, after those whose label has
    no map yet, and the thread rests five times as long as it works, or for these once as long: the
    picture does not wait for it. A map stays with its track. What fails is said, and after some
    failures the view is given up; nothing is raised.
    """

    def __init__(
        self,
        classifier: Callable[[], Any],
        make: MakeExplainers | None,
        say: Callable[[str], None],
    ) -> None:
        """Prepare; the thread begins with the first slow view.

        classifier: returns the one that runs, None before. make: None where there are none. say:
        takes sentences for the user.
        """
        self._classifier = classifier
        self._make = make
        self._say = say
        self._view = ""
        self._age = _AGES[0]
        # Replaced whole, never changed: the inference thread reads them without a lock.
        self._made: dict[int, _Made] = {}
        # Used by the inference thread alone: the last result, what classified it, its maps.
        self._last: tuple[FrameResult, Any] | None = None
        self._drawn: dict[int, _Made] = {}
        self._given_up: dict[str, str] = {}
        self._slot: Slot[FrameResult] = Slot()
        self._stopping = threading.Event()
        # Set where a label that is shown has no map, and at the end.
        self._lacking = threading.Event()
        self._thread: threading.Thread | None = None
        # Used by the thread alone.
        self._built_for: Any = None
        self._explainers: dict[str, Explainer] = {}
        self._ran: set[str] = set()
        self._streak = 0
        self._fault = ""

    @property
    def given_up(self) -> dict[str, str]:
        """Return the views that were tried in vain with the model in use, and why."""
        return self._given_up if self._built_for is self._classifier() else {}

    def choose(self, view: str) -> None:
        """Make the maps of a view from now on; of one that is not slow, or "", none."""
        slow = view in VIEWS and VIEWS[view].slow
        wanted = view if slow and self._make is not None else ""
        if wanted == self._view:
            return
        self._view, self._made = wanted, {}
        if wanted and self._thread is None and not self._stopping.is_set():
            self._thread = threading.Thread(target=self._work, name="mien-explaining", daemon=True)
            self._thread.start()

    def see(self, result: FrameResult) -> FrameResult:
        """Take note of a result and return it with the maps there are; called for each frame."""
        self._last = result, self._classifier()
        if not self._view or not result.faces:
            return result
        self._slot.put(result)
        if self._lacks_map(result):
            self._lacking.set()
        return self._with_maps(result)

    def see_again(self) -> FrameResult | None:
        """Return the last result with the maps made since; None where there are none.

        Called now and then while no frame comes, by the thread that calls `see`. Faces that still
        lack a map of the view get one.
        """
        view, classifier = self._view, self._classifier()
        if not view or classifier is None or view in self.given_up:
            return None
        if self._last is None or self._last[1] is not classifier:
            return None
        result = self._last[0]
        if self._next(result, classifier) is not None:
            self._slot.put(result)
        if not self._made or self._made is self._drawn:
            return None
        return self._with_maps(result)

    def stop(self) -> None:
        """Ask the thread to end; returns at once."""
        self._stopping.set()
        self._lacking.set()
        self._slot.close()

    def join(self, timeout: float) -> bool:
        """Wait for the thread, seconds; return whether it has ended."""
        if self._thread is None:
            return True
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _with_maps(self, result: FrameResult) -> FrameResult:
        view, classifier, self._drawn = self._view, self._classifier(), self._made
        faces = []
        for face in result.faces:
            made = self._drawn.get(face.face.track_id or 0)
            if (
                made is not None
                and (made.view, made.labels) == (view, face.prediction.labels)
                and made.classifier is classifier
                and 0 <= result.frame.captured_at - made.captured_at <= self._age
            ):
                attention = {**face.prediction.attention, view: made.maps}
                face = replace(face, prediction=replace(face.prediction, attention=attention))
            faces.append(face)
        return replace(result, faces=tuple(faces))

    def _work(self) -> None:
        while not self._stopping.is_set():
            result = self._slot.take()
            if result is None:
                return
            view, classifier = self._view, self._classifier()
            if classifier is None or not view or view in self.given_up:
                continue
            if classifier is not self._built_for:
                self._build(classifier)  # once, so that the thread need not rest from it
            began, explained = time.perf_counter(), False
            try:
                explained = self._explain_one(result, view, classifier)
            except Exception as error:
                self._fail(error)
            took = time.perf_counter() - began
            rest = max(_RESTS * took, _LEAST_WAIT - took)
            if explained:
                self._streak = 0
                self._age = float(np.clip(_ROUNDS * (took + rest) * len(result.faces), *_AGES))
            self._lacking.clear()
            self._rest(rest, min(rest, max(_SHORT_RESTS * took, _LEAST_WAIT - took)))

    def _rest(self, seconds: float, least: float) -> None:
        """Rest for so many seconds, but for the least where a label lacks its map."""
        if not self._stopping.wait(least):
            self._lacking.wait(seconds - least)

    def _lacks_map(self, result: FrameResult) -> bool:
        """Say whether the label that is shown of a face has not been explained."""
        classifier, made = self._classifier(), self._made
        return any(
            _can_explain(face, classifier) and not self._has_map(face, made)
            for face in result.faces
        )

    def _has_map(self, face: FaceResult, made: dict[int, _Made]) -> bool:
        one = made.get(face.face.track_id or 0)
        if one is None or (one.view, one.labels) != (self._view, face.prediction.labels):
            return False
        return not np.isnan(one.maps[shown_label(face), 0, 0])

    def _explain_one(self, result: FrameResult, view: str, classifier: Any) -> bool:
        """Explain the face that has waited longest; say whether there was one."""
        explainer = self._explainers.get(view)
        if explainer is None:
            self._give_up(view, self._fault or VIEWS[view].missing)
            return False
        face = self._next(result, classifier)
        if face is None or face.face.track_id is None:
            return False
        maps, seconds = _explained(explainer, face)
        if seconds > _TOO_SLOW and view in self._ran:
            self._give_up(view, f"it takes {seconds:.1f} s a face on this computer")
        self._ran.add(view)
        made = _Made(
            view, classifier, face.crop, face.prediction.labels, maps, result.frame.captured_at
        )
        there = {other.face.track_id for other in result.faces}
        kept = {track: one for track, one in self._made.items() if track in there}
        self._made = {**kept, face.face.track_id: made}
        return True

    def _next(self, result: FrameResult, classifier: Any) -> FaceResult | None:
        """Return the face whose map is oldest, of those that the model in use has classified.

        None where each has the map of this very crop, as old as the result.
        """
        known = {
            track: made
            for track, made in self._made.items()
            if made.view == self._view and made.classifier is classifier
        }

        def explained(face: FaceResult) -> bool:
            made = known.get(face.face.track_id or 0)
            if made is None or made.crop is not face.crop:
                return False
            return made.captured_at == result.frame.captured_at

        def waited_since(face: FaceResult) -> tuple[bool, float]:
            made = known.get(face.face.track_id or 0)
            return self._has_map(face, known), -1.0 if made is None else made.captured_at

        fitting = [
            face for face in result.faces if _can_explain(face, classifier) and not explained(face)
        ]
        return min(fitting, key=waited_since, default=None)

    def _build(self, classifier: Any) -> None:
        assert self._make is not None
        self._built_for, self._given_up, self._explainers = classifier, {}, {}
        self._made = {}
        self._ran, self._streak, self._fault = set(), 0, ""
        try:
            self._explainers = {one.name: one for one in self._make(classifier, self._say)}
        except Exception as error:
            log.warning("the explanations could not be made", exc_info=error)
            self._fault = _reason(error)

    def _fail(self, error: Exception) -> None:
        log.warning("an explanation failed", exc_info=error)
        self._streak += 1
        if self._streak >= _PATIENCE and self._view:
            self._streak = 0
            self._give_up(self._view, _reason(error))

    def _give_up(self, view: str, why: str) -> None:
        self._given_up = {**self._given_up, view: why}
        self._say(f"{VIEWS[view].title} cannot be shown with this model: {why}.")


def _reason(error: Exception) -> str:
    said = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
    return f"it failed ({said.rstrip('.')})"


def _can_explain(face: FaceResult, classifier: Any) -> bool:
    """Say whether a face is followed, and was classified by the model in use."""
    return (
        classifier is not None
        and face.face.track_id is not None
        and face.crop.shape[0] == classifier.input_size
        and face.prediction.labels == classifier.labels
    )


def _explained(explainer: Explainer, face: FaceResult) -> tuple[Map, float]:
    """Return the maps (C, S, S) of the shown label and the next likely, and seconds for one.

    Of this thread's own work: another program that is busy for a while is no reason to give up.
    """
    labels = len(face.prediction.labels)
    maps = np.full((labels, *face.crop.shape), np.nan, np.float32)
    wanted = [shown_label(face), *([runner_up(face)] if labels > 1 else [])]
    first = wanted if explainer.labels_at_once else wanted[:1]
    began = time.thread_time()
    maps[first] = explainer.explain_labels(face.crop, first)
    seconds = time.thread_time() - began
    rest = wanted[len(first) :]
    if rest and seconds < _TIME_FOR_TWO:
        maps[rest] = explainer.explain_labels(face.crop, rest)
    maps.flags.writeable = False
    return maps, seconds
