"""A camera in the network, or a phone that is one, read through OpenCV's FFmpeg."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from urllib.parse import SplitResult, urlsplit, urlunsplit

import cv2

from app.errors import SourceError
from app.sources.device import Capture, DeviceSource

SCHEMES = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}
"""The ways to reach a camera, and the port of each where an address names none."""
EXAMPLE = "rtsp://192.168.1.20/stream"
_ANSWER_SECONDS = 3.0
_OPEN_SECONDS, _READ_SECONDS = 8.0, 3.0
_PATIENCE = 1.0
_ADDRESS = re.compile(r"\s*([a-z][a-z0-9+.-]*)://", re.IGNORECASE)
# What cameras call their secrets, in the path or behind a question mark.
_SECRETS = re.compile(r"pass|pwd|psw|user|login|auth|token|secret|key|sid", re.IGNORECASE)
_HOW = "such as {}, in which the signs / ? # @ of a password are written %2F %3F %23 %40"


def is_address(spec: str) -> bool:
    """Say whether `spec` is an address of any kind, and no path."""
    return _ADDRESS.match(spec) is not None


def is_network(spec: str) -> bool:
    """Say whether `spec` is the address of a camera in the network."""
    found = _ADDRESS.match(spec)
    return found is not None and found[1].casefold() in SCHEMES


def why_no_address(spec: str) -> str:
    """Return what is wrong with the address of a camera, empty where it can be tried."""
    if not is_network(spec):
        return f"A camera's address begins with {', '.join(f'{one}://' for one in SCHEMES)}."
    if _parsed(spec) is None:
        return f"That is no whole address; expected one {_HOW.format(EXAMPLE)}."
    return ""


def without_secrets(address: str) -> str:
    """Return an address without name and password: to be shown, stored and written down.

    What follows the host is left out where it may hold such, too; of an address that cannot be
    taken apart nothing is left but its beginning.
    """
    parts = _parsed(address)
    if parts is None:
        found = _ADDRESS.match(address)
        return f"{found[1]}://…" if found else "…"
    host = parts.netloc.rpartition("@")[2]
    rest = urlunsplit(("", "", parts.path, parts.query, ""))
    return f"{parts.scheme}://{host}{'/…' if _SECRETS.search(rest) else rest}"


def _parsed(address: str) -> SplitResult | None:
    """Take an address apart; None where a host or port is missing or an @ is left over."""
    try:
        parts = urlsplit(address.strip())
        whole = bool(parts.hostname) and parts.port != 0  # raises where it is no number
    except ValueError:
        return None
    return parts if whole and "@" not in parts.path + parts.query + parts.fragment else None


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
        """Open the stream and take two pictures, of which the newer one is read first.

        address: such as `EXAMPLE`; a name and a password go before the host, name:password@host.
        Raises `SourceError` when nobody answers there, what answers is no camera, or it asks for
        another password.
        """
        self._shown = without_secrets(address)
        parts = _parsed(address)
        if parts is None or parts.hostname is None:
            raise SourceError(why_no_address(address))
        host, port = parts.hostname, parts.port or SCHEMES[parts.scheme.casefold()]
        self.name = f"Network camera {host}"
        _check_answer(host, port, self._shown)
        capture = stream(address.strip())
        if not capture.isOpened():
            capture.release()
            raise SourceError(
                f'"{self._shown}" is answered, but not with a video; check the end of the address, '
                f"and the name and password, which go before the host: "
                f"{parts.scheme}://name:password@{host}/…"
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
        self._first = self._grab()
        if self._first is None:
            capture.release()
            raise SourceError(
                f'"{self._shown}" is a single picture; give the address of the camera\'s video.'
            )

    def _lost(self) -> str:
        return (
            f"{self.name} no longer sends pictures; check that it is on and in this network, or "
            f"choose another source."
        )


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
