"""The streams that are on: each is switched on and off by itself."""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Callable
from dataclasses import dataclass

from app.messages import FrameResult
from app.streams.base import Marker, Sender, Stream, StreamError, StreamStatus

__all__ = ["STREAMS", "StreamSpec", "Streams", "is_this_computer", "parse_stream"]

LOOPBACK = "127.0.0.1"
STREAMS = {
    "lsl": "Lab Streaming Layer: to the whole local network",
    "osc": "OSC: to one address",
    "websocket": "WebSocket: to programs that connect",
}
"""What each stream is, by its name."""

_PORTS = {"osc": 9000, "websocket": 8765}


@dataclass(frozen=True, slots=True)
class StreamSpec:
    """Name a stream and where it goes; host and port are empty and 0 for lsl."""

    name: str
    host: str = ""
    port: int = 0

    @property
    def where(self) -> str:
        """Return the address for the screen."""
        return f"{self.host}:{self.port}" if self.host else "the local network"

    @property
    def stays_here(self) -> bool:
        """Say whether nothing of it leaves this computer."""
        return is_this_computer(self.host)

    def __str__(self) -> str:
        return f"{self.name}={self.where}" if self.host else self.name


def is_this_computer(host: str) -> bool:
    """Say whether what is sent to a host leaves this computer not; a name may mean another."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def parse_stream(text: str) -> StreamSpec:
    """Read "lsl", "osc", "websocket", or one of the last two with "=HOST:PORT" or "=PORT".

    Without an address both stay on this computer. Raises `StreamError`.
    """
    name, gives_address, address = text.strip().partition("=")
    name = name.strip().casefold()
    if name not in STREAMS:
        raise StreamError(
            f'Expected one of the streams {", ".join(STREAMS)}, found "{name}"; choose one of them.'
        )
    if name not in _PORTS:
        if gives_address:
            raise StreamError(
                f'The stream {name} takes no address, found "{address}"; leave it out.'
            )
        return StreamSpec(name)
    if not gives_address:
        return StreamSpec(name, LOOPBACK, _PORTS[name])
    host, _, port = address.strip().rpartition(":")
    number = int(port) if port.isascii() and port.isdigit() and len(port) <= 5 else 0
    if not 1 <= number <= 65535:
        raise StreamError(
            f"Expected {name}=HOST:PORT with a port from 1 to 65535, such as "
            f'{name}={LOOPBACK}:{_PORTS[name]}, found "{text}"; correct it.'
        )
    return StreamSpec(name, host.strip("[]") or LOOPBACK, number)


class Streams:
    """Hold the streams that are on and give each what comes; safe from any thread."""

    def __init__(self, heard: Callable[[Marker], object] | None = None) -> None:
        """Begin with none. heard: takes markers of other programs while lsl is on."""
        self._heard = heard
        self._lock = threading.Lock()
        self._switching = threading.Lock()
        self._closed = False
        self._streams: dict[str, Stream] = {}
        self._specs: dict[str, StreamSpec] = {}
        self._leaving: dict[str, Stream] = {}

    @property
    def specs(self) -> tuple[StreamSpec, ...]:
        """Return what is on."""
        with self._lock:
            return tuple(self._specs.values())

    def switch_on(self, spec: StreamSpec) -> None:
        """Begin a stream; one of that name that is on already ends first. Raises `StreamError`."""
        with self._switching:  # beginning takes a while, and two at once would leave one behind
            self.take_out(spec.name)
            leaving = self._leaving.pop(spec.name, None)
            if leaving is not None:  # it may hold the port still
                leaving.close()
            stream = Stream(spec.name, spec.where, lambda: self._sender(spec))
            with self._lock:
                closed = self._closed
                if not closed:
                    self._streams = {**self._streams, spec.name: stream}
                    self._specs[spec.name] = spec
            if closed:
                stream.close()

    def switch_off(self, name: str) -> None:
        """End a stream and wait until it has; none of that name is no fault."""
        stream = self.take_out(name)
        if stream is not None:
            stream.close()

    def take_out(self, name: str) -> Stream | None:
        """Give a stream nothing more; return it, for somebody who can wait to close it.

        Never waits; another of that name begins once this one has ended.
        """
        with self._lock:
            stream = self._streams.get(name)
            if stream is not None:
                self._leaving[name] = stream
            self._streams = {key: each for key, each in self._streams.items() if key != name}
            self._specs.pop(name, None)
        return stream

    def write(self, result: FrameResult) -> None:
        """Give a result to each stream; never waits."""
        for stream in self._streams.values():
            stream.write(result)

    def mark(self, marker: Marker) -> None:
        """Give a marker to each stream."""
        for stream in self._streams.values():
            stream.mark(marker)

    def statuses(self) -> list[StreamStatus]:
        """Return how each stands, in the order of `STREAMS`."""
        streams = self._streams
        return [streams[name].status() for name in STREAMS if name in streams]

    def close(self) -> list[StreamStatus]:
        """End all for good and return how they stood in the end; may be called again."""
        with self._lock:
            self._closed = True
            ended = list(self._streams.values())
        for stream in ended:
            self.switch_off(stream.name)
        return [stream.status() for stream in ended]

    def _sender(self, spec: StreamSpec) -> Sender:
        # Loading a library takes a moment; each is there only for those who asked for it.
        if spec.name == "osc":
            from app.streams.osc import OscSender

            return OscSender(spec.host, spec.port)
        if spec.name == "websocket":
            from app.streams.websocket import WebSocketSender

            return WebSocketSender(spec.host, spec.port)
        from app.streams.lsl import LslSender

        return LslSender(self._heard)
