"""Keep the picture of the moment shown on the screen."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtGui import QAction

from app.gui.review.attention import ReviewAttention
from app.gui.review.model import ReviewModel
from app.gui.video_view import VideoView
from app.review.fetcher import Fetcher
from app.review.recording import Recording


class PictureFeed:
    """Have pictures fetched aside as the moment changes, and show what came."""

    def __init__(
        self,
        model: ReviewModel,
        video: VideoView,
        landmarks: QAction,
        attention: ReviewAttention,
        warn: Callable[[str], None],
    ) -> None:
        """Show nothing yet.

        landmarks: whether points are drawn. attention: whether and how it is said why. warn: takes
        a sentence.
        """
        self._model = model
        self._video = video
        self._landmarks = landmarks
        self._landmarks_left: bool | None = None
        self._attention = attention
        self._warn = warn
        self._fetcher: Fetcher | None = None
        for signal in (model.changed, model.moved, model.opened):
            signal.connect(self._ask)
        attention.changed.connect(self._ask)

    def begin(self, recording: Recording) -> None:
        """Fetch from another session from now on."""
        self.stop()
        self._attention.forget()
        self._fetcher = Fetcher(recording)

    def stop(self) -> None:
        """Fetch and show nothing."""
        if self._fetcher is not None:
            self._fetcher.close()
            self._fetcher = None
            self._video.show_result(None)

    def take(self) -> None:
        """Show the picture that came since, if one did."""
        if self._fetcher is None:
            return
        for sentence in self._fetcher.take_notices():
            self._warn(sentence)
        self._attention.learn(self._fetcher.offers, self._fetcher.no_reasons)
        made = self._fetcher.take()
        if made is None:
            return
        self._video.show_result(made[1])
        self._suit_landmarks(bare=not self._fetcher.has_pictures)

    def _ask(self) -> None:
        if self._fetcher is None or not self._model.is_open:
            return
        if len(self._model.recording.frame_times):
            self._fetcher.ask(self._model.state, self._model.frame, self._attention.wish)

    def _suit_landmarks(self, *, bare: bool) -> None:
        """Draw the points where there is no face to see; with pictures all is as it was left."""
        if bare and self._landmarks_left is None:
            self._landmarks_left = self._landmarks.isChecked()
            self._landmarks.setChecked(True)
        elif not bare and self._landmarks_left is not None:
            self._landmarks.setChecked(self._landmarks_left)
            self._landmarks_left = None
