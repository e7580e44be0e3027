"""What is said of the faces, held for a moment: every place that shows it shows the same."""

from __future__ import annotations

import math
from dataclasses import replace

from app.messages import FaceResult, FrameResult

STEADY_SECONDS = 0.2
"""Numbers that change more often cannot be read."""


class Steady:
    """Let words and numbers change five times a second, those of all faces at once.

    Only what is shown is held; where the faces are, their crops and maps go on frame by frame.
    """

    def __init__(self) -> None:
        self._said: dict[int, FaceResult] = {}
        self._said_at = -math.inf
        self._waiting: FrameResult | None = None
        self._taken_at = 0.0

    def take(self, result: FrameResult, now: float) -> FrameResult:
        """Return a new result as it is to be shown. now: `time.monotonic` seconds."""
        frame = result.frame
        if not 0 <= frame.captured_at - self._said_at < STEADY_SECONDS:
            self._say(result)
            return result
        self._waiting, self._taken_at = result, now
        return replace(result, faces=tuple(self._held(face) for face in result.faces))

    def overdue(self, now: float) -> FrameResult | None:
        """Return the last result with its own numbers, where no newer one came to bring them."""
        if self._waiting is None or now - self._taken_at < STEADY_SECONDS:
            return None
        result = self._waiting
        self._say(result)
        return result

    def _say(self, result: FrameResult) -> None:
        self._said_at, self._waiting = result.frame.captured_at, None
        self._said = {face.face.track_id or 0: face for face in result.faces}

    def _held(self, face: FaceResult) -> FaceResult:
        """Return a face with what was said of it last; what is new of its kind is said at once."""
        track = face.face.track_id or 0
        said = self._said.get(track)
        if not track or said is None or _kind(said) != _kind(face):
            self._said[track] = face
            return face
        return replace(
            face,
            probabilities=said.probabilities,
            label=said.label,
            confidence=said.confidence,
            corrected=said.corrected,
            unsure=said.unsure,
            second=said.second,
        )


def _kind(face: FaceResult) -> tuple[object, ...]:
    """Return what must not be held from before: labels, models, whether a neutral face counts."""
    second = face.second
    asked = None if second is None else (second.model, second.labels, second.corrected)
    return face.prediction.labels, face.corrected is None, asked
