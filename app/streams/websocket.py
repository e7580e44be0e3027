"""JSON over WebSocket, for browsers and scripts on this computer."""

from __future__ import annotations

import asyncio
import contextlib
import http
import json
import threading
import time
from importlib import resources
from typing import Any
from urllib.parse import urlsplit

from app.palette import DISPLAY_ORDER, EXPRESSION_COLOURS
from app.streams.base import Marker, Sample, StreamError, log, monotonic_to_wall
from app.streams.record import frame_record

FORMAT = 1
# One second of a camera for each listener; a slow one loses the oldest.
_WAITING = 32
_CLOSE_SECONDS = 3.0
_GOODBYE_SECONDS = 1.0
_OWN_HOSTS = ("localhost", "127.0.0.1", "::1")
_PAGE_MAY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src ws:"
)


class WebSocketSender:
    """Be a server that sends each listener every frame as one JSON object.

    A browser that asks for its address gets a page that listens and shows the expressions, as an
    overlay for streaming programs.

    A web page that some site put into a browser is refused: without this, any site visited could
    read along. Programs, and pages served by this computer, are let in.
    """

    def __init__(self, host: str, port: int) -> None:
        """Begin to serve. Raises `StreamError` without websockets or when the port is taken."""
        try:
            from websockets.asyncio.server import serve
        except ModuleNotFoundError as error:
            raise StreamError(
                "Streaming over WebSocket needs the package websockets, version 14 or later: run "
                "pip install websockets."
            ) from error
        from websockets.exceptions import ConnectionClosed

        self._serve, self._gone = serve, ConnectionClosed
        self._host, self._port = host, port
        self._queues: dict[Any, asyncio.Queue[str]] = {}
        self._loop = asyncio.new_event_loop()
        self._ending = asyncio.Event()
        self._ready = threading.Event()
        self._faults: list[Exception] = []
        self._lost = 0
        self._thread = threading.Thread(target=self._run, name="mien-websocket", daemon=True)
        self._thread.start()
        self._ready.wait()
        for fault in self._faults:
            self._thread.join()
            reason = getattr(fault, "strerror", None) or fault
            raise StreamError(
                f"Expected to serve at {host}:{port}, found that this cannot be done ({reason}); "
                f"close what uses the port or give another, such as websocket={host}:{port + 1}."
            ) from fault

    @property
    def listeners(self) -> int | None:
        return len(self._queues)

    @property
    def lost(self) -> int:
        return self._lost

    def send(self, sample: Sample) -> None:
        """Send a frame to all who listen."""
        if self._queues:  # nobody pays for text that nobody reads
            self._pass_on(
                json.dumps({"type": "frame", **frame_record(sample)}, separators=(",", ":"))
            )

    def mark(self, marker: Marker) -> None:
        """Send a marker to all who listen."""
        message = {"type": "marker", "time": marker.time, "wall": monotonic_to_wall(marker.time)}
        self._pass_on(json.dumps(message | {"key": marker.key, "text": marker.text}))

    def close(self) -> None:
        """Say goodbye to all and give the port back."""
        with contextlib.suppress(RuntimeError):  # it has ended already
            self._loop.call_soon_threadsafe(self._ending.set)
        self._thread.join(_CLOSE_SECONDS)

    def _pass_on(self, text: str) -> None:
        if not self._thread.is_alive():
            raise ConnectionError("the server ended")
        self._loop.call_soon_threadsafe(self._spread, text)

    def _spread(self, text: str) -> None:
        for queue in self._queues.values():
            if queue.full():
                queue.get_nowait()
                self._lost += 1
            queue.put_nowait(text)

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._main())
        except Exception as error:  # a port that is taken, an address that is none
            self._faults.append(error)
        finally:
            self._loop.close()
            self._ready.set()

    async def _main(self) -> None:
        server = await self._serve(
            self._listen,
            self._host,
            self._port,
            process_request=_answer,
            compression=None,  # it would only add time on one computer
            close_timeout=_GOODBYE_SECONDS,
            max_size=2**16,
            logger=log.getChild("websocket"),
        )
        self._ready.set()
        await self._ending.wait()
        server.close()
        try:
            await asyncio.wait_for(asyncio.shield(server.wait_closed()), _GOODBYE_SECONDS)
        except TimeoutError:
            for connection in self._queues:  # they read nothing, a goodbye neither
                connection.transport.abort()
            await server.wait_closed()

    async def _listen(self, connection: Any) -> None:
        """Send to one listener until it leaves; whatever it says is thrown away."""
        with contextlib.suppress(self._gone):  # listeners leave at any moment
            await connection.send(json.dumps(_hello()))
            await self._send_on(connection)

    async def _send_on(self, connection: Any) -> None:
        queue: asyncio.Queue[str] = asyncio.Queue(_WAITING)
        self._queues[connection] = queue
        leaving = asyncio.ensure_future(self._hear_out(connection))
        try:
            while not leaving.done():
                coming = asyncio.ensure_future(queue.get())
                await asyncio.wait({leaving, coming}, return_when=asyncio.FIRST_COMPLETED)
                if not coming.done():
                    coming.cancel()
                    return
                await connection.send(coming.result())
        finally:
            del self._queues[connection]
            leaving.cancel()

    async def _hear_out(self, connection: Any) -> None:
        """Wait until a listener leaves, which is heard only behind all that it says."""
        with contextlib.suppress(self._gone):
            async for _ in connection:
                pass


def _hello() -> dict[str, Any]:
    now = time.monotonic()
    return {
        "type": "hello",
        "program": "Mien",
        "format": FORMAT,
        "clock": {"time": now, "wall": monotonic_to_wall(now)},
    }


def _answer(connection: Any, request: Any) -> Any:
    """Return None for a listener, the overlay for a browser, a refusal for another site's page."""
    origin = request.headers.get("Origin")
    # An address in numbers is no name that another site could let point here.
    here = (*_OWN_HOSTS, str(connection.local_address[0]))
    if origin is not None and urlsplit(origin).hostname not in here:
        return connection.respond(
            http.HTTPStatus.FORBIDDEN, "Mien sends only to programs and pages of this computer.\n"
        )
    if "Upgrade" in request.headers:
        return None
    if urlsplit(request.path).path != "/":
        return connection.respond(http.HTTPStatus.NOT_FOUND, "The overlay is at / alone.\n")
    response = connection.respond(http.HTTPStatus.OK, overlay_page())
    del response.headers["Content-Type"]
    response.headers["Content-Type"] = "text/html; charset=utf-8"
    response.headers["Content-Security-Policy"] = _PAGE_MAY
    return response


def overlay_page() -> str:
    """Return the page that shows the faces' expressions on a transparent background."""
    page = resources.files("app.streams").joinpath("overlay.html").read_text(encoding="utf-8")
    page = page.replace("/*colours*/{}", json.dumps(EXPRESSION_COLOURS))
    return page.replace("/*order*/[]", json.dumps(DISPLAY_ORDER))
