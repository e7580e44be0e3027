"""WebSocket, heard by the client of the same library."""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from app.palette import DISPLAY_ORDER, EXPRESSION_COLOURS
from app.streams.base import Marker, Stream, StreamError
from app.streams.websocket import WebSocketSender

pytest.importorskip("websockets")

from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

if TYPE_CHECKING:
    from tests.streams.conftest import Maker

Eventually = Callable[..., None]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def stream() -> Iterator[Stream]:
    stream = stream_at(free_port())
    yield stream
    stream.close()


def stream_at(port: int) -> Stream:
    return Stream("websocket", f"127.0.0.1:{port}", lambda: WebSocketSender("127.0.0.1", port))


def address(stream: Stream) -> str:
    return f"ws://{stream.status().where}"


def heard(client: Any) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(client.recv(timeout=20))
    return message


def test_a_listener_is_greeted_and_gets_every_frame(
    make: Maker, stream: Stream, eventually: Eventually
) -> None:
    with connect(address(stream)) as client:
        hello = heard(client)
        assert (hello["type"], hello["program"], hello["format"]) == ("hello", "Mien", 1)
        clock = hello["clock"]
        assert clock["wall"] - clock["time"] == pytest.approx(
            time.time() - time.monotonic(), abs=0.5
        )
        eventually(lambda: stream.status().listeners == 1)
        stream.write(make.result(3, make.face(1), at=50.25))
        stream.write(make.result(4))
        frame, empty = heard(client), heard(client)
    assert (frame["type"], frame["frame"], frame["time"]) == ("frame", 3, 50.25)
    assert frame["size"] == [320, 240]
    (face,) = frame["faces"]
    assert (face["id"], face["label"], face["confidence"], face["unsure"]) == (
        1, "happiness", 0.6, False,
    )  # fmt: skip
    assert face["box"] == [100.0, 50.0, 64.0, 64.0]
    assert face["probabilities"]["raw"] == {"neutral": 0.25, "happiness": 0.75, "surprise": 0.0}
    assert face["probabilities"]["smooth"]["happiness"] == 0.6
    assert "corrected" not in face["probabilities"]
    assert (empty["frame"], empty["faces"]) == (4, [])


def test_markers_reach_everyone(stream: Stream, eventually: Eventually) -> None:
    with connect(address(stream)) as one, connect(address(stream)) as other:
        eventually(lambda: stream.status().listeners == 2)
        stream.mark(Marker(9.5, "2", "start"))
        for client in (one, other):
            assert heard(client)["type"] == "hello"
            marker = heard(client)
            assert (marker["type"], marker["time"]) == ("marker", 9.5)
            assert (marker["key"], marker["text"]) == ("2", "start")


def test_listeners_that_leave_amid_frames_are_no_fault(
    make: Maker, stream: Stream, eventually: Eventually, caplog: pytest.LogCaptureFixture
) -> None:
    result = make.result(1)
    for number in range(12):
        with connect(address(stream)) as client:
            heard(client)
            eventually(lambda: stream.status().listeners == 1)
            for _ in range(40):
                stream.write(result)
            if number % 2:
                client.socket.shutdown(socket.SHUT_RDWR)
        eventually(lambda: stream.status().listeners == 0)
    assert not [record for record in caplog.records if record.exc_info]


def test_a_listener_comes_back_and_so_does_the_server(make: Maker, eventually: Eventually) -> None:
    port = free_port()
    stream = stream_at(port)
    for index in range(2):
        with connect(address(stream)) as client:
            assert heard(client)["type"] == "hello"
            eventually(lambda: stream.status().listeners == 1)
            stream.write(make.result(index))
            assert heard(client)["frame"] == index
        eventually(lambda: stream.status().listeners == 0)
    stream.close()
    again = stream_at(port)  # the port was given back
    try:
        with connect(address(again)) as client:
            assert heard(client)["type"] == "hello"
    finally:
        again.close()


def test_a_listener_that_does_not_read_holds_nobody_up(
    stream: Stream, eventually: Eventually
) -> None:
    text = 500_000 * "."  # so that the system's buffers are soon full
    with (
        connect(address(stream), max_queue=1, close_timeout=0.2) as lazy,
        connect(address(stream)) as eager,
    ):
        assert heard(eager)["type"] == "hello"
        eventually(lambda: stream.status().listeners == 2)
        for index in range(100):
            stream.mark(Marker(float(index), "note", text))
            assert heard(eager)["time"] == index
        assert stream.status().dropped > 0  # counted for the lazy one
        assert lazy.protocol is not None


def test_a_listener_that_talks_is_heard_out(stream: Stream, eventually: Eventually) -> None:
    with connect(address(stream)) as client:
        for _ in range(200):
            client.send("still here")
        assert client.ping().wait(20)
    eventually(lambda: stream.status().listeners == 0)


def test_the_server_ends_although_a_listener_reads_nothing(
    stream: Stream, eventually: Eventually
) -> None:
    host, port = stream.status().where.split(":")
    with socket.create_connection((host, int(port))) as lazy:
        lazy.sendall(
            b"GET / HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        eventually(lambda: stream.status().listeners == 1)
        for index in range(100):
            stream.mark(Marker(float(index), "note", 500_000 * "."))
        eventually(lambda: stream.status().dropped > 0)
        stream.close()
        assert "mien-websocket" not in {one.name for one in threading.enumerate()}


@pytest.mark.parametrize(
    ("origin", "let_in"),
    [
        (None, True),
        ("http://localhost:3000", True),
        ("https://127.0.0.1", True),
        ("http://[::1]:8000", True),
        ("https://example.org", False),
        ("http://localhost.example.org", False),
        ("null", False),
    ],
)
def test_pages_of_other_sites_are_refused(stream: Stream, origin: Any, let_in: bool) -> None:
    if let_in:
        with connect(address(stream), origin=origin) as client:
            assert heard(client)["type"] == "hello"
    else:
        with pytest.raises(InvalidStatus) as refused:
            connect(address(stream), origin=origin)
        assert refused.value.response.status_code == 403


@pytest.mark.skipif(sys.platform != "linux", reason="127.0.0.2 is this computer on Linux alone")
def test_the_own_page_is_let_in_at_whatever_address_it_was_got(eventually: Eventually) -> None:
    port = free_port()
    stream = Stream("websocket", f"127.0.0.2:{port}", lambda: WebSocketSender("127.0.0.2", port))
    try:
        eventually(lambda: stream.status().listeners == 0)
        assert page_of(stream)[0] == 200
        with connect(address(stream), origin=Origin(f"http://127.0.0.2:{port}")) as client:
            assert heard(client)["type"] == "hello"
        with pytest.raises(InvalidStatus):
            connect(address(stream), origin=Origin("http://127.0.0.3:80"))
    finally:
        stream.close()


def page_of(stream: Stream, path: str = "/", **headers: str) -> tuple[int, Any, str]:
    """Return what a browser gets: the status, the headers and the text."""
    request = Request(f"http://{stream.status().where}{path}", headers=headers)
    try:
        with urlopen(request, timeout=20) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except HTTPError as refused:
        return refused.code, refused.headers, refused.read().decode()


def test_a_browser_gets_an_overlay_that_listens(stream: Stream, eventually: Eventually) -> None:
    eventually(lambda: stream.status().listeners == 0)  # the server is there
    status, headers, page = page_of(stream)
    assert status == 200
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert headers.get_all("Content-Type") == ["text/html; charset=utf-8"]
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "background: transparent" in page
    # The colours and the order of the window, and what the frames are called by.
    colours = json.loads(page.split("const COLOURS = ")[1].split(";")[0])
    assert colours == EXPRESSION_COLOURS
    order = json.loads(page.split("const ORDER = ")[1].split(";")[0])
    assert order == list(DISPLAY_ORDER)
    assert page_of(stream, "/?face=1&bars=0")[0] == 200
    assert page_of(stream, "/favicon.ico")[0] == 404
    status, _, said = page_of(stream, Origin="https://example.org")
    assert status == 403
    assert "only to programs and pages of this computer" in said


def test_a_port_in_use_is_one_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(StreamError, match=f"Expected to serve at 127.0.0.1:{port}"):
            WebSocketSender("127.0.0.1", port)


def test_an_address_that_is_none_is_one_sentence() -> None:
    with pytest.raises(StreamError, match=r"Expected to serve at 127\.0\.0\.\.1:8765"):
        WebSocketSender("127.0.0..1", 8765)


def test_a_missing_library_is_one_sentence_with_the_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "websockets.asyncio.server", None)
    with pytest.raises(StreamError, match="pip install websockets"):
        WebSocketSender("127.0.0.1", free_port())
