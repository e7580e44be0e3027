"""Files that are dropped onto a window."""

from __future__ import annotations

from PySide6.QtGui import QDragEnterEvent, QDropEvent


def let_in(event: QDragEnterEvent) -> None:
    """Take what is dragged where files of this computer are among it."""
    if any(url.isLocalFile() for url in event.mimeData().urls()):
        event.acceptProposedAction()


def dropped_files(event: QDropEvent) -> list[str]:
    """Take the files of this computer that were dropped and return their paths; none of others."""
    paths = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
    if paths:
        event.acceptProposedAction()
    return paths
