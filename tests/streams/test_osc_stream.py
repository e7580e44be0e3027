"""OSC, heard by python-osc's own server."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from app.streams.base import Marker, Stream, StreamError
from app.streams.osc import OscSender

pytest.importorskip("pythonosc")

if TYPE_CHECKING:
    from tests.streams.conftest import Maker

Eventually = Callable[..., None]


class Receiver:
    """Listen on a port of this computer and remember every message by its address."""

    def __init__(self, port: int = 0) -> None:
        from pythonosc.dispatcher import Dispatcher
        from pythonosc.osc_server import BlockingOSCUDPServer

        self.heard: list[tuple[str, tuple[Any, ...]]] = []
        self.packets: list[bytes] = []
        dispatcher = Dispatcher()
        dispatcher.set_default_handler(lambda address, *args: self.heard.append((address, args)))
        self._server = BlockingOSCUDPServer(("127.0.0.1", port), dispatcher)
        verify = self._server.verify_request

        def remember(request: Any, address: Any) -> bool:
            self.packets.append(request[0])
            return verify(request, address)

        self._server.verify_request = remember  # type: ignore[method-assign, assignment]
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def values(self, address: str) -> list[tuple[Any, ...]]:
        return [args for found, args in list(self.heard) if found == address]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


def stream_to(port: int) -> Stream:
    return Stream("osc", f"127.0.0.1:{port}", lambda: OscSender("127.0.0.1", port))


def test_each_face_has_its_addresses(
    make: Maker, receiver: Receiver, eventually: Eventually
) -> None:
    stream = stream_to(receiver.port)
    stream.write(make.result(7, make.face(4, x=160.0), make.face(9), at=123.5))
    stream.close()
    eventually(lambda: receiver.values("/mien/face/2/surprise"))
    assert receiver.values("/mien/frame") == [(7, 123.5, 2)]
    assert receiver.values("/mien/face/1/id") == [(4,)]
    assert receiver.values("/mien/face/2/id") == [(9,)]
    assert receiver.values("/mien/face/1/present") == [(1,)]
    (box,) = receiver.values("/mien/face/1/box")
    assert box == pytest.approx((0.5, 50 / 240, 0.2, 64 / 240))
    ((label, confidence, unsure),) = receiver.values("/mien/face/1/label")
    assert (label, unsure) == ("happiness", 0)
    assert confidence == pytest.approx(0.6)
    (happiness,) = receiver.values("/mien/face/1/happiness")
    assert happiness == pytest.approx((0.6,))  # the smoothed one
    assert max(map(len, receiver.packets)) < 1400


def test_a_face_keeps_its_number_and_its_place_is_told_empty(
    make: Maker, receiver: Receiver, eventually: Eventually
) -> None:
    stream = stream_to(receiver.port)
    stream.write(make.result(0, make.face(4), make.face(9)))
    stream.write(make.result(1, make.face(9)))
    stream.write(make.result(2, make.face(9), make.face(12)))
    stream.close()
    eventually(lambda: len(receiver.values("/mien/face/1/present")) == 3)
    assert receiver.values("/mien/face/1/present") == [(1,), (0,), (1,)]
    assert receiver.values("/mien/face/2/id") == [(9,), (9,), (9,)]
    assert receiver.values("/mien/face/1/id") == [(4,), (12,)]


def test_the_time_tag_is_the_moment_of_capture(
    make: Maker, receiver: Receiver, eventually: Eventually
) -> None:
    from pythonosc.osc_bundle import OscBundle

    captured_at = time.monotonic() - 3.0
    wall = time.time() - 3.0
    stream = stream_to(receiver.port)
    stream.write(make.result(0, at=captured_at))
    stream.close()
    eventually(lambda: receiver.packets)
    assert OscBundle(receiver.packets[0]).timestamp == pytest.approx(wall, abs=0.2)


def test_a_marker_arrives(receiver: Receiver, eventually: Eventually) -> None:
    stream = stream_to(receiver.port)
    stream.mark(Marker(12.25, "note", "door opens"))
    stream.close()
    eventually(lambda: receiver.values("/mien/marker"))
    assert receiver.values("/mien/marker") == [("note", "door opens", 12.25)]


def test_a_receiver_that_goes_and_comes_back_is_reached_again(
    make: Maker, eventually: Eventually
) -> None:
    first = Receiver()
    stream = stream_to(first.port)
    stream.write(make.result(0))
    eventually(lambda: first.values("/mien/frame"))
    first.close()
    for index in range(1, 20):
        stream.write(make.result(index))
    second = Receiver(first.port)
    try:

        def reached() -> bool:
            stream.write(make.result(99))
            return bool(second.values("/mien/frame"))

        eventually(reached)
    finally:
        stream.close()
        second.close()
    assert stream.status().error == ""


def test_an_unknown_host_is_one_sentence() -> None:
    with pytest.raises(StreamError, match=r'found "no such host"'):
        OscSender("no such host", 9000)


def test_a_missing_library_is_one_sentence_with_the_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(StreamError, match="pip install python-osc"):
        OscSender("127.0.0.1", 9000)


def test_the_socket_is_given_back(receiver: Receiver) -> None:
    sender = OscSender("127.0.0.1", receiver.port)
    sender.close()
    assert isinstance(sender._socket, socket.socket)
    assert sender._socket.fileno() == -1


def test_localhost_is_where_most_receivers_listen(
    receiver: Receiver, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = socket.SOCK_DGRAM
    found = [
        (socket.AF_INET6, kind, 17, "", ("::1", receiver.port, 0, 0)),
        (socket.AF_INET, kind, 17, "", ("127.0.0.1", receiver.port)),
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    sender = OscSender("localhost", receiver.port)
    sender.mark(Marker(1.0, "1"))
    eventually(lambda: receiver.values("/mien/marker"))
    sender.close()


def test_a_whole_network_can_be_sent_to() -> None:
    sender = OscSender("255.255.255.255", 9)
    assert sender._socket.getsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST)
    sender.close()
