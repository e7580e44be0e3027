"""Triggers in the live workspace: the panel, what is waited for, and the markers that they set."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction

from app.gui.live_engine import LiveEngine
from app.gui.recording import RecordingDesk
from app.gui.streaming import StreamDesk
from app.gui.trigger_panel import TriggerPanel
from app.gui.workspace import Host
from app.live.acting import Acting
from app.live.triggers import Trigger, TriggerError, parse_trigger
from app.settings import MOST_TRIGGERS, Settings
from app.streams.base import Marker

_REFRESH_SECONDS = 0.5


class TriggerDesk(QObject):
    """Carry out what the user wants to happen by itself; triggers of the last time go on at once.

    Those of the command line are not there the next time, unless the user changes them.
    """

    def __init__(
        self,
        engine: LiveEngine,
        settings: Settings,
        host: Host,
        action: QAction,
        recording: RecordingDesk,
        streaming: StreamDesk,
    ) -> None:
        """Take what is needed. action: shows the panel. The desks take the markers."""
        super().__init__()
        self._engine = engine
        self._host = host
        self._recording = recording
        self._streaming = streaming
        self._marked: deque[tuple[str, str, float]] = deque()
        """Markers that a recording took, for the strip above the picture."""
        self._refreshed_at = float("-inf")
        self.acting = Acting(self._mark)
        self.panel = TriggerPanel(host.theme)
        self.panel.show_labels(engine.labels)
        remembered = self._parsed(settings.triggers)
        for trigger in remembered:
            self.panel.add_row(trigger)
        for trigger in self._parsed(host.around.triggers):
            if trigger not in remembered:
                self.panel.add_row(trigger, for_once=True)
        self.panel.changed.connect(self._use)
        action.triggered.connect(self.panel.show_or_hide)
        engine.add_listener(self.acting.write)
        self._use()

    @property
    def calls(self) -> list[Trigger]:
        """Return the triggers that call an address."""
        return [trigger for trigger in self.acting.in_use if trigger.address]

    def active(self) -> bool:
        """Say whether the engine's results are needed here."""
        return bool(self.acting.in_use)

    def tick(self, now: float) -> None:
        """Show how the triggers stand. now: monotonic seconds."""
        while self._marked:
            self._recording.say_marked(*self._marked.popleft())
        if now - self._refreshed_at < _REFRESH_SECONDS:
            return
        self._refreshed_at = now
        self.panel.show_labels(self._engine.labels)
        self.panel.show_states(self.acting.statuses())
        for sentence in self.acting.calls.take_notices():
            self._host.warn(sentence)

    def changed_settings(self, settings: Settings) -> Settings:
        rows = [row for row in self.panel.rows if row.trigger is not None and not row.for_once]
        kept = dict.fromkeys(str(row.trigger.without_login()) for row in rows if row.trigger)
        return replace(settings, triggers=tuple(kept)[:MOST_TRIGGERS])

    def close_down(self) -> None:
        """Wait for nothing more."""
        self._engine.remove_listener(self.acting.write)
        self.acting.close()

    def _use(self) -> None:
        self.acting.use(self.panel.triggers)

    def _mark(self, key: str, text: str, at: float) -> None:
        """Set a marker as its key would; on the engine's thread.

        One that waited for the window could come after the end of its recording. Without a
        recording and streams nothing is said: nobody has pressed a key and waits for an answer.
        """
        self._streaming.streams.mark(Marker(at, key, text))
        if self._recording.recorder.mark(key, text, at):
            self._marked.append((key, text, at))

    def _parsed(self, texts: Sequence[str]) -> list[Trigger]:
        found: dict[Trigger, None] = {}
        for text in texts:
            try:
                found[parse_trigger(text)] = None
            except TriggerError as error:
                self._host.warn(str(error))
        return list(found)
