"""One version of a model: loading, warm-up, and description."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_serving.apis import prediction_log_pb2

from tfgan_app.model_info import ModelInfo, Signature, signatures_info
from tfgan_app.serving.endpoints import Endpoint
from tfgan_app.serving.errors import ServingError
from tfgan_app.serving.image_files import ImageEndpoint
from tfgan_app.serving.model_cards import card_facts
from tfgan_app.serving.tensors import read_inputs

DEFAULT_SIGNATURE = "serving_default"
MODEL_FILE = "saved_model.pb"

_WARM_UP_FILE = Path("assets.extra", "tf_serving_warmup_requests")
_MAX_WARM_UP_REQUESTS = 1000
_SERVE_TAG = "serve"


class ModelVersion:
    """A loaded version of a model.

    Attributes:
        name: Name of the model.
        version: Version number.
        signature_defs: Name -> `SignatureDef` proto, as in the file.
        endpoints: Name -> `Endpoint`, for signatures that can be called.
        facts: Facts for the page: `kind` (`images`, `latents` or `other`), and where they apply `channels`, `scale`,
            `takes_style`, `classes`, and those of `card_facts`.
        info: Description of the model.
        users: Number of requests that use it; owned by the event loop.
    """

    def __init__(self, name: str, version: int, path: Path) -> None:
        """Loads a version.

        Args:
            name: Name of the model.
            version: Version number.
            path: The folder with `saved_model.pb`.

        Raises:
            Exception: Any that TensorFlow raises on a folder that is not a SavedModel.
        """
        self.name = name
        self.version = version
        self.users = 0
        self.signature_defs = _read_signature_defs(path)
        # Kept alive as long as its functions are called: they hold no reference to its variables.
        self._loaded = tf.saved_model.load(str(path))
        self.endpoints = {
            key: Endpoint.from_signature(key, self.signature_defs[key], function)
            for key, function in self._loaded.signatures.items()
            if key in self.signature_defs
        }
        self.info = _info(self.endpoints)
        self.facts = _page_facts(self.info) | card_facts(path)
        self.endpoints = {key: ImageEndpoint.wrap(endpoint, self.info) for key, endpoint in self.endpoints.items()}

    def warm_up(self, path: Path) -> int:
        """Replays the recorded warm-up requests of a version; limits on clients do not apply to them.

        Args:
            path: The version's folder.

        Returns:
            Number of replayed requests.

        Raises:
            ValueError: If the file is damaged or a request in it fails.
        """
        count = 0
        for request in _warm_up_requests(path / _WARM_UP_FILE):
            count += 1
            try:
                endpoint = self.endpoints[request.model_spec.signature_name or DEFAULT_SIGNATURE]
                inputs = read_inputs(request.inputs, endpoint, max_pixels=sys.maxsize)
                endpoint.check(inputs, max_batch=sys.maxsize, max_pixels=sys.maxsize)
                endpoint.run(inputs)
            except (ServingError, KeyError, tf.errors.OpError) as error:
                raise ValueError(f"warm-up request {count} of '{path / _WARM_UP_FILE}' fails: {error}") from error
        return count


def _read_signature_defs(path: Path) -> dict[str, Any]:
    saved_model = saved_model_pb2.SavedModel.FromString((path / MODEL_FILE).read_bytes())
    graphs = [graph for graph in saved_model.meta_graphs if _SERVE_TAG in graph.meta_info_def.tags]
    if not graphs:
        raise ValueError(f"'{path / MODEL_FILE}' holds no graph with the tag '{_SERVE_TAG}'")
    return dict(graphs[0].signature_def)


def _warm_up_requests(path: Path) -> Iterator[Any]:
    if not path.is_file():
        return
    try:
        for record in tf.data.TFRecordDataset(str(path)).take(_MAX_WARM_UP_REQUESTS).as_numpy_iterator():
            log = prediction_log_pb2.PredictionLog.FromString(record)
            if log.HasField("predict_log"):
                yield log.predict_log.request
    except (tf.errors.OpError, DecodeError) as error:
        raise ValueError(f"'{path}' cannot be read: {error}") from error


def _info(endpoints: Mapping[str, Endpoint]) -> ModelInfo:
    signatures = {
        key: Signature({name: info.shape for name, info in endpoint.inputs.items()}, endpoint.run)
        for key, endpoint in endpoints.items()
    }
    return signatures_info(signatures, default=DEFAULT_SIGNATURE)


def _page_facts(info: ModelInfo) -> dict[str, Any]:
    if info.kind == "other":
        return {"kind": "other"}
    if info.kind == "noise":
        return {"kind": "latents", **({"classes": list(info.classes)} if info.classes else {})}
    style = {"takes_style": True} if info.kind == "style" else {}
    known = {} if info.receptive_field is None else {"channels": info.channels, "scale": info.scale}
    return {"kind": "images", **style, **known}
