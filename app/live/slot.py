"""The hand-over between two threads that keeps only the newest value."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Slot(Generic[T]):
    """Hold the latest value; one that is overwritten before it was taken counts as dropped."""

    def __init__(self, on_drop: Callable[[T], None] | None = None) -> None:
        """Be empty. on_drop: takes every value that is dropped, on the thread that put the next."""
        self._on_drop = on_drop
        self._changed = threading.Condition()
        self._value: T | None = None
        self._fresh = False
        self._closed = False
        self._dropped = 0

    @property
    def dropped(self) -> int:
        with self._changed:
            return self._dropped

    def put(self, value: T) -> None:
        """Store a value at once, in place of the one before; does nothing after `close`."""
        with self._changed:
            if self._closed:
                return
            before, lost = self._value, self._fresh
            self._dropped += lost
            self._store(value)
        if lost and before is not None and self._on_drop is not None:
            self._on_drop(before)

    def put_when_taken(self, value: T, timeout: float | None = None) -> bool:
        """Store a value as soon as the one before was taken, so that none is lost.

        timeout: seconds, None for ever. Return False when the time ran out or the slot was
        closed; the value is then not stored.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._closed or not self._fresh, timeout)
            if self._closed or self._fresh:
                return False
            self._store(value)
            return True

    def get(self) -> T | None:
        """Return the newest value, taken or not, without waiting; None before the first."""
        with self._changed:
            return self._value

    def take(self, timeout: float | None = None) -> T | None:
        """Return the newest value that was not taken yet and mark it taken.

        timeout: seconds to wait for one, None for ever. Return None when the time ran out, or
        when the slot is closed and nothing is left in it.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._fresh, timeout)
            if not self._fresh:
                return None
            self._fresh = False
            self._changed.notify_all()
            return self._value

    def close(self) -> None:
        """Let every waiting thread go; a value not taken yet may still be."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _store(self, value: T) -> None:
        self._value = value
        self._fresh = True
        self._changed.notify_all()
