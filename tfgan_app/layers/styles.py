"""Styles of style-based generators: their mean, truncation, and mixing of two."""

from __future__ import annotations

from collections.abc import Iterator

import keras
from keras import ops

MEAN_DECAY = 0.998
"""Decay of the running mean of w, of the authors' code for ADA (Karras et al. 2020, arXiv:2006.06676)."""


@keras.saving.register_keras_serializable(package="tfgan_app")
class StyleTruncation(keras.layers.Layer):
    """Moves w towards its mean: `mean + psi * (w - mean)`, the truncation of StyleGAN.

    "A Style-Based Generator Architecture for GANs", Karras et al. 2019, arXiv:1812.04948, appendix B: psi 1 changes
    nothing, 0 gives the mean image. The mean is tracked in training, where w passes unchanged. `psi` is a weight, so
    files and exports keep its value; set it by `set_truncation`.

    Call arguments:
        inputs: float32 `[batch, dim]`.

    Returns:
        Like `inputs`.
    """

    def build(self, input_shape):
        options = {"trainable": False, "autocast": False, "aggregation": "mean", "dtype": "float32"}
        self.mean = self.add_weight(shape=(input_shape[-1],), initializer="zeros", name="mean", **options)
        self.psi = self.add_weight(shape=(), initializer="ones", name="psi", **options)

    def call(self, inputs, training=None):
        """Tracks the mean in training, and truncates otherwise."""
        if training:
            batch_mean = ops.mean(ops.stop_gradient(ops.cast(inputs, "float32")), axis=0)
            self.mean.assign(batch_mean + MEAN_DECAY * (self.mean - batch_mean))
            return inputs
        mean, psi = (ops.cast(weight, inputs.dtype) for weight in (self.mean, self.psi))
        return mean + psi * (inputs - mean)

    def compute_output_shape(self, input_shape):
        return input_shape


@keras.saving.register_keras_serializable(package="tfgan_app")
class StyleMixing(keras.layers.Layer):
    """One style for each layer of a synthesis network: `[batch, dim]` -> `[batch, count, dim]`.

    With a second w, the layers from a random one on take it, in a share of the images: style mixing, Karras et al.
    2019, arXiv:1812.04948, section 3.1.

    Args:
        count: int, layers that take a style.
        probability: float, share of the images that are mixed in training.

    Call arguments:
        inputs: w, float `[batch, dim]`.
        other: A second w of the same shape, or None.
    """

    def __init__(self, count: int, probability: float = 0.9, **kwargs):
        super().__init__(**kwargs)
        self.count = count
        self.probability = probability
        self.seed_generator = keras.random.SeedGenerator()

    def call(self, inputs, other=None, training=None):
        """Repeats w, and mixes in training."""
        styles = ops.repeat(ops.expand_dims(inputs, 1), self.count, axis=1)
        if other is None or not training:
            return styles
        batch = ops.shape(inputs)[0]
        draws = keras.random.uniform((batch, 2), dtype="float32", seed=self.seed_generator)
        # Crossover points 1 to count - 1; count means no mixing.
        crossover = 1.0 + ops.floor(draws[:, :1] * (self.count - 1))
        crossover = ops.where(draws[:, 1:] < self.probability, crossover, float(self.count))
        later = ops.arange(self.count, dtype="float32")[None] >= crossover
        return ops.where(later[:, :, None], ops.expand_dims(other, 1), styles)

    def compute_output_spec(self, inputs, other=None, training=None):
        del other, training
        batch, dim = inputs.shape
        return keras.KerasTensor((batch, self.count, dim), dtype=self.compute_dtype)

    def get_config(self):
        return {**super().get_config(), "count": self.count, "probability": self.probability}


def style_truncations(model: keras.Model) -> Iterator[StyleTruncation]:
    """Yields the truncation layers of a model and of the models in it; none for generators without styles."""
    for layer in model.layers:
        if isinstance(layer, StyleTruncation):
            yield layer
        elif isinstance(layer, keras.Model):
            yield from style_truncations(layer)


def truncation_of(model: keras.Model) -> float | None:
    """Returns the `psi` of a style-based generator; None for one that truncates latents."""
    return next((float(layer.psi.numpy()) for layer in style_truncations(model)), None)


def set_truncation(model: keras.Model, psi: float) -> None:
    """Sets the truncation of a style-based generator.

    Args:
        model: Generator, or a model that contains one.
        psi: At least 0; 1 changes nothing, 0 gives the mean image.

    Raises:
        ValueError: For another model, or a negative number.
    """
    layers = list(style_truncations(model))
    if not layers or not 0.0 <= psi < float("inf"):
        expected = "a model with a `StyleTruncation` layer" if not layers else "`psi` of at least 0"
        raise ValueError(f"Expected {expected}. Received: {model.name}, psi={psi}.")
    for layer in layers:
        layer.psi.assign(psi)
