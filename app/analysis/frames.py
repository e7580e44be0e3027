"""The frames of an input, in order and on a clock that is the same at every reading."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol, Self

from app.analysis.inputs import IMAGES, Input
from app.errors import SourceError
from app.messages import Frame
from app.sources.folder import SECONDS_PER_IMAGE, read_image
from app.sources.video import VideoSource


class Frames(Protocol):
    """Hand out every N-th frame, `captured_at` being its media time.

    read: frames passed by so far. notice: one sentence on what went amiss without stopping, else
    empty. unreadable: numbers and names of images that cannot be read.
    """

    read: int
    unreadable: list[tuple[int, str]]

    @property
    def notice(self) -> str: ...

    def __iter__(self) -> Iterator[Frame]: ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


def open_frames(source: Input, every: int) -> Frames:
    """Open an input. every: 1 for all frames. Raises `SourceError` when nothing can be read."""
    if source.kind == IMAGES:
        return _Images(source.paths, every)
    return _Video(source.paths[0], every)


class _Video:
    def __init__(self, path: Path, every: int) -> None:
        self.read = 0
        self.unreadable: list[tuple[int, str]] = []
        self._source = VideoSource(path, paced=False)
        self._every = every

    @property
    def notice(self) -> str:
        return self._source.notice

    def __iter__(self) -> Iterator[Frame]:
        while (frame := self._source.read()) is not None:
            self.read += 1
            if frame.index % self._every == 0:
                assert frame.media_time is not None
                yield replace(frame, captured_at=frame.media_time)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._source.close()


class _Images:
    """Show images one second apart, so that nobody is taken for the face on the image before."""

    def __init__(self, paths: Sequence[Path], every: int) -> None:
        self.read = 0
        self.unreadable: list[tuple[int, str]] = []
        self._paths = paths
        self._every = every

    @property
    def notice(self) -> str:
        if not self.unreadable:
            return ""
        if len(self.unreadable) == 1:
            return f'"{self.unreadable[0][1]}" cannot be read and was skipped.'
        return (
            f"{len(self.unreadable)} of {len(self._paths)} images cannot be read and were skipped; "
            f"dropped.csv names them."
        )

    def __iter__(self) -> Iterator[Frame]:
        shown = 0
        for index, path in enumerate(self._paths):
            self.read += 1
            if index % self._every:
                continue
            image = read_image(path)
            if image is None:
                self.unreadable.append((index, path.name))
                continue
            shown += 1
            time = index * SECONDS_PER_IMAGE
            yield Frame(image, index, captured_at=time, media_time=time, caption=path.name)
        if not shown:
            raise SourceError(
                f'None of the images chosen in "{self._paths[0].parent}" can be read: they are '
                f"damaged or of another kind than their names say; choose others."
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing stays open."""
