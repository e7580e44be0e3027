"""What is said for people in more than one place."""

from __future__ import annotations

from app.review.recording import Recording
from app.review.statistics import Summary
from app.words import amount, per_cent, span

__all__ = ["length", "mixture"]


def length(recording: Recording) -> str:
    """Return how long a session is, such as 360 frames in 12.0 s, or 12 images."""
    frames = len(recording.frame_times)
    if recording.of_images:
        return amount(frames, "image")
    return f"{amount(frames, 'frame')} in {span(recording.duration)}"


def mixture(summary: Summary) -> str:
    """Return how much of a face is corrected by its neutral face, empty where all or nothing is."""
    if summary.relative in (0, 1):
        return ""
    return (
        f"{per_cent(summary.relative)} of these frames are corrected by a neutral face, the others "
        f"only smoothed: the numbers mix both"
    )
