"""Tell whether a table is there already: by what was analysed and how, not by names or times."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

# Grows whenever the same input would give another table than before.
RESULTS_VERSION = 2
_CHUNK = 1 << 20


class Interrupted(Exception):  # noqa: N818 (a wish, not a fault)
    """Say that the user wants it to end."""


def fingerprint(paths: Sequence[Path], how: dict[str, Any], stopped: Callable[[], bool]) -> str:
    """Return a SHA-256 over the content of the files, in their order, and how they are analysed.

    how: plain values, the names of images among them, which stand in the table. Raises `OSError`
    for a file that cannot be read, `Interrupted` on a stop.
    """
    whole = hashlib.sha256()
    described = {"version": RESULTS_VERSION, **how, "files": len(paths)}
    whole.update(json.dumps(described, sort_keys=True).encode())
    for path in paths:
        whole.update(_digest(path, stopped))
    return whole.hexdigest()


def _digest(path: Path, stopped: Callable[[], bool]) -> bytes:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            if stopped():
                raise Interrupted
    return digest.digest()
