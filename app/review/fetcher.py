"""Fetch pictures, landmarks and reasons aside: a wish that a newer one has overtaken is dropped."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from app.live.offers import Offers
from app.messages import FrameResult
from app.review.edited import Edited
from app.review.pictures import Pictures, field_size, find_pictures
from app.review.recording import LandmarkReader, Recording, ReviewError
from app.review.results import as_result

# It brings what explains, which a review that nobody asks why can do without.
if TYPE_CHECKING:
    from app.review.reasons import Reasons

__all__ = ["Fetcher", "wait_for_fetchers"]

log = logging.getLogger(__name__)

T = TypeVar("T")

_THREAD = "mien-window-fetch"
_NO_LANDMARKS = (
    "The landmarks of this session cannot be read ({error}), so faces are drawn without them; copy "
    "the folder again."
)
_NO_REASONS = "The model cannot say why ({error}); choose another attention view."
# So long a moment has to be shown before a slow view of it is begun.
_REST_SECONDS = 0.15
_NO_PICTURES = (
    "Pictures of this session cannot be read ({error}), so faces are drawn on an empty field; copy "
    "its video or its images again."
)


def wait_for_fetchers(seconds: float = 3.0) -> None:
    """Wait until all that were closed have ended, as at the end of the program; seconds at most."""
    deadline = time.monotonic() + seconds
    for thread in threading.enumerate():
        if thread.name == _THREAD:
            thread.join(max(0.0, deadline - time.monotonic()))


@dataclass(frozen=True, slots=True)
class _Wish:
    """Hold what is to be fetched. view: the wished one, None where nobody asks why."""

    state: Edited
    frame: int
    view: str | None


def _never() -> bool:
    return False


class Fetcher:
    """Make the results of single frames of a session on a thread of its own.

    has_pictures: None until the first frame was looked for. offers: of the model that read the
    session, None until somebody asked why. no_reasons: a sentence on why it cannot be asked, else
    empty.
    """

    def __init__(self, recording: Recording) -> None:
        self.has_pictures: bool | None = None
        self.offers: Offers | None = None
        self.no_reasons = ""
        self._recording = recording
        self._changed = threading.Condition()
        self._wish: _Wish | None = None
        self._reasons: Reasons | None = None
        self._made: tuple[int, FrameResult] | None = None
        self._said: set[str] = set()
        self._notices: list[str] = []
        self._closing = False
        self._thread = threading.Thread(target=self._work, name=_THREAD, daemon=True)
        self._thread.start()

    def ask(self, state: Edited, frame: int, view: str | None = None) -> None:
        """Wish for a frame; the wish before is dropped if nobody has begun with it.

        view: in which of `app.views` it is to say why, "" for the model's best, None for none.
        """
        with self._changed:
            self._wish = _Wish(state, frame, view)
            self._changed.notify_all()

    def take(self) -> tuple[int, FrameResult] | None:
        """Return the newest frame that is ready and was not taken yet, and its number."""
        with self._changed:
            made, self._made = self._made, None
            return made

    def take_notices(self) -> list[str]:
        """Return sentences for the user that were not taken yet; each comes once."""
        with self._changed:
            notices, self._notices = self._notices, []
            return notices

    def close(self) -> None:
        """Let the thread end after the picture that it is at, which may take seconds."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()

    def _work(self) -> None:
        recording = self._recording
        landmarks = self._tried(_NO_LANDMARKS, LandmarkReader, recording)
        pictures = self._tried(_NO_PICTURES, find_pictures, recording)
        width, height = field_size(recording)
        nothing = np.full((height, width, 3), 24, np.uint8)
        picture: Callable[[int], NDArray[np.uint8] | None] = (
            pictures.picture if pictures is not None else lambda _frame: None
        )
        try:
            while (wish := self._next_wish()) is not None:
                image = self._tried(_NO_PICTURES, picture, wish.frame)
                if self.has_pictures is None:
                    self.has_pictures = image is not None
                shown = (image if image is not None else nothing).copy()
                said = "" if image is not None else self._why_empty()
                made = (wish.state, wish.frame, shown)
                result = self._tried(_NO_LANDMARKS, as_result, *made, landmarks, said)
                if result is None:
                    result = as_result(*made, None, said)
                if wish.view is None:
                    self._hand_out(wish, result)
                else:
                    self._give_reasons(wish, result, pictures)
        finally:
            if landmarks is not None:
                landmarks.close()
            if pictures is not None:
                pictures.close()

    def _hand_out(self, wish: _Wish, result: FrameResult) -> None:
        with self._changed:
            self._made = (wish.frame, result)

    def _give_reasons(self, wish: _Wish, result: FrameResult, pictures: Pictures | None) -> None:
        """Hand a frame out with its reasons; those that take long follow once the moment stays."""
        reasons = self._reasons_of(pictures)
        looked = reasons and self._tried(_NO_REASONS, reasons.look, result)
        if not (reasons and looked):
            self._hand_out(wish, result)
            return
        view = reasons.view(wish.view or "")
        quick = reasons.is_quick(view)
        # Without its map first, a quick view would flicker while a session plays.
        if not (reasons.is_slow(view) and quick):
            self._hand_out(wish, looked)
        if not reasons.is_slow(view) or (not quick and self._overtaken(_REST_SECONDS)):
            return
        overtaken = _never if quick else self._overtaken
        explained = self._tried(_NO_REASONS, reasons.explain, looked, view, overtaken)
        self._hand_out(wish, explained or looked)

    def _reasons_of(self, pictures: Pictures | None) -> Reasons | None:
        """Return what knows why, made once; None where it cannot be had, and `no_reasons` why."""
        if self._reasons is None and not self.no_reasons:
            from app.review.reasons import Reasons

            try:
                self._reasons = Reasons(self._recording, pictures)
                self.offers = self._reasons.offers
            except ReviewError as error:
                self.no_reasons = str(error)
            except Exception as error:
                log.exception("a session's model could not be asked why")
                self.no_reasons = _NO_REASONS.format(error=error)
        return self._reasons

    def _overtaken(self, seconds: float = 0.0) -> bool:
        """Say whether there is a newer wish, or is within so many seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: self._closing or self._wish is not None, seconds)

    def _why_empty(self) -> str:
        """Return why a frame is shown without its picture."""
        if self.has_pictures:
            return "no picture of this frame"
        source = self._recording.info.get("source")
        if isinstance(source, dict) and source.get("live") is False:
            return "the file it was made from is no longer where it was"
        if self._recording.info.get("video"):
            return "its video is no longer in its folder"
        return "recorded without video"

    def _next_wish(self) -> _Wish | None:
        with self._changed:
            self._changed.wait_for(lambda: self._closing or self._wish is not None)
            wish, self._wish = self._wish, None
            return None if self._closing else wish

    def _tried(self, sentence: str, work: Callable[..., T], *given: object) -> T | None:
        """Return what comes of some work; None where it fails, which the sentence says once."""
        try:
            return work(*given)
        except Exception as error:  # a damaged file must not end the review
            if sentence not in self._said:
                self._said.add(sentence)
                log.warning("a session is reviewed without a part of it", exc_info=error)
                with self._changed:
                    self._notices.append(sentence.format(error=error))
            return None
