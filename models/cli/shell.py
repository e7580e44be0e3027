"""What every command has in common."""

from __future__ import annotations

import io
import math
import os
import sys
from collections.abc import Callable
from typing import TextIO

from models.runtime.errors import UserError

_EXTRA = {"torch", "onnx", "onnxscript", "pyarrow", "tqdm", "matplotlib", "tensorboard"}
_CUT_SHORT = 141  # as a shell says of any program whose reader has left


def exit_status(command: Callable[[], int | None]) -> int:
    """Run a command; print what the user can put right as one line and return the exit status.

    A reader that closes the pipe ends the command quietly; the status of one that was through by
    then stays.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A file's name may hold what the terminal, or a file on Windows, has no letters for.
        sys.stdout.reconfigure(errors="backslashreplace")
    status = _CUT_SHORT
    try:
        status = command() or 0
        print(end="", flush=True)  # what a pipe still waits for: Python's own end would complain
    except BrokenPipeError:
        silence(sys.stdout)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except OSError as error:  # a full disk, a folder that may not be looked at or written to
        print(
            f"error: expected to read and write files, found: {error}; "
            "make room, or correct the path or its permissions",
            file=sys.stderr,
        )
        return 2
    except (MemoryError, RuntimeError) as error:
        if not _is_of_memory(error):
            raise
        found = (str(error).splitlines() or ["no more of it"])[0]
        print(
            f"error: expected enough memory, found: {found}; give a smaller batch_size or less "
            "data, or end other programs",
            file=sys.stderr,
        )
        return 2
    return status


def note(sentence: str) -> None:
    """Tell what the user may want to know, beside what the command prints."""
    print(f"note: {sentence}", file=sys.stderr)


def shares_of(text: str, count: int, what: str) -> list[float]:
    """Return how much each of several counts, all alike by default.

    text: "3,1", say, or empty. what: one of them, in words. Raises `UserError` for another text.
    """
    try:
        shares = [float(share) for share in text.split(",")] if text else [1.0] * count
    except ValueError:
        shares = []
    if len(shares) != count or not all(0 < share < math.inf for share in shares):
        raise UserError(
            f"expected --shares of numbers above 0, one for each {what} and commas between them, "
            f"found {text!r} for {count}"
        )
    return shares


def silence(out: TextIO) -> None:
    """Keep Python from complaining once more about a closed pipe when it exits."""
    try:
        descriptor = out.fileno()
    except (OSError, ValueError):
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)


def _is_of_memory(error: Exception) -> bool:
    """Say whether memory was short; torch, which is not imported here, has errors of its own."""
    kinds = {kind.__name__ for kind in type(error).__mro__}
    return bool(kinds & {"MemoryError", "OutOfMemoryError"}) or "DefaultCPUAllocator" in str(error)


def run(command: Callable[[], int | None]) -> int:
    """Run a command; return the exit status, also when it is stopped or lacks a package."""
    try:
        return exit_status(command)
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]  # such as torch of torch.utils
        if missing not in _EXTRA:
            raise
        print(
            f"error: this command needs the training extra, and {missing} is not installed: "
            'run pip install -e ".[train]" in the folder of Mien\'s code',
            file=sys.stderr,
        )
        return 2
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        return 130
