"""Self-attention over the pixels of a feature map."""

from __future__ import annotations

from collections.abc import Callable

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable(package="tfgan_app")
class ResidualGain(keras.layers.Layer):
    """Multiplies by one learned number that starts at zero: a branch that a network grows into."""

    def build(self, input_shape):
        del input_shape
        self.gain = self.add_weight(shape=(), initializer="zeros", name="gain")

    def call(self, inputs):
        return inputs * ops.cast(self.gain, inputs.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape


@keras.saving.register_keras_serializable(package="tfgan_app")
class PixelAttention(keras.layers.Layer):
    """Sums of the values of all keys, weighted by softmax of their products with each query.

    Call arguments:
        inputs: triple `(queries, keys, values)`: float `[batch, pixels, dim]`, `[batch, keys, dim]`,
            `[batch, keys, channels]`.

    Returns:
        Float `[batch, pixels, channels]`; the weights are computed in float32.
    """

    def call(self, inputs):
        queries, keys, values = inputs
        products = ops.matmul(queries, ops.transpose(keys, (0, 2, 1)))
        weights = ops.softmax(ops.cast(products, "float32"), axis=-1)
        return ops.matmul(ops.cast(weights, values.dtype), values)

    def compute_output_shape(self, input_shape):
        queries, _, values = input_shape
        return (*queries[:2], values[-1])


def self_attention(x, *, wrap: Callable[[layers.Layer], layers.Layer], name: str):
    """Adds to each pixel a sum over all pixels, weighted by similarity; starts as the identity.

    "Self-Attention Generative Adversarial Networks", Zhang et al. 2019, arXiv:1805.08318, section 3, with the
    bottleneck and the pooled keys and values of its authors' code, which BigGAN took over.

    Args:
        x: Keras tensor `[batch, height, width, channels]`, height and width known and even.
        wrap: Function applied to each layer with weights; see `spectral`.
        name: Prefix of the layers' names.

    Returns:
        Keras tensor like `x`.
    """
    _, height, width, channels = x.shape
    dim, inside = max(1, channels // 8), max(1, channels // 2)

    def project(inputs, units: int, kind: str):
        return wrap(layers.Conv2D(units, 1, use_bias=False, name=f"{name}_{kind}"))(inputs)

    queries = layers.Reshape((height * width, dim))(project(x, dim, "queries"))
    pooled = [layers.MaxPooling2D(2)(project(x, units, kind)) for units, kind in ((dim, "keys"), (inside, "values"))]
    keys, values = (layers.Reshape((height * width // 4, each.shape[-1]))(each) for each in pooled)
    attended = PixelAttention(name=f"{name}_attention")([queries, keys, values])
    attended = project(layers.Reshape((height, width, inside))(attended), channels, "outputs")
    return layers.Add(name=name)([x, ResidualGain(name=f"{name}_gain")(attended)])
