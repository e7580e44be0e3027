"""What to look at before Qt is asked for a window, so that a failure is one line that helps.

Qt itself ends the whole program when it finds no display or cannot load its X11 plugin, with a
message that names neither the package nor the command.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from models.runtime.errors import UserError

# What PySide6 takes from the system on Linux, by soname, with Debian's and Ubuntu's package.
_QT_LIBRARIES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libX11.so.6": "libx11-6",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libzstd.so.1": "libzstd1",
}
_X11_LIBRARIES = {
    "libX11-xcb.so.1": "libx11-xcb1",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
}
_SONAME = re.compile(r"(lib[\w+.-]+\.so(?:\.\d+)*): cannot open shared object file")


class StartError(UserError):
    """Report that no window can be opened on this machine as it is."""


def check_window() -> None:
    """Raise `StartError` when a window cannot open; imports neither Qt nor OpenCV."""
    if importlib.util.find_spec("PySide6") is None:
        raise StartError(
            "PySide6, which draws the window, is not installed: run pip install "
            "PySide6-Essentials in the environment of Mien, or use --headless."
        )
    if not sys.platform.startswith("linux"):
        return
    problem = (
        display_problem(os.environ)
        or library_problem(os.environ)
        or opencv_problem(_folder_of("cv2"))
    )
    if problem:
        raise StartError(problem)


def display_problem(environ: Mapping[str, str]) -> str:
    """Return what to do when there is no display on Linux, empty when there is one."""
    if any(environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")):
        return ""
    return (
        "No display was found (neither DISPLAY nor WAYLAND_DISPLAY is set): start Mien inside a "
        "desktop session, or over ssh with ssh -X, or use --headless."
    )


def library_problem(
    environ: Mapping[str, str],
    *,
    is_there: Callable[[str], bool] | None = None,
    which: Callable[[str], str | None] = shutil.which,
) -> str:
    """Return the line that installs what Qt misses on Linux, empty when nothing is missing.

    is_there: says whether the system loads a library of that soname.
    """
    wanted = list(_QT_LIBRARIES)
    if _uses_x11(environ):
        wanted += _X11_LIBRARIES
    missing = [soname for soname in wanted if not (is_there or _loads)(soname)]
    return install_line(missing, which) if missing else ""


def opencv_problem(folder: Path | None) -> str:
    """Return how to replace an OpenCV that brings its own Qt, empty when it does not.

    folder: of the package cv2.
    """
    if folder is None or not (folder / "qt" / "plugins").is_dir():
        return ""
    return (
        "The installed OpenCV brings a Qt of its own that keeps the window from opening: run "
        "pip uninstall -y opencv-python opencv-contrib-python and then pip install "
        '--force-reinstall --no-deps "opencv-python-headless>=4.12,<5".'
    )


def explain_import_error(error: ImportError) -> str:
    """Return one sentence for a Qt that is there but does not load."""
    found = _SONAME.search(str(error))
    if found:
        return install_line([found.group(1)])
    return (
        f"PySide6 does not load ({error}): run pip install --force-reinstall PySide6-Essentials "
        f"in the environment of Mien, or use --headless."
    )


def install_line(sonames: Iterable[str], which: Callable[[str], str | None] = shutil.which) -> str:
    """Return the one line that installs libraries on this system."""
    sonames = list(sonames)
    names = ", ".join(sonames)
    if which("apt-get"):
        packages = _QT_LIBRARIES | _X11_LIBRARIES
        command = "sudo apt install " + " ".join(packages.get(name, name) for name in sonames)
    elif tool := next((tool for tool in ("dnf", "zypper") if which(tool)), None):
        # Both find a package by what it provides.
        command = f"sudo {tool} install " + " ".join(f"'{name}()(64bit)'" for name in sonames)
    else:
        return (
            f"The window needs {names}, which this system lacks: install what holds it with your "
            f"package manager, or use --headless."
        )
    return f"The window needs {names}, which this system lacks: {command}"


def _uses_x11(environ: Mapping[str, str]) -> bool:
    chosen = environ.get("QT_QPA_PLATFORM", "")
    if chosen:
        return chosen.partition(";")[0].partition(":")[0] == "xcb"
    return not environ.get("WAYLAND_DISPLAY")


def _loads(soname: str) -> bool:
    try:
        ctypes.CDLL(soname)
    except OSError:
        return False
    return True


def _folder_of(package: str) -> Path | None:
    spec = importlib.util.find_spec(package)
    places = list(spec.submodule_search_locations or ()) if spec is not None else []
    return Path(places[0]) if places else None
