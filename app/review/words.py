"""How the length of a session is written for people."""

from __future__ import annotations

from app.review.recording import Recording
from app.words import amount, span

__all__ = ["length"]


def length(recording: Recording) -> str:
    """Return how long a session is, such as 360 frames in 12.0 s, or 12 images."""
    frames = len(recording.frame_times)
    if recording.of_images:
        return amount(frames, "image")
    return f"{amount(frames, 'frame')} in {span(recording.duration)}"
