"""The pages that the menus open beside the picture."""

from __future__ import annotations

import platform
from collections.abc import Callable
from functools import partial

import cv2
import onnxruntime
from PySide6.QtCore import qVersion
from PySide6.QtWidgets import QWidget

from app.gui import help_texts
from app.gui.actions import WindowActions
from app.gui.dialogs import PageDialog
from app.versions import version_of
from models.runtime.card import Card


def connect_pages(
    window: QWidget,
    actions: WindowActions,
    shortcut_rows: Callable[[], dict[str, list[tuple[str, str]]]],
) -> None:
    """Let the actions of the Help menu open their pages.

    shortcut_rows: returns keys and what they do, by the part of the window they work in.
    """
    for action, title, html in (
        (actions.shortcuts, "Keyboard shortcuts", lambda: help_texts.shortcuts(shortcut_rows())),
        (actions.meaning, "What the numbers mean", lambda: help_texts.MEANING),
        (actions.responsible, "Responsible use", lambda: help_texts.RESPONSIBLE),
        (actions.about, "About Mien", lambda: help_texts.about(version_of("mien") or "", _parts())),
    ):
        action.triggered.connect(partial(open_page, window, title, html))


def show_model_card(window: QWidget, card: Card) -> None:
    """Open the page of a model's card."""
    open_page(window, "About this model", lambda: help_texts.model_card(card))


def open_page(window: QWidget, title: str, html: Callable[[], str]) -> PageDialog:
    """Open a page of text beside the window and return it; one of the same title goes."""
    for shown in window.findChildren(PageDialog):
        if shown.windowTitle() == title:
            shown.close()
    opened = PageDialog(title, html(), window)
    opened.show()
    return opened


def _parts() -> list[tuple[str, str]]:
    qt = qVersion()
    return [
        ("Python", platform.python_version()),
        ("Qt", qt if isinstance(qt, str) else qt.decode()),
        ("ONNX Runtime", onnxruntime.__version__),
        ("OpenCV", cv2.__version__),
    ]
