"""Which cameras there are, asked of the system without opening one to look."""

from __future__ import annotations

import sys
import time
from collections import Counter
from pathlib import Path

import cv2

from app.sources.base import CameraInfo

BACKENDS = {"linux": cv2.CAP_V4L2, "win32": cv2.CAP_DSHOW, "darwin": cv2.CAP_AVFOUNDATION}
BACKEND = BACKENDS.get(sys.platform, cv2.CAP_ANY)

_DEVICES = Path("/dev")
# Virtual cameras turn from writable to readable without a new device, so look again at times.
_KEEP_SECONDS = 30.0

_Nodes = tuple[tuple[str, int], ...]
_last_answer: tuple[_Nodes, float, list[CameraInfo]] | None = None


def list_cameras() -> list[CameraInfo]:
    """Return the cameras that can be opened now, by index; cheap enough to ask every 2 s.

    Where the system cannot be asked, it is the one camera that index 0 stands for, unseen.
    """
    cameras = system_cameras()
    return [CameraInfo(0, "Camera 0")] if cameras is None else cameras


def system_cameras() -> list[CameraInfo] | None:
    """Return the cameras the system lists, None when it cannot be asked."""
    global _last_answer
    if sys.platform != "linux":
        return _enumerate()
    # Asking a device what it can do may wake it up; so ask only after one came or went.
    nodes = _video_nodes()
    if _last_answer is not None:
        known, when, cameras = _last_answer
        if known == nodes and time.monotonic() - when < _KEEP_SECONDS:
            return list(cameras)
    found = _enumerate()
    if found is not None:
        _last_answer = nodes, time.monotonic(), list(found)
    return found


def _video_nodes() -> _Nodes:
    nodes = []
    for path in _DEVICES.glob("video*"):
        try:
            nodes.append((path.name, path.stat().st_ctime_ns))
        except OSError:  # it went away in between
            continue
    return tuple(sorted(nodes))


def _enumerate() -> list[CameraInfo] | None:
    try:
        from cv2_enumerate_cameras import enumerate_cameras

        found = enumerate_cameras(BACKEND)
    except Exception:
        # A system without its part of the library, or a driver that refuses to be listed, must
        # not take the app down: cameras can still be opened by index.
        return None
    named = {int(info.index): _plain_name(info.name, int(info.index)) for info in found}
    twins = Counter(named.values())
    return [
        CameraInfo(index, name if twins[name] == 1 else f"{name} ({index})")
        for index, name in sorted(named.items())
    ]


def _plain_name(name: str | None, index: int) -> str:
    name = (name or "").strip()
    # Linux says "Integrated Camera: Integrated C", cut at 31 characters.
    head, _, tail = name.partition(": ")
    if head and tail and head.startswith(tail):
        name = head
    return name or f"Camera {index}"
