"""A server on its own event loop in this process, and models for it whose answers can be computed by hand."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import io
import json
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import keras
import numpy as np
import tensorflow as tf
from PIL import Image
from tensorflow_serving.apis import model_service_pb2_grpc, predict_pb2, prediction_service_pb2_grpc

from tfgan_app.export import export_model
from tfgan_app.serving import Limits, Server, Settings

SESSION_FOLDER = "TFGAN_APP_TESTS_FOLDER"
"""The variable that names a folder for what the tests of a process share; pytest removes it later."""


def export_negative(folder: Path, name: str = "negative", *, level: float = 1.0) -> Path:
    """Exports a model of images that answers `level - input`, at any size.

    An export takes seconds: each level is exported once a process, and copied.
    """
    exported = Path(os.environ[SESSION_FOLDER]) / "exports" / str(level)
    if not exported.exists():
        _export_negative(exported, level)
    versions = folder / name
    versions.mkdir(parents=True, exist_ok=True)
    version = versions / str(1 + max((int(path.name) for path in versions.glob("[0-9]*")), default=0))
    unfinished = shutil.copytree(exported / "negative" / "1", versions / f".{version.name}")
    return unfinished.rename(version)  # At once, as a server may be watching.


def _export_negative(folder: Path, level: float) -> None:
    inputs = keras.Input((None, None, 3))
    convolution = keras.layers.Conv2D(3, 1)
    model = keras.Model(inputs, convolution(inputs))
    convolution.set_weights([-np.eye(3, dtype=np.float32)[None, None], np.full(3, level, np.float32)])
    export_model(model, format="saved_model", output_dir=folder, name="negative")


def save_module(path: Path, **functions: tf.types.experimental.GenericFunction) -> Path:
    """Saves functions as the signatures of a SavedModel."""
    module = tf.Module()
    for name, function in functions.items():
        setattr(module, name, function)
    tf.saved_model.save(
        module, str(path), {name: function.get_concrete_function() for name, function in functions.items()}
    )
    return path


UNTIL_RELEASED = 3600.0
"""The `seconds` with which `sleeper` waits for the end of `held_sleepers`, however slow the machine is."""

_released = threading.Event()


@contextlib.contextmanager
def held_sleepers() -> Iterator[Callable[[], None]]:
    """Yields a function that ends all waits of `UNTIL_RELEASED`; they end with the context at the latest."""
    _released.clear()
    try:
        yield _released.set
    finally:
        _released.set()


@tf.function(input_signature=[tf.TensorSpec([None], tf.float32, name="seconds")])
def _sleep(seconds):
    """Takes as long as it is told to."""

    def wait(values):
        longest = float(values.max())
        if longest == UNTIL_RELEASED:
            assert _released.wait(300), "nobody released it"
        else:
            time.sleep(longest)
        return values

    slept = tf.numpy_function(wait, [seconds], tf.float32, stateful=True)
    slept.set_shape([None])
    return {"seconds": slept}


def save_sleeper(folder: Path, version: int = 1) -> Path:
    """Saves `sleeper`, which answers after the largest of the `seconds` it gets. Works in this process only.

    `UNTIL_RELEASED` seconds end when the test says so.
    """
    return save_module(folder / "sleeper" / str(version), serving_default=_sleep)


def png(image: np.ndarray, file_format: str = "PNG") -> bytes:
    """The bytes of an image file."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, file_format)
    return buffer.getvalue()


def random_image(height: int, width: int) -> np.ndarray:
    """uint8 `[height, width, 3]`, the same for the same size."""
    return np.random.default_rng(height * width).integers(0, 256, (height, width, 3), np.uint8)


class LiveServer:
    """A started server, with a client for each protocol.

    Attributes:
        server: The server.
        reports: The lines that it reported.
    """

    def __init__(self, models: Path, **settings: Any) -> None:
        """Starts a server on free ports. `Settings` are keyword arguments, and so are those of `Limits`."""
        self.reports: list[str] = []
        limits = {key: settings.pop(key) for key in list(settings) if key in Limits.__dataclass_fields__}
        settings = {"poll_seconds": 0.05, "grace_seconds": 30.0, **settings, "limits": Limits(**limits)}
        self.server = Server(
            Settings(models=Path(models), rest_port=0, grpc_port=0, report=self.reports.append, **settings)
        )
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.run(self.server.start())
        self._channel = grpc.insecure_channel(
            f"127.0.0.1:{self.server.grpc_port}", [("grpc.max_receive_message_length", -1)]
        )
        self.predictions = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)
        self.models = model_service_pb2_grpc.ModelServiceStub(self._channel)
        self.channel = self._channel

    def run(self, work: Any, timeout: float = 240.0) -> Any:
        """Awaits something on the server's loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout)

    def wait_until(self, condition: Callable[[], Any], timeout: float = 120.0) -> None:
        """Waits until a condition holds; fails if it does not in time."""
        end = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < end, f"still not so after {timeout} s; the server said: {self.reports}"
            time.sleep(0.02)

    def request(self, method: str, path: str, body: Any = None, headers: dict | None = None) -> tuple[int, Any]:
        """Sends a REST request, and returns the status and the parsed answer.

        A body goes as it is if it is bytes, in chunks if it is an iterator, and as JSON if it is anything else.
        """
        status, received, text = self.request_with_headers(method, path, body, headers)
        is_json = received.get_content_type() == "application/json"
        return status, json.loads(text) if is_json else text

    def request_with_headers(
        self, method: str, path: str, body: Any = None, headers: dict | None = None
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        """`request`, which returns the headers too, and the body as it came."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.rest_port, timeout=240)
        with contextlib.closing(connection):
            data = body if body is None or isinstance(body, (bytes, Iterator)) else json.dumps(body).encode()
            connection.request(method, path, data, headers or {})
            response = connection.getresponse()
            return response.status, response.headers, response.read()

    def post(self, path: str, body: Any) -> tuple[int, Any]:
        """`request` with POST to `/v1/models/` and `path`."""
        return self.request("POST", f"/v1/models/{path}", body)

    def predict(self, model: str, signature: str = "", *, timeout: float = 240, **inputs: Any) -> dict[str, np.ndarray]:
        """Sends a gRPC request for the newest version, and returns the outputs."""
        response = self.predictions.Predict(predict_request(model, signature, **inputs), timeout=timeout)
        return {name: tf.make_ndarray(proto) for name, proto in response.outputs.items()}

    def close(self) -> None:
        """Stops the server and its loop."""
        self._channel.close()
        self.run(self.server.stop())
        self.run(asyncio.sleep(0.1))  # Connections that were just being made see that it has ended.
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


def predict_request(model: str, signature: str = "", **inputs: Any) -> predict_pb2.PredictRequest:
    """A gRPC request as the official client makes it."""
    request = predict_pb2.PredictRequest()
    request.model_spec.name = model
    request.model_spec.signature_name = signature
    for name, value in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    return request


@contextlib.contextmanager
def live_server(models: Path, *, wait: bool = True, **settings: Any) -> Iterator[LiveServer]:
    """A `LiveServer` that has loaded its models."""
    live = LiveServer(models, **settings)
    try:
        if wait:
            live.wait_until(lambda: live.server.ready, timeout=300.0)
        yield live
    finally:
        live.close()
