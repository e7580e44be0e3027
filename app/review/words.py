"""What is said for people in more than one place."""

from __future__ import annotations

import numpy as np

from app.review.edited import Interval
from app.review.recording import Recording
from app.review.statistics import Summary
from app.words import amount, clock, per_cent, span

__all__ = ["between", "frame_noun", "interval_title", "lasting", "length", "mixture", "moment"]


def frame_noun(recording: Recording) -> str:
    """Return what a frame of a session is called: of images each is one."""
    return "image" if recording.of_images else "frame"


def moment(recording: Recording, time: float) -> str:
    """Return when something is, such as 0:05.0, or 6 / 20 for the sixth of 20 images."""
    if not recording.of_images:
        return clock(time)
    last = recording.image_number(max(0.0, recording.duration - recording.spacing))
    return f"{min(recording.image_number(time), last)} / {last}"


def between(recording: Recording, start: float, end: float) -> str:
    """Return what lies between two times (s), such as 0:05.0 to 0:08.0, or images 6 to 8."""
    if not recording.of_images:
        return f"{clock(start)} to {clock(end)}"
    times = recording.frame_times
    inside = times[np.searchsorted(times, start) : np.searchsorted(times, end, "right")]
    if len(inside) < 2:
        return f"image {recording.image_number(inside[0])}" if len(inside) else "no image"
    first, last = (recording.image_number(time) for time in (inside[0], inside[-1]))
    return f"images {first} to {last}"


def interval_title(recording: Recording, one: Interval) -> str:
    """Return what an interval is called: by its name, or by where it lies."""
    return one.name or between(recording, one.start, one.end)


def lasting(recording: Recording, seconds: float) -> str:
    """Return how long something lasts, such as 3.0 s, or 3 images."""
    if recording.of_images:
        return amount(round(seconds / recording.spacing), "image")
    return span(seconds)


def length(recording: Recording) -> str:
    """Return how long a session is, such as 360 frames in 12.0 s, or 12 images."""
    frames = amount(len(recording.frame_times), frame_noun(recording))
    return frames if recording.of_images else f"{frames} in {span(recording.duration)}"


def mixture(summary: Summary) -> str:
    """Return how much of a face is corrected by its neutral face, empty where all or nothing is."""
    if summary.relative in (0, 1):
        return ""
    return (
        f"{per_cent(summary.relative)} of these frames are corrected by a neutral face, the others "
        f"only smoothed: the numbers mix both"
    )
