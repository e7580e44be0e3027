"""What a recording has taken in and not written yet, and how much it took in."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from typing import Any

from app.sessions.rows import FrameRow

# Of a marker, in characters: other programs may send anything, and it has to be read again.
_LONGEST_TEXT = 10_000
_MOST_DROPS = 65_536


class Waiting:
    """Hold rows, markers and lines of what was passed over until the disk has them.

    Nothing here waits or locks: who shares it among threads guards it.

    frames, rows: taken in and not lost. dropped: frames passed over, by reason. drops: number,
    monotonic seconds and reason of those that are not listed yet. markers: monotonic seconds, key
    and text.
    """

    def __init__(self, capacity: int) -> None:
        """Begin with nothing. capacity: frames that may wait."""
        self.frames = self.rows = 0
        self.dropped: Counter[str] = Counter()
        self.drops: list[tuple[int | None, float, str]] = []
        self.markers: list[tuple[float, str, str]] = []
        self._capacity = capacity
        self._rows: deque[FrameRow] = deque()
        self._unlisted = 0

    @property
    def is_full(self) -> bool:
        return len(self._rows) >= self._capacity

    @property
    def is_half_full(self) -> bool:
        return len(self._rows) >= self._capacity // 2

    def add(self, row: FrameRow) -> None:
        self._rows.append(row)
        self.frames += 1
        self.rows += len(row.faces) or 1

    def drop(self, index: int | None, when: float, reason: str) -> None:
        """Count what was passed over; it is listed where there is room."""
        self.dropped[reason] += 1
        if len(self.drops) < _MOST_DROPS:
            self.drops.append((index, when, reason))
        else:  # the disk has hung for long
            self._unlisted += 1

    def mark(self, when: float, key: str, text: str) -> None:
        """Add a marker; of a long text the beginning is kept."""
        self.markers.append((when, key, text[:_LONGEST_TEXT]))

    def take_rows(self) -> list[FrameRow]:
        """Return the rows that wait and forget them, but for their count."""
        rows = list(self._rows)
        self._rows.clear()
        return rows

    def lose(self, rows: Iterable[FrameRow]) -> None:
        """Count frames as passed over that were taken in but cannot be written any more."""
        for row in rows:
            self.frames -= 1
            self.rows -= len(row.faces) or 1
            self.drop(row.index, row.captured_at, "not written")

    def counts(self) -> dict[str, Any]:
        """Return the counts for session.json; what still waits is in no list."""
        return {
            "frames": self.frames,
            "rows": self.rows,
            "dropped": dict(self.dropped),
            "dropped_unlisted": self._unlisted + len(self.drops),
            "markers_unlisted": len(self.markers),
        }
