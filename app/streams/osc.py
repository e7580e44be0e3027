"""Open Sound Control over UDP, for programs that make sound, light and pictures."""

from __future__ import annotations

import importlib.util
import socket
from typing import Any

from app.messages import FaceResult
from app.streams.base import Marker, Sample, StreamError, monotonic_to_wall

_SEND_SECONDS = 1.0
_MOST_INT = 2**31


class OscSender:
    """Send a bundle for each frame, its time tag being the moment the frame was taken.

    A face keeps its number in the addresses, the lowest that is free, as long as its track lasts.
    """

    listeners: int | None = None
    lost = 0

    def __init__(self, host: str, port: int) -> None:
        """Open a socket. Raises `StreamError` without python-osc or for an unknown host."""
        if importlib.util.find_spec("pythonosc") is None:
            raise StreamError(
                "Streaming over OSC needs the package python-osc, which is not installed: run pip "
                "install python-osc."
            )
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
        except (OSError, UnicodeError) as error:
            raise StreamError(
                f'Expected a host name or address to send OSC to, found "{host}"; check it.'
            ) from error
        # Most receivers listen on IPv4 only, while localhost may name IPv6 first.
        ipv4_first = sorted(found, key=lambda one: one[0] != socket.AF_INET)
        family, kind, _, _, address = ipv4_first[0]
        self._address: Any = address
        # Not connected: a receiver that is not there yet is no fault of the stream.
        self._socket = socket.socket(family, kind)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        self._socket.settimeout(_SEND_SECONDS)
        self._numbers: dict[int, int] = {}

    def send(self, sample: Sample) -> None:
        """Send one frame: a bundle for it and one for each face, each far below 1500 bytes."""
        gone = self._assign([face.face.track_id or 0 for face in sample.faces])
        whole = [
            _message(
                "/mien/frame",
                ("i", sample.index % _MOST_INT),
                ("d", sample.captured_at),
                ("i", len(sample.faces)),
            ),
            *(_message(f"/mien/face/{number}/present", ("i", 0)) for number in gone),
        ]
        for messages in (whole, *(self._of_face(sample, face) for face in sample.faces)):
            self._send(messages, sample.captured_at)

    def mark(self, marker: Marker) -> None:
        """Send a marker."""
        values = (("s", marker.key), ("s", marker.text), ("d", marker.time))
        self._send([_message("/mien/marker", *values)], marker.time)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def _send(self, messages: list[Any], captured_at: float) -> None:
        from pythonosc.osc_bundle_builder import OscBundleBuilder

        bundle: Any = OscBundleBuilder(monotonic_to_wall(captured_at))  # type: ignore[arg-type]  # any number
        for message in messages:
            bundle.add_content(message)
        self._socket.sendto(bundle.build().dgram, self._address)

    def _assign(self, tracks: list[int]) -> list[int]:
        """Give new tracks a number and return those of tracks that are gone."""
        gone = [self._numbers.pop(track) for track in set(self._numbers) - set(tracks)]
        for track in tracks:
            if track not in self._numbers:
                taken = set(self._numbers.values())
                self._numbers[track] = next(n for n in range(1, len(taken) + 2) if n not in taken)
        return sorted(set(gone) - set(self._numbers.values()))

    def _of_face(self, sample: Sample, result: FaceResult) -> list[Any]:
        track = result.face.track_id or 0
        root, box = f"/mien/face/{self._numbers[track]}", result.face.box
        shown = result.probabilities if result.corrected is None else result.corrected
        messages = [
            _message(f"{root}/present", ("i", 1)),
            _message(f"{root}/id", ("i", track)),
            _message(
                f"{root}/box", ("f", box.x1 / sample.width), ("f", box.y1 / sample.height),
                ("f", box.width / sample.width), ("f", box.height / sample.height),
            ),
            _message(
                f"{root}/label", ("s", result.label), ("f", result.confidence),
                ("i", int(result.unsure)),
            ),
        ]  # fmt: skip
        labelled = zip(result.prediction.labels, shown.tolist(), strict=True)
        return messages + [_message(f"{root}/{label}", ("f", value)) for label, value in labelled]


def _message(address: str, *values: tuple[str, Any]) -> Any:
    from pythonosc.osc_message_builder import OscMessageBuilder

    builder = OscMessageBuilder(address)
    for kind, value in values:
        builder.add_arg(value, kind)
    return builder.build()
