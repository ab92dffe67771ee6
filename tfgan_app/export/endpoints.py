"""Writes the functions of a model as the signatures of a SavedModel."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import keras
import tensorflow as tf


def write_endpoints(model: keras.Model, endpoints: Mapping[str, tuple], path: Path) -> None:
    """Writes a SavedModel with a signature for each function, and the model's weights once.

    `keras.export.ExportArchive` of Keras 3.15 writes them twice: as variables of Keras, and as those of TensorFlow.

    Args:
        model: whose variables the functions use.
        endpoints: name -> (function that returns a dict of tensors, a `tf.TensorSpec` for each of its arguments).
        path: the folder to write.
    """
    module = tf.Module()
    module.model_variables = [variable.value for variable in model.variables]
    traced: dict[str, Callable] = {}
    for name, (function, *signature) in endpoints.items():
        traced[name] = tf.function(function, input_signature=signature, autograph=False)
        setattr(module, name, traced[name])
    signatures = {name: function.get_concrete_function() for name, function in traced.items()}
    tf.saved_model.save(module, str(path), signatures=signatures)
