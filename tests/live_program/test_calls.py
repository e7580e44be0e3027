"""Calls to a server that is really there, and to none."""

from __future__ import annotations

import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import pytest

from app.live.acting import Acting
from app.live.calls import Caller
from app.live.triggers import parse_trigger
from app.messages import Frame, FrameResult
from tests.live_program.test_triggers import FROWN, SMILE


class Server:
    """Take posts and answer each with the status that is set."""

    def __init__(self) -> None:
        self.status = 200
        self.got: list[tuple[str, dict[str, str], Any]] = []
        self.may_answer = threading.Event()
        self.may_answer.set()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.got.append((self.path, dict(self.headers), json.loads(body)))
                outer.may_answer.wait(20)
                self.send_response(outer.status)
                self.send_header("Location", f"{outer.address}/elsewhere")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def close(self) -> None:
        self.may_answer.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def server() -> Iterator[Server]:
    found = Server()
    yield found
    found.close()


def frame(index: int, at: float) -> FrameResult:
    return FrameResult(Frame(np.zeros((2, 2, 3), np.uint8), index, at), (FROWN, SMILE))


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)


def wait_for_calls(caller: Caller, count: int) -> None:
    until(lambda: caller.status().sent + caller.status().failed >= count)


def test_what_a_trigger_sends_arrives(server: Server) -> None:
    acting = Acting(lambda *_: None)
    acting.use([parse_trigger(f"anger,60,0.2={server.address}/do it?x=1%20é")])
    moment = time.monotonic()
    for tenth in range(4):
        acting.write(frame(tenth, moment + tenth / 10))
    acting.close()
    ((path, headers, body),) = server.got
    assert path == "/do%20it?x=1%20%C3%A9"
    assert headers["Content-Type"] == "application/json"
    assert "Authorization" not in headers
    assert abs(body.pop("time") - time.time()) < 60
    assert body == {
        "trigger": "anger,60,0.2", "label": "anger", "face_id": 1, "confidence": 0.9,
    }  # fmt: skip


def test_an_action_is_named_behind_a_sign(server: Server) -> None:
    caller = Caller()
    caller.call(f"{server.address}/DoAction#Wave%20back", {"label": "happiness"})
    caller.close()
    ((path, _, body),) = server.got
    assert path == "/DoAction"
    assert body == {
        "label": "happiness", "action": {"name": "Wave back"}, "args": {"label": "happiness"},
    }  # fmt: skip


def test_name_and_password_go_along_and_are_neither_said_nor_logged(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    caller = Caller()
    address = f"http://me:s3%40cret@127.0.0.1:{server.port}/call?token=t0ken"
    server.status = 401
    caller.call(address, {})
    wait_for_calls(caller, 1)
    server.close()
    caller.call(address.replace("/call", "/other"), {})  # nobody answers any more
    wait_for_calls(caller, 2)
    caller.close()
    assert server.got[0][1]["Authorization"] == "Basic bWU6czNAY3JldA=="
    told = " ".join([*caller.take_notices(), caplog.text, *caller.status().problems.values()])
    assert "asks for another name and password (status 401)" in told
    assert "nobody answers there" in told
    assert "cret" not in told
    assert "t0ken" not in told


def test_a_failure_is_said_once_and_again_after_it_worked(server: Server) -> None:
    caller = Caller()
    answers = [(500, 1), (404, 0), (204, 0), (503, 1), (503, 0)]
    for count, (status, said) in enumerate(answers, 1):
        server.status = status
        caller.call(server.address, {})
        wait_for_calls(caller, count)
        assert len(caller.take_notices()) == said, status
    assert caller.status().sent == 1
    assert caller.status().problems == {server.address: "it answers with status 503"}
    server.status = 200
    caller.call(server.address, {})
    caller.close()
    assert caller.status().problems == {}


def test_the_sentence_says_what_was_expected_and_found() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{probe.getsockname()[1]}/smile"
    caller = Caller()
    caller.call(address, {})
    caller.close()
    assert caller.take_notices() == [
        f'Expected a program at "{address}" to take what a trigger sends, found that nobody '
        f"answers there; see that it runs, or correct the address."
    ]


def test_no_redirection_is_followed(server: Server) -> None:
    server.status = 307
    caller = Caller()
    caller.call(f"{server.address}/here", {})
    caller.close()
    assert [path for path, _, _ in server.got] == ["/here"]
    assert "which Mien does not follow" in caller.take_notices()[0]


def test_one_that_does_not_answer_holds_nobody_up(server: Server) -> None:
    server.may_answer.clear()
    caller = Caller(capacity=4, timeout_seconds=0.3)
    began = time.monotonic()
    caller.call(server.address, {"number": 0})
    until(lambda: server.got)
    for number in range(1, 8):
        caller.call(server.address, {"number": number})
    assert time.monotonic() - began < 0.3
    assert caller.status().dropped == 3  # the oldest of those that waited
    until(lambda: caller.status().failed)
    assert caller.take_notices()[0].count("no answer came within 0.3 s") == 1
    server.may_answer.set()
    caller.close()
    assert [body["number"] for _, _, body in server.got] == [0, 4, 5, 6, 7]


def test_what_waits_at_the_end_is_counted(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.live.calls._CLOSE_SECONDS", 0.1)
    server.may_answer.clear()
    caller = Caller(timeout_seconds=5)
    for number in range(3):
        caller.call(server.address, {"number": number})
    until(lambda: server.got)
    caller.close()
    assert caller.status().dropped == 2


def test_an_address_of_numbers_needs_no_port(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, int]] = []

    def connect(place: tuple[str, int], *_: object) -> None:
        asked.append(place)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", connect)
    caller = Caller()
    for address in ("http://[::1]/x", "https://[fe80::10]/x", "http://[::1]:8000/x"):
        caller.call(address, {})
    until(lambda: caller.status().failed == 3)
    caller.close()
    assert [place[:2] for place in asked] == [("::1", 80), ("fe80::10", 443), ("::1", 8000)]


def test_a_new_trigger_has_no_failure_of_another(server: Server) -> None:
    server.status = 500
    acting = Acting(lambda *_: None)
    acting.use([parse_trigger(f"face,,0={server.address}")])
    acting.calls.call(server.address, {})
    until(lambda: acting.calls.status().failed)
    (status,) = acting.statuses().values()
    assert (status.fired, status.problem) == (0, "")
    acting.close()


def test_nobody_is_called_without_an_address() -> None:
    marks: list[tuple[str, str, float]] = []
    acting = Acting(lambda key, text, at: marks.append((key, text, at)))
    acting.use([parse_trigger("anger,60,0=marker:3"), parse_trigger("face,,0=marker:here")])
    acting.write(frame(0, 5.0))
    acting.close()
    assert marks == [("3", "", 5.0), ("note", "here", 5.0)]
    assert not [one for one in threading.enumerate() if one.name == "mien-calls"]
