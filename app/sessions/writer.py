"""Record a session while it happens, on a thread of its own."""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar

import pyarrow as pa

from app.errors import SessionError
from app.messages import FrameResult
from app.sessions import folder as places
from app.sessions import ledger
from app.sessions.files import SessionFiles, disk_sentence
from app.sessions.rows import FrameRow, RowBuilder, frame_row
from app.sessions.status import LEAST_FREE, Clock, WriterStatus, not_begun
from app.sessions.video import VideoOptions, VideoThread
from app.sessions.waiting import Waiting
from app.words import amount

__all__ = ["Clock", "SessionWriter", "WriterStatus"]

log = logging.getLogger(__name__)

# Half of what a kill may cost, so that the writing itself has time.
FLUSH_SECONDS = 0.5
_SYNC_SECONDS = 5.0
# Half a minute of a camera; a frame's row is a few hundred bytes while it waits.
CAPACITY = 1024
_MARKERS_LOST = "Not kept: {}."

T = TypeVar("T")


class SessionWriter:
    """Write results into a session's folder; nobody who adds one ever waits for the disk.

    All methods may be called from any thread. What is on the disk is whole after every half
    second: a program that is killed loses no more, and `open_session` finishes the folder. When
    the disk is full or fails, the recording stops by itself, says so in `error` and keeps what
    is there.
    """

    def __init__(
        self,
        folder: Path,
        info: Mapping[str, Any],
        labels: Sequence[str],
        *,
        clock: Clock | None = None,
        wait: bool = False,
        flush_seconds: float = FLUSH_SECONDS,
        capacity: int = CAPACITY,
        least_free: int = LEAST_FREE,
        video: VideoOptions | None = None,
        numbered: bool = False,
    ) -> None:
        """Begin; the folder is made on the writer's thread, and `error` says if it cannot be.

        folder: new or empty. info: what else session.json is to say, such as source and model.
        labels: in the order of the model's card; every result must have them. clock: the start,
        None for now. wait: where each frame counts, such as of a file, `add` waits for room
        instead of dropping. capacity: frames that may wait for the disk. least_free: bytes on the
        disk below which the recording stops. video: what is kept of the picture, None for
        nothing. numbered: where there is such a folder already, the next free number is added to
        its name.
        """
        self.path = Path(folder)
        """As it was wished for until `opened`, then as it is."""
        self.error = ""
        self._clock = clock or Clock.now()
        self._labels = tuple(labels)
        self._wait = wait
        self._flush_seconds = flush_seconds
        self._least_free = least_free
        self._free = 0
        # Guards what waits and wakes the thread.
        self._changed = threading.Condition()
        self._waiting = Waiting(capacity)
        self._closing = False
        self._ended_at: float | None = None
        self._numbered = numbered
        self._files: SessionFiles | None = None
        self._synced_at = time.monotonic()
        self._builder = RowBuilder(
            self._labels, monotonic=self._clock.monotonic, wall=self._clock.wall
        )
        self._info = self._first_info(info)
        self._video = self._make_video(video)
        self._thread = threading.Thread(target=self._work, name="mien-session", daemon=True)
        self._thread.start()

    @property
    def labels(self) -> tuple[str, ...]:
        return self._labels

    @property
    def clock(self) -> Clock:
        return self._clock

    @property
    def opened(self) -> bool:
        """Say whether the folder is there; it stays so after the end."""
        return self._files is not None

    @property
    def finished(self) -> bool:
        """Say whether nothing more will be written."""
        return not self._thread.is_alive()

    def add(self, result: FrameResult) -> None:
        """Take a result in; does nothing after `stop` or once the recording has stopped.

        Raises `ValueError` for a result whose labels are not the session's.
        """
        for face in result.faces:
            if face.prediction.labels != self._labels:
                raise ValueError(f"expected {self._labels}, found {face.prediction.labels}")
        row = frame_row(result)
        with self._changed:
            if self._wait:
                self._changed.wait_for(self._has_room)
            if self._closing or self.error:
                return
            if self._waiting.is_full:
                self._waiting.drop(row.index, row.captured_at, "queue full")
                return
            before = self._waiting.is_half_full
            self._waiting.add(row)
            if self._waiting.is_half_full and not before:
                self._changed.notify_all()
        if self._video is not None:
            self._video.add(result)

    def drop(self, frame_index: int | None, time: float, reason: str) -> None:
        """Note that a frame was passed over.

        frame_index: None for a time without frames. time: monotonic seconds, as
        `Frame.captured_at`. reason: one of those in the codebook.
        """
        with self._changed:
            if not (self._closing or self.error):
                self._waiting.drop(frame_index, time, reason)

    def mark(self, time: float, key: str, text: str = "") -> bool:
        """Set a marker; it is on the disk a moment later. Return False when it comes too late.

        time: monotonic seconds; one from before the start stands at it. text: of a long one the
        beginning is kept.
        """
        with self._changed:
            if self._closing or self.error:
                return False
            self._waiting.mark(max(time, self._clock.monotonic), key, text)
            self._changed.notify_all()
            return True

    def status(self) -> WriterStatus:
        """Return how the recording stands."""
        with self._changed:
            return WriterStatus(
                frames=self._waiting.frames,
                rows=self._waiting.rows,
                dropped=dict(self._waiting.dropped),
                bytes=self._bytes(),
                free=self._free,
                seconds=(self._ended_at or time.monotonic()) - self._clock.monotonic,
                finished=self.finished,
                error=self.error,
            )

    def stop(self) -> None:
        """Ask for the end and return at once; the rest is written in the background."""
        with self._changed:
            self._end()

    def close(self) -> None:
        """Write the rest and bring the folder into its final form; may be called again."""
        self.stop()
        if self._thread is not threading.current_thread():
            self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _first_info(self, info: Mapping[str, Any]) -> dict[str, Any]:
        start = {"wall": ledger.iso_time(self._clock.wall), "monotonic": self._clock.monotonic}
        return {
            "format": places.FORMAT,
            "state": "recording",
            "started": start,
            "ended": None,
            "labels": list(self._labels),
            **info,
        }

    def _make_video(self, options: VideoOptions | None) -> VideoThread | None:
        if options is None or not options.kinds:
            return None
        return VideoThread(
            options,
            start=self._clock.monotonic,
            wait=self._wait,
            dropped=self.drop,
            failed=lambda error: self._give_up(disk_sentence(self.path, error)),
        )

    def _bytes(self) -> int:
        """Return what is on the disk."""
        if self._files is None:
            return 0
        return self._files.stream.size + (self._video.size if self._video is not None else 0)

    def _end(self) -> None:
        """Take nothing more in."""
        self._closing = True
        self._ended_at = self._ended_at or time.monotonic()
        self._changed.notify_all()

    def _has_room(self) -> bool:
        return not self._waiting.is_full or self._closing or bool(self.error)

    def _open(self) -> SessionFiles | None:
        """Make the folder and its files; None, and `error` says why, where that cannot be."""
        try:
            files = SessionFiles(
                self.path, self._info, self._labels, self._builder.schema, self._clock,
                numbered=self._numbered,
            )  # fmt: skip
        except SessionError as error:
            self._give_up(str(error))
        except Exception as error:
            log.exception("a recording could not begin")
            self._give_up(not_begun(error))
        else:
            self.path, self._files = files.path, files
        if self._video is not None:
            if self._files is not None:
                self._video.begin(self.path)
            else:  # nobody waits for its room any more
                self._video.close()
        return self._files

    def _work(self) -> None:
        files = self._open()
        if files is None:
            return
        try:
            while not self._turn(files):
                pass
        except OSError as error:
            self._give_up(disk_sentence(self.path, error))
        except Exception as error:
            log.exception("recording failed")
            self._give_up(
                f"The recording stopped ({type(error).__name__}: {error}); what was recorded until "
                f"then is kept, record again."
            )
        if self._video is not None:
            self._video.close()
        self._finish(files)

    def _turn(self, files: SessionFiles) -> bool:
        """Write what has come within one interval; return whether it was the last turn."""
        deadline = time.monotonic() + self._flush_seconds
        with self._changed:
            self._changed.wait_for(self._urgent, max(0.0, deadline - time.monotonic()))
            last = self._closing
            rows = self._waiting.take_rows()
            self._changed.notify_all()
        self._write_rows(rows, files)
        self._write_markers(files)
        self._write_drops(files)
        if time.monotonic() - self._synced_at >= _SYNC_SECONDS:
            self._synced_at = time.monotonic()
            files.sync()
        self._check_space()
        return last

    def _urgent(self) -> bool:
        return self._closing or bool(self._waiting.markers) or self._waiting.is_half_full

    def _write_rows(self, rows: Sequence[FrameRow], files: SessionFiles) -> None:
        if not rows:
            return
        try:
            for row in rows:
                self._builder.add(row)
            files.stream.write(self._builder.take())
        except Exception:
            with self._changed:
                self._waiting.lose(rows)
            raise

    def _write_markers(self, files: SessionFiles) -> None:
        self._write_lines(self._waiting.markers, files.add_markers)

    def _write_drops(self, files: SessionFiles) -> None:
        self._write_lines(self._waiting.drops, files.add_drops)

    def _write_lines(self, waiting: list[T], add: Callable[[Sequence[T]], None]) -> None:
        """Write lines that wait; those that the disk does not take wait on."""
        with self._changed:
            lines = tuple(waiting)
        if lines:
            add(lines)
        with self._changed:
            del waiting[: len(lines)]

    def _check_space(self) -> None:
        self._free = free = shutil.disk_usage(self.path).free
        if free < self._least_free:
            self._give_up(
                f"The recording stopped, because the disk is nearly full ({free / 1e6:.0f} MB "
                f"left); what was recorded until then is kept: free some space and record again."
            )

    def _give_up(self, sentence: str) -> None:
        log.warning("%s", sentence)
        with self._changed:
            self.error = self.error or sentence
            self._end()

    def _finish(self, files: SessionFiles) -> None:
        """Bring the folder into its final form, as far as the disk allows."""
        self._write_what_waits(files)
        try:
            files.close()
        except OSError as error:
            self._give_up(disk_sentence(self.path, error))
        try:
            whole = files.make_table()
            if not whole:
                self._add_to_error(places.DAMAGED)
            files.end(self._info | self._last_info(), whole=whole)
        except (OSError, pa.ArrowException) as error:
            # What is there opens all the same, and takes its final form once there is room.
            self._give_up(disk_sentence(self.path, error))
        files.unlock()

    def _write_what_waits(self, files: SessionFiles) -> None:
        """After a failure, list the frames that still wait for the table, and what else waits."""
        with self._changed:
            self._waiting.lose(self._waiting.take_rows())
        for write in (self._write_markers, self._write_drops):
            try:
                write(files)
            except OSError as error:
                self._give_up(disk_sentence(self.path, error))
        if lost := len(self._waiting.markers):
            self._add_to_error(_MARKERS_LOST.format(amount(lost, "marker")))

    def _add_to_error(self, sentence: str) -> None:
        self.error = f"{self.error} {sentence}".lstrip()

    def _last_info(self) -> dict[str, Any]:
        now = time.monotonic()
        wall = self._clock.wall + now - self._clock.monotonic
        return {
            "state": "stopped" if self.error else "finished",
            "why": self.error,
            "ended": {"wall": ledger.iso_time(wall), "monotonic": now},
            "counts": self._waiting.counts(),
        }
