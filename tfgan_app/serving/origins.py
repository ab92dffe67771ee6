"""Rules for `Host` headers and for web pages of other origins (CORS)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import SplitResult, urlsplit

from aiohttp import web

from tfgan_app.serving.errors import Code, ServingError

ANY = "*"
_LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?|[0-9a-f:.]*:[0-9a-f:.]*")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_PREFLIGHT_SECONDS = 600
_PROBES = frozenset({"/healthz", "/readyz"})
_HEADER_NAMES = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~, -]{0,500}")


class OriginRules:
    """Decision by `Host` and `Origin` whether a request is answered, and whether a page may read the answer."""

    def __init__(self, *, local_only: bool, allow_hosts: Iterable[str] = (), allow_origins: Iterable[str] = ()) -> None:
        """Makes the rules.

        Args:
            local_only: Whether the server listens on the loopback interface only. Then requests that another site made
                a browser send are rejected, by their `Host` (a foreign name resolved to this machine) and `Origin`.
            allow_hosts: Names of the server, such as that of a proxy before it, besides those of this machine. If there
                are any, a server on other interfaces answers only to these names. `*`: any.
            allow_origins: Origins of other pages that may use the server, such as `https://app.example`. `*`: any.

        Raises:
            ValueError: If a host or origin is malformed.
        """
        self._allow_hosts = frozenset(_checked_host(host) for host in allow_hosts)
        self._allow_origins = frozenset(_checked_origin(origin) for origin in allow_origins)
        self._local_only = local_only
        self._checks_hosts = (local_only or bool(self._allow_hosts)) and ANY not in self._allow_hosts

    def check(self, request: web.BaseRequest) -> None:
        """Rejects a request for another host, or from a page that may not use this server.

        Raises:
            ServingError: PERMISSION_DENIED.
        """
        host = _split(f"//{request.headers.get('Host', '')}")
        is_probe = request.rel_url.raw_path in _PROBES and not self._local_only
        if self._checks_hosts and not is_probe and _name(host) not in _LOCAL_HOSTS | self._allow_hosts:
            raise ServingError(
                Code.PERMISSION_DENIED,
                "This server answers only requests to localhost or a name given with `--allow-host`. To serve others, "
                "start it with `--host`, or with `--allow-host` behind a proxy.",
            )
        origin = request.headers.get("Origin")
        if self._local_only and origin is not None and not (self._is_own(origin, host) or self._is_allowed(origin)):
            raise ServingError(
                Code.PERMISSION_DENIED,
                "This server answers only requests to localhost from its own page. To let a page of another site use "
                "it, start it with `--allow-origin`.",
            )

    def is_preflight(self, request: web.BaseRequest) -> bool:
        """Returns whether a browser asks if a page of another site may send a request."""
        headers = request.headers
        return request.method == "OPTIONS" and "Origin" in headers and "Access-Control-Request-Method" in headers

    def preflight(self, request: web.BaseRequest) -> web.Response:
        """The answer to a preflight.

        Raises:
            ServingError: PERMISSION_DENIED, if the page may not use the server.
        """
        if not self._is_allowed(request.headers["Origin"]):
            raise ServingError(
                Code.PERMISSION_DENIED,
                "Pages of this origin may not use the server. To let them, start it with `--allow-origin`.",
            )
        response = web.Response(status=204)
        response.headers["Access-Control-Allow-Methods"] = "GET, HEAD, POST"
        names = request.headers.get("Access-Control-Request-Headers", "")
        if names and _HEADER_NAMES.fullmatch(names):
            response.headers["Access-Control-Allow-Headers"] = names
        response.headers["Access-Control-Max-Age"] = str(_PREFLIGHT_SECONDS)
        return response

    def add_headers(self, request: web.BaseRequest, response: web.Response) -> None:
        """Adds the headers that let the requesting page read the answer, errors included, if allowed."""
        if not self._allow_origins:
            return
        response.headers["Vary"] = "Origin"
        origin = request.headers.get("Origin")
        if origin is not None and self._is_allowed(origin):
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Expose-Headers"] = "Retry-After"

    def _is_own(self, origin: str, host: SplitResult) -> bool:
        """Returns whether a page is the server's own, by the name used here or by a proxy."""
        parts = _split(origin)
        return parts.netloc == host.netloc or _name(parts) in self._allow_hosts

    def _is_allowed(self, origin: str) -> bool:
        return ANY in self._allow_origins or origin.lower() in self._allow_origins


def _checked_host(text: str) -> str:
    host = text.strip().lower().removeprefix("[").removesuffix("]")
    if host != ANY and not _HOST.fullmatch(host):
        raise ValueError(
            f"An allowed host must be a name or address without scheme, port or path, such as models.example, or {ANY} "
            f"for any. Received: {text!r}."
        )
    return host


def _checked_origin(text: str) -> str:
    origin = text.strip().lower().removesuffix("/")
    parts = _split(origin)
    try:
        port = parts.port
    except ValueError:
        port = -1
    is_page = bool(parts.scheme and _name(parts)) and origin == f"{parts.scheme}://{parts.netloc}"
    if origin != ANY and not (is_page and "@" not in origin and port != -1):
        raise ValueError(
            f"An allowed origin must be scheme://host or scheme://host:port, such as https://app.example, or {ANY} for "
            f"any. Received: {text!r}."
        )
    # Browsers omit the default port of the scheme.
    is_default_port = port is not None and port == _DEFAULT_PORTS.get(parts.scheme)
    return origin.removesuffix(f":{port}") if is_default_port else origin


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:  # Unmatched brackets.
        return SplitResult("", "", "", "", "")


def _name(url: SplitResult) -> str | None:
    try:
        return url.hostname
    except ValueError:
        return None
