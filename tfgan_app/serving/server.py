"""The server: ports, start, folder watch, and graceful shutdown."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import grpc
from aiohttp import web

from tfgan_app.serving.catalog import Catalog
from tfgan_app.serving.connections import LOGGER, ConnectionLimits
from tfgan_app.serving.core import Core
from tfgan_app.serving.grpc_requests import CHANNEL_OPTIONS, BoundedRequests
from tfgan_app.serving.grpc_services import add_services
from tfgan_app.serving.limits import Limits
from tfgan_app.serving.models_config import read_models_config
from tfgan_app.serving.origins import OriginRules
from tfgan_app.serving.rest import RestApi
from tfgan_app.serving.scheduler import Scheduler
from tfgan_app.serving.telemetry import Telemetry

_CODEC_THREADS = 2
_LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1")


def _print_line(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


@dataclass(frozen=True)
class Settings:
    """Settings of the server.

    Attributes:
        models: Folder of models, or of one model.
        host: Address to listen on.
        rest_port: Port for REST; 0 for any that is free.
        grpc_port: Port for gRPC; 0 for any that is free.
        workers: Number of model runs at the same time.
        keep_versions: Number of highest versions served for each model without rules in `models.config`.
        allow_hosts: Names of the server besides those of this machine (see `OriginRules`).
        allow_origins: Origins of other web pages that may use it (see `OriginRules`).
        poll_seconds: Time between two scans of the folder.
        grace_seconds: Time for pending requests when the server stops.
        limits: Bounds on requests.
        report: Receives one line for each event.
    """

    models: Path
    host: str = "127.0.0.1"
    rest_port: int = 8501
    grpc_port: int = 8500
    workers: int = 2
    keep_versions: int = 1
    allow_hosts: tuple[str, ...] = ()
    allow_origins: tuple[str, ...] = ()
    poll_seconds: float = 2.0
    grace_seconds: float = 30.0
    limits: Limits = field(default_factory=Limits)
    report: Callable[[str], None] = _print_line


class Server:
    """Server of a folder of models. Create, `start` and `stop` it on one event loop."""

    def __init__(self, settings: Settings) -> None:
        """Prepares the server; nothing is opened or loaded yet.

        Args:
            settings: Settings of the server.

        Raises:
            ValueError: If the folder does not exist, its `models.config` is invalid, or a host or origin to allow is
                malformed.
        """
        if not settings.models.is_dir():
            raise ValueError(f"`--models` must be a folder of exported models. Received: '{settings.models}'")
        read_models_config(settings.models)  # Later it can be corrected while the server runs; at start it is an error.
        self._settings = settings
        self._origins = OriginRules(
            local_only=settings.host in _LOCAL_HOSTS,
            allow_hosts=settings.allow_hosts,
            allow_origins=settings.allow_origins,
        )
        limits = settings.limits
        # Loading has its own thread, so that it never waits for JSON, nor JSON for it.
        self._loader = ThreadPoolExecutor(1, thread_name_prefix="model-loader")
        self._codec = ThreadPoolExecutor(_CODEC_THREADS, thread_name_prefix="json")
        self._scheduler = Scheduler(
            workers=settings.workers,
            max_queue=limits.max_queue,
            max_batch=limits.max_batch,
            on_batch=lambda model, rows: self.telemetry.count_batch(model.name, rows),
        )
        self._catalog = Catalog(
            settings.models,
            keep_versions=settings.keep_versions,
            executor=self._loader,
            report=settings.report,
        )
        self.telemetry = Telemetry(
            queue_length=lambda: len(self._scheduler),
            loaded=lambda: [(name, version) for name, all_ in self._catalog.available().items() for version in all_],
            failed=lambda: [(name, version) for name, all_ in self._catalog.failures().items() for version in all_],
            ready=lambda: self._catalog.ready,
            held_bytes=lambda: self._core.held.total,
        )
        self._core = Core(self._catalog, self._scheduler, self.telemetry, limits=limits, workers=settings.workers)
        self._watch: asyncio.Task | None = None
        self.rest_port = self.grpc_port = 0

    async def start(self) -> None:
        """Opens both ports and begins to load the models.

        Raises:
            OSError: If a port is taken.
        """
        await self._start_rest()
        try:
            await self._start_grpc()
        except BaseException:
            self._rest_listener.close()
            raise
        self._watch = asyncio.create_task(self._watch_folder())

    async def _start_rest(self) -> None:
        settings, loop = self._settings, asyncio.get_running_loop()
        api = RestApi(self._core, executor=self._codec, codec_threads=_CODEC_THREADS, origins=self._origins)
        # Idle connections are closed by our own timer, which must be the first.
        keep_seconds = 2 * settings.limits.idle_seconds
        self._web = web.Server(
            api.handle,
            access_log=None,
            logger=LOGGER,
            handler_cancellation=True,
            auto_decompress=False,  # Bounded in `RestApi`.
            keepalive_timeout=keep_seconds,
        )
        self._connections = ConnectionLimits(settings.limits)
        factory = self._connections.factory(self._web)
        self._rest_listener = await loop.create_server(factory, settings.host, settings.rest_port)
        self.rest_port = self._rest_listener.sockets[0].getsockname()[1]

    async def _start_grpc(self) -> None:
        settings, limits = self._settings, self._settings.limits
        options = [
            ("grpc.max_receive_message_length", limits.max_body_bytes),
            ("grpc.max_send_message_length", -1),
            ("grpc.so_reuseport", 0),
            ("grpc.max_connection_idle_ms", round(limits.idle_seconds * 1000)),
            ("grpc.server_handshake_timeout_ms", round(limits.head_seconds * 1000)),
            *CHANNEL_OPTIONS,
        ]
        # Requests beyond the queue are rejected on arrival, with RESOURCE_EXHAUSTED.
        self._grpc = grpc.aio.server(
            options=options,
            interceptors=[BoundedRequests(self._core.held, limits)],
            maximum_concurrent_rpcs=2 * limits.max_queue + settings.workers,
        )
        add_services(self._grpc, self._core)
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        _check_port(settings.host, settings.grpc_port)
        self.grpc_port = self._grpc.add_insecure_port(f"{host}:{settings.grpc_port}")
        await self._grpc.start()

    async def _watch_folder(self) -> None:
        while True:
            try:
                await self._catalog.refresh()
            except Exception as error:  # The watch must survive any failure of one scan.
                self._settings.report(f"Scanning '{self._settings.models}' failed: {error!r}")
            await asyncio.sleep(self._settings.poll_seconds)

    @property
    def ready(self) -> bool:
        """Whether the server has begun to serve."""
        return self._catalog.ready

    async def stop(self) -> None:
        """Rejects new requests, answers pending ones within the grace period, and closes everything."""
        grace = self._settings.grace_seconds
        self._core.draining = True
        self._rest_listener.close()
        self._watch.cancel()
        grpc_stopped = asyncio.ensure_future(self._grpc.stop(grace))
        deadline = asyncio.get_running_loop().time() + grace
        while self._core.calls and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.02)
        self._web.pre_shutdown()
        await self._web.shutdown(timeout=1.0)
        self._connections.close()
        self._scheduler.close()
        await grpc_stopped
        with contextlib.suppress(asyncio.CancelledError):
            await self._watch
        self._loader.shutdown(wait=False, cancel_futures=True)
        self._codec.shutdown(wait=False, cancel_futures=True)

    async def run_until_signal(self) -> None:
        """Starts, serves until SIGTERM or SIGINT, and stops."""
        stopping, loop = asyncio.Event(), asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stopping.set)
        await self.start()
        settings = self._settings
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        settings.report(
            f"Serving '{settings.models}' at http://{host}:{self.rest_port}/ and gRPC {host}:{self.grpc_port}"
        )
        await stopping.wait()
        settings.report("Stopping: pending requests are answered first")
        await self.stop()


def _check_port(host: str, port: int) -> None:
    """Raises OSError if a port is taken, as gRPC would, but without gRPC's log line."""
    family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            raise OSError(f"cannot listen on {host}:{port} for gRPC: {error.strerror}") from error
