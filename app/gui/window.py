"""The main window: a shell around the workspaces, one of which is shown."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QByteArray, QSize, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QKeyEvent
from PySide6.QtWidgets import QLabel, QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from app.errors import SettingsError
from app.gui.actions import make_window_actions, shortcut_rows
from app.gui.analyse_workspace import AnalyseWorkspace
from app.gui.banner import WARNING, Notices
from app.gui.icons import window_icon
from app.gui.jobs import Jobs
from app.gui.live_engine import LiveEngine
from app.gui.live_workspace import LiveWorkspace
from app.gui.menus import help_menu
from app.gui.pages import connect_pages
from app.gui.review.opening import session_folder
from app.gui.review.workspace import ReviewWorkspace
from app.gui.theme import Theme
from app.gui.workspace import Host, Surroundings, Workspace
from app.gui.workspace_switch import WorkspaceSwitch
from app.settings import Settings, save_settings

__all__ = ["MainWindow", "Surroundings"]

log = logging.getLogger(__name__)

_POLL_MS = 10
_LEAVE = "Leave full screen"
_NOT_HERE = '"{name}" is nothing that can be opened here; drop it onto the live workspace.'


class MainWindow(QMainWindow):
    """Hold the workspaces, their menus, the notices and the line at the foot.

    Everything moves by one timer. Closing the window stops the engine and stores the settings.
    """

    def __init__(
        self, engine: LiveEngine, settings: Settings, theme: Theme, around: Surroundings
    ) -> None:
        super().__init__()
        self._settings = settings
        self._theme = theme
        self._around = around
        self._jobs = Jobs()
        self._ticked_at = time.monotonic()
        self.setWindowTitle("Mien")
        self.setWindowIcon(window_icon())
        self.setMinimumSize(720, 540)
        self.setAcceptDrops(True)
        self.menu_actions = make_window_actions(self)
        self._stack = QStackedWidget()
        self.notices = Notices(theme, self._stack)
        host = Host(
            window=self, theme=theme, jobs=self._jobs, notices=self.notices,
            actions=self.menu_actions, around=around, show=self.show_workspace,
            open_path=self.open_path,
        )  # fmt: skip
        self.live = LiveWorkspace(engine, settings, host)
        self.analyse = AnalyseWorkspace(settings, host)
        self.review = ReviewWorkspace(settings, host)
        self.workspaces: Sequence[Workspace] = (self.live, self.analyse, self.review)
        self._build()
        self._connect()
        self._restore(settings)
        for sentence in around.notices:
            self.notices.say(sentence, WARNING)
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(_POLL_MS)
        self._timer.timeout.connect(self.tick)

    @property
    def workspace(self) -> Workspace:
        """Return the workspace that is shown."""
        return self.workspaces[self._stack.currentIndex()]

    @property
    def status_text(self) -> str:
        """Return the figures at the foot of the window."""
        return self._figures.text()

    def start(self) -> None:
        """Begin to show what the engine says."""
        self._timer.start()
        self.tick()

    def sizeHint(self) -> QSize:
        return QSize(1280, 800)

    def tick(self, *, at_once: bool = False) -> None:
        """Show what is new; called by the timer. at_once: however short ago the last was."""
        now = time.monotonic()
        self._jobs.poll()
        for workspace in self.workspaces:
            workspace.tick(now, at_once=at_once)
        self.notices.advance(now - self._ticked_at)
        self._ticked_at = now
        text = self.workspace.status_text
        if text != self._figures.text():
            self._figures.setText(text)
        private = self.live.streaming.privacy
        if private != self._privacy.text():
            self._privacy.setText(private)

    def show_workspace(self, name: str) -> None:
        """Bring the workspace of that name to the front."""
        chosen = next(one for one in self.workspaces if one.name == name)
        before = self.workspace
        self.menu_actions.workspaces[name].setChecked(True)
        if chosen is not before:
            before.leave()
        self._stack.setCurrentWidget(chosen)
        self.notices.move_over(chosen.notice_area)
        bar = self.menuBar()
        bar.clear()
        for menu in (*chosen.menus, self._help):
            bar.addMenu(menu)
        chosen.enter()
        self._figures.setText(chosen.status_text)

    def open_path(self, path: str) -> None:
        """Take a file or folder: a session is reviewed, all else is for the workspace shown."""
        if session_folder(path) is not None:
            self.show_workspace(self.review.name)
        if not self.workspace.open_path(path):
            self.notices.say(_NOT_HERE.format(name=Path(path).name), WARNING)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Stop everything and store the settings."""
        self._timer.stop()
        self.hide()
        for workspace in self.workspaces:
            workspace.close_down()
        self._jobs.close()
        self._store()
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.isFullScreen():
            self.menu_actions.full_screen.setChecked(False)
        else:
            super().keyPressEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        paths = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:
            event.acceptProposedAction()
            self.open_path(paths[0])

    def _build(self) -> None:
        whole = QWidget()
        rows = QVBoxLayout(whole)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        for workspace in self.workspaces:
            self._stack.addWidget(workspace)
        self.switch = WorkspaceSwitch(
            self.menu_actions.workspaces[workspace.name] for workspace in self.workspaces
        )
        bar = self.menuBar()
        if bar.isNativeMenuBar():  # at the top of the screen, where a button has no place
            rows.addWidget(self.switch, 0, Qt.AlignmentFlag.AlignLeft)
        else:
            bar.setCornerWidget(self.switch, Qt.Corner.TopLeftCorner)
        rows.addWidget(self._stack, 1)
        self.setCentralWidget(whole)
        self._help = help_menu(self.menu_actions, self)
        self._figures = QLabel()
        self._figures.setAccessibleName("Speed and parts in use")
        self.statusBar().setSizeGripEnabled(False)
        self.statusBar().setContentsMargins(12, 0, 12, 0)
        self.statusBar().addWidget(self._figures, 1)
        self._privacy = QLabel(self.live.streaming.privacy)
        self.statusBar().addPermanentWidget(self._privacy)

    def _connect(self) -> None:
        acts = self.menu_actions
        acts.quit.triggered.connect(self.close)
        acts.full_screen.toggled.connect(self._set_full_screen)
        for name, action in acts.themes.items():
            action.triggered.connect(lambda _checked, name=name: self._theme.choose(name))
        for name, action in acts.workspaces.items():
            action.triggered.connect(lambda _checked, name=name: self.show_workspace(name))
        self.analyse.review_requested.connect(self.open_path)
        connect_pages(self, acts, self._shortcut_rows)

    def _restore(self, settings: Settings) -> None:
        self.menu_actions.themes[settings.theme].setChecked(True)
        self.resize(self.sizeHint().boundedTo(self.screen().availableSize()))
        if settings.window:
            self.restoreGeometry(QByteArray.fromBase64(settings.window.encode("ascii", "ignore")))
        for workspace in self.workspaces:
            workspace.use_usual_sizes(self.width(), self.height(), settings)
        names = {workspace.name for workspace in self.workspaces}
        for name, action in self.menu_actions.workspaces.items():
            action.setVisible(name in names)
        self.show_workspace(settings.workspace if settings.workspace in names else self.live.name)

    def _store(self) -> None:
        settings = self._settings
        for workspace in self.workspaces:
            settings = workspace.changed_settings(settings)
        settings = replace(
            settings,
            theme=self._theme.choice,
            window=bytes(self.saveGeometry().toBase64().data()).decode("ascii"),
            workspace=self.workspace.name,
        )
        try:
            save_settings(settings, self._around.settings_path)
        except SettingsError as error:
            # The window is gone; the log is all there is.
            log.warning("%s", error)

    def _shortcut_rows(self) -> dict[str, list[tuple[str, str]]]:
        rows = {"Everywhere": [*shortcut_rows(self.menu_actions.all()), ("Esc", _LEAVE)]}
        for workspace in self.workspaces:
            title = self.menu_actions.workspaces[workspace.name].text().replace("&", "")
            rows[title] = workspace.shortcut_rows()
        return rows

    def _set_full_screen(self, full: bool) -> None:
        if full != self.isFullScreen():
            self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)
