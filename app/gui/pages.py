"""The pages that the menus open beside the picture."""

from __future__ import annotations

import platform
from collections.abc import Callable
from functools import partial

import cv2
import onnxruntime
from PySide6.QtCore import QSize, qVersion
from PySide6.QtWidgets import QWidget

from app.gui import help_texts
from app.gui.actions import WindowActions
from app.gui.dialogs import PageDialog
from app.gui.shortcuts import shortcut_parts
from app.versions import version_of
from models.runtime.card import Card

PAGE_SIZE = QSize(600, 560)
_SHORTCUTS_SIZE = QSize(780, 760)


def connect_pages(window: QWidget, actions: WindowActions) -> None:
    """Let the actions of the Help menu open their pages."""
    for action, title, html in (
        (actions.meaning, "What the numbers mean", lambda: help_texts.MEANING),
        (actions.responsible, "Responsible use", lambda: help_texts.RESPONSIBLE),
        (actions.about, "About Mien", lambda: help_texts.about(version_of("mien") or "", _parts())),
    ):
        action.triggered.connect(partial(open_page, window, title, html))
    actions.shortcuts.triggered.connect(partial(_open_shortcuts, window, actions))


def show_model_card(window: QWidget, card: Card) -> None:
    """Open the page of a model's card."""
    open_page(window, "About this model", lambda: help_texts.model_card(card))


def open_page(
    window: QWidget, title: str, html: Callable[[], str], size: QSize = PAGE_SIZE
) -> PageDialog:
    """Open a page of text beside the window and return it; one of the same title goes."""
    for shown in window.findChildren(PageDialog):
        if shown.windowTitle() == title:
            shown.close()
    page = PageDialog(title, html(), window)
    page.resize(size.boundedTo(window.screen().availableSize()))
    page.show()
    return page


def _open_shortcuts(window: QWidget, actions: WindowActions) -> None:
    def html() -> str:
        return help_texts.shortcuts(shortcut_parts(actions))

    open_page(window, "Keyboard shortcuts", html, _SHORTCUTS_SIZE)


def _parts() -> list[tuple[str, str]]:
    qt = qVersion()
    return [
        ("Python", platform.python_version()),
        ("Qt", qt if isinstance(qt, str) else qt.decode()),
        ("ONNX Runtime", onnxruntime.__version__),
        ("OpenCV", cv2.__version__),
    ]
