"""Where things go unless the user says otherwise."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QStandardPaths, QUrl
from PySide6.QtGui import QDesktopServices

_Location = QStandardPaths.StandardLocation


def sessions_folder() -> Path:
    """Return the folder for recordings."""
    return _own(_Location.DocumentsLocation)


def analyses_folder() -> Path:
    """Return the folder for sessions of analysed files."""
    return sessions_folder() / "Analyses"


def snapshots_folder() -> Path:
    """Return the folder for snapshots."""
    return _own(_Location.PicturesLocation)


def _own(location: QStandardPaths.StandardLocation) -> Path:
    return Path(QStandardPaths.writableLocation(location) or Path.home()) / "Mien"


def open_place(path: Path) -> None:
    """Open a folder in the system's file manager, or a file in the program for its kind."""
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))
