"""Windows beside the window: pages of text, which never stop the picture, and file choosers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QMessageBox,
    QPushButton,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from app.gui.address_dialog import AddressDialog
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


def choose_media(parent: QWidget) -> str:
    """Ask for a video or an image; return its path, empty when none was chosen."""
    return QFileDialog.getOpenFileName(parent, "Open video or image", "", _media_kinds())[0]


def choose_inputs(parent: QWidget) -> list[str]:
    """Ask for videos and images; return their paths, none when nothing was chosen."""
    return QFileDialog.getOpenFileNames(parent, "Add videos and images", "", _media_kinds())[0]


def choose_folder(parent: QWidget, title: str, start: Path | None = None) -> str:
    """Ask for a folder; return its path, empty when none was chosen."""
    return QFileDialog.getExistingDirectory(parent, title, "" if start is None else str(start))


def choose_model(parent: QWidget, title: str) -> str:
    """Ask for an ONNX file; return its path, empty when none was chosen."""
    return QFileDialog.getOpenFileName(parent, title, "", "ONNX models (*.onnx);;All (*)")[0]


def choose_protocol(parent: QWidget, start: Path) -> str:
    """Ask for the file of a study; return its path, empty when none was chosen."""
    kinds = "Studies (*.toml);;All (*)"
    return QFileDialog.getOpenFileName(parent, "Open study", str(start), kinds)[0]


def ask_address(parent: QWidget, last: str) -> str:
    """Ask for the address of a network camera; last: what stands there. Empty for none."""
    question = AddressDialog(parent, last)
    return question.address if question.exec() else ""


def choose_target(
    parent: QWidget, title: str, suggested: Path, kinds: Mapping[str, tuple[str, ...]]
) -> tuple[Path, str] | None:
    """Ask where a file goes; return its path and the words of its kind, None for nowhere.

    kinds: the suffixes that a name may end in, by the words of the kind; a name that does not
    gets the first. The chooser asks before a file is replaced, but knows only the name that was
    typed, so where that grew this asks.
    """
    path, words = QFileDialog.getSaveFileName(parent, title, str(suggested), ";;".join(kinds))
    if not path:
        return None
    words = words if words in kinds else next(iter(kinds))
    if path.lower().endswith(kinds[words]):
        return Path(path), words
    target = Path(path + kinds[words][0])
    there = f'"{target.name}" is there already.'
    if target.exists() and not confirm(parent, "Replace file", there, "Replace"):
        return None
    return target, words


def confirm(parent: QWidget, title: str, text: str, yes: str) -> bool:
    """Ask whether to go on; yes: the words of the button that does. Cancel is what Enter takes."""
    question = QMessageBox(parent)
    question.setIcon(QMessageBox.Icon.Question)
    question.setWindowTitle(title)
    question.setText(text)
    go_on = question.addButton(yes, QMessageBox.ButtonRole.AcceptRole)
    question.setDefaultButton(question.addButton(QMessageBox.StandardButton.Cancel))
    question.exec()
    return question.clickedButton() is go_on


def _media_kinds() -> str:
    videos, images = (
        " ".join(f"*{suffix}" for suffix in sorted(suffixes))
        for suffixes in (VIDEO_SUFFIXES, IMAGE_SUFFIXES)
    )
    return f"Videos and images ({videos} {images});;Videos ({videos});;Images ({images});;All (*)"
