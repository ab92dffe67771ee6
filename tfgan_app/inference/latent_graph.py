"""Graph of a generator from its latents on: mapping network, class weights, and first layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tfgan_app.keras_compat import run_graph
from tfgan_app.layers import ChannelSlice, OneHot, StyleMixing

MAPPING = "mapping"
"""Name of the layer or network from z to w, for generators that have one."""

STYLE_KERNEL = "style_kernel"
"""Attribute of a layer that applies a linear map to its latents: that map, float `[latent_dim, units]`."""


@dataclass(frozen=True)
class _Call:
    """One call of a layer: the layer, its input tensors and its output tensors."""

    layer: Any
    inputs: Sequence[Any]
    outputs: Sequence[Any]


class LatentGraph:
    """A generator cut at its latents, sharing the weights of the model.

    Attributes:
        has_mapping: Whether a mapping network precedes the synthesis, so that the latents are w rather than z.
        dim: Length of a latent vector.
    """

    def __init__(self, model: keras.Model):
        """Traces a model.

        Args:
            model: Inference model of `latents` (and `labels` int32 `[batch]`, or `tokens` int32 `[batch, length]`).
        """
        self._calls: list[_Call] = []
        self._inputs = [keras.Input(each.shape[1:], dtype=each.dtype, name=each.name) for each in model.inputs]
        self._images = self._inlined(model, self._inputs)
        mapped = [call.outputs[0] for call in self._calls if call.layer.name == MAPPING]
        self.has_mapping = bool(mapped)
        self._latents = mapped[0] if mapped else self._inputs[0]
        self.dim = int(self._latents.shape[-1])
        self._one_hot = [call.outputs[0] for call in self._calls if isinstance(call.layer, OneHot)]

    def _inlined(self, model: keras.Model, inputs: Sequence[Any]) -> Any:
        """Calls each layer of a model on new tensors, nested models layer by layer; the mapping network stays whole."""

        def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
            if isinstance(layer, keras.Model) and layer.name != MAPPING:
                return self._inlined(layer, tf.nest.flatten(args))
            outputs = layer(*args, **kwargs)
            tensors = [each for each in tf.nest.flatten((args, kwargs)) if isinstance(each, keras.KerasTensor)]
            self._calls.append(_Call(layer, tensors, tf.nest.flatten(outputs)))
            return outputs

        return tf.nest.flatten(run_graph(model, inputs, call))[0]

    def mapping(self) -> keras.Model:
        """Model from the inputs of the generator to w."""
        return keras.Model(self._inputs, self._latents)

    def synthesis(self) -> keras.Model:
        """Model from `[latents, condition]` to images, the latents being w if there is a mapping network.

        The condition is a list: for a generator of z with classes, their weights float `[batch, classes]`, once for
        each place that takes them, so that it can lie between classes; for other conditions, the model's input.
        """
        return keras.Model([self._latents, *self._condition()], self._images)

    def _condition(self) -> list[Any]:
        if not self.has_mapping:
            return self._one_hot or self._inputs[1:]
        # Labels and tokens may act on w alone.
        reached = self._reachable(self._inputs[1:], stop=self._latents)
        return self._inputs[1:] if id(self._images) in reached else []

    @property
    def style_starts(self) -> list[int]:
        """First latent of each layer's own part, for a generator of hierarchical latents; empty for others."""
        slices = [call for call in self._calls if isinstance(call.layer, ChannelSlice)]
        starts = sorted({call.layer.start for call in slices if any(each is self._latents for each in call.inputs)})
        return starts if len(starts) > 1 and starts[0] == 0 else []

    def styles(self) -> keras.Model | None:
        """Model from w to one style for each layer, `[batch, layers, dim]`; None for a generator without styles."""
        styles = self._styles()
        return None if styles is None else keras.Model(self._latents, styles)

    def style_synthesis(self) -> keras.Model:
        """Model from `[styles, condition]` to images, for a generator with `styles`; see `synthesis`."""
        return keras.Model([self._styles(), *self._condition()], self._images)

    def _styles(self) -> Any:
        if not self.has_mapping:
            return None
        return next((call.outputs[0] for call in self._calls if isinstance(call.layer, StyleMixing)), None)

    @property
    def condition_inputs(self) -> int:
        """Number of tensors of a condition that `synthesis` takes."""
        return len(self._condition())

    @property
    def takes_class_weights(self) -> bool:
        """Whether the condition of `synthesis` is weights of classes."""
        return bool(self._one_hot) and not self.has_mapping

    def _reachable(self, starts: Sequence[Any], *, stop: Any = None) -> set[int]:
        reached = {id(each) for each in starts}
        for call in self._calls:
            if any(id(each) in reached for each in call.inputs):
                reached |= {id(each) for each in call.outputs if each is not stop}
        return reached

    def first_maps(self) -> np.ndarray:
        """Linear maps that the first layers with weights apply to the latents: float64 `[latent_dim, units]`.

        The layers between (concatenation, for example) have no weights. Their effect is measured on unit vectors.

        Raises:
            ValueError: If no layer applies a linear map.
        """
        reached, maps = {id(self._latents)}, []
        for call in self._calls:
            taken = [each for each in call.inputs if id(each) in reached]
            if not taken:
                continue
            if (kernel := getattr(call.layer, STYLE_KERNEL, None)) is not None:
                maps.append(np.asarray(kernel, np.float64))
            elif not call.layer.weights:
                reached |= {id(each) for each in call.outputs}
            elif isinstance(call.layer, keras.layers.Dense):
                maps.append(self._effect_on(taken[0]) @ np.asarray(call.layer.kernel, np.float64))
        if not maps:
            raise ValueError("The generator has no dense layer on its latents, which the directions are found in.")
        return np.concatenate(maps, axis=1)

    def _effect_on(self, tensor: Any) -> np.ndarray:
        """Change of a tensor for each unit vector of the latents: float64 `[latent_dim, units]`."""
        if tensor is self._latents:
            return np.eye(self.dim)
        conditions = self._condition()
        between = keras.Model([self._latents, *conditions], tensor)
        points = tf.concat([tf.eye(self.dim), tf.zeros([1, self.dim])], axis=0)
        others = [tf.zeros([len(points), *each.shape[1:]], each.dtype) for each in conditions]
        values = np.asarray(between([points, *others], training=False), np.float64)
        return values[:-1] - values[-1:]
