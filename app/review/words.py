"""How times, shares and amounts are written for people."""

from __future__ import annotations

from app.review.recording import Recording

__all__ = ["amount", "clock", "length", "per_cent", "span"]


def clock(seconds: float, *, digits: int = 1) -> str:
    """Return a time of a session as 1:02:03.4; digits: after the second."""
    unit = 10**digits
    ticks = max(0, round(seconds * unit))
    whole, part = divmod(ticks, unit)
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    text = f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"
    return f"{text}.{part:0{digits}}" if digits else text


def span(seconds: float) -> str:
    """Return a length of time in words short enough for a table, such as 2 min 05 s."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours} h {minute:02} min" if hours else f"{minute} min {second:02} s"


def length(recording: Recording) -> str:
    """Return how long a session is, such as 360 frames in 12.0 s, or 12 images."""
    frames = len(recording.frame_times)
    if recording.of_images:
        return amount(frames, "image")
    return f"{amount(frames, 'frame')} in {span(recording.duration)}"


def per_cent(share: float) -> str:
    """Return a share of 1 as 12.3 %, without decimals from 99.95 on."""
    value = 100 * share
    return f"{value:.0f} %" if value == 0 or value >= 99.95 else f"{value:.1f} %"


def amount(count: int, one: str, several: str | None = None) -> str:
    """Return a number with its noun, such as 1,200 frames."""
    return f"{count:,} {one if count == 1 else several or one + 's'}"
