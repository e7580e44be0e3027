"""Which streams are on, and what fer-app makes of --stream."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from app import main as fer_app
from app.streams.base import StreamError
from app.streams.switch import Streams, StreamSpec, parse_stream

if TYPE_CHECKING:
    from tests.streams.conftest import Maker

pytest.importorskip("pythonosc")


@pytest.mark.parametrize(
    ("text", "spec", "again"),
    [
        ("lsl", StreamSpec("lsl"), "lsl"),
        (" OSC ", StreamSpec("osc", "127.0.0.1", 9000), "osc=127.0.0.1:9000"),
        ("websocket", StreamSpec("websocket", "127.0.0.1", 8765), "websocket=127.0.0.1:8765"),
        ("osc=10.1.2.3:57120", StreamSpec("osc", "10.1.2.3", 57120), "osc=10.1.2.3:57120"),
        ("websocket=9001", StreamSpec("websocket", "127.0.0.1", 9001), "websocket=127.0.0.1:9001"),
    ],
)
def test_words_for_streams(text: str, spec: StreamSpec, again: str) -> None:
    assert parse_stream(text) == spec
    assert str(spec) == again
    assert parse_stream(str(spec)) == spec


def test_an_address_of_six_is_written_in_brackets() -> None:
    spec = parse_stream("websocket=[::1]:9001")
    assert (spec.host, spec.port, spec.stays_here) == ("::1", 9001, True)
    assert parse_stream(str(spec)) == spec


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "lsl, osc, websocket"),
        ("smoke", 'found "smoke"'),
        ("lsl=127.0.0.1:1", "takes no address"),
        ("osc=", "a port from 1"),
        ("osc=host:", "a port from 1"),
        ("osc=host:0", "a port from 1"),
        ("osc=host:70000", "a port from 1"),
    ],
)
def test_what_names_no_stream_is_one_sentence(text: str, said: str) -> None:
    with pytest.raises(StreamError, match=said):
        parse_stream(text)


@pytest.fixture
def receiver() -> socket.socket:
    found = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    found.bind(("127.0.0.1", 0))
    found.settimeout(20)
    return found


def test_each_is_switched_by_itself(make: Maker, receiver: socket.socket) -> None:
    port = receiver.getsockname()[1]
    with receiver:
        streams = Streams()
        streams.switch_on(StreamSpec("osc", "127.0.0.1", port))
        streams.write(make.result(0, make.face(1)))
        assert b"/mien/frame" in receiver.recv(4096)
        assert [status.name for status in streams.statuses()] == ["osc"]
        with pytest.raises(StreamError):
            streams.switch_on(StreamSpec("osc", "no such host", 9))
        assert streams.specs == ()  # the old one had ended
        streams.switch_off("websocket")
        assert streams.close() == []


def test_fer_app_streams_without_a_window(
    tmp_path: Path, receiver: socket.socket, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(3):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((120, 160, 3), 90, np.uint8))
    port = receiver.getsockname()[1]
    with receiver:
        words = ["--source", str(tmp_path), "--headless", "--stream", f"osc=127.0.0.1:{port}"]
        assert fer_app.main(words) == 0
        packets = [receiver.recv(4096) for _ in range(3)]
    assert all(b"/mien/frame" in packet for packet in packets)
    said = capsys.readouterr().err
    assert f"osc streams to 127.0.0.1:{port}, which stays on this computer" in said
    assert "osc: 3 frames sent, 0 dropped" in said


def test_the_marker_of_a_trigger_goes_to_the_streams_behind_its_frame(
    tmp_path: Path, receiver: socket.socket, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(3):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.full((120, 160, 3), 90, np.uint8))
    port = receiver.getsockname()[1]
    trigger = "no face,,0=marker:gone"
    with receiver:
        words = ["--source", str(tmp_path), "--headless", "--stream", f"osc=127.0.0.1:{port}"]
        assert fer_app.main([*words, "--trigger", trigger, "--trigger", "face,,0=marker:1"]) == 0
        packets = [receiver.recv(4096) for _ in range(4)]
    kinds = [b"/mien/marker" in packet for packet in packets]
    assert kinds == [False, True, False, False]
    assert b"gone" in packets[1]
    said = capsys.readouterr().err.splitlines()
    assert f"note: {trigger} sets a marker" in said
    assert "note: no face,,0 fired 1 time" in said
    assert "note: face,,0 fired 0 times" in said


@pytest.mark.parametrize("stream", ["smoke", "osc=nowhere", "websocket=127.0.0.1:99999"])
def test_a_stream_that_cannot_be_is_one_sentence_and_status_2(
    tmp_path: Path, stream: str, capsys: pytest.CaptureFixture[str]
) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.full((120, 160, 3), 90, np.uint8))
    assert fer_app.main(["--source", str(tmp_path), "--headless", "--stream", stream]) == 2
    found = capsys.readouterr()
    assert found.out == ""
    assert found.err.startswith("error: Expected ")
    assert found.err.count("\n") == 1


def test_one_that_is_taken_out_has_ended_before_the_next_of_its_name_begins(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    may_end, said = threading.Event(), list[str]()

    class Lingering:
        listeners, lost = None, 0

        def __init__(self) -> None:
            said.append("begun")

        def close(self) -> None:
            may_end.wait(20)
            said.append("ended")

    streams = Streams()
    monkeypatch.setattr(streams, "_sender", lambda spec: Lingering())
    spec = parse_stream("osc")
    streams.switch_on(spec)
    leaving = streams.take_out("osc")
    assert leaving is not None
    assert streams.statuses() == []
    assert streams.take_out("osc") is None
    again = threading.Thread(target=streams.switch_on, args=(spec,))
    ending = threading.Thread(target=leaving.close)
    for thread in (again, ending):
        thread.start()
    assert said == ["begun"]
    may_end.set()
    for thread in (again, ending):
        thread.join()
    assert said == ["begun", "ended", "begun"]
    assert len(streams.statuses()) == 1
    streams.close()


def test_switched_on_twice_at_once_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    class Slow:
        listeners, lost = None, 0

        def __init__(self) -> None:
            time.sleep(0.05)  # as a library that loads
            opened.append("one more")

        def close(self) -> None:
            opened.pop()

    streams = Streams()
    monkeypatch.setattr(streams, "_sender", lambda spec: Slow())
    spec = parse_stream("osc")
    threads = [threading.Thread(target=streams.switch_on, args=(spec,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert opened == ["one more"]
    streams.close()
    assert opened == []
    streams.switch_on(spec)  # came too late
    assert opened == []
    assert streams.specs == ()
