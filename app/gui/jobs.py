"""Work that would make the window wait, done aside; what comes of it is fetched by the window."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from models.runtime.errors import UserError

log = logging.getLogger(__name__)
T = TypeVar("T")

_CLOSE_SECONDS = 3.0


class Jobs:
    """Run each function on a thread of its own; `poll` hands results over on the caller's."""

    def __init__(self) -> None:
        self._threads: dict[threading.Thread, Path | None] = {}
        self._ready: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()

    @property
    def unfinished(self) -> list[str]:
        """Return what the user is asked before files are cut off that are still being saved."""
        return [
            f'"{file.name}" is being saved. What is written of it so far is not kept.'
            for thread, file in self._threads.items()
            if file is not None and thread.is_alive()
        ]

    def submit(
        self,
        work: Callable[[], T],
        done: Callable[[T], None],
        failed: Callable[[str], None],
        *,
        saves: Path | None = None,
    ) -> None:
        """Run `work` aside.

        A later `poll` calls `done` with what it returned, or `failed` with the sentence of the
        `UserError` it raised, or one on any other error. saves: the file of the user's that it
        writes.
        """

        def run() -> None:
            try:
                result = work()
            except UserError as error:
                sentence = str(error)
                self._ready.put(lambda: failed(sentence))
            except Exception as error:  # a defect, or a disk that is gone: nobody waits for ever
                log.exception("a job of the window failed")
                why = str(error) or type(error).__name__
                reason = f"This could not be done ({why}); try again."
                self._ready.put(lambda: failed(reason))
            else:
                self._ready.put(lambda: done(result))

        # A daemon: a driver that hangs must not keep the program alive.
        thread = threading.Thread(target=run, name="mien-window-job", daemon=True)
        self._threads = {other: of for other, of in self._threads.items() if other.is_alive()}
        self._threads[thread] = saves
        thread.start()

    def poll(self) -> None:
        """Hand over what is ready."""
        while not self._ready.empty():
            self._ready.get()()

    def close(self) -> None:
        """Wait up to 3 s for what is running; nothing is handed over any more."""
        deadline = time.monotonic() + _CLOSE_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
