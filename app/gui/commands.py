"""What the user's choices do: they reach the engine, and the settings remember them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from PySide6.QtWidgets import QWidget

from app.gui import dialogs
from app.gui.banner import INFO, WARNING, NoticeAction, Notices
from app.gui.jobs import Jobs
from app.gui.live_engine import LiveEngine
from app.gui.places import open_place
from app.gui.screen_picker import ScreenPicker
from app.gui.snapshot import save_snapshot, snapshot_name
from app.gui.theme import Theme
from app.live.capture import whole_spec
from app.live.engine import EngineStatus
from app.messages import FrameResult
from app.overlays import Shown
from app.settings import Settings
from app.sources import CameraInfo, is_camera, is_device, is_network, shown_spec
from app.sources.screen import why_unreadable
from models.runtime.base_rates import BaseRates
from models.runtime.files import is_file


class Commands:
    """Carry out choices. settings: with every choice made so far, to be stored at the end."""

    def __init__(
        self,
        window: QWidget,
        engine: LiveEngine,
        settings: Settings,
        *,
        source: str,
        notices: Notices,
        jobs: Jobs,
        theme: Theme,
        snapshot_folder: Path,
        end_pause: Callable[[], None],
        yunet_file: Path | None = None,
    ) -> None:
        """Take what is needed.

        source: what the engine was asked to play at the start. yunet_file: known for this once.
        """
        self.settings = settings
        self._window = window
        self._engine = engine
        self._notices = notices
        self._jobs = jobs
        self._snapshot_folder = snapshot_folder
        self._end_pause = end_pause
        self._yunet_file = "" if yunet_file is None else str(yunet_file)
        self._wanted = source
        self.screen_picker = ScreenPicker(theme, self.use_source)
        self._asked_yunet = ""
        """YuNet's file that the engine was asked to use and has not used yet."""
        self._picked_source = ""
        self._picked_model = self._picked_second = self._picked_rates = False
        self._picked_finder = self._picked_landmarks = False

    def use_source(self, spec: str) -> None:
        """Play something else; a pause ends."""
        self._wanted = self._picked_source = spec
        self._play(spec)
        status = self._engine.status()
        if status.spec == spec:  # it plays already, perhaps in the place of another
            self.note_playing(status)

    def note_playing(self, status: EngineStatus) -> None:
        """Hear what plays: a file is recent, and what was chosen else is remembered.

        What was refused is neither, nor what plays in its place. A camera is remembered by its
        name, since numbers change with what else is plugged in.
        """
        if not status.spec:
            return
        if not is_device(status.spec):
            self.settings = self.settings.with_recent(whole_spec(status.spec))
        elif status.spec in (self._picked_source, self.settings.source):
            by_name = is_camera(status.spec) and ":" in status.spec
            kept = f"camera:{status.source}" if by_name else shown_spec(status.spec)
            self.settings = replace(self.settings, source=kept)

    def note_finder(self, status: EngineStatus) -> None:
        """Hear which finder is in use; YuNet's file is kept once it is, not before."""
        if self._asked_yunet and status.finder == "yunet":
            if self._asked_yunet != self._yunet_file:
                self.settings = replace(self.settings, yunet_file=self._asked_yunet)
            self._asked_yunet = ""

    def try_again(self) -> None:
        """Ask once more for what was wanted, or for the camera that was lost."""
        self._end_pause()
        self._engine.try_again(self._wanted)

    def play_again(self, status: EngineStatus) -> None:
        """Play from the beginning what has ended."""
        self._play(status.spec or self._wanted)

    def next_camera(self, cameras: Sequence[CameraInfo], playing: str) -> None:
        """Go to the camera after the one that plays, or to the first."""
        if not cameras:
            self._notices.say("No camera was found; plug one in, and C will use it.", WARNING)
            return
        names = [camera.name for camera in cameras]
        place = names.index(playing) + 1 if playing in names else 0
        if len(cameras) == 1 and place == 1:
            self._notices.say("There is no other camera.", INFO)
            return
        self.use_source(f"camera:{cameras[place % len(cameras)].index}")

    def settings_now(self, status: EngineStatus) -> Settings:
        """Return the settings to store: what the engine uses counts, not what it refused."""
        settings = self.settings
        if self._picked_model and status.model:
            settings = replace(settings, model=status.model)
        if self._picked_second:
            settings = replace(settings, second_model=status.second or None)
        if self._picked_rates:
            settings = replace(settings, base_rates=str(status.base_rates))
        if self._picked_finder and status.finder:
            settings = replace(settings, finder=status.finder)
        if self._picked_landmarks and status.landmarks:
            settings = replace(settings, landmarks=status.landmarks)
        return settings

    def use_model(self, name_or_path: str) -> None:
        self._picked_model = True
        self._engine.use_model(name_or_path)

    def use_second(self, name_or_path: str) -> None:
        """Ask a second model as well, "" for none."""
        self._picked_second = True
        self._engine.use_second(name_or_path)

    def use_base_rates(self, rates: BaseRates) -> None:
        self._picked_rates = True
        self._engine.use_base_rates(rates)

    def use_landmarks(self, name: str) -> None:
        self._picked_landmarks = True
        self._engine.use_landmarks(name)

    def use_finder(self, name: str) -> None:
        """Change the finder; YuNet asks for its file unless one is known and was not refused."""
        self._picked_finder = True
        if name != "yunet":
            self._engine.use_finder(name)
            return
        known = self._yunet_file or self.settings.yunet_file
        path = known if known and is_file(Path(known)) and not self._asked_yunet else ""
        path = path or dialogs.choose_model(self._window, "Where is the YuNet model file?")
        if path:
            self._asked_yunet = path
            self._engine.use_finder(name, Path(path))

    def open_file(self) -> None:
        self._use_if_chosen(dialogs.choose_media(self._window))

    def open_folder(self) -> None:
        self._use_if_chosen(dialogs.choose_folder(self._window, "Open folder of images"))

    def open_screen(self) -> None:
        """Let the user draw what part of the screen to watch."""
        why = why_unreadable()
        if why:
            self._notices.say(why, WARNING)
        else:
            self.screen_picker.show()

    def open_network(self) -> None:
        """Ask for the address of a camera in the network."""
        last = self.settings.source if is_network(self.settings.source) else ""
        self._use_if_chosen(dialogs.ask_address(self._window, last))

    def open_model(self) -> None:
        path = dialogs.choose_model(self._window, "Open model file")
        if path:
            self.use_model(path)

    def open_second(self) -> None:
        path = dialogs.choose_model(self._window, "Open model file to compare with")
        if path:
            self.use_second(path)

    def open_dropped(self, path: str) -> None:
        """Take a file or folder that was dropped: a model if it is one, else a source."""
        if path.lower().endswith(".onnx"):
            self.use_model(path)
        else:
            self.use_source(path)

    def snapshot(
        self,
        result: FrameResult | None,
        overlays: Iterable[str],
        *,
        mirrored: bool,
        ask: bool,
        shown: Shown | None = None,
    ) -> None:
        """Save what the picture shows now. ask: where. shown: by the attention overlay."""
        if result is None:
            self._notices.say("There is no picture to save yet.", WARNING)
            return
        names = tuple(overlays)
        path = self._snapshot_folder / snapshot_name(datetime.now().astimezone())
        if ask:
            kinds = {"PNG image (*.png)": (".png",)}
            chosen = dialogs.choose_target(self._window, "Save snapshot as", path, kinds)
            if chosen is None:
                return
            path = chosen[0]
        self._jobs.submit(
            lambda: save_snapshot(result, names, mirrored=mirrored, path=path, shown=shown),
            self._say_saved,
            lambda sentence: self._notices.say(sentence, WARNING),
            saves=path,
        )

    def _say_saved(self, path: Path) -> None:
        action = NoticeAction("Open folder", lambda: open_place(path.parent))
        self._notices.say(f"Saved {path.name} in {path.parent}.", INFO, action)

    def _play(self, spec: str) -> None:
        self._end_pause()
        self._engine.use_source(spec)

    def _use_if_chosen(self, path: str) -> None:
        if path:
            self.use_source(path)
