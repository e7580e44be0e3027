"""Stream from the live workspace: the panel, the streams and the markers between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction

from app.gui.live_engine import LiveEngine
from app.gui.stream_panel import StreamPanel
from app.gui.workspace import Host
from app.live.triggers import Trigger
from app.settings import Settings
from app.streams.base import Marker, StreamError
from app.streams.switch import Streams, StreamSpec, parse_stream

_REFRESH_SECONDS = 0.5
PRIVATE = "nothing leaves this computer"
_NETWORKED = "a network camera is asked for its pictures; nothing else leaves this computer"


class StreamDesk(QObject):
    """Carry out what the user wants streamed; those left on last time begin at once.

    Those asked for on the command line are not there the next time. One that fails at the start is
    tried again at the next, as long as the user does not choose anew.
    """

    def __init__(
        self,
        engine: LiveEngine,
        settings: Settings,
        host: Host,
        action: QAction,
        heard: Callable[[Marker], object],
    ) -> None:
        """Take what is needed. action: shows the panel.

        heard: takes markers of other programs, at once and on a thread of theirs: one that waited
        for the window could come after the end of the recording that it belongs to.
        """
        super().__init__()
        self._engine = engine
        self._host = host
        self.streams = Streams(heard)
        self._wanted: dict[str, StreamSpec] = {}
        self._broken: set[str] = set()
        self._refreshed_at = float("-inf")
        remembered = self._parsed(settings.streams)
        for_once = self._parsed(host.around.streams)
        # What is remembered of these, as long as the user does not choose anew.
        self._otherwise = {name: remembered.get(name) for name in for_once}
        specs = list({**remembered, **for_once}.values())
        known = {**self._parsed(settings.stream_addresses), **{spec.name: spec for spec in specs}}
        self.panel = StreamPanel(known.values(), host.theme)
        self.panel.switched.connect(self._switch)
        action.triggered.connect(self.panel.show_or_hide)
        engine.add_listener(self.streams.write)
        for spec in specs:
            self._switch_on(spec, remembered=True)

    def privacy(self, *, networked: bool, calls: Sequence[Trigger] = ()) -> str:
        """Return what leaves this computer.

        networked: the pictures come from a network camera. calls: triggers that call an address.
        """
        on = self.streams.specs
        if not on and not calls:
            return _NETWORKED if networked else PRIVATE
        parts = [f"streaming {', '.join(spec.name for spec in on)}"] if on else []
        said = ", ".join([*parts, "calls by triggers"] if calls else parts)
        if all([*(spec.stays_here for spec in on), *(call.stays_here for call in calls)]):
            return f"{said} on this computer"
        return f"{said}: numbers leave this computer"

    def active(self) -> bool:
        """Say whether the engine's results are needed here."""
        return bool(self.streams.specs)

    def mark(self, key: str, text: str, at: float) -> bool:
        """Send a marker; return False when no stream is on. at: monotonic seconds."""
        self.streams.mark(Marker(at, key, text))
        return self.active()

    def tick(self, now: float) -> None:
        """Show how the streams stand. now: monotonic seconds."""
        if now - self._refreshed_at < _REFRESH_SECONDS:
            return
        self._refreshed_at = now
        statuses = self.streams.statuses()
        self.panel.show_states(statuses)
        for status in statuses:
            if status.error and status.name not in self._broken:
                self._host.warn(status.error)
        self._broken = {status.name for status in statuses if status.error}

    def changed_settings(self, settings: Settings) -> Settings:
        kept = {**self._wanted, **self._otherwise}
        return replace(
            settings,
            streams=tuple(str(spec) for spec in kept.values() if spec),
            stream_addresses=self.panel.typed_addresses(),
        )

    def close_down(self) -> None:
        """End all streams."""
        self._engine.remove_listener(self.streams.write)
        self.streams.close()

    def _parsed(self, texts: Sequence[str]) -> dict[str, StreamSpec]:
        found = {}
        for text in texts:
            try:
                spec = parse_stream(text)
            except StreamError as error:
                self._host.warn(str(error))
            else:
                found[spec.name] = spec
        return found

    def _switch(self, name: str, address: str, on: bool) -> None:
        self._otherwise.pop(name, None)
        if not on:
            self.panel.show_on(name, False)
            self._wanted.pop(name, None)
            self._switch_off(name)
            return
        try:
            spec = parse_stream(f"{name}={address}" if address else name)
        except StreamError as error:
            self._host.warn(str(error))
            self.panel.show_on(name, False)
            return
        self._switch_on(spec)

    def _switch_on(self, spec: StreamSpec, *, remembered: bool = False) -> None:
        """Switch a stream on aside: its library may take a moment to load.

        remembered: from the last time or the command line, so that it is kept although it fails.
        """
        self._wanted[spec.name] = spec
        self.panel.show_on(spec.name, True)

        def failed(sentence: str) -> None:
            if self._wanted.get(spec.name) is spec:  # not switched on anew meanwhile
                self._wanted.pop(spec.name)
                if remembered:
                    self._otherwise.setdefault(spec.name, spec)
                self.panel.show_on(spec.name, False)
            self._host.warn(sentence)

        def done(_: None) -> None:
            if spec.name not in self._wanted:  # switched off meanwhile
                self._switch_off(spec.name)

        self._host.jobs.submit(lambda: self.streams.switch_on(spec), done, failed)

    def _switch_off(self, name: str) -> None:
        """Let a stream get nothing more, and end it aside: what waits is sent before."""
        stream = self.streams.take_out(name)
        if stream is not None:
            self._host.jobs.submit(stream.close, lambda _: None, self._host.warn)
