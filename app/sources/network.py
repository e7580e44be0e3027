"""A camera in the network, or a phone that is one, read through OpenCV's FFmpeg."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from urllib.parse import urlsplit

import cv2

from app.errors import SourceError
from app.sources.device import Capture, DeviceSource

SCHEMES = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}
"""The ways to reach a camera, and the port of each where an address names none."""
EXAMPLE = "rtsp://192.168.1.20/stream"
_ANSWER_SECONDS = 3.0
_OPEN_SECONDS, _READ_SECONDS = 8.0, 3.0
_PATIENCE = 1.0
_SECRET = re.compile(r"(?<=://)[^/?#]*@")
_QUERY = re.compile(r"[?#].*", re.DOTALL)


def is_network(spec: str) -> bool:
    """Say whether `spec` is the address of a camera in the network."""
    scheme, sign, _ = spec.strip().partition("://")
    return bool(sign) and scheme.casefold() in SCHEMES


def without_secrets(spec: str) -> str:
    """Return an address without name, password and query: to be shown, stored and written down."""
    return _QUERY.sub("", _SECRET.sub("", spec.strip()))


def open_stream(address: str) -> Capture:
    """Open an address; neither this nor a read takes longer than some seconds."""
    wait = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, int(1000 * _OPEN_SECONDS)]
    wait += [cv2.CAP_PROP_READ_TIMEOUT_MSEC, int(1000 * _READ_SECONDS)]
    return cv2.VideoCapture(address, cv2.CAP_FFMPEG, wait)


class NetworkSource(DeviceSource):
    """Read a camera by its address. Nothing is sent but the request for its pictures."""

    # What streams say of their rate is often only FFmpeg's guess.
    fps = None

    def __init__(self, address: str, *, stream: Callable[[str], Capture] = open_stream) -> None:
        """Open the stream and take a first picture.

        address: such as `EXAMPLE`; a name and a password go before the host, name:password@host.
        Raises `SourceError` when nobody answers there, what answers is no camera, or it asks for
        another password.
        """
        self._shown = without_secrets(address)
        host, port = _place(address.strip(), self._shown)
        self.name = f"Network camera {host}"
        _check_answer(host, port, self._shown)
        capture = stream(address.strip())
        if not capture.isOpened():
            capture.release()
            raise SourceError(
                f'"{self._shown}" is answered, but not with a video; check the end of the address, '
                f"and the name and password, which go before the host: "
                f"{urlsplit(self._shown).scheme}://name:password@{host}/…"
            )
        if capture.get(cv2.CAP_PROP_FRAME_COUNT) > 0:
            capture.release()
            raise SourceError(
                f'"{self._shown}" is a film, and from the network Mien plays only cameras; '
                f"download the film first and give its path."
            )
        super().__init__(capture, patience=_PATIENCE)
        if self._first is None:
            capture.release()
            raise SourceError(f'"{self._shown}" sends no picture; check the camera, and try again.')

    def _lost(self) -> str:
        return (
            f"{self.name} no longer sends pictures; check that it is on and in this network, or "
            f"choose another source."
        )


def _place(address: str, shown: str) -> tuple[str, int]:
    """Return the host and the port of an address."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:  # no number for a port, half a bracket
        host, port = None, None
    if not host:
        raise SourceError(f'"{shown}" is no whole address; expected one such as {EXAMPLE}.')
    return host, port or SCHEMES[parts.scheme.casefold()]


def _check_answer(host: str, port: int, shown: str) -> None:
    """Refuse a place where nobody is, at once and in words that say so."""
    try:
        socket.create_connection((host, port), timeout=_ANSWER_SECONDS).close()
    except (OSError, UnicodeError) as error:  # UnicodeError: a name that no host can have
        unknown = isinstance(error, socket.gaierror | UnicodeError)
        why = f"no computer is called {host}" if unknown else f"nobody answers at port {port}"
        raise SourceError(
            f'"{shown}" cannot be reached: {why}; check the address, and that the camera is on and '
            f"in the same network."
        ) from error
