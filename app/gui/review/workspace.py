"""The review workspace: look through a session, mark it up, count it and report it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QMenu,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.analysis.parts import AnalysisOptions
from app.gui import dialogs
from app.gui.help_texts import model_name
from app.gui.places import sessions_folder
from app.gui.review.actions import MARKER_KEYS, make_review_actions
from app.gui.review.attention import ReviewAttention
from app.gui.review.bar import ReviewBar
from app.gui.review.compare_tab import CompareTab
from app.gui.review.empty import EmptyPage
from app.gui.review.exports import Exports
from app.gui.review.faces_tab import FacesTab
from app.gui.review.interval_tab import IntervalTab
from app.gui.review.markers_tab import MarkersTab
from app.gui.review.menus import review_menus
from app.gui.review.model import ReviewModel
from app.gui.review.opening import Opened, Opener
from app.gui.review.pages import show_about
from app.gui.review.picture_feed import PictureFeed
from app.gui.review.recent import RecentSessions
from app.gui.review.side import SidePanel
from app.gui.review.timeline import Timeline
from app.gui.review.transport import Transport
from app.gui.video_view import VideoView, switch_overlays
from app.gui.workspace import Host, Workspace
from app.review.fetcher import wait_for_fetchers
from app.review.words import length
from app.sessions.layout import session_folder
from app.settings import FINDERS, Settings
from app.sources.folder import IMAGE_SUFFIXES
from app.sources.video import VIDEO_SUFFIXES
from app.words import amount
from models.runtime.base_rates import BaseRates
from models.runtime.files import is_folder

_READING = "A session is being read again. What was read of it so far is not kept."


class ReviewWorkspace(Workspace):
    """Show a session that was recorded, or offer to open one."""

    name = "review"

    def __init__(self, settings: Settings, host: Host) -> None:
        super().__init__(host)
        self._ticked_at = 0.0
        self._shown = False
        self.model = ReviewModel(
            {entry.name: model_name(entry.card) for entry in host.around.models}
        )
        self.menu_actions = make_review_actions(self)
        self.video = VideoView(host.theme)
        overlays = self.menu_actions.overlays
        self.attention = ReviewAttention(
            overlays["attention"], self.video, host.warn,
            wished=settings.attention_view, parent=host.window,
        )  # fmt: skip
        self._pictures = PictureFeed(
            self.model, self.video, overlays["landmarks"], self.attention, host.warn
        )
        self.transport = Transport(self.model, host.theme, self.menu_actions)
        self.timeline = Timeline(self.model, host.theme)
        self.faces = FacesTab(self.model, host.theme, self.menu_actions)
        self.interval = IntervalTab(self.model, host.theme, self.menu_actions)
        self.markers = MarkersTab(self.model, host.theme, self.menu_actions)
        self.comparison = CompareTab(self.model, host)
        self.side = SidePanel(
            {
                "Faces": self.faces,
                "Interval": self.interval,
                "Markers": self.markers,
                "Compare": self.comparison,
            }
        )
        self.empty = EmptyPage(self.menu_actions, lambda path: self.open_session(Path(path)))
        self.opener = Opener(host, self._show, self.close_session, self.empty_progress)
        self.exports = Exports(self.model, host, self.video, self.timeline)
        self.recent = RecentSessions(settings.recent_sessions, host, self.empty, self.open_session)
        self._menus = review_menus(self.menu_actions, self.recent.menu, self.attention.menu, host)
        self.bar = ReviewBar(self.menu_actions, host.theme)
        self._build()
        self._connect()
        # The model is loaded only for somebody who asks why.
        shown = [name for name in settings.overlays if name != "attention"]
        switch_overlays(self.video, overlays, shown)
        self._enable()

    @property
    def menus(self) -> list[QMenu]:
        return self._menus

    @property
    def status_text(self) -> str:
        if not self.model.is_open:
            return "No session is open"
        recording = self.model.recording
        edits = len(self.model.edits.done)
        parts = [
            recording.path.name,
            length(recording),
            amount(edits, "edit") if edits else "no edits",
        ]
        if self.opener.progress:
            parts.append(f"analysing {self.opener.progress}")
        return "  ·  ".join(parts)

    @property
    def notice_area(self) -> QWidget:
        return self._pages

    def enter(self) -> None:
        self._shown = True
        self._take_focus()

    def leave(self) -> None:
        self._shown = False
        self.menu_actions.play.setChecked(False)

    def tick(self, now: float, *, at_once: bool = False) -> None:  # noqa: ARG002
        seconds, self._ticked_at = now - self._ticked_at, now
        self.opener.tick()
        self.menu_actions.stop.setEnabled(bool(self.opener.analysed))
        if self.comparison.busy:
            self.comparison.tick()
        if self._shown:
            self.transport.advance(min(seconds, 0.25))
            self._pictures.take()

    def open_path(self, path: str) -> bool:
        folder = session_folder(path)
        if folder is not None:
            self.open_session(folder)
            return True
        place = Path(path)
        if is_folder(place) or place.suffix.lower() in VIDEO_SUFFIXES | IMAGE_SUFFIXES:
            self.analyse(place)
            return True
        return False

    def open_session(self, folder: Path) -> None:
        """Open a session's folder."""
        self.opener.open_session(folder)

    def analyse(self, path: Path) -> None:
        """Analyse a video or images with the settings as they are now, then open what comes."""
        settings = self.host.settings()
        yunet = Path(settings.yunet_file) if settings.yunet_file else None
        finder = settings.finder if settings.finder != "yunet" or yunet else FINDERS[0]
        rates = BaseRates.parse(settings.base_rates)
        options = AnalysisOptions(
            model=settings.model, finder=finder, yunet_file=yunet, base_rates=rates
        )
        results = Path(settings.results_folder) if settings.results_folder else None
        self.opener.analyse(path, options, results)

    def changed_settings(self, settings: Settings) -> Settings:
        shown = {"review": self._across, "review_rows": self._rows} if self.laid_out else {}
        left = {name: tuple(splitter.sizes()) for name, splitter in shown.items()}
        return replace(
            settings,
            recent_sessions=self.recent.paths,
            splitters={**settings.splitters, **left},
        )

    def use_usual_sizes(self, width: int, height: int, settings: Settings) -> None:
        side = min(420, max(288, round(width * 0.25)))
        foot = min(420, max(220, round(height * 0.37)))
        for splitter, name, usual in (
            (self._across, "review", [width - side, side]),
            (self._rows, "review_rows", [height - foot, foot]),
        ):
            sizes = settings.splitters.get(name, ())
            splitter.setSizes(list(sizes) if len(sizes) == 2 and all(sizes) else usual)

    @property
    def unfinished(self) -> str:
        said = [_unsaved(self.model.recording.path)] if self.model.unsaved else []
        if name := self.opener.analysed:
            said.append(f"{name} is being analysed. It begins anew when it is opened again.")
        if self.comparison.busy:
            said.append(_READING)
        return "\n".join(said)

    def close_session(self) -> None:
        """Show no session, unless edits would be lost and the user wants to keep them."""
        if self._may_leave():
            self.model.close()

    def close_down(self) -> None:
        self.model.save()
        self.opener.close_down()
        self.comparison.close_down()
        self._pictures.stop()
        wait_for_fetchers()

    def empty_progress(self, share: float | None, title: str, said: str) -> None:
        """Show how far opening or analysing is."""
        self.empty.show_progress(share, title, said)
        if share is not None and not self.model.is_open:
            self._pages.setCurrentWidget(self.empty)

    def note_session(self, path: str) -> None:
        """Offer a session among the recent ones."""
        self.recent.add(path)

    def _may_leave(self) -> bool:
        """Ask before edits are lost that cannot be saved, after another try to save them."""
        if self.model.save():
            return True
        said = _unsaved(self.model.recording.path)
        return dialogs.confirm(self.host.window, "Close session", said, "Close")

    def _show(self, opened: Opened) -> None:
        recording = opened.recording
        again = self.model.is_open and _is_same(recording.path, self.model.recording.path)
        if not again and not self._may_leave():
            return
        self._pictures.begin(recording)
        self.note_session(str(recording.path.absolute()))
        if again:
            # What was read of the edits may be older: some may have been made or saved since.
            self.model.open_again(recording)
        else:
            self.model.open(recording, opened.edits)

    def _build(self) -> None:
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.video, 1)
        column.addWidget(self.transport)
        self._across = QSplitter(Qt.Orientation.Horizontal)
        self._across.addWidget(left)
        self._across.addWidget(self.side)
        self._across.setStretchFactor(0, 1)
        self._rows = QSplitter(Qt.Orientation.Vertical)
        self._rows.addWidget(self._across)
        self._rows.addWidget(self.timeline)
        self._rows.setStretchFactor(0, 1)
        for splitter in (self._across, self._rows):
            splitter.setChildrenCollapsible(False)
            splitter.setHandleWidth(1)
        session = QWidget()
        rows = QVBoxLayout(session)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        rows.addWidget(self.bar)
        rows.addWidget(self._rows, 1)
        self._session = session
        self._pages = QStackedWidget()
        self._pages.addWidget(self.empty)
        self._pages.addWidget(session)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self._pages)

    def _connect(self) -> None:
        acts, model = self.menu_actions, self.model
        acts.open_session.triggered.connect(self._choose_session)
        acts.open_media.triggered.connect(self._choose_media)
        acts.close.triggered.connect(self.close_session)
        acts.stop.triggered.connect(self.opener.stop_analysis)
        acts.export_table.triggered.connect(self.exports.table)
        acts.export_picture.triggered.connect(self.exports.picture)
        acts.report.triggered.connect(self.exports.report)
        acts.undo.triggered.connect(model.undo)
        acts.redo.triggered.connect(model.redo)
        acts.note.triggered.connect(self._write_note)
        for key, action in zip(MARKER_KEYS, acts.markers, strict=True):
            action.triggered.connect(partial(self._put_marker, key))
        acts.select_start.triggered.connect(lambda: self._select_from_here(start=True))
        acts.select_end.triggered.connect(lambda: self._select_from_here(start=False))
        acts.select_nothing.triggered.connect(model.select_nothing)
        acts.keep.triggered.connect(self._keep_interval)
        acts.next_view.triggered.connect(self.attention.show_next)
        acts.about.triggered.connect(self._show_about)
        model.failed.connect(self.host.warn)
        model.opened.connect(self._after_opening)
        for signal in (model.changed, model.opened, model.selected):
            signal.connect(self._enable)
        self.empty.cancel.clicked.connect(self.opener.stop)
        self.video.face_clicked.connect(model.choose)

    def _after_opening(self) -> None:
        self._pages.setCurrentWidget(self._session if self.model.is_open else self.empty)
        self._take_focus()
        if not self.model.is_open:
            self._pictures.stop()
            return
        self.bar.set_title(self.model.recording.path)

    def _take_focus(self) -> None:
        if self.model.is_open:
            self.video.setFocus()
        else:
            self.empty.take_focus()

    def _enable(self) -> None:
        """Let only those actions work that make sense now."""
        acts, model = self.menu_actions, self.model
        for action in acts.for_session():
            action.setEnabled(model.is_open)
        acts.undo.setEnabled(bool(model.edits.done))
        acts.redo.setEnabled(bool(model.edits.undone))
        for action, edits, word in (
            (acts.undo, model.edits.done, "Undo"), (acts.redo, model.edits.undone, "Redo"),
        ):  # fmt: skip
            action.setText(f"&{word} {edits[-1].words}" if edits else f"&{word}")
        has_interval = model.selection is not None
        for action in (acts.select_nothing, acts.keep, acts.zoom_selection):
            action.setEnabled(has_interval)

    def _put_marker(self, key: str) -> None:
        self.model.put_marker(key)

    def _write_note(self) -> None:
        """Let the user type a note of this moment."""
        self.side.show_page("Markers")
        self.markers.write_note()

    def _select_from_here(self, *, start: bool) -> None:
        """Begin or end the interval here; an end on the wrong side gives way to the session's."""
        here, (first, last) = self.model.position, self.model.interval
        if start:
            other = last if last > here else self.model.duration
        else:
            other = first if first < here else 0.0
        if other == here:
            side, way = ("after", "back") if start else ("before", "forward")
            self.host.notices.say(f"There is nothing {side} this moment to select; go {way} first.")
        self.model.select(here, other)

    def _keep_interval(self) -> None:
        """Keep the interval and let the user name it."""
        self.side.show_page("Interval")
        self.interval.edit_name(self.model.keep_interval())

    def _choose_session(self) -> None:
        usual = Path(self.host.settings().recording_folder or sessions_folder())
        recent = self.recent.paths
        start = Path(recent[0]).parent if recent else usual
        path = dialogs.choose_folder(self.host.window, "Open session", start)
        if path:
            self.open_session(Path(path))

    def _choose_media(self) -> None:
        path = dialogs.choose_media(self.host.window)
        if path and not self.open_path(path):
            self.host.warn(
                f'"{Path(path).name}" is no video or image; choose one to analyse and review.'
            )

    def _show_about(self) -> None:
        show_about(self.host.window, self.model.recording, self.model.recorded_title)


def _is_same(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve()


def _unsaved(folder: Path) -> str:
    return f'The edits of "{folder.name}" could not be saved and are lost when it is closed.'
