"""Refusal of requests that other sites or names send to the page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

_OWN_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
_FORBIDDEN = 403


class OwnPagesOnly:
    """ASGI middleware: requests must name this machine as `Host`, and this page as `Origin` if they have one.

    The page starts programs. So no other site that the user visits may send it a request, and no other name of this
    machine (DNS rebinding) may read its answers.

    Args:
        app: The application.
    """

    def __init__(self, app: Callable[..., Awaitable[None]]):
        self._app = app

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Answers a request, or passes it on."""
        if scope["type"] not in ("http", "websocket") or is_own(scope.get("headers", ())):
            await self._app(scope, receive, send)
            return
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        text = b"This page answers only at http://127.0.0.1, and only to itself."
        headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(text)).encode())]
        await send({"type": "http.response.start", "status": _FORBIDDEN, "headers": headers})
        await send({"type": "http.response.body", "body": text})


def is_own(headers: Any) -> bool:
    """Returns whether the headers of a request are those of this page.

    Args:
        headers: Pairs of lower-case names and values, as bytes.
    """
    values: dict[str, list[str]] = {}
    for name, value in headers:
        values.setdefault(name.decode("latin-1"), []).append(value.decode("latin-1"))
    hosts, origins = values.get("host", []), values.get("origin", [])
    try:
        if len(hosts) != 1 or urlsplit(f"//{hosts[0]}").hostname not in _OWN_HOSTS:
            return False
    except ValueError:
        return False
    return all(origin == f"http://{hosts[0]}" for origin in origins)
