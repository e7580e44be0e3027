"""Record a session while it happens, on a thread of its own."""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import pyarrow as pa

from app.errors import SessionError
from app.messages import FrameResult
from app.sessions import folder as places
from app.sessions import ledger
from app.sessions.codebook import codebook
from app.sessions.rows import FrameRow, RowBuilder, frame_row
from app.sessions.status import LEAST_FREE, Clock, WriterStatus
from app.sessions.stream import StreamBatches, TableStream, write_parquet
from app.sessions.video import VideoOptions, VideoThread
from models.runtime.files import is_folder, written_whole

__all__ = ["Clock", "SessionWriter", "WriterStatus"]

log = logging.getLogger(__name__)

# Half of what a kill may cost, so that the writing itself has time.
FLUSH_SECONDS = 0.5
_SYNC_SECONDS = 5.0
# Half a minute of a camera; a frame's row is a few hundred bytes while it waits.
CAPACITY = 1024
# Of a marker, in characters: other programs may send anything, and it has to be read again.
_LONGEST_TEXT = 10_000
_MOST_DROPS_WAITING = 65_536


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
    ) -> None:
        """Make the folder and begin.

        folder: new or empty. info: what else session.json is to say, such as source and model.
        labels: in the order of the model's card; every result must have them. clock: the start,
        None for now. wait: where each frame counts, such as of a file, `add` waits for room
        instead of dropping. capacity: frames that may wait for the disk. least_free: bytes on the
        disk below which the recording stops. video: what is kept of the picture, None for
        nothing. Raises `SessionError` when nothing can be written.
        """
        self.path = Path(folder)
        self.error = ""
        self._clock = clock or Clock.now()
        self._labels = tuple(labels)
        self._wait = wait
        self._flush_seconds = flush_seconds
        self._capacity = capacity
        self._least_free = least_free
        self._rows: deque[FrameRow] = deque()
        self._drops: deque[tuple[int | None, float, str]] = deque()
        self._marks: list[tuple[float, str, str]] = []
        self._dropped: Counter[str] = Counter()
        self._unlisted = self._free = 0
        self._frame_count = self._row_count = 0
        self._changed = threading.Condition()
        self._closing = False
        self._synced_at = time.monotonic()
        self._builder = RowBuilder(
            self._labels, monotonic=self._clock.monotonic, wall=self._clock.wall
        )
        self._info = self._first_info(info)
        self._open()
        self._video = self._begin_video(video)
        self._thread = threading.Thread(target=self._work, name="mien-session", daemon=True)
        self._thread.start()

    @property
    def labels(self) -> tuple[str, ...]:
        return self._labels

    @property
    def clock(self) -> Clock:
        return self._clock

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
            if len(self._rows) >= self._capacity:
                self._drop(row.index, row.captured_at, "queue full")
                return
            self._rows.append(row)
            self._frame_count += 1
            self._row_count += len(row.faces) or 1
            if len(self._rows) == self._capacity // 2:
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
                self._drop(frame_index, time, reason)

    def mark(self, time: float, key: str, text: str = "") -> None:
        """Set a marker; it is on the disk a moment later.

        time: monotonic seconds; one from before the start stands at it. text: of a long one the
        beginning is kept.
        """
        with self._changed:
            if not (self._closing or self.error):
                when = max(time, self._clock.monotonic)
                self._marks.append((when, key, text[:_LONGEST_TEXT]))
                self._changed.notify_all()

    def status(self) -> WriterStatus:
        """Return how the recording stands."""
        with self._changed:
            return WriterStatus(
                frames=self._frame_count,
                rows=self._row_count,
                dropped=dict(self._dropped),
                bytes=self._stream.size + (self._video.size if self._video else 0),
                free=self._free,
                seconds=time.monotonic() - self._clock.monotonic,
                finished=self.finished,
                error=self.error,
            )

    def stop(self) -> None:
        """Ask for the end and return at once; the rest is written in the background."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()

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

    def _open(self) -> None:
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            if any(self.path.iterdir()):
                raise SessionError(
                    f'A recording was to begin in "{self.path}", but there is something in that '
                    f"folder already; choose a new or an empty one."
                )
            places.lock(self.path)
            self._lock = (self.path / places.LOCK).open("r+b", buffering=0)
            places.write_info(self.path, self._info)
            with written_whole(self.path / places.CODEBOOK) as partial:
                partial.write_text(codebook(self._labels), encoding="utf-8")
            self._marker_file = ledger.Ledger(self.path / places.MARKERS, ledger.MARKERS.names)
            self._drop_file = ledger.Ledger(self.path / places.DROPPED, ledger.DROPPED.names)
            self._stream = TableStream(self.path / places.STREAM, self._builder.schema)
        except OSError as error:
            raise SessionError(
                f'A recording cannot begin in "{self.path}" ({error.strerror or error}); choose '
                f"another folder or free some space."
            ) from error

    def _begin_video(self, options: VideoOptions | None) -> VideoThread | None:
        if options is None or not options.kinds:
            return None
        return VideoThread(
            self.path,
            options,
            start=self._clock.monotonic,
            wait=self._wait,
            dropped=self.drop,
            failed=lambda error: self._give_up(self._disk_sentence(error)),
        )

    def _has_room(self) -> bool:
        return len(self._rows) < self._capacity or self._closing or bool(self.error)

    def _drop(self, index: int | None, when: float, reason: str) -> None:
        self._dropped[reason] += 1
        if len(self._drops) < _MOST_DROPS_WAITING:
            self._drops.append((index, when, reason))
        else:  # the disk has hung for long
            self._unlisted += 1

    def _work(self) -> None:
        try:
            while not self._turn():
                pass
        except OSError as error:
            self._give_up(self._disk_sentence(error))
        except Exception as error:
            log.exception("recording failed")
            self._give_up(
                f"The recording stopped ({type(error).__name__}: {error}); what was recorded until "
                f"then is kept, record again."
            )
        if self._video is not None:
            self._video.close()
        self._finish()

    def _turn(self) -> bool:
        """Write what has come within one interval; return whether it was the last turn."""
        deadline = time.monotonic() + self._flush_seconds
        with self._changed:
            self._changed.wait_for(self._urgent, max(0.0, deadline - time.monotonic()))
            last = self._closing
            rows = list(self._rows)
            self._rows.clear()
            self._changed.notify_all()
        self._write_rows(rows)
        self._write_ledgers()
        if time.monotonic() - self._synced_at >= _SYNC_SECONDS:
            self._synced_at = time.monotonic()
            self._stream.sync()
        self._check_space()
        return last

    def _urgent(self) -> bool:
        return self._closing or bool(self._marks) or len(self._rows) >= self._capacity // 2

    def _write_rows(self, rows: Sequence[FrameRow]) -> None:
        if not rows:
            return
        try:
            for row in rows:
                self._builder.add(row)
            self._stream.write(self._builder.take())
        except Exception:
            self._lose(rows)
            raise

    def _lose(self, rows: Sequence[FrameRow]) -> None:
        """Count frames as passed over that were taken in but cannot be written any more."""
        with self._changed:
            for row in rows:
                self._frame_count -= 1
                self._row_count -= len(row.faces) or 1
                self._drop(row.index, row.captured_at, "not written")

    def _write_ledgers(self) -> None:
        """Write the markers that wait, then the frames that were passed over."""
        start, wall = self._clock.monotonic, self._clock.wall
        with self._changed:
            marks, self._marks = self._marks, []
        if marks:
            self._marker_file.append(
                (f"{when - start:.6f}", ledger.iso_time(wall + when - start), key, text)
                for when, key, text in marks
            )
        with self._changed:
            drops = list(self._drops)
            self._drops.clear()
        try:
            if drops:
                self._drop_file.append(
                    (f"{when - start:.6f}", "" if index is None else index, reason)
                    for index, when, reason in drops
                )
        except OSError:
            self._unlisted += len(drops)
            raise

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
            self._closing = True
            self._changed.notify_all()

    def _finish(self) -> None:
        """Bring the folder into its final form, as far as the disk allows."""
        self._write_what_waits()
        for file in (self._marker_file, self._drop_file, self._stream):
            try:
                file.close()
            except OSError as error:
                self._give_up(self._disk_sentence(error))
        batches = StreamBatches(self.path / places.STREAM)
        try:
            rows = write_parquet(batches, self.path / places.TABLE, self._builder.schema)
            whole = rows == self._stream.rows
            if not whole:
                self.error = f"{self.error} {places.DAMAGED}".lstrip()
            places.write_info(self.path, self._info | self._last_info())
            places.end_stream(self.path, whole=whole)
        except (OSError, pa.ArrowException) as error:
            # What is there opens all the same, and takes its final form once there is room.
            self._give_up(self._disk_sentence(error))
        try:
            with self._lock:
                self._lock.truncate(0)  # nobody's from now on, wherever the folder was moved
            places.unlock(self.path)
        except OSError as error:
            log.warning("%s", error)

    def _write_what_waits(self) -> None:
        """After a failure, list the frames that still wait for the table, and what else waits."""
        self._lose(self._rows)
        self._rows.clear()
        try:
            self._write_ledgers()
        except OSError as error:
            self._give_up(self._disk_sentence(error))

    def _last_info(self) -> dict[str, Any]:
        now = time.monotonic()
        wall = self._clock.wall + now - self._clock.monotonic
        return {
            "state": "stopped" if self.error else "finished",
            "why": self.error,
            "ended": {"wall": ledger.iso_time(wall), "monotonic": now},
            "counts": {
                "frames": self._frame_count,
                "rows": self._row_count,
                "dropped": dict(self._dropped),
                "dropped_unlisted": self._unlisted,
            },
        }

    def _disk_sentence(self, error: Exception) -> str:
        if not is_folder(self.path):
            return (
                f'The recording stopped, because its folder "{self.path}" was moved or its disk '
                f"taken out; what was recorded until then is kept in it: open the folder where it "
                f"is now, and record again."
            )
        found = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return (
            f"The recording stopped, because the disk takes no more ({found}); what was recorded "
            f"until then is kept: free some space and record again."
        )
