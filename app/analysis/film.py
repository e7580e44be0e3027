"""The video that may lie beside a table: each picture with what was found on it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from app.messages import FrameResult
from app.sessions.video import VideoOptions, VideoThread

Keep = Callable[[FrameResult], None]

_OVERLAYS = ("boxes", "bars")


@contextlib.contextmanager
def film_beside(folder: Path, *, wanted: bool) -> Iterator[Keep]:
    """Give a function that takes each result, and finish the video at the end.

    Does nothing unless `wanted`. Pictures have the times of the table. The function raises
    `OSError` when the disk takes no more, and so does the end.
    """
    if not wanted:
        yield lambda _: None
        return
    faults: list[OSError] = []
    thread = VideoThread(
        VideoOptions(("annotated",), overlays=_OVERLAYS),
        start=0.0,
        wait=True,
        dropped=lambda *_: None,  # none is, since it waits for room
        failed=faults.append,
    )
    thread.begin(folder)

    def keep(result: FrameResult) -> None:
        thread.add(result)
        if faults:
            raise faults[0]

    try:
        yield keep
    finally:
        thread.close()
    if faults:
        raise faults[0]
