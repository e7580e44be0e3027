"""The pages that the menus open beside the picture."""

from __future__ import annotations

import platform
from collections.abc import Callable
from functools import partial
from importlib import metadata

import cv2
import onnxruntime
from PySide6.QtCore import qVersion
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QWidget

from app.gui import help_texts
from app.gui.actions import Actions
from app.gui.dialogs import PageDialog
from app.gui.jobs import Jobs
from models.runtime.store import load_model


def connect_pages(window: QWidget, actions: Actions) -> None:
    """Let the actions of the Help menu open their pages."""
    for action, title, html in (
        (actions.shortcuts, "Keyboard shortcuts", lambda: help_texts.shortcuts(_rows(actions))),
        (actions.meaning, "What the numbers mean", lambda: help_texts.MEANING),
        (actions.responsible, "Responsible use", lambda: help_texts.RESPONSIBLE),
        (actions.about, "About Mien", lambda: help_texts.about(_version(), _parts())),
    ):
        action.triggered.connect(partial(_open, window, title, html))


def show_model_card(window: QWidget, model: str, jobs: Jobs, failed: Callable[[str], None]) -> None:
    """Read the card of a bundled model, or of a file, and open its page."""
    jobs.submit(
        lambda: load_model(model).card,
        lambda card: _open(window, "About this model", lambda: help_texts.model_card(card)),
        failed,
    )


def _open(window: QWidget, title: str, html: Callable[[], str]) -> None:
    for shown in window.findChildren(PageDialog):
        if shown.windowTitle() == title:
            shown.close()
    PageDialog(title, html(), window).show()


def _rows(actions: Actions) -> list[tuple[str, str]]:
    native = QKeySequence.SequenceFormat.NativeText
    return [
        (
            ", ".join(keys.toString(native) for keys in action.shortcuts()),
            action.toolTip().partition(" (")[0],
        )
        for action in actions.all()
        if action.shortcuts()
    ] + [("Esc", "Leave full screen")]


def _version() -> str:
    try:
        return metadata.version("mien")
    except metadata.PackageNotFoundError:
        return ""


def _parts() -> list[tuple[str, str]]:
    qt = qVersion()
    return [
        ("Python", platform.python_version()),
        ("Qt", qt if isinstance(qt, str) else qt.decode()),
        ("ONNX Runtime", onnxruntime.__version__),
        ("OpenCV", cv2.__version__),
    ]
