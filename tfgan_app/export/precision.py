"""Exports compute in float32: 16-bit policies suit the machine that trained, not every one that serves."""

from __future__ import annotations

import keras

_POLICY = "DTypePolicy"


def as_float32(model: keras.Model) -> keras.Model:
    """A float32 copy of a model that was built under a mixed-precision policy.

    Args:
        model: A functional model, whose variables are float32 as mixed precision keeps them.

    Returns:
        The model itself where it computes in float32 already, else a copy with the same weights.
    """
    config = keras.saving.serialize_keras_object(model)
    rewritten = _in_float32(config)
    if rewritten == config:
        return model
    copy = keras.saving.deserialize_keras_object(rewritten)
    copy.set_weights(model.get_weights())
    return copy


def _in_float32(node: object) -> object:
    """Rewrites every serialised dtype policy in a nested configuration."""
    if isinstance(node, dict):
        if node.get("class_name") == _POLICY and str(node["config"].get("name")).startswith("mixed_"):
            return {**node, "config": {**node["config"], "name": "float32"}}
        return {key: _in_float32(value) for key, value in node.items()}
    if isinstance(node, (list, tuple)):
        return type(node)(_in_float32(value) for value in node)
    return node
