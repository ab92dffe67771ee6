"""Modulated convolutions and noise of style-based generators."""

from __future__ import annotations

import keras
from keras import ops

from tfgan_app.layers.binomial import binomial_filter
from tfgan_app.layers.equalized import EqualizedDense, equalized_scale

_EPSILON = 1e-8


@keras.saving.register_keras_serializable(package="tfgan_app")
class ModulatedConv2D(keras.layers.Layer):
    """Convolution whose input channels are scaled by a style, and whose output channels are normalized for it.

    "Analyzing and Improving the Image Quality of StyleGAN", Karras et al. 2020, arXiv:1912.04958, section 2.2: the
    kernels w of an image are `s_i w_ijk`, divided by their norm over i and k. Here the same numbers come from scaling
    the activations, as in the paper's `fused_modconv=False`: the style multiplies the input, one convolution serves the
    whole batch, and the output is divided by the norm, which is one product of squared styles and summed squared
    kernels. That form converts to LiteRT, quantizes, and needs no grouped convolution.

    Args:
        filters: Channels of the output.
        kernel_px: Height and width of the kernels.
        index: Row of the styles that this layer takes.
        demodulate: Whether outputs are divided by the norm of their kernels.
        double: Whether height and width double: a transposed convolution of stride 2, and the filter 1, 3, 3, 1.
        weight_std: Standard deviation of the stored kernels at the start.

    Call arguments:
        inputs: pair `(x, styles)`: float `[batch, height, width, channels]`, float `[batch, layers, dim]`.

    Returns:
        Float `[batch, height, width, filters]`, or twice as high and wide.
    """

    def __init__(
        self,
        filters: int,
        kernel_px: int = 3,
        *,
        index: int,
        demodulate: bool = True,
        double: bool = False,
        weight_std: float = 1.0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.settings = {
            "filters": filters,
            "kernel_px": kernel_px,
            "index": index,
            "demodulate": demodulate,
            "double": double,
            "weight_std": weight_std,
        }
        self.filters, self.kernel_px, self.index = filters, kernel_px, index
        self.demodulate, self.double, self.weight_std = demodulate, double, weight_std

    def build(self, input_shape):
        x_shape, styles_shape = input_shape
        # The biases start at 1: a style of zero leaves the channels as they are.
        self.to_style = EqualizedDense(x_shape[-1], bias=1.0, dtype=self.dtype_policy, name="to_style")
        self.to_style.build((None, styles_shape[-1]))
        self.kernel = self.add_weight(
            shape=(self.kernel_px, self.kernel_px, x_shape[-1], self.filters),
            initializer=keras.initializers.RandomNormal(stddev=self.weight_std),
            name="kernel",
        )
        self.bias = self.add_weight(shape=(self.filters,), initializer="zeros", name="bias")

    def call(self, inputs):
        """Scales, convolves, normalizes, and adds the biases."""
        x, styles = inputs
        style = self.to_style(styles[:, self.index])
        scale = equalized_scale(self.kernel_px**2 * x.shape[-1])
        kernel = ops.cast(self.kernel, x.dtype) * scale
        y = self._convolved(x * ops.expand_dims(style, (1, 2)), kernel)
        if self.demodulate:
            y = y * ops.cast(self._demodulation(style, scale), y.dtype)
        return y + ops.cast(self.bias, y.dtype)

    def _demodulation(self, style, scale: float):
        """One over the norm of each image's kernels: float32 `[batch, 1, 1, filters]`."""
        # Squares of half precision would overflow.
        powers = ops.sum(ops.square(ops.cast(self.kernel, "float32") * scale), axis=(0, 1))
        norms = ops.matmul(ops.square(ops.cast(style, "float32")), powers)
        return ops.expand_dims(ops.rsqrt(norms + _EPSILON), (1, 2))

    def _convolved(self, x, kernel):
        if not self.double:
            return ops.conv(x, kernel, 1, padding="same", data_format="channels_last")
        # A transposed convolution of the flipped kernel is a convolution of the input with zeros in between.
        kernel = ops.transpose(ops.flip(kernel, axis=(0, 1)), (0, 1, 3, 2))
        y = ops.conv_transpose(x, kernel, 2, padding="valid", data_format="channels_last")
        return binomial_filter(y, padding=1, gain=4.0)

    def compute_output_shape(self, input_shape):
        batch, height, width, _ = input_shape[0]
        factor = 2 if self.double else 1
        return (batch, height * factor, width * factor, self.filters)

    def get_config(self):
        return {**super().get_config(), **self.settings}


@keras.saving.register_keras_serializable(package="tfgan_app")
class PixelNoise(keras.layers.Layer):
    """Adds one normal number to all channels of each pixel, times a learned strength that starts at zero.

    Karras et al. 2019, arXiv:1812.04948, section 3.2, as in StyleGAN2. In training the numbers are fresh for every
    image, from a random state that checkpoints keep. In inference mode they are one constant image, so that a model and
    its exports draw the same image of the same latents.

    Call arguments:
        inputs: float `[batch, height, width, channels]` of known height and width.
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seed_generator = keras.random.SeedGenerator()

    def build(self, input_shape):
        _, height, width, _ = input_shape
        normal = keras.initializers.RandomNormal(stddev=1.0)
        self.strength = self.add_weight(shape=(), initializer="zeros", name="strength")
        self.constant = self.add_weight(
            shape=(height, width, 1), initializer=normal, trainable=False, autocast=False, name="constant"
        )

    def call(self, inputs, training=None):
        """Adds the noise."""
        noise = ops.convert_to_tensor(self.constant)
        if training:
            shape = (ops.shape(inputs)[0], *self.constant.shape)
            noise = keras.random.normal(shape, dtype="float32", seed=self.seed_generator)
        return inputs + ops.cast(noise, inputs.dtype) * ops.cast(self.strength, inputs.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape
