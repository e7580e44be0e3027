"""Where frames come from: cameras, the screen, a video file, a folder of images, the actor."""

from __future__ import annotations

import difflib
from pathlib import Path

from app.errors import SourceError
from app.sources.base import CameraInfo, FrameSource, quieten_opencv
from app.sources.camera import CameraSource
from app.sources.camera_list import list_cameras
from app.sources.folder import IMAGE_SUFFIXES, FolderSource
from app.sources.network import (
    EXAMPLE,
    NetworkSource,
    is_address,
    is_network,
    without_secrets,
)
from app.sources.video import VideoSource
from models.runtime.errors import UserError
from models.runtime.files import user_path

__all__ = [
    "CameraInfo",
    "FrameSource",
    "is_camera",
    "is_device",
    "is_network",
    "is_screen",
    "list_cameras",
    "open_source",
    "shown_spec",
]

# Here, since FFmpeg asks only once, when the first file is read or written.
quieten_opencv()

_KINDS = (
    f'"actor", "camera", "camera:N", "screen", a camera\'s address such as {EXAMPLE}, a video '
    f"file, an image or a folder of images"
)


def open_source(
    spec: str,
    *,
    paced: bool = True,
    camera: str = "",
    size: tuple[int, int] | None = None,
    fps: float | None = None,
) -> FrameSource:
    """Open what `spec` names and have its first frame ready.

    spec: "actor", "camera" (the first there is), "camera:N" or "camera:NAME", "screen" (the main
    one), "screen:N" (from 1), "screen:LEFT,TOP,WIDTHxHEIGHT" (px), the address of a camera in the
    network, or the path of a video file, an image or a folder of images; a file that bears one of
    the words is reached as "./camera". paced: keep the source's own time; cameras and screens
    always do. camera: the name of the one camera that will do where `spec` means one of this
    computer's, empty for any. size: (width, height) px, for these, and fps, for these and screens:
    wishes. Call it on the thread that will read. Raises `SourceError`.
    """
    word, colon, number = spec.strip().partition(":")
    if word.casefold() == "actor" and not colon:
        # Drawing the actor takes a while to import; other sources need not wait for it.
        from app.sources.actor import ActorSource

        return ActorSource(paced=paced)
    if word.casefold() == "camera":
        index, name = _which_camera(spec, number) if colon else (None, "")
        return CameraSource(index, name=camera or name, size=size, fps=fps)
    if word.casefold() == "screen":
        # Reaching for the screens loads what only this needs.
        from app.sources.screen import ScreenSource

        return ScreenSource(number.strip(), fps=fps)
    if is_network(spec):
        return NetworkSource(spec)
    return _open_path(spec, paced=paced)


def is_camera(spec: str) -> bool:
    """Say whether `spec` means a camera of this computer, as `open_source` reads it."""
    return _kind(spec) == "camera"


def is_screen(spec: str) -> bool:
    """Say whether `spec` means the screen or a part of it, as `open_source` reads it."""
    return _kind(spec) == "screen"


def is_device(spec: str) -> bool:
    """Say whether `spec` means a camera, the screen or the demo actor, not a file."""
    actor = spec.strip().casefold() == "actor"
    return actor or is_camera(spec) or is_screen(spec) or is_network(spec)


def shown_spec(spec: str) -> str:
    """Return a spec as it may be shown and stored: an address without its password."""
    return without_secrets(spec) if is_address(spec) else spec


def _kind(spec: str) -> str:
    return spec.strip().partition(":")[0].casefold()


def _which_camera(spec: str, which: str) -> tuple[int | None, str]:
    """Return a camera's index, or its name where that is no number."""
    which = which.strip()
    if which.isascii() and which.isdigit() and len(which) <= 4:
        return int(which), ""
    if not which:
        raise SourceError(
            f'"{spec}" names no camera: after "camera:" goes its number, such as camera:0, or its '
            f"name."
        )
    return None, which


def _open_path(spec: str, *, paced: bool) -> FrameSource:
    if not spec.strip():
        raise SourceError(f"No source was given; it can be {_KINDS}.")
    if is_address(spec):
        raise SourceError(
            f'"{without_secrets(spec)}" is an address that Mien does not play; a camera has one '
            f"such as {EXAMPLE}, and a film is to be downloaded first."
        )
    try:
        path = user_path(spec)
        is_folder, is_file, exists = path.is_dir(), path.is_file(), path.exists()
    except (OSError, ValueError, UserError) as error:  # too long, forbidden, no such user
        raise SourceError(f'"{spec}" is no usable path; check it and try again.') from error
    if is_folder or (is_file and path.suffix.lower() in IMAGE_SUFFIXES):
        return FolderSource(path, paced=paced)
    if is_file:
        return VideoSource(path, paced=paced)
    if exists:
        raise SourceError(f'"{spec}" is neither a file nor a folder; a source can be {_KINDS}.')
    raise SourceError(_missing(spec, path))


def _missing(spec: str, path: Path) -> str:
    if spec.strip().isdigit():
        return f'There is no file or folder "{spec}"; for a camera give camera:{spec.strip()}.'
    folder = path.parent
    if not folder.is_dir():
        return f'There is no "{spec}", not even its folder "{folder}"; check the path.'
    near = {entry.name.casefold(): str(path.with_name(entry.name)) for entry in _entries(folder)}
    if path.name == spec:
        near |= {word: word for word in ("actor", "camera", "camera:0", "screen")}
    close = difflib.get_close_matches(path.name.casefold(), near, n=1, cutoff=0.7)
    if close:
        return f'There is no "{spec}"; did you mean "{near[close[0]]}"?'
    return f'There is no "{spec}"; a source can be {_KINDS}.'


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []
