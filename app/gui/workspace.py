"""What the window and its workspaces expect of each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QMainWindow, QMenu, QWidget

from app.gui.actions import WindowActions
from app.gui.banner import WARNING, Notices
from app.gui.jobs import Jobs
from app.gui.theme import Theme
from app.settings import Settings
from app.sources import CameraInfo
from models.runtime.store import ModelEntry


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Hold what lies around the window.

    source: what the engine was asked to play. models: the bundled ones. list_cameras: may take
    a while, is called aside. settings_path: None for the usual place. notices: sentences to
    show at the start. engine_runs: False where the live workspace is to start it once it is shown.
    streams: to switch on for this once, as `app.streams.switch.parse_stream` reads them.
    triggers: to wait for for this once, as `app.live.triggers.parse_trigger` reads them.
    yunet_file: of the finder of that name, known without being asked for; None for none.
    """

    source: str
    models: Sequence[ModelEntry]
    list_cameras: Callable[[], list[CameraInfo]]
    snapshot_folder: Path
    settings_path: Path | None = None
    notices: Sequence[str] = ()
    engine_runs: bool = True
    streams: Sequence[str] = ()
    triggers: Sequence[str] = field(default=(), repr=False)
    yunet_file: Path | None = None


# Qt keeps bound methods it is connected to by weak references.
@dataclass(frozen=True, slots=True, weakref_slot=True)
class Host:
    """Hold what the window lends to each workspace.

    jobs: polled by the window. notices: lie over the `notice_area` of the workspace shown.
    actions: those that work in every workspace; they belong into its menus, too. show: bring the
    workspace of that name to the front. open_path: take a file or folder; a session is reviewed.
    settings: the user's choices as they are now, in whatever workspace they were made.
    """

    window: QMainWindow
    theme: Theme
    jobs: Jobs
    notices: Notices
    actions: WindowActions
    around: Surroundings
    show: Callable[[str], None]
    open_path: Callable[[str], None]
    settings: Callable[[], Settings]

    def warn(self, sentence: str) -> None:
        self.notices.say(sentence, WARNING)


class Workspace(QWidget):
    """Be one page of the window: what it shows, its menus and its shortcuts.

    Actions are added to the page itself with `Qt.ShortcutContext.WindowShortcut` (`make_action`
    does so): Qt then lets their shortcuts work only while the page is shown.
    """

    name = ""
    """One of `app.settings.WORKSPACES`."""

    def __init__(self, host: Host) -> None:
        super().__init__()
        self.host = host
        self.laid_out = False
        """Whether it was ever shown; before, sizes of its parts mean nothing."""

    @property
    def menus(self) -> Sequence[QMenu]:
        """Return the menus of the menu bar while this page is shown; Help comes after them."""
        raise NotImplementedError

    @property
    def status_text(self) -> str:
        """Return the line at the foot of the window."""
        return ""

    @property
    def status_tip(self) -> str:
        """Return what the figures of that line are."""
        return ""

    @property
    def notice_area(self) -> QWidget:
        """Return the part at whose foot notices are shown."""
        return self

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.laid_out = True

    def enter(self) -> None:
        """Be shown from now on."""

    def leave(self) -> None:
        """Be hidden from now on; what runs for others than the eye goes on."""

    def tick(self, now: float, *, at_once: bool = False) -> None:
        """Bring the page up to date; called every 10 ms, also while it is hidden.

        now: `time.monotonic` seconds. at_once: however short ago the last time was.
        """

    def open_path(self, path: str) -> bool:
        """Take a file or folder that was dropped; return False for none of this page's."""
        raise NotImplementedError

    def changed_settings(self, settings: Settings) -> Settings:
        """Return the settings with what this page has to remember."""
        return settings

    def use_usual_sizes(self, width: int, height: int, settings: Settings) -> None:
        """Share out the window's pixels: as they were left, or as is usual for such a size."""

    @property
    def unfinished(self) -> str:
        """Say what the end of the program would cut short, a line each, "" where nothing."""
        return ""

    def close_down(self) -> None:
        """End what runs: the window closes."""
