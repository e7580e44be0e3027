"""Append to a file so that it always ends with something whole."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any, BinaryIO

__all__ = ["AppendedFile"]


class AppendedFile:
    """Write messages to the end of a file, each whole or not at all.

    One that fails, as on a full disk, is cut away again: the file then ends with the one before.
    """

    def __init__(self, path: Path, head: Any) -> None:
        """Begin the file with `head`; an older one of that name is replaced. Raises `OSError`."""
        self._file: BinaryIO = path.open("wb", buffering=0)
        self.size = 0
        try:
            self.append(head)
        except OSError:
            self._file.close()
            raise

    def append(self, message: Any) -> None:
        """Write a bytes-like message. Raises `OSError`; what was there before then stays."""
        content = memoryview(message)
        view = content
        try:
            while view:
                view = view[self._file.write(view) :]
        except OSError:
            with contextlib.suppress(OSError):
                self._file.truncate(self.size)
                self._file.seek(self.size)
            raise
        self.size += len(content)

    def sync(self) -> None:
        """Have the system put what was written on the disk, against a loss of power."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        self._file.close()
