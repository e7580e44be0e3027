"""How times, shares, amounts and sizes are written for people."""

from __future__ import annotations

__all__ = ["amount", "clock", "per_cent", "roughly", "size", "span", "whole"]


def clock(seconds: float, *, digits: int = 1) -> str:
    """Return a time of a session as 1:02:03.4; digits: after the second."""
    unit = 10**digits
    ticks = max(0, round(seconds * unit))
    whole, part = divmod(ticks, unit)
    hours, minute, second = _split(whole)
    text = f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"
    return f"{text}.{part:0{digits}}" if digits else text


def span(seconds: float, *, digits: int = 1) -> str:
    """Return a length of time in words short enough for a table, such as 2 min 05 s.

    digits: after the second, below a minute.
    """
    if round(seconds, digits) < 60:
        return f"{seconds:.{digits}f} s"
    hours, minute, second = _split(round(seconds))
    return f"{hours} h {minute:02} min" if hours else f"{minute} min {second:02} s"


def roughly(seconds: float) -> str:
    """Return a length of time that nobody knows better than in one unit, such as 31 h."""
    if seconds >= 48 * 3600:
        return f"{seconds / 86400:.0f} days"
    if seconds >= 2 * 3600:
        return f"{seconds / 3600:.0f} h"
    return f"{seconds / 60:.0f} min" if seconds >= 120 else f"{seconds:.0f} s"


def per_cent(share: float, *, digits: int = 1) -> str:
    """Return a share of 1 as 12.3 %, without decimals from 99.95 on. digits: after the point."""
    value = 100 * share
    return f"{value:.0f} %" if value == 0 or value >= 99.95 else f"{value:.{digits}f} %"


def whole(share: float) -> str:
    """Return a share of 1 as 52 %: the form of what a model says of a face now."""
    return f"{round(100 * share)} %"


def amount(count: int, one: str, several: str | None = None) -> str:
    """Return a number with its noun, such as 1,200 frames."""
    return f"{count:,} {one if count == 1 else several or one + 's'}"


def size(count: float) -> str:
    """Return a number of bytes in a fitting unit."""
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def _split(seconds: int) -> tuple[int, int, int]:
    """Return hours, minutes and seconds."""
    minutes, second = divmod(seconds, 60)
    return *divmod(minutes, 60), second
