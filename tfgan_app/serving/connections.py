"""REST connections with bounds on their number, and timers against slow clients."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import cast

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from tfgan_app.serving.limits import Limits

_TOO_MANY = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nConnection: close\r\n"
    b'Content-Length: %d\r\n\r\n{"error":"%s"}'
)
_TOO_MANY_MESSAGE = b"The server is overloaded: it has no more connections. Try later."


class _OwnFaults(logging.Filter):
    """Log filter for clients that do not speak HTTP: they get an answer, and it is not the server's fault."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Returns whether to log a record."""
        return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


LOGGER = logging.getLogger("tfgan_app.serving")
"""Logger for aiohttp's reports on the server's own faults."""

LOGGER.addFilter(_OwnFaults())


class ConnectionLimits:
    """Open connections, their limits, and the factory of their protocols.

    aiohttp has no timer for a client that connects and sends its headers byte by byte, or never fetches its answer.
    Here each connection has one, which runs while the server waits for the client outside a request.
    """

    def __init__(self, limits: Limits) -> None:
        """Starts without connections."""
        self.limits = limits
        self.open: set[asyncio.Transport] = set()
        self.closed = False

    def factory(self, server: web.Server) -> Callable[[], asyncio.Protocol]:
        """Returns a protocol factory for `loop.create_server`.

        Args:
            server: Creates aiohttp's own protocol, which is wrapped.
        """
        return lambda: _TimedConnection(server(), self)

    def close(self) -> None:
        """Closes remaining connections when the server ends, including those being made."""
        self.closed = True
        for transport in list(self.open):
            transport.abort()


def connection_of(request: web.BaseRequest) -> _TimedConnection | None:
    """Returns the timed connection of a request; `None` once the client has left."""
    if request.transport is None:
        return None
    return cast(_TimedConnection, request.transport.get_protocol())


class _TimedConnection(asyncio.Protocol):
    """Wraps aiohttp's protocol and closes the connection when its timer expires."""

    def __init__(self, inner: asyncio.Protocol, owner: ConnectionLimits) -> None:
        self._inner = inner
        self._owner = owner
        self._refused = False
        self._clock: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast(asyncio.Transport, transport)  # A TCP connection's.
        self._transport = transport
        self._owner.open.add(transport)
        if self._owner.closed:
            self._refused = True
            transport.abort()
        elif len(self._owner.open) > self._owner.limits.max_connections:
            self._refused = True
            body_bytes = len(_TOO_MANY_MESSAGE) + len('{"error":""}')
            transport.write(_TOO_MANY % (body_bytes, _TOO_MANY_MESSAGE))
            transport.close()
        else:
            self._inner.connection_made(transport)
            self.start_clock(self._owner.limits.head_seconds)

    def start_clock(self, seconds: float) -> None:
        """Starts the timer until the client's next request must be complete."""
        self.stop_clock()
        self._clock = asyncio.get_running_loop().call_later(seconds, self._transport.abort)

    def wait_for_client(self) -> None:
        """Restarts the timer after an answer: the client must fetch it and send its next request."""
        self.start_clock(self._owner.limits.idle_seconds)

    def stop_clock(self) -> None:
        """Stops the timer after a request: the server's own bounds apply until it is answered."""
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None

    def data_received(self, data: bytes) -> None:
        if not self._refused:
            self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return None if self._refused else self._inner.eof_received()

    def pause_writing(self) -> None:
        if not self._refused:
            self._inner.pause_writing()

    def resume_writing(self) -> None:
        if not self._refused:
            self._inner.resume_writing()

    def connection_lost(self, error: Exception | None) -> None:
        self.stop_clock()
        self._owner.open.discard(self._transport)
        if not self._refused:
            self._inner.connection_lost(error)
