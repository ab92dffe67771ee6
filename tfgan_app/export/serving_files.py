"""Files that TensorFlow Serving reads beside a SavedModel: warm-up requests and its configuration."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tensorflow as tf
from google.protobuf import text_format
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2
from tensorflow_serving.config import model_server_config_pb2

from tfgan_app.export.request import ExportRequest
from tfgan_app.files import atomic_path
from tfgan_app.image_io.loading import encode_png

WARMUP_FILE = "assets.extra/tf_serving_warmup_requests"
CONFIG_FILE = "models.config"

ALLOWED_BATCH_SIZES = (1, 2, 4, 8)
"""TensorFlow Serving pads batches to the next of these sizes, which limits the number of shapes."""

MODELS_ROOT = "/models"
"""Mount point of the folder of exported models in TensorFlow Serving's container."""

_WARMUP_PX = 64

_FILES = {
    "batching_parameters.txt": f"""\
# Requests that arrive together run as one batch; a lone one does not wait long. Images of different sizes that are
# sent as `tensor` or `float` cannot share a batch, and TensorFlow Serving refuses them then: send files (`bytes`),
# images of one size, or leave batching off.
max_batch_size {{ value: {ALLOWED_BATCH_SIZES[-1]} }}
batch_timeout_micros {{ value: 2000 }}
max_enqueued_batches {{ value: 64 }}
num_batch_threads {{ value: 2 }}
{"".join(f"allowed_batch_sizes: {size}{chr(10)}" for size in ALLOWED_BATCH_SIZES)}""",
    "monitoring.config": """\
# Prometheus asks the REST port for this path.
prometheus_config {
  enable: true
  path: "/monitoring/prometheus/metrics"
}
""",
}


def write_warmup(version: Path, request: ExportRequest) -> None:
    """Writes a request for each signature and allowed batch size, which a server runs before it accepts others.

    Args:
        version: The folder of a SavedModel.
        request: The export's request; its first held-out image is sent.
    """
    loaded = tf.saved_model.load(str(version))
    path = version / WARMUP_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for name, signature in loaded.signatures.items():
            specs = signature.structured_input_signature[1]
            for batch in ALLOWED_BATCH_SIZES:
                log = prediction_log_pb2.PredictionLog()
                _fill(log.predict_log.request, request, name=name, specs=specs, batch=batch)
                writer.write(log.SerializeToString())


def _fill(message: predict_pb2.PredictRequest, request: ExportRequest, *, name: str, specs: dict, batch: int) -> None:
    message.model_spec.name = request.name
    message.model_spec.signature_name = name
    for key, spec in specs.items():
        values = np.stack([_example(key, spec, request, index) for index in range(batch)])
        message.inputs[key].CopyFrom(tf.make_tensor_proto(values, dtype=spec.dtype))


def _example(key: str, spec: tf.TensorSpec, request: ExportRequest, index: int) -> np.ndarray | bytes:
    """One input without its batch dimension."""
    if key == "classes":
        return np.array(request.classes[index % len(request.classes)].encode(), object)
    if key in ("seeds", "labels"):
        return np.array(0 if key == "labels" else index, spec.dtype.as_numpy_dtype)
    if key == "prompts":
        return np.array(b"a text", object)
    if key == "tokens":
        return np.zeros(spec.shape[1:], np.int32)
    if key == "strength" or key.endswith("_statistics"):
        return np.ones(spec.shape[1:], np.float32)
    if key == "latents":
        return np.zeros(spec.shape[1:], np.float32)
    channels = spec.shape[-1] if spec.shape.rank == 4 else 3
    image = _image(request, channels)
    if key in ("image_bytes", "style_bytes"):
        return np.array(encode_png(image), object)
    return image.astype(spec.dtype.as_numpy_dtype) / (255 if spec.dtype.is_floating else 1)


def _image(request: ExportRequest, channels: int) -> np.ndarray:
    """A corner crop of a held-out image, uint8 [64, 64, channels], or gray if there is none."""
    for source, _ in request.held_out:
        if min(source.shape[:2]) >= _WARMUP_PX and source.shape[2] == channels:
            corner = source[:_WARMUP_PX, :_WARMUP_PX]
            return corner if corner.dtype == np.uint8 else np.rint(corner * 255.0).astype(np.uint8)
    return np.full((_WARMUP_PX, _WARMUP_PX, channels), 128, np.uint8)


def write_configuration(version: Path) -> None:
    """Updates TensorFlow Serving's files in the folder of all exported models.

    `models.config` lists the SavedModels of the folder; manual entries in it are kept. The other files are written
    only if they are missing.

    Args:
        version: The new version folder.

    Raises:
        ValueError: If `models.config` cannot be read.
    """
    root = version.parent.parent
    config = read_models_config(root / CONFIG_FILE)
    listed = config.model_config_list.config
    known = {entry.name for entry in listed}
    for name in sorted(set(_served(root)) - known):
        listed.add(name=name, base_path=f"{MODELS_ROOT}/{name}", model_platform="tensorflow")
    with atomic_path(root / CONFIG_FILE) as unfinished:
        unfinished.write_text(text_format.MessageToString(config), encoding="utf-8")
    for name, text in _FILES.items():
        if not (root / name).exists():
            with atomic_path(root / name) as unfinished:
                unfinished.write_text(text, encoding="utf-8")


def read_models_config(path: Path) -> model_server_config_pb2.ModelServerConfig:
    """TensorFlow Serving's list of models; empty if there is no file.

    Raises:
        ValueError: If the file is not such a list. One line.
    """
    config = model_server_config_pb2.ModelServerConfig()
    if path.exists():
        try:
            text_format.Parse(path.read_text(encoding="utf-8"), config)
        except (text_format.ParseError, UnicodeDecodeError) as error:
            raise ValueError(f"'{path}' is not a model list of TensorFlow Serving: {error}. Correct it.") from error
    return config


def _served(root: Path) -> Iterator[str]:
    for path in root.glob("*/*/saved_model.pb"):
        if path.parent.name.isdecimal():
            yield path.parent.parent.name
