"""The main window: a shell around the workspaces, one of which is shown."""

from __future__ import annotations

import contextlib
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, QEvent, QSize, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QKeyEvent
from PySide6.QtWidgets import QLabel, QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from app.errors import SettingsError
from app.gui import dialogs
from app.gui.actions import make_window_actions
from app.gui.banner import WARNING, Notices
from app.gui.drops import dropped_files, let_in
from app.gui.icons import window_icon
from app.gui.jobs import Jobs
from app.gui.live_engine import LiveEngine
from app.gui.live_workspace import LiveWorkspace
from app.gui.menus import help_menu
from app.gui.pages import connect_pages
from app.gui.recording_sign import RecordingSign
from app.gui.study.desk import is_protocol
from app.gui.theme import Theme
from app.gui.workspace import Host, Surroundings, Workspace
from app.gui.workspace_switch import WorkspaceSwitch
from app.sessions.layout import session_folder
from app.settings import Settings, save_settings
from models.runtime.files import is_file, is_folder

# Whoever only looks at the camera needs neither these nor what they read tables with.
if TYPE_CHECKING:
    from app.gui.analyse_workspace import AnalyseWorkspace
    from app.gui.review.workspace import ReviewWorkspace

__all__ = ["MainWindow", "Surroundings"]

_POLL_MS = 10
_PRIVACY_TIP = (
    "Pictures and numbers stay here unless you switch on a stream or a network camera, or let a "
    "trigger call an address"
)
_GONE = '"{name}" cannot be found; it may have been moved or deleted.'
_NOT_HERE = (
    '"{name}" cannot be opened here: expected a session, a video or images; models are dropped '
    "onto the live workspace."
)


class MainWindow(QMainWindow):
    """Hold the workspaces, their menus, the notices and the line at the foot.

    Everything moves by one timer. Analyse and Review are made when they are first asked for.
    Closing the window stops the engine and stores the settings.
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
        self._at_once = False
        self.setWindowTitle("Mien")
        self.setWindowIcon(window_icon())
        self.setMinimumSize(720, 540)
        self.setAcceptDrops(True)
        self.menu_actions = make_window_actions(self)
        self._stack = QStackedWidget()
        self.notices = Notices(theme, self._stack)
        self._host = Host(
            window=self, theme=theme, jobs=self._jobs, notices=self.notices,
            actions=self.menu_actions, around=around, show=self.show_workspace,
            open_path=self.open_path, settings=self.settings_now,
        )  # fmt: skip
        self.live = LiveWorkspace(engine, settings, self._host)
        self._analyse: AnalyseWorkspace | None = None
        self._review: ReviewWorkspace | None = None
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
        return next(one for one in self._made() if one is self._stack.currentWidget())

    @property
    def analyse(self) -> AnalyseWorkspace:
        """Return the workspace that analyses files; made at the first call."""
        if self._analyse is None:
            from app.gui.analyse_workspace import AnalyseWorkspace

            self._analyse = AnalyseWorkspace(self.settings_now(), self._host)
            self._analyse.review_requested.connect(self.open_path)
            self._take_in(self._analyse)
        return self._analyse

    @property
    def review(self) -> ReviewWorkspace:
        """Return the workspace that shows sessions; made at the first call."""
        if self._review is None:
            from app.gui.review.workspace import ReviewWorkspace

            self._review = ReviewWorkspace(self.settings_now(), self._host)
            self._take_in(self._review)
        return self._review

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
        for workspace in self._made():
            workspace.tick(now, at_once=at_once)
        self.notices.advance(now - self._ticked_at)
        self._ticked_at = now
        text = self.workspace.status_text
        if text != self._figures.text():
            self._show_figures(text)
        self.recording_sign.say(self.live.recording.state)
        private = self.live.privacy
        if private != self._privacy.text():
            self._privacy.setText(private)

    def show_workspace(self, name: str) -> None:
        """Bring the workspace of that name to the front."""
        self.menu_actions.workspaces[name].setChecked(True)
        self.switch.repaint()  # at once: what is chosen for the first time has to be made
        chosen = self._workspace(name)
        before = self.workspace
        if chosen is not before:
            before.leave()
        self._stack.setCurrentWidget(chosen)
        self.notices.move_over(chosen.notice_area)
        bar = self.menuBar()
        bar.clear()
        for menu in (*chosen.menus, self._help):
            bar.addMenu(menu)
        chosen.enter()
        self._show_figures(chosen.status_text)

    def _show_figures(self, text: str) -> None:
        """Show the line at the foot; the mouse is told what each figure is."""
        self._figures.setText(text)
        self._figures.setToolTip(self.workspace.status_tip)
        self._figures.setAccessibleDescription(self.workspace.status_tip)

    def open_path(self, path: str) -> None:
        """Take a file or folder: a session is reviewed, all else is for the workspace shown."""
        if session_folder(path) is not None:
            self.show_workspace("review")
        elif is_protocol(path):
            self.show_workspace("live")
        if not self.workspace.open_path(path):
            place = Path(path)
            there = is_file(place) or is_folder(place)
            self.notices.say((_NOT_HERE if there else _GONE).format(name=place.name), WARNING)

    def settings_now(self) -> Settings:
        """Return the settings with what was chosen in each workspace since the start."""
        settings = self._settings
        for workspace in self._made():
            settings = workspace.changed_settings(settings)
        return replace(
            settings,
            theme=self._theme.choice,
            window=bytes(self.saveGeometry().toBase64().data()).decode("ascii"),
            workspace=self.workspace.name,
        )

    def closeEvent(self, event: QCloseEvent) -> None:
        """Stop everything and store the settings, after a question if something still runs."""
        running = [one.unfinished for one in self._made() if one.unfinished]
        running += self._jobs.unfinished
        asks = running and not self._at_once
        if asks and not dialogs.confirm(self, "Quit Mien", "\n".join(running), "Quit"):
            event.ignore()
            return
        self._timer.stop()
        self.hide()
        # First, since what follows waits and the system may not; a failure is said the second time.
        with contextlib.suppress(SettingsError):
            self._save()
        for workspace in self._made():
            workspace.close_down()
        self._jobs.close()
        self._store()
        event.accept()

    def close_at_once(self) -> None:
        """Close without a question; what was recorded is kept all the same."""
        self._at_once = True
        self.close()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.WindowStateChange:  # also at the start, or by the system
            self.menu_actions.full_screen.setChecked(self.isFullScreen())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.isFullScreen():
            self.menu_actions.full_screen.setChecked(False)
        else:
            super().keyPressEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        let_in(event)

    def dropEvent(self, event: QDropEvent) -> None:
        if paths := dropped_files(event):
            self.open_path(paths[0])

    def _build(self) -> None:
        whole = QWidget()
        rows = QVBoxLayout(whole)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        self._stack.addWidget(self.live)
        self.switch = WorkspaceSwitch(self.menu_actions.workspaces.values())
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
        self.recording_sign = RecordingSign(self._theme)
        self.statusBar().addPermanentWidget(self.recording_sign)
        self._privacy = QLabel(self.live.privacy)
        self._privacy.setToolTip(_PRIVACY_TIP)
        self.statusBar().addPermanentWidget(self._privacy)

    def _connect(self) -> None:
        acts = self.menu_actions
        acts.quit.triggered.connect(self.close)
        acts.full_screen.toggled.connect(self._set_full_screen)
        for name, action in acts.themes.items():
            action.triggered.connect(lambda _checked, name=name: self._theme.choose(name))
        for name, action in acts.workspaces.items():
            action.triggered.connect(lambda _checked, name=name: self.show_workspace(name))
        connect_pages(self, acts)
        self.live.recording.saved.connect(self._note_session)

    def _restore(self, settings: Settings) -> None:
        self.menu_actions.themes[settings.theme].setChecked(True)
        self.resize(self.sizeHint().boundedTo(self.screen().availableSize()))
        if settings.window:
            self.restoreGeometry(QByteArray.fromBase64(settings.window.encode("ascii", "ignore")))
        self.live.use_usual_sizes(self.width(), self.height(), settings)
        self.show_workspace(settings.workspace)

    def _made(self) -> list[Workspace]:
        """Return the workspaces that there are so far."""
        return [one for one in (self.live, self._analyse, self._review) if one is not None]

    def _workspace(self, name: str) -> Workspace:
        if name == "analyse":
            return self.analyse
        return self.review if name == "review" else self.live

    def _take_in(self, workspace: Workspace) -> None:
        self._stack.addWidget(workspace)
        workspace.use_usual_sizes(self.width(), self.height(), self._settings)

    def _note_session(self, folder: str) -> None:
        """Let a session that was just recorded be found in Review."""
        if self._review is not None:
            self._review.note_session(folder)
        else:
            self._settings = self._settings.with_recent_session(folder)

    def _save(self) -> None:
        save_settings(self.settings_now(), self._around.settings_path)

    def _store(self) -> None:
        try:
            self._save()
        except SettingsError as error:
            print(f"error: {error}", file=sys.stderr)  # noqa: T201 (the window is gone)

    def _set_full_screen(self, full: bool) -> None:
        if full != self.isFullScreen():
            self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)
