"""Calls to addresses on a thread of their own, which never make the live loop wait."""

from __future__ import annotations

import json
import logging
import threading
from base64 import b64encode
from collections import deque
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import SplitResult, quote, unquote, urlsplit

from app.live.triggers import shown_then

__all__ = ["Caller", "CallerStatus"]

log = logging.getLogger(__name__)

CAPACITY = 16
TIMEOUT_SECONDS = 2.0
_CLOSE_SECONDS = 3.0
# What may stand in an address as it is; the rest is written as %XX, a percent sign is one already.
_SAFE = "/%:@!$&'()*+,;=~?-._"


@dataclass(frozen=True, slots=True)
class CallerStatus:
    """Hold how the calls went.

    sent, failed, dropped: calls; those dropped came while too many waited. problems: by address,
    why the last call of it failed.
    """

    sent: int
    failed: int
    dropped: int
    problems: dict[str, str]


class Caller:
    """Post JSON to addresses, one call after the other."""

    def __init__(
        self, *, capacity: int = CAPACITY, timeout_seconds: float = TIMEOUT_SECONDS
    ) -> None:
        """Prepare; the thread begins with the first call. capacity: calls that may wait."""
        self._capacity = capacity
        self._timeout_seconds = timeout_seconds
        self._changed = threading.Condition()
        self._waiting: deque[tuple[str, dict[str, Any]]] = deque()
        self._closing = False
        self._thread: threading.Thread | None = None
        self._sent = self._failed = self._dropped = 0
        self._problems: dict[str, str] = {}
        self._notices: list[str] = []

    def call(self, address: str, values: dict[str, Any]) -> None:
        """Post values to an address soon; when too many calls wait, the oldest goes."""
        with self._changed:
            if self._closing:
                return
            if len(self._waiting) >= self._capacity:
                self._waiting.popleft()
                self._dropped += 1
            self._waiting.append((address, values))
            if self._thread is None:
                # A daemon: a name that is looked up for ever must not keep the program alive.
                self._thread = threading.Thread(target=self._work, name="mien-calls", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def status(self) -> CallerStatus:
        """Return how the calls went so far."""
        with self._changed:
            return CallerStatus(self._sent, self._failed, self._dropped, dict(self._problems))

    def take_notices(self) -> list[str]:
        """Return the sentences for the user that nobody has taken yet."""
        with self._changed:
            taken, self._notices = self._notices, []
        return taken

    def close(self) -> None:
        """Send what waits and end; may be called again. Waits for at most 3 s."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join(_CLOSE_SECONDS)
        with self._changed:
            self._dropped += len(self._waiting)
            self._waiting.clear()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closing)
                if not self._waiting:
                    return
                address, values = self._waiting.popleft()
            try:
                why = self._post(address, values)
            except Exception as error:
                # Its words may hold the address with its password, so only its name is told.
                log.debug("a call failed: %s", type(error).__name__)
                why = _reason(error, self._timeout_seconds)
            self._note(address, why)

    def _post(self, address: str, values: dict[str, Any]) -> str:
        """Post, and return what was wrong with the answer, empty when all was well.

        No redirection is followed: it could lead away from this computer.
        """
        from http.client import HTTPConnection, HTTPSConnection  # most people call nobody

        parts = urlsplit(address)
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        # Without a port HTTPConnection would look for one in an IPv6 address.
        port = parts.port or kind.default_port
        connection = kind(parts.hostname or "", port, timeout=self._timeout_seconds)
        try:
            body = json.dumps(_body(parts, values)).encode()
            connection.request("POST", _target(parts), body, _headers(parts))
            return _fault(connection.getresponse().status)
        finally:
            connection.close()

    def _note(self, address: str, why: str) -> None:
        """Count a call; why: it failed, empty if it did not. Only the first in a row is said."""
        with self._changed:
            self._sent += not why
            self._failed += bool(why)
            if not why:
                self._problems.pop(address, None)
                return
            if address not in self._problems:
                self._notices.append(
                    f'Expected a program at "{shown_then(address)}" to take what a trigger '
                    f"sends, found that {why}; see that it runs, or correct the address."
                )
            self._problems[address] = why


def _body(parts: SplitResult, values: dict[str, Any]) -> dict[str, Any]:
    """Return what is posted: with the name of an action behind a #, as Streamer.bot wants it."""
    if not parts.fragment:
        return values
    return {**values, "action": {"name": unquote(parts.fragment)}, "args": values}


def _target(parts: SplitResult) -> str:
    rest = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return quote(rest, safe=_SAFE)


def _headers(parts: SplitResult) -> dict[str, str]:
    headers = {
        "Content-Type": "application/json", "User-Agent": "Mien", "Connection": "close",
    }  # fmt: skip
    if parts.username is not None:
        login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Authorization"] = f"Basic {b64encode(login.encode()).decode('ascii')}"
    return headers


def _fault(status: int) -> str:
    if 200 <= status < 300:
        return ""
    if 300 <= status < 400:
        return f"it sends on to another address (status {status}), which Mien does not follow"
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return f"it asks for another name and password (status {status})"
    return f"it answers with status {status}"


def _reason(error: Exception, timeout_seconds: float) -> str:
    from socket import gaierror
    from ssl import SSLCertVerificationError

    if isinstance(error, TimeoutError):
        return f"no answer came within {timeout_seconds:g} s"
    if isinstance(error, gaierror | UnicodeError):
        return "no computer has that name"
    if isinstance(error, SSLCertVerificationError):
        return "its certificate is not one that this computer trusts"
    if isinstance(error, ConnectionRefusedError):
        return "nobody answers there"
    if isinstance(error, OSError) and error.strerror:
        return f"it cannot be reached ({error.strerror})"
    return f"it gives no answer that can be read ({type(error).__name__})"
