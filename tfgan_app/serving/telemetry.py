"""Prometheus metrics: requests, latency, batches, queue and loaded models."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily

_LATENCY_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_BATCH_ROWS = (1, 2, 4, 8, 16, 32, 64, 128)


class Telemetry:
    """Metrics of one server, in a separate registry."""

    def __init__(
        self,
        *,
        queue_length: Callable[[], int],
        held_bytes: Callable[[], int],
        loaded: Callable[[], Iterable[tuple[str, int]]],
        failed: Callable[[], Iterable[tuple[str, int]]],
        ready: Callable[[], bool],
    ) -> None:
        """Makes the metrics.

        Args:
            queue_length: Number of waiting requests.
            held_bytes: Bytes of requests held now.
            loaded: Names and versions of loaded models.
            failed: Names and versions that cannot be loaded.
            ready: Whether the server has begun to serve.
        """
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "tfgan_requests",
            "Answered requests. Unknown models have an empty name.",
            ["model", "version", "signature", "protocol", "code"],
            registry=self._registry,
        )
        self._latency = Histogram(
            "tfgan_request_seconds",
            "Time from a complete request to its answer.",
            ["model", "protocol"],
            buckets=_LATENCY_SECONDS,
            registry=self._registry,
        )
        self._batches = Histogram(
            "tfgan_batch_rows",
            "Rows of each model run, from one or more requests.",
            ["model"],
            buckets=_BATCH_ROWS,
            registry=self._registry,
        )
        queue = Gauge("tfgan_queue_length", "Requests that wait for a worker.", registry=self._registry)
        queue.set_function(queue_length)
        readiness = Gauge("tfgan_ready", "1 if the server has begun to serve.", registry=self._registry)
        readiness.set_function(lambda: float(ready()))
        held = Gauge("tfgan_held_bytes", "Bytes of requests held now.", registry=self._registry)
        held.set_function(held_bytes)
        text = "1 for each version that answers."
        self._registry.register(_ModelVersions("tfgan_model_loaded", text, loaded))
        text = "1 for each version that cannot be loaded."
        self._registry.register(_ModelVersions("tfgan_model_failed", text, failed))

    def count(self, labels: dict[str, str], started: float) -> None:
        """Counts an answered request.

        Args:
            labels: `model`, `version`, `signature` (empty if unknown), `protocol` and `code`.
            started: `time.perf_counter()` when the request came.
        """
        self._requests.labels(**labels).inc()
        latency = self._latency.labels(model=labels["model"], protocol=labels["protocol"])
        latency.observe(time.perf_counter() - started)

    def count_batch(self, model: str, rows: int) -> None:
        """Counts a model run."""
        self._batches.labels(model=model).observe(rows)

    def page(self) -> bytes:
        """The metrics in Prometheus' text format."""
        return generate_latest(self._registry)


class _ModelVersions:
    """Gauge collected on demand, so that unloaded versions leave no series behind."""

    def __init__(self, name: str, text: str, versions: Callable[[], Iterable[tuple[str, int]]]) -> None:
        self._name, self._text, self._versions = name, text, versions

    def collect(self) -> Iterator[GaugeMetricFamily]:
        family = GaugeMetricFamily(self._name, self._text, labels=["model", "version"])
        for name, version in self._versions():
            family.add_metric([name, str(version)], 1)
        yield family
