"""The screen of this computer or a part of it, such as the window of a video call."""

from __future__ import annotations

import os
import re
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from app.errors import CameraLost, SourceError
from app.messages import Frame
from app.sources.base import FrameSource, Pacer, as_bgr

FPS = 20.0
"""Pictures a second where nobody wishes otherwise: about what video calls have."""
LEAST_SIDE = 48
"""Pixels; the faces in less are too small to read."""
_MOST_PIXELS = 1920 * 1200
"""Of a picture: larger screens are made smaller, so that reading one takes no longer."""
_AREA = re.compile(r"(-?\d{1,5}),(-?\d{1,5}),(\d{1,5})x(\d{1,5})")
_NONE = "No screen was found; choose another source."
_FORMS = '"screen", "screen:N" or "screen:LEFT,TOP,WIDTHxHEIGHT"'


@dataclass(frozen=True, slots=True)
class Area:
    """Name a rectangle of the screens by its pixels, from the corner of the first one.

    On macOS these are points, of which a sharp screen has two pixels each.
    """

    left: int
    top: int
    width: int
    height: int

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read "LEFT,TOP,WIDTHxHEIGHT", None if it is not that."""
        found = _AREA.fullmatch(text.strip())
        return None if found is None else cls(*map(int, found.groups()))

    @property
    def spec(self) -> str:
        """Return what `open_source` takes for it."""
        return f"screen:{self.left},{self.top},{self.width}x{self.height}"

    @property
    def is_enough(self) -> bool:
        """Say whether a face in it could be read."""
        return min(self.width, self.height) >= LEAST_SIDE

    def within(self, other: Area) -> bool:
        """Say whether all of it is inside another one."""
        return (
            other.left <= self.left
            and other.top <= self.top
            and self.left + self.width <= other.left + other.width
            and self.top + self.height <= other.top + other.height
        )


class Screens(Protocol):
    """Name what is used of `mss.MSS`."""

    @property
    def monitors(self) -> Sequence[Mapping[str, Any]]: ...
    def grab(self, monitor: Any, /) -> Any: ...
    def close(self) -> None: ...


def open_screens() -> Screens:
    """Return the screens as the system shows them."""
    import mss

    screens: Screens = mss.MSS()
    return screens


class ScreenSource(FrameSource):
    """Read the screen or a part of it, as it is seen; without the pointer.

    A face in Mien's own picture is a face on the screen too, so its window is best kept out.
    """

    live = True

    def __init__(
        self,
        where: str = "",
        *,
        fps: float | None = None,
        screens: Callable[[], Screens] = open_screens,
    ) -> None:
        """Take a first picture.

        where: empty for the main screen, the number of one from 1, or an `Area`. fps: pictures a
        second, `FPS` where None. Raises `SourceError` when there is no such place, or the system
        shows its screens to no program.
        """
        self._screens = _opened(screens)
        self.fps = fps or FPS
        self._pacer = Pacer(enabled=True)
        self._reader = threading.get_ident()
        self._index = 0
        try:
            self._area = _choose(where, self._screens.monitors)
            self._first: NDArray[np.uint8] | None = self._grab()
        except SourceError:
            self._screens.close()
            raise
        except Exception as error:
            self._screens.close()
            raise SourceError(_refused(error)) from error
        whole = self._area in [_area_of(monitor) for monitor in self._screens.monitors]
        part = "Screen" if whole else "Part of the screen"
        self.name = f"{part}, {self._area.width} x {self._area.height}"
        self.properties = asdict(self._area)

    def read(self) -> Frame | None:
        """Return the next picture when its time has come, None after `close`.

        Raises `CameraLost` when the screen can no longer be read, such as a locked one.
        """
        if not self._pacer.wait(self._index / (self.fps or FPS)):
            self.close()
            return None
        image, self._first = self._first, None
        try:
            image = self._grab() if image is None else image
        except Exception as error:
            raise CameraLost(
                "The screen can no longer be read; unlock it or plug it in again, or choose "
                "another source."
            ) from error
        frame = Frame(image, self._index, time.monotonic(), live=True)
        self._index += 1
        return frame

    def close(self) -> None:
        """End a read that waits, and let the screen go, as soon as its own thread comes by.

        Windows takes a screen back on no other thread than the one that it was given to.
        """
        self._pacer.close()
        if threading.get_ident() == self._reader:
            self._screens.close()

    def _grab(self) -> NDArray[np.uint8]:
        shot = self._screens.grab(asdict(self._area))
        picture = np.frombuffer(shot.raw, np.uint8).reshape(shot.height, shot.width, 4)
        scale = (_MOST_PIXELS / (shot.width * shot.height)) ** 0.5
        if scale < 1:
            size = int(shot.width * scale), int(shot.height * scale)
            picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
        return as_bgr(picture)


def list_screens(screens: Callable[[], Screens] = open_screens) -> list[Area]:
    """Return what each screen shows, that of `screen:1` first; raises `SourceError` for none."""
    opened = _opened(screens)
    try:
        found = [_area_of(monitor) for monitor in opened.monitors[1:]]
        opened.close()
    except Exception as error:
        raise SourceError(_refused(error)) from error
    if not found:
        raise SourceError(_NONE)
    return found


def why_unreadable() -> str:
    """Return why no program can read the screen here, empty where one can."""
    if not sys.platform.startswith("linux"):
        return ""
    if os.environ.get("WAYLAND_DISPLAY"):
        return (
            "This desktop (Wayland) lets no program read the screen by itself; log in with Xorg, "
            "or let OBS show the screen as a virtual camera and choose that."
        )
    if not os.environ.get("DISPLAY"):
        return "There is no screen to read here; start Mien on a desktop, or choose another source."
    return ""


def _opened(screens: Callable[[], Screens]) -> Screens:
    why = why_unreadable()
    if why:
        raise SourceError(why)
    try:
        return screens()
    except Exception as error:
        raise SourceError(_refused(error)) from error


def _choose(where: str, monitors: Sequence[Mapping[str, Any]]) -> Area:
    """Return the area meant; the first monitor is all of them together."""
    everything, *screens = map(_area_of, monitors)
    if not screens:
        raise SourceError(_NONE)
    if not where:
        main = (n for n, monitor in enumerate(monitors[1:]) if monitor.get("is_primary"))
        return screens[next(main, 0)]
    area = Area.parse(where)
    if area is not None:
        if not area.is_enough:
            raise SourceError(
                f'"screen:{where}" is too small: expected at least {LEAST_SIDE} x {LEAST_SIDE} '
                f"pixels, found {area.width} x {area.height}."
            )
        if not area.within(everything):
            raise SourceError(f'"screen:{where}" is not all on the screen; {_listed(screens)}.')
        return area
    if not (where.isascii() and where.isdigit() and len(where) <= 4):
        raise SourceError(f'"screen:{where}" names no part of the screen; expected {_FORMS}.')
    if not 1 <= int(where) <= len(screens):
        raise SourceError(f"There is no screen:{int(where)}; {_listed(screens)}.")
    return screens[int(where) - 1]


def _area_of(monitor: Mapping[str, Any]) -> Area:
    return Area(*(int(monitor[key]) for key in ("left", "top", "width", "height")))


def _listed(screens: list[Area]) -> str:
    listed = ", ".join(
        f"screen:{number} ({one.width} x {one.height} at {one.left},{one.top})"
        for number, one in enumerate(screens, start=1)
    )
    return f"this computer has {listed}"


def _refused(error: Exception) -> str:
    allowed = ""
    if sys.platform == "darwin":
        allowed = "allow Mien to record the screen in the system's privacy settings, or "
    return f"The screen could not be read ({type(error).__name__}); {allowed}choose another source."
