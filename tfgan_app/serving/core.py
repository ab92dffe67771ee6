"""Request handling shared by REST and gRPC: model lookup, bounds, execution, timing and counting."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from tfgan_app.serving.catalog import Catalog
from tfgan_app.serving.endpoints import Endpoint
from tfgan_app.serving.errors import Code, ServingError, invalid, shortened
from tfgan_app.serving.held_bytes import HeldBytes
from tfgan_app.serving.limits import Limits
from tfgan_app.serving.saved_models import DEFAULT_SIGNATURE, ModelVersion
from tfgan_app.serving.scheduler import Scheduler
from tfgan_app.serving.telemetry import Telemetry

_MIN_BOUNDED_PIXELS = 64 * 64
"""Pixels allowed for any memory size, since the estimate holds for large images."""


@dataclass(frozen=True)
class Target:
    """Addressee of a request, from the client: at most one of `version` and `label`; no signature means the default."""

    model: str
    version: int | None = None
    label: str | None = None
    signature: str = ""


@dataclass
class Call:
    """A request that is being answered.

    Attributes:
        target: Addressee of the request.
        started: `time.perf_counter()` when the request was complete.
        model: The version that answers, once it is known.
        endpoint: The signature that answers, once it is known.
    """

    target: Target
    started: float
    model: ModelVersion | None = None
    endpoint: Endpoint | None = None


class Core:
    """Protocol-independent request handling. Its methods run on the event loop."""

    def __init__(self, catalog: Catalog, scheduler: Scheduler, telemetry: Telemetry, *, limits: Limits, workers: int):
        """Stores the parts.

        Args:
            catalog: The models.
            scheduler: Runs the models.
            telemetry: Counts requests and outcomes.
            limits: Bounds on requests.
            workers: Number of runs that share `limits.memory_bytes`.
        """
        self.catalog = catalog
        self.telemetry = telemetry
        self.limits = limits
        self._scheduler = scheduler
        self._workers = workers
        self.held = HeldBytes(limits.max_pending_bytes)
        self.draining = False
        self.calls = 0

    def check_target(self, target: Target) -> None:
        """Checks the addressee before the rest of a request has arrived.

        Raises:
            ServingError: NOT_FOUND or UNAVAILABLE, as `resolved`.
        """
        if self.draining:
            raise _shutting_down()
        with self.catalog.use(target.model, version=target.version, label=target.label):
            pass

    @contextmanager
    def call(self, target: Target, *, protocol: str) -> Iterator[Call]:
        """Counts a request and its outcome while the block answers it."""
        call = Call(target, time.perf_counter())
        code = "OK"
        self.calls += 1
        try:
            if self.draining:
                raise _shutting_down()
            yield call
        except ServingError as error:
            code = error.code.grpc_name
            raise
        except asyncio.CancelledError:
            code = Code.CANCELLED.grpc_name
            raise
        except Exception:
            code = Code.INTERNAL.grpc_name
            raise
        finally:
            self.calls -= 1
            model, endpoint = call.model, call.endpoint
            labels = {
                "model": model.name if model else "",
                "version": str(model.version) if model else "",
                "signature": endpoint.name if endpoint else "",
                "protocol": protocol,
                "code": code,
            }
            self.telemetry.count(labels, call.started)

    @contextmanager
    def resolved(self, call: Call) -> Iterator[Endpoint]:
        """Finds the signature of a call and keeps its model loaded while the block runs.

        Raises:
            ServingError: NOT_FOUND or UNAVAILABLE for the model, FAILED_PRECONDITION for the signature.
        """
        target = call.target
        with self.catalog.use(target.model, version=target.version, label=target.label) as model:
            call.model = model
            name = target.signature or DEFAULT_SIGNATURE
            if name not in model.endpoints:
                raise ServingError(
                    Code.FAILED_PRECONDITION,
                    f'Serving signature name: "{shortened(name)}" not found in signature def. '
                    f"There are: {', '.join(sorted(model.endpoints)) or 'none'}.",
                )
            call.endpoint = model.endpoints[name]
            yield call.endpoint

    def max_pixels(self, call: Call) -> int:
        """Pixels that a request to the model may have, by the limit and by the model's memory per pixel."""
        bytes_per_px = call.model.info.bytes_per_px
        if not bytes_per_px or self.limits.memory_bytes is None:
            return self.limits.max_pixels
        affordable = self.limits.memory_bytes // (self._workers * bytes_per_px)
        return min(self.limits.max_pixels, max(affordable, _MIN_BOUNDED_PIXELS))

    async def predict(
        self,
        call: Call,
        inputs: Mapping[str, np.ndarray],
        *,
        output_filter: Iterable[str] = (),
        timeout_seconds: float | None = None,
    ) -> dict[str, np.ndarray]:
        """Checks the inputs of a resolved call and runs its signature on them.

        Args:
            call: A call inside `resolved`.
            inputs: Name -> array.
            output_filter: Names of the outputs to return; all if empty.
            timeout_seconds: Time that the client waits, if less than the server allows.

        Returns:
            Name -> array, sorted by name.

        Raises:
            ServingError: INVALID_ARGUMENT, RESOURCE_EXHAUSTED, DEADLINE_EXCEEDED, or INTERNAL.
        """
        endpoint, limits = call.endpoint, self.limits
        wanted = _checked_filter(endpoint, list(output_filter))
        rows = endpoint.check(inputs, max_batch=limits.max_batch, max_pixels=self.max_pixels(call))
        seconds = limits.timeout_seconds if timeout_seconds is None else min(timeout_seconds, limits.timeout_seconds)
        try:
            running = self._scheduler.run(call.model, endpoint, inputs, rows=rows)
            outputs = await asyncio.wait_for(running, seconds)
        except asyncio.TimeoutError:  # Not the builtin before Python 3.11.
            raise ServingError(
                Code.DEADLINE_EXCEEDED, f"No answer within {seconds:g} s. Send less at once, or try later."
            ) from None
        return {name: outputs[name] for name in wanted}


def _shutting_down() -> ServingError:
    return ServingError(Code.UNAVAILABLE, "The server is shutting down.")


def _checked_filter(endpoint: Endpoint, names: list[str]) -> list[str]:
    for name in names:
        if name not in endpoint.outputs:
            known = ", ".join(sorted(endpoint.outputs))
            raise invalid(f"output tensor alias not found in signature: {shortened(name)}. There are: {known}.")
    if len(set(names)) < len(names):
        raise invalid(f"duplicate output tensor alias in: {', '.join(names)}.")
    return names or sorted(endpoint.outputs)
