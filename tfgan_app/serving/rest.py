"""REST: TensorFlow Serving's URLs, and a few of our own for people, probes and Prometheus."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import re
import zlib
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Executor
from typing import Any
from urllib.parse import unquote, urlsplit

from aiohttp import web
from google.protobuf import json_format
from prometheus_client import CONTENT_TYPE_LATEST
from tensorflow_serving.apis import get_model_metadata_pb2

from tfgan_app.serving import image_bodies, json_answers, json_requests, messages
from tfgan_app.serving.connections import connection_of
from tfgan_app.serving.core import Core, Target
from tfgan_app.serving.errors import Code, ServingError, invalid, shortened
from tfgan_app.serving.page import PAGE_FILES, PAGE_HEADERS

_SMALL_BYTES = 2**16
"""JSON up to this size is read and written on the event loop: handing it to a thread would take longer."""

_MODEL = r"/v1/models/([^/:]+)(?:/versions/(\d+)|/labels/([^/:]+))?"
_ACTION = re.compile(rf"(?i:{_MODEL}):(predict|classify|regress)")
_STATUS = re.compile(rf"(?i:{_MODEL}(/metadata)?)")
_MAX_VERSION = 2**63 - 1

_LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})

Handler = Callable[[web.BaseRequest], Awaitable[web.Response]]


class RestApi:
    """Answers HTTP requests."""

    def __init__(self, core: Core, *, executor: Executor, local_only: bool) -> None:
        """Makes the routes.

        Args:
            core: What answers.
            executor: Where large JSON is read and written.
            local_only: Whether the server listens on the loopback interface only. Then requests that a browser was led
                to send by another site are refused: by their `Host` (a foreign name that was made to point here) and
                `Origin`.
        """
        self._core = core
        self._executor = executor
        self._local_only = local_only
        self._routes: dict[str, Handler] = {
            "/healthz": self._health,
            "/readyz": self._readiness,
            "/metrics": self._metrics,
            "/monitoring/prometheus/metrics": self._metrics,
            "/v1/models": self._list,
            **dict.fromkeys(PAGE_FILES, self._page),
        }

    async def handle(self, request: web.BaseRequest) -> web.Response:
        """Answers a request, errors included."""
        connection = connection_of(request)
        if connection is None:
            return _gone()
        connection.stop_clock()
        try:
            return await self._dispatch(request)
        except ServingError as error:
            return _error(error)
        except ConnectionError:
            return _gone()
        except (web.HTTPException, web.RequestPayloadError) as error:
            return _error(invalid(f"The request is damaged: {shortened(str(error))}"))
        finally:
            connection.wait_for_client()

    async def _dispatch(self, request: web.BaseRequest) -> web.Response:
        self._check_origin(request)
        path = request.rel_url.raw_path
        if path in self._routes:
            if request.method not in ("GET", "HEAD"):
                raise ServingError(Code.WRONG_METHOD, f"{path} is read with GET. Received: {request.method}.")
            return await self._routes[path](request)
        action = _ACTION.fullmatch(path) if request.method == "POST" else None
        if action:
            target = _target(*action.groups()[:3])
            if action[4].lower() != "predict":
                raise ServingError(Code.UNIMPLEMENTED, f"`:{action[4]}` is not implemented: models here only predict.")
            return await self._predict(request, target)
        status = _STATUS.fullmatch(path) if request.method == "GET" else None
        if status:
            target = _target(*status.groups()[:3])
            return self._metadata(target) if status[4] else self._status(target)
        message = f"Malformed request: {shortened(request.method)} {shortened(path)}"
        raise invalid(message) if path.lower().startswith("/v1/") else ServingError(Code.NOT_FOUND, message)

    def _check_origin(self, request: web.BaseRequest) -> None:
        if not self._local_only:
            return
        host = urlsplit(f"//{request.headers.get('Host', '')}")
        origin = request.headers.get("Origin")
        if _host_name(host) not in _LOCAL_HOSTS or (origin is not None and urlsplit(origin).netloc != host.netloc):
            raise ServingError(
                Code.PERMISSION_DENIED,
                "This server answers only requests to localhost from its own page. To serve others, start it with "
                "`--host`.",
            )

    async def _predict(self, request: web.BaseRequest, target: Target) -> web.Response:
        core = self._core
        with core.holding(min(request.content_length or 0, core.limits.max_body_bytes)):
            body = await self._read_body(request)
            with core.call(target, protocol="rest") as call:
                if image_bodies.is_image_body(request.content_type, body):
                    return await image_bodies.answer(core, call, request, body)
                document = await self._maybe_in_thread(len(body), json_requests.parse, body)
                call.target = dataclasses.replace(target, signature=document.signature)
                with core.resolved(call) as endpoint:
                    inputs, rows = await self._maybe_in_thread(len(body), json_requests.read_inputs, document, endpoint)
                    document = None
                    outputs = await core.predict(call, inputs)
                size_bytes = 8 * sum(array.size for array in outputs.values() if hasattr(array, "size"))
                answer = await self._maybe_in_thread(size_bytes, json_answers.write_outputs, outputs, rows)
        return web.Response(body=answer, content_type="application/json")

    async def _read_body(self, request: web.BaseRequest) -> bytes:
        limit = self._core.limits.max_body_bytes
        if (request.content_length or 0) > limit:
            raise _too_large(limit)
        try:
            body = await asyncio.wait_for(_read_up_to(request, limit), self._core.limits.body_seconds)
        except asyncio.TimeoutError:
            seconds = self._core.limits.body_seconds
            raise ServingError(Code.TOO_SLOW, f"The request did not arrive within {seconds:g} s.") from None
        encoding = request.headers.get("Content-Encoding", "identity").lower()
        return body if encoding == "identity" else _unpacked(body, encoding, limit)

    async def _maybe_in_thread(self, size_bytes: int, function: Callable, *arguments: Any) -> Any:
        if size_bytes <= _SMALL_BYTES:
            return function(*arguments)
        return await asyncio.get_running_loop().run_in_executor(self._executor, function, *arguments)

    def _status(self, target: Target) -> web.Response:
        response = messages.model_status(self._core.catalog, target.model, version=target.version, label=target.label)
        return _json(_to_dict(response))

    def _metadata(self, target: Target) -> web.Response:
        with self._core.catalog.use(target.model, version=target.version, label=target.label) as model:
            signatures = get_model_metadata_pb2.SignatureDefMap(signature_def=model.signature_defs)
            spec = {"name": model.name, "signature_name": "", "version": str(model.version)}
            return _json({"model_spec": spec, "metadata": {"signature_def": _to_dict(signatures)}})

    async def _list(self, request: web.BaseRequest) -> web.Response:
        """All models, for the page: an extension of TensorFlow Serving's API."""
        available = self._core.catalog.available()
        return _json({"models": [_listed(name, available.get(name, {})) for name in self._core.catalog.names()]})

    async def _health(self, request: web.BaseRequest) -> web.Response:
        return _json({"status": "alive"})

    async def _readiness(self, request: web.BaseRequest) -> web.Response:
        if self._core.draining or not self._core.catalog.ready:
            available = self._core.catalog.available()
            waiting = ", ".join(name for name, versions in available.items() if not versions)
            why = "shutting down" if self._core.draining else f"no version to serve of: {waiting or 'any model'}"
            raise ServingError(Code.UNAVAILABLE, f"Not ready, {why}.")
        return _json({"status": "ready"})

    async def _metrics(self, request: web.BaseRequest) -> web.Response:
        return web.Response(body=self._core.telemetry.page(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _page(self, request: web.BaseRequest) -> web.Response:
        content_type, body = PAGE_FILES[request.rel_url.raw_path]
        return web.Response(body=body, headers={**PAGE_HEADERS, "Content-Type": content_type})


async def _read_up_to(request: web.BaseRequest, limit: int) -> bytes:
    chunks, size = [], 0
    async for chunk in request.content.iter_any():
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        chunks.append(chunk)
    return b"".join(chunks)


def _unpacked(body: bytes, encoding: str, limit: int) -> bytes:
    """A body that was sent compressed, never more of it than the limit."""
    if encoding not in ("gzip", "deflate"):
        raise invalid(f"Content-Encoding must be gzip or deflate. Received: {shortened(encoding)}.")
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 32)  # Either header.
    try:
        unpacked = unpacker.decompress(body, limit + 1)
    except zlib.error as error:
        raise invalid(f"The body is not {encoding}: {error}") from None
    if len(unpacked) > limit:
        raise _too_large(limit)
    if not unpacker.eof:
        raise invalid(f"The body is not {encoding}: it is cut off")
    return unpacked


def _gone() -> web.Response:
    """For a client that has left: nobody reads it."""
    return web.Response(status=Code.CANCELLED.http_status)


def _too_large(limit: int) -> ServingError:
    return ServingError(Code.TOO_LARGE, f"A request may have {limit} bytes. Send less at once.")


def _target(name: str, version: str | None, label: str | None) -> Target:
    if version is not None and (len(version) > 19 or int(version) > _MAX_VERSION):
        raise invalid(f"Failed to convert version: {shortened(version)} to numeric.")
    return Target(unquote(name), None if version is None else int(version), None if label is None else unquote(label))


def _host_name(host: Any) -> str | None:
    try:
        return host.hostname
    except ValueError:
        return None


def _listed(name: str, versions: Mapping[int, Any]) -> dict[str, Any]:
    newest = next(iter(versions.values()), None)
    facts = newest.facts if newest else {"kind": "other"}
    return {"name": name, "versions": list(versions), "state": "AVAILABLE" if newest else "LOADING", **facts}


def _to_dict(message: Any) -> dict[str, Any]:
    return json_format.MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )


def _json(value: Any, *, status: int = 200) -> web.Response:
    return web.Response(text=json.dumps(value), status=status, content_type="application/json")


def _error(error: ServingError) -> web.Response:
    response = _json({"error": error.message}, status=error.code.http_status)
    if error.code in (Code.RESOURCE_EXHAUSTED, Code.UNAVAILABLE):
        response.headers["Retry-After"] = "1"
    if error.code in (Code.TOO_LARGE, Code.TOO_SLOW):
        response.force_close()
    return response
