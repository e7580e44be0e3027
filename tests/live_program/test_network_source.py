"""Cameras in the network, held against a small server on this computer."""

from __future__ import annotations

import base64
import logging
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import numpy as np
import pytest

from app import main as fer_app
from app.errors import CameraLost, SourceError
from app.live.capture import whole_spec
from app.live.engine import EngineState
from app.sources import FrameSource, is_device, is_network, open_source, shown_spec
from app.sources.network import NetworkSource
from tests.live_program.scripted import Stage, wait_until

SECRET = "Basic " + base64.b64encode(b"me:open sesame").decode()


class Camera(ThreadingHTTPServer):
    """Send JPEG after JPEG, each a little lighter, at /video; at /closed to who knows the word."""

    daemon_threads = True

    def __init__(self, film: bytes = b"", port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.film = film
        self.on = threading.Event()
        self.on.set()
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def address(self, path: str, secret: str = "") -> str:
        return f"http://{secret}127.0.0.1:{self.server_port}{path}"

    def stop(self) -> None:
        self.on.clear()
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: Camera

    def do_GET(self) -> None:
        if self.path == "/film.avi":
            self._begin("video/x-msvideo", length=len(self.server.film))
            self.wfile.write(self.server.film)
        elif self.path == "/shot":
            self._begin("image/jpeg")
            self.wfile.write(cv2.imencode(".jpg", np.full((48, 64, 3), 90, np.uint8))[1].tobytes())
        elif self.path == "/closed" and self.headers.get("Authorization") != SECRET:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="camera"')
            self.end_headers()
        elif self.path in ("/video", "/closed"):
            self._begin("multipart/x-mixed-replace; boundary=next")
            self._send_pictures()
        else:
            self.send_error(404)

    def log_message(self, *_: object) -> None: ...

    def _begin(self, kind: str, length: int | None = None) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def _send_pictures(self) -> None:
        level = 10
        while self.server.on.is_set():
            picture = cv2.imencode(".jpg", np.full((48, 64, 3), level, np.uint8))[1].tobytes()
            head = f"--next\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n"
            try:
                self.wfile.write(head.encode() + picture + b"\r\n")
            except OSError:
                return
            level = min(250, level + 10)
            time.sleep(0.01)


@pytest.fixture
def camera() -> Iterator[Camera]:
    made = Camera()
    yield made
    made.stop()


@pytest.fixture
def no_such_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no host be found, without asking the network."""

    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr("socket.create_connection", unknown)


def read_on(source: FrameSource) -> None:
    while source.read() is not None:
        pass


def refusal(address: str) -> str:
    with pytest.raises(SourceError) as caught:
        open_source(address)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert "sesame" not in sentence
    return sentence


def test_pictures_come_as_they_are_sent(camera: Camera) -> None:
    with open_source(camera.address("/video")) as source:
        assert isinstance(source, NetworkSource)
        assert source.live
        frames = [frame for _ in range(4) if (frame := source.read()) is not None]
    assert [frame.index for frame in frames] == [0, 1, 2, 3]
    assert all(frame.live and frame.media_time is None for frame in frames)
    levels = [float(frame.image.mean()) for frame in frames]
    assert levels == pytest.approx([20, 30, 40, 50], abs=3)  # the first was to try it
    assert source.read() is None


def test_a_password_opens_the_door_and_is_never_shown(camera: Camera) -> None:
    with open_source(camera.address("/closed", "me:open%20sesame@")) as source:
        assert source.name == "Network camera 127.0.0.1"
        assert source.read() is not None
    said = refusal(camera.address("/closed", "me:sesame@"))
    assert "name:password@127.0.0.1" in said
    assert f'"http://127.0.0.1:{camera.server_port}/closed" is answered' in said


def test_what_is_not_there_is_said(camera: Camera) -> None:
    assert "answered, but not with a video" in refusal(camera.address("/nothing"))
    with socket.socket() as taken:  # bound, but nobody listens
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        assert f"nobody answers at port {port}" in refusal(f"rtsp://127.0.0.1:{port}/stream")


@pytest.mark.parametrize(
    "address",
    [
        "rtsp://",
        "http:///video",
        "http://camera:port/",
        "rtsp://[::1/x",
        "rtsp://me:open/sesame@host/x",
        "rtsp://me:12/sesame@host/x",
        "rtsp://me:open?sesame@host/x",
        "rtsp://me:open#sesame@host/x",
    ],
)
def test_an_address_that_cannot_be_taken_apart_is_refused_and_not_repeated(address: str) -> None:
    said = refusal(address)
    assert "no whole address; expected one such as rtsp://" in said
    assert "%2F" in said
    assert "sesame" not in shown_spec(address) + whole_spec(address)


@pytest.mark.usefixtures("no_such_name")
def test_a_name_that_no_computer_has_is_said() -> None:
    assert "no computer is called camera.invalid" in refusal("rtsp://camera.invalid/stream")


def test_a_film_is_no_camera(tmp_path: Path) -> None:
    path = str(tmp_path / "film.avi")
    writer = cv2.VideoWriter(path, cv2.VideoWriter.fourcc(*"MJPG"), 25.0, (64, 48))
    for level in range(0, 250, 10):
        writer.write(np.full((48, 64, 3), level, np.uint8))
    writer.release()
    camera = Camera(Path(path).read_bytes())
    assert "is a film" in refusal(camera.address("/film.avi"))
    camera.stop()


def test_a_single_picture_is_no_camera(camera: Camera) -> None:
    assert "is a single picture" in refusal(camera.address("/shot"))


def test_other_addresses_are_refused() -> None:
    said = refusal("ftp://me:sesame@example.org/film.mp4")
    assert '"ftp://example.org/film.mp4" is an address that Mien does not play' in said


def test_one_that_stops_is_lost_in_bounded_time(camera: Camera) -> None:
    source = open_source(camera.address("/video"))
    assert source.read() is not None
    camera.on.clear()
    begun = time.monotonic()
    with pytest.raises(CameraLost, match=r"Network camera 127\.0\.0\.1 no longer sends pictures"):
        read_on(source)
    assert time.monotonic() - begun < 10
    source.close()


def test_a_lost_one_is_waited_for_and_its_password_is_in_no_log(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    camera = Camera()
    port, address = camera.server_port, camera.address("/closed", "me:open%20sesame@")
    stage.sources[address] = lambda: open_source(address)
    engine = stage.engine(address)
    wait_until(engine.latest, 20)
    camera.stop()
    wait_until(lambda: engine.status().state is EngineState.LOST, 20)
    assert "127.0.0.1 no longer sends pictures" in engine.status().source_note
    camera = Camera(port=port)
    wait_until(lambda: engine.status().state is EngineState.RUNNING, 20)
    facts = engine.source_facts()
    assert facts["spec"] == f"http://127.0.0.1:{port}/closed"
    assert facts["name"] == "Network camera 127.0.0.1"
    shown = [*caplog.messages, *(thread.name for thread in threading.enumerate())]
    assert any("127.0.0.1" in line for line in shown)
    assert not [line for line in shown if "sesame" in line]
    engine.stop()
    camera.stop()


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("rtsp://a:b@host/x", "rtsp://host/x"),
        ("RTSP://a:b@c@host:8554/x", "rtsp://host:8554/x"),
        (" http://host/video?user=a&password=b", "http://host/…"),
        ("rtsp://host:554/user=a&password=b&channel=1", "rtsp://host:554/…"),
        ("rtsp://a:b@host/cam?channel=1&subtype=0", "rtsp://host/cam?channel=1&subtype=0"),
        ("https://host#b", "https://host"),
        ("rtsp://host/x", "rtsp://host/x"),
    ],
)
def test_what_is_shown_and_kept_has_no_secret(address: str, shown: str) -> None:
    assert is_network(address)
    assert is_device(address)
    assert shown_spec(address) == whole_spec(address) == shown


def test_a_file_is_shown_as_it_is() -> None:
    assert not is_network("clip?1.mp4")
    assert shown_spec("clip?1.mp4") == "clip?1.mp4"


@pytest.mark.usefixtures("no_such_name")
def test_without_a_window_an_address_that_nobody_has_ends_with_status_2(
    capsys: pytest.CaptureFixture[str],
) -> None:
    address = "rtsp://me:sesame@camera.invalid/stream"
    assert fer_app.main(["--source", address, "--headless"]) == 2
    said = capsys.readouterr().err
    assert "no computer is called camera.invalid" in said
    assert "sesame" not in said


@pytest.mark.skipif(sys.platform == "win32", reason="has no SIGINT to send")
def test_ending_while_a_silent_camera_is_asked_is_quiet() -> None:
    """What FFmpeg waits for comes only after Python is gone, which must not abort the process."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/video"
        command = [sys.executable, "-m", "app.main", "--headless", "--source", address]
        # Tests in the background of a shell are deaf to it, and so would be what they start.
        hear = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
        with subprocess.Popen(
            command, stderr=subprocess.PIPE, text=True, preexec_fn=hear
        ) as program:
            trial, asked = silent.accept()[0], silent.accept()[0]
            program.send_signal(signal.SIGINT)
            said = program.communicate(timeout=30)[1]
            trial.close()
            asked.close()
    assert (program.returncode, said) == (130, "")
