"""One version of a model: loading, warming up, and what can be told about it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_serving.apis import prediction_log_pb2

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
        name: Of the model.
        version: Its number.
        signature_defs: name -> `SignatureDef` proto, as the file has them.
        endpoints: name -> `Endpoint`, of those that can be called.
        facts: What the page needs to know: `kind` (`pictures`, `latents` or `other`), and where it applies `channels`,
            `scale`, `takes_style`, `classes`, and those of `card_facts`.
        users: Requests that are using it; owned by the event loop.
    """

    def __init__(self, name: str, version: int, path: Path) -> None:
        """Loads a version.

        Args:
            name: Of the model.
            version: Its number.
            path: The folder with `saved_model.pb`.

        Raises:
            Exception: Whatever TensorFlow raises on a folder that is no SavedModel.
        """
        self.name = name
        self.version = version
        self.users = 0
        self.signature_defs = _read_signature_defs(path)
        # Alive as long as its functions are called: they hold no reference to its variables.
        self._loaded = tf.saved_model.load(str(path))
        self.endpoints = {
            key: Endpoint.from_signature(key, self.signature_defs[key], function)
            for key, function in self._loaded.signatures.items()
            if key in self.signature_defs
        }
        self.facts = _describe(self.endpoints)
        self.bytes_per_px = self.facts.pop("bytes_per_px", 0)
        self.facts |= card_facts(path)
        self.endpoints = {key: ImageEndpoint.wrap(endpoint, self.facts) for key, endpoint in self.endpoints.items()}

    def warm_up(self, path: Path) -> int:
        """Replays the recorded requests that a version may come with; the bounds of clients do not apply to them.

        Args:
            path: The version's folder.

        Returns:
            How many requests were replayed.

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


def _describe(endpoints: Mapping[str, Endpoint]) -> dict[str, Any]:
    default = endpoints.get(DEFAULT_SIGNATURE)
    names = set(default.inputs) if default else set()
    if names == {"image_bytes"}:
        return {"kind": "pictures", **_locality(endpoints)}
    if names == {"image_bytes", "style_bytes"}:
        return {"kind": "pictures", "takes_style": True, **_locality(endpoints)}
    if names in ({"seeds"}, {"seeds", "classes"}):
        return {"kind": "latents", **_classes(endpoints)}
    return {"kind": "other"}


def _locality(endpoints: Mapping[str, Endpoint]) -> dict[str, Any]:
    """What a model of pictures tells about itself, for one pixel."""
    endpoint = endpoints.get("locality")
    shape = endpoint.inputs["images"].shape if endpoint and "images" in endpoint.inputs else None
    if shape is None or len(shape) != 4 or shape[-1] is None:
        return {}
    told = endpoint.run({"images": np.zeros((1, 1, 1, shape[-1]), np.uint8)})
    known = {name: int(told[name][0]) for name in ("scale", "bytes_per_px") if name in told}
    return {"channels": shape[-1], **known}


def _classes(endpoints: Mapping[str, Endpoint]) -> dict[str, Any]:
    endpoint = endpoints.get("class_names")
    if endpoint is None or set(endpoint.inputs) != {"labels"}:
        return {}
    count = int(endpoint.run({"labels": np.zeros(1, np.int32)})["count"][0])
    names = endpoint.run({"labels": np.arange(count, dtype=np.int32)})["names"]
    return {"classes": [name.decode(errors="replace") for name in names]}
