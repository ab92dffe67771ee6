"""REST: TensorFlow Serving's URLs, and extensions for users, probes and Prometheus."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Executor
from contextlib import ExitStack, nullcontext
from typing import Any
from urllib.parse import unquote

from aiohttp import web
from google.protobuf import json_format
from prometheus_client import CONTENT_TYPE_LATEST
from tensorflow_serving.apis import get_model_metadata_pb2

from tfgan_app.serving import image_bodies, json_answers, json_requests, messages
from tfgan_app.serving.bodies import read_body
from tfgan_app.serving.connections import connection_of
from tfgan_app.serving.core import Call, Core, Target
from tfgan_app.serving.errors import Code, ServingError, invalid, shortened
from tfgan_app.serving.origins import OriginRules
from tfgan_app.serving.page import PAGE_FILES, PAGE_HEADERS

_SMALL_BYTES = 2**16
"""JSON up to this size is handled on the event loop: a thread would take longer."""

_MODEL = r"/v1/models/([^/:]+)(?:/versions/(\d+)|/labels/([^/:]+))?"
_ACTION = re.compile(rf"(?i:{_MODEL}):(predict|classify|regress)")
_STATUS = re.compile(rf"(?i:{_MODEL}(/metadata)?)")
_MAX_VERSION = 2**63 - 1

_READ_METHODS = ("GET", "HEAD")

Handler = Callable[[web.BaseRequest], Awaitable[web.Response]]


class RestApi:
    """Answers HTTP requests."""

    def __init__(self, core: Core, *, executor: Executor, codec_threads: int, origins: OriginRules) -> None:
        """Makes the routes.

        Args:
            core: Answers the requests.
            executor: Runs the conversion of large JSON.
            codec_threads: Number of the executor's threads.
            origins: Rules for hosts and origins.
        """
        self._core = core
        self._executor = executor
        # A parsed body is several times as large: no more of them at a time than threads parse.
        self._codec_free = asyncio.Semaphore(codec_threads)
        self._origins = origins
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
            response = await self._answer(request)
            self._origins.add_headers(request, response)
            return response
        finally:
            connection.wait_for_client()

    async def _answer(self, request: web.BaseRequest) -> web.Response:
        try:
            return await self._dispatch(request)
        except ServingError as error:
            response = _error(error)
        except ConnectionError:
            return _gone()
        except (web.HTTPException, web.RequestPayloadError) as error:
            response = _error(invalid(f"The request is damaged: {shortened(str(error))}"))
        if "Expect" in request.headers and not request.content.is_eof():
            response.force_close()  # The client may or may not send its body, so the next bytes are ambiguous.
        return response

    async def _dispatch(self, request: web.BaseRequest) -> web.Response:
        self._origins.check(request)
        if self._origins.is_preflight(request):
            return self._origins.preflight(request)
        path = request.rel_url.raw_path
        if path in self._routes:
            if request.method not in _READ_METHODS:
                raise ServingError(Code.WRONG_METHOD, f"{path} is read with GET. Received: {request.method}.")
            return await self._routes[path](request)
        action = _ACTION.fullmatch(path) if request.method == "POST" else None
        if action:
            target = _target(*action.groups()[:3])
            if action[4].lower() != "predict":
                raise ServingError(Code.UNIMPLEMENTED, f"`:{action[4]}` is not implemented: models here only predict.")
            return await self._predict(request, target)
        status = _STATUS.fullmatch(path) if request.method in _READ_METHODS else None
        if status:
            target = _target(*status.groups()[:3])
            return self._metadata(target) if status[4] else self._status(target)
        message = f"Malformed request: {shortened(request.method)} {shortened(path)}"
        raise invalid(message) if path.lower().startswith("/v1/") else ServingError(Code.NOT_FOUND, message)

    async def _predict(self, request: web.BaseRequest, target: Target) -> web.Response:
        core = self._core
        with core.held.share() as share, ExitStack() as answering:
            if "Expect" in request.headers:
                core.check_target(target)  # The client waits for permission to send its body.
            body = await read_body(request, share, core.limits)
            call = answering.enter_context(core.call(target, protocol="rest"))
            if image_bodies.is_image_body(request.content_type, body):
                return await image_bodies.answer(core, call, request, body)
            inputs, rows = await self._read_inputs(body, call, answering)
            del body
            outputs = await core.predict(call, inputs)
            size_bytes = 8 * sum(array.size for array in outputs.values() if hasattr(array, "size"))
            answer = await self._maybe_in_thread(size_bytes, json_answers.write_outputs, outputs, rows)
        return web.Response(body=answer, content_type="application/json")

    async def _read_inputs(self, body: bytes, call: Call, answering: ExitStack) -> tuple[dict[str, Any], bool]:
        """Inputs of a call and whether they came as rows; its model stays loaded until `answering` ends."""
        size_bytes = len(body)
        async with self._codec_free if size_bytes > _SMALL_BYTES else nullcontext():
            document = await self._maybe_in_thread(size_bytes, json_requests.parse, body)
            call.target = dataclasses.replace(call.target, signature=document.signature)
            endpoint = answering.enter_context(self._core.resolved(call))
            return await self._maybe_in_thread(size_bytes, json_requests.read_inputs, document, endpoint)

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
        catalog = self._core.catalog
        available, failures = catalog.available(), catalog.failures()
        return _json(
            {"models": [_listed(name, available.get(name, {}), failures.get(name, {})) for name in catalog.names()]}
        )

    async def _health(self, request: web.BaseRequest) -> web.Response:
        return _json({"status": "alive"})

    async def _readiness(self, request: web.BaseRequest) -> web.Response:
        catalog = self._core.catalog
        if self._core.draining or not catalog.ready:
            waiting = ", ".join(name for name, versions in catalog.available().items() if not versions)
            why = "shutting down" if self._core.draining else f"no version to serve of: {waiting or 'any model'}"
            raise ServingError(Code.UNAVAILABLE, f"Not ready, {why}.")
        return _json({"status": "ready"})

    async def _metrics(self, request: web.BaseRequest) -> web.Response:
        return web.Response(body=self._core.telemetry.page(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _page(self, request: web.BaseRequest) -> web.Response:
        content_type, body = PAGE_FILES[request.rel_url.raw_path]
        return web.Response(body=body, headers={**PAGE_HEADERS, "Content-Type": content_type})


def _gone() -> web.Response:
    """Answer for a client that has left, which nobody reads."""
    return web.Response(status=Code.CANCELLED.http_status)


def _target(name: str, version: str | None, label: str | None) -> Target:
    if version is not None and (len(version) > 19 or int(version) > _MAX_VERSION):
        raise invalid(f"Failed to convert version: {shortened(version)} to numeric.")
    return Target(unquote(name), None if version is None else int(version), None if label is None else unquote(label))


def _listed(name: str, versions: Mapping[int, Any], failures: Mapping[int, str]) -> dict[str, Any]:
    newest = next(iter(versions.values()), None)
    facts = newest.facts if newest else {"kind": "other"}
    state = "AVAILABLE" if newest else "END" if failures else "LOADING"
    return {"name": name, "versions": list(versions), "state": state, **facts}


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
