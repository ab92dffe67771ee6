"""The layer of a network where an export begins to differ from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import keras
import numpy as np
import tensorflow as tf

from tfgan_app.export.request import Batch

LEAST_DB = {"none": 60.0, "float16": 40.0, "dynamic": 20.0, "int8": 20.0}
"""Signal-to-noise ratio below which a layer's output counts as different, by quantization, in dB."""

MAX_RATIO_DB = 140.0
"""Resolution of float32 in dB."""

_TINY = 1e-12


def layer_outputs(model: keras.Model, inputs: Batch) -> dict[str, tf.Tensor]:
    """Outputs of each layer in execution order, in inference mode.

    Args:
        model: A functional model; nested models are included.
        inputs: Inputs that the model is called with.

    Returns:
        `model/layer` -> tensor. A layer that is called repeatedly is numbered from its second call on.
    """
    found: dict[str, tf.Tensor] = {}
    _trace(model, inputs, found, prefix="")
    return found


def _trace(model: keras.Model, inputs, found: dict[str, tf.Tensor], *, prefix: str):
    def wrapped(operation: keras.Operation) -> Callable:
        def call(*args, **kwargs):
            name = prefix + operation.name
            if _is_graph(operation):
                return _trace(operation, args[0], found, prefix=f"{name}/")
            outputs = operation(*args, **kwargs)
            if isinstance(outputs, tf.Tensor) and not isinstance(operation, keras.layers.InputLayer):
                calls = sum(known == name or known.startswith(f"{name}#") for known in found)
                found[name if not calls else f"{name}#{calls + 1}"] = outputs
            return outputs

        return call

    return model._run_through_graph(model._standardize_inputs(inputs), operation_fn=wrapped)


def _is_graph(operation: keras.Operation) -> bool:
    return isinstance(operation, keras.Model) and hasattr(operation, "_run_through_graph")


class LayerTap:
    """A model that returns the outputs of all layers; it converts and exports as the model does.

    Attributes:
        variables: Variables of the model.
    """

    def __init__(self, model: keras.Model):
        """Wraps a functional model."""
        self._model = model
        self.variables = model.variables

    def __call__(self, inputs: Batch, training: bool = False) -> dict[str, tf.Tensor]:
        """Returns layer name -> output as `layer_outputs`, without characters that signatures do not allow."""
        del training
        found = layer_outputs(self._model, inputs)
        return {key_of(name): tf.identity(tensor) for name, tensor in found.items() if tensor.dtype.is_floating}


def key_of(layer: str) -> str:
    """Name of a layer as the name of a signature's output."""
    return layer.replace("/", "__").replace("#", "_call")


def first_difference(expected: Mapping[str, np.ndarray], received: Mapping[str, np.ndarray], *, least_db: float) -> str:
    """Names the first layer whose output differs.

    Args:
        expected: Layer -> its output in the model, in order.
        received: The same for the export, keyed by `key_of` the layer.
        least_db: Signal-to-noise ratio below which an output counts as different, in dB.

    Returns:
        A clause with the layer and the ratio; if no ratio is that low, the layer with the largest drop.
    """
    ratios: dict[str, float] = {}
    for name, clean in expected.items():
        other = received.get(key_of(name))
        if other is None:
            continue
        if np.shape(clean) != np.shape(other):
            return f"the layer `{name}` gives shape {list(np.shape(other))} instead of {list(np.shape(clean))}"
        ratios[name] = _ratio_db(np.asarray(clean, np.float64), np.asarray(other, np.float64))
        if not ratios[name] >= least_db:
            return f"the error starts at the layer `{name}`, whose signal-to-noise ratio is {ratios[name]:.0f} dB"
    if not ratios:
        return "no layer differs"
    names = list(ratios)
    before = [MAX_RATIO_DB, *ratios.values()]
    worst = max(range(len(names)), key=lambda index: before[index] - ratios[names[index]])
    return (
        f"the signal-to-noise ratio falls most at the layer `{names[worst]}`: from {before[worst]:.0f} to "
        f"{ratios[names[worst]]:.0f} dB"
    )


def _ratio_db(clean: np.ndarray, other: np.ndarray) -> float:
    noise, signal = np.mean(np.square(other - clean)), np.mean(np.square(clean))
    return min(MAX_RATIO_DB, 10.0 * np.log10(max(signal, _TINY) / max(noise, _TINY**2)))
