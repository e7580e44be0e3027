"""Windows beside the window: pages of text, which never stop the picture, and file choosers."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QPushButton,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from app.sources.folder import IMAGE_SUFFIXES
from app.sources.video import VIDEO_SUFFIXES


class PageDialog(QDialog):
    """Show one page of text beside the running picture."""

    def __init__(self, title: str, html: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setModal(False)
        self.page = QTextBrowser()
        self.page.setOpenExternalLinks(False)
        self.page.setOpenLinks(False)
        self.page.setHtml(html)
        self.page.setAccessibleName(title)
        self.page.document().setDocumentMargin(12)
        close = QPushButton("Close")
        close.clicked.connect(self.close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 12, 12, 12)
        layout.addWidget(self.page, 1)
        layout.addWidget(close, 0, Qt.AlignmentFlag.AlignRight)
        self.resize(600, 560)


def choose_media(parent: QWidget) -> str:
    """Ask for a video or an image; return its path, empty when none was chosen."""
    videos = " ".join(f"*{suffix}" for suffix in sorted(VIDEO_SUFFIXES))
    images = " ".join(f"*{suffix}" for suffix in sorted(IMAGE_SUFFIXES))
    kinds = f"Videos and images ({videos} {images});;Videos ({videos});;Images ({images});;All (*)"
    return QFileDialog.getOpenFileName(parent, "Open video or image", "", kinds)[0]


def choose_folder(parent: QWidget) -> str:
    """Ask for a folder of images; return its path, empty when none was chosen."""
    return QFileDialog.getExistingDirectory(parent, "Open folder of images")


def choose_session(parent: QWidget) -> str:
    """Ask for the folder of a recording; return its path, empty when none was chosen."""
    return QFileDialog.getExistingDirectory(parent, "Open session")


def choose_model(parent: QWidget, title: str) -> str:
    """Ask for an ONNX file; return its path, empty when none was chosen."""
    return QFileDialog.getOpenFileName(parent, title, "", "ONNX models (*.onnx);;All (*)")[0]


def choose_snapshot(parent: QWidget, suggested: Path) -> str:
    """Ask where a snapshot goes; return the path, empty when none was chosen."""
    title = "Save snapshot as"
    chosen = QFileDialog.getSaveFileName(parent, title, str(suggested), "PNG images (*.png)")[0]
    return chosen if not chosen or chosen.lower().endswith(".png") else f"{chosen}.png"
