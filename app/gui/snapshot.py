"""Save what the picture shows as a PNG file."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import cv2

from app.messages import FrameResult
from app.overlays import OVERLAYS, Shown, make_overlay, render
from models.runtime.errors import UserError

# A small frame is doubled until the text on it has room.
_LEAST_HEIGHT = 720


class SnapshotError(UserError):
    """Report a snapshot that could not be saved."""


def snapshot_name(now: datetime) -> str:
    """Return a file name of its own that sorts by time and is allowed on every system."""
    return f"Mien {now:%Y-%m-%d %H-%M-%S}.{now.microsecond // 1000:03}.png"


def save_snapshot(
    result: FrameResult,
    overlay_names: Iterable[str],
    *,
    mirrored: bool,
    path: Path,
    shown: Shown | None = None,
) -> Path:
    """Draw a result at its own size, at least 720 px high, and write it as a whole or not at all.

    shown: what the attention overlay shows. Returns the path. Raises `SnapshotError`.
    """
    height, width = result.frame.image.shape[:2]
    scale = 1
    while height * scale < _LEAST_HEIGHT:
        scale += 1
    wanted = set(overlay_names)
    picture = render(
        result,
        size=(width * scale, height * scale),
        mirrored=mirrored,
        # New ones: those of the view remember which faces they fade in.
        overlays=[make_overlay(name, shown) for name in OVERLAYS if name in wanted],
    )
    _, encoded = cv2.imencode(".png", picture)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(encoded.tobytes())
        temporary.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise SnapshotError(
            f'The snapshot cannot be saved as "{path}" ({error.strerror}); choose another place '
            "with File > Save snapshot as."
        ) from error
    return path
