"""The sessions that were opened last, offered in a menu and on the page of no session."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtWidgets import QMenu

from app.gui.keys import without_key
from app.gui.menus import recent_names
from app.gui.plain import plain_tip
from app.gui.review.empty import EmptyPage
from app.gui.workspace import Host
from app.settings import Settings
from models.runtime.files import is_folder


class RecentSessions:
    """Remember all of them, and offer those whose folders are there.

    menu: opens them. paths: the newest first.
    """

    def __init__(
        self,
        paths: tuple[str, ...],
        host: Host,
        empty: EmptyPage,
        open_session: Callable[[Path], None],
    ) -> None:
        """Look for them aside, each by itself, since a drive may be gone."""
        self.paths = paths
        self.menu = QMenu("Open &recent session", host.window)
        self._empty = empty
        self._open = open_session
        self._there: set[str] = set()
        """Those whose folders were seen."""
        self._show()
        for path in paths:
            host.jobs.submit(partial(is_folder, Path(path)), partial(self._offer, path), host.warn)

    def add(self, path: str) -> None:
        """Offer one whose folder is there, before all others."""
        self.paths = Settings(recent_sessions=self.paths).with_recent_session(path).recent_sessions
        self._offer(path, there=True)

    def _offer(self, path: str, there: bool) -> None:
        if there:
            self._there.add(path)
            self._show()

    def _show(self) -> None:
        there = [path for path in self.paths if path in self._there]
        self._empty.set_recent(there)
        self.menu.clear()
        for path, name in zip(there, recent_names(there), strict=True):
            action = self.menu.addAction(without_key(name))
            action.setToolTip(plain_tip(path))
            action.triggered.connect(lambda _checked=False, p=path: self._open(Path(p)))
        self.menu.setToolTipsVisible(True)
        self.menu.setEnabled(bool(there))
