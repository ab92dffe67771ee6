"""Protocol messages shared by REST and gRPC answers."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
from tensorflow_serving.apis import get_model_status_pb2

from tfgan_app.serving.catalog import Catalog
from tfgan_app.serving.entries import State


def model_status(catalog: Catalog, name: str, *, version: int | None, label: str | None) -> Any:
    """A `GetModelStatusResponse` for one version of a model, or all.

    Raises:
        ServingError: NOT_FOUND, if there is no such model or version.
    """
    response = get_model_status_pb2.GetModelStatusResponse()
    for number, entry in catalog.statuses(name, version=version, label=label).items():
        status = response.model_version_status.add(version=number)
        status.state = get_model_status_pb2.ModelVersionStatus.State.Value(entry.state.value)
        status.status.error_code = tf.errors.OK
        if entry.state is State.END:
            status.status.error_code = tf.errors.UNKNOWN
            status.status.error_message = entry.error
    return response
